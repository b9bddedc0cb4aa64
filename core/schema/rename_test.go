package schema_test

import (
	"maps"
	"slices"
	"testing"

	"moult/core/schema"
)

// TestDroppedColumnsOfOldServersGoToSideTables plans for a server without
// invisible columns and runs the plan on one that has them: the rows must come
// back all the same.
func TestDroppedColumnsOfOldServersGoToSideTables(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) NOT NULL, d date NOT NULL, e int DEFAULT 7, u timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY a (a));;\n"+
		"INSERT INTO t VALUES (1,'x','2020-01-01',NULL,'2001-01-01 00:00:00'),(2,'y','2020-01-02',7,'2001-01-01 00:00:00')")
	fl := s.db.Flavor()
	if fl.Vendor != schema.MariaDB {
		t.Skip("the plan is for an old MariaDB")
	}
	old := schema.Flavor{Vendor: schema.MariaDB, Version: [3]int{10, 2, 40}}
	live, rows := s.schema(), s.rows()
	// The key by which the rows are found again is widened in the same statement.
	target := read(t, "to", "CREATE TABLE t (id bigint PRIMARY KEY, n int, u timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)", fl)
	p, err := schema.NewPlan(live, target, schema.Options{Flavor: old, UpdateID: "o"})
	if err != nil {
		t.Fatal(err)
	}
	s.there(p)
	s.mustEqual("after the plan", inDatabase(target, live, fl))
	s.back(p)
	s.mustEqual("after undoing", live)
	if got := s.rows(); !maps.Equal(got, rows) {
		t.Errorf("rows differ: %v, want %v\n%s", got, rows, script(p))
	}
}

const (
	beforeRename = "CREATE TABLE p (id int PRIMARY KEY, old_name varchar(20), CHECK (old_name <> ''), KEY k (old_name));;\n" +
		"CREATE TABLE c (id int PRIMARY KEY, p int, g int AS (p + 1) VIRTUAL, FOREIGN KEY (p) REFERENCES p (id));;\n" +
		"INSERT INTO p VALUES (1,'x');;\nINSERT INTO c (id, p) VALUES (1,1)"
	afterRename = "CREATE TABLE parents /* @renamed from=p */ (id int PRIMARY KEY, new_name varchar(30) /* @renamed from=old_name */, CHECK (new_name <> ''), KEY k (new_name));\n" +
		"CREATE TABLE c (id int PRIMARY KEY, parent int /* @renamed from=p */, g int AS (parent + 1) VIRTUAL, FOREIGN KEY (parent) REFERENCES parents (id));\n"
)

func TestDeclaredRenamesKeepTheData(t *testing.T) {
	s := newSite(t, beforeRename)
	fl := s.db.Flavor()
	live, rows := s.schema(), s.rows()
	target := read(t, "to", afterRename, fl)
	p, err := schema.NewPlan(live, target, schema.Options{Flavor: fl, UpdateID: "n"})
	if err != nil {
		t.Fatal(err)
	}
	s.there(p)
	s.mustEqual("after the plan\n"+script(p), inDatabase(target, live, fl))
	var got string
	if err := s.pool.QueryRow("SELECT CONCAT(new_name, parent, g) FROM parents JOIN c ON parent=parents.id").Scan(&got); err != nil || got != "x12" {
		t.Errorf("the row is %q, %v, want x12", got, err)
	}
	s.back(p)
	s.mustEqual("after undoing", live)
	if got := s.rows(); !maps.Equal(got, rows) {
		t.Errorf("rows differ: %v, want %v", got, rows)
	}
}

func TestLookAlikesAreProposedAndNeverAssumed(t *testing.T) {
	fl := schema.DefaultMariaDB
	live := read(t, "from", "CREATE TABLE users (id int PRIMARY KEY, created datetime, name varchar(20), mail varchar(50));", fl)
	target := read(t, "to", "CREATE TABLE users (id int PRIMARY KEY, date_added datetime, name varchar(20), email varchar(50));", fl)
	p, err := schema.NewPlan(live, target, schema.Options{Flavor: fl})
	if err != nil {
		t.Fatal(err)
	}
	want := []schema.Rename{
		{Object: "table users, column created", From: "created", To: "date_added"},
		{Object: "table users, column mail", From: "mail", To: "email"},
	}
	if !slices.Equal(p.Renames, want) {
		t.Errorf("proposed %v, want %v", p.Renames, want)
	}
	if last := p.Steps[len(p.Steps)-1]; last.Risk != schema.KeepsData {
		t.Errorf("without an answer, the old columns are to be kept aside: %s", script(p))
	}
	p, err = schema.NewPlan(live, target, schema.Options{Flavor: fl, Confirmed: func(r schema.Rename) bool { return r.To == "email" }})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Renames) != 1 || p.Renames[0].To != "date_added" {
		t.Errorf("open questions are %v, want date_added alone", p.Renames)
	}
	if !slices.ContainsFunc(p.Steps, func(s schema.Step) bool { return s.Change == "rename column mail to email" }) {
		t.Errorf("mail is not renamed: %s", script(p))
	}
}
