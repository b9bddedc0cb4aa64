package schema_test

import (
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
)

// divided are changes of one table and the steps that they take on MariaDB, each
// by a part of its statement.
var divided = []struct {
	name, from, to string
	steps          []string
}{
	{"an instant change is not dragged into a rebuild",
		"CREATE TABLE t (id int PRIMARY KEY, a int)", "CREATE TABLE t (id int PRIMARY KEY, a int, b int DEFAULT NULL, KEY b (b))",
		[]string{"ADD COLUMN `b`", "ADD KEY `b`"}},
	{"a copy writes no index that can be sorted afterwards",
		"CREATE TABLE t (id int PRIMARY KEY, a int, b int)", "CREATE TABLE t (id int PRIMARY KEY, a varchar(20), b int, UNIQUE KEY b (b))",
		[]string{"MODIFY COLUMN `a`", "ADD UNIQUE KEY `b`"}},
	{"only indexes",
		"CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY a (a))", "CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY b (b))",
		[]string{"DROP INDEX `a`,\n  ADD KEY `b`"}},
	{"an index and a change of the catalogue",
		"CREATE TABLE t (id int PRIMARY KEY, a int, KEY x (id,a))", "CREATE TABLE t (id int PRIMARY KEY, a int, KEY a (a)) COMMENT='c'",
		[]string{"ADD KEY `a` (`a`),\n  COMMENT"}},
	{"an index in the place of another",
		"CREATE TABLE t (id int PRIMARY KEY, a int, KEY a (a))", "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(9) NOT NULL, KEY ab (a,b))",
		[]string{"ADD KEY `ab`"}},
	{"a column that counts by itself needs its index",
		"CREATE TABLE t (id int PRIMARY KEY, a int)", "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL AUTO_INCREMENT, KEY a (a))",
		[]string{"ADD KEY `a`"}},
	{"a unique index may become the order of the rows",
		"CREATE TABLE t (a int NOT NULL, b int)", "CREATE TABLE t (a int NOT NULL, b varchar(9), UNIQUE KEY a (a))",
		[]string{"ADD UNIQUE KEY `a`"}},
	{"another engine",
		"CREATE TABLE t (id int PRIMARY KEY, a int) ENGINE=MyISAM", "CREATE TABLE t (id int PRIMARY KEY, a bigint, b int, KEY b (b)) ENGINE=MyISAM",
		[]string{"ADD KEY `b`"}},
}

func TestIndexesAreAddedByAStatementOfTheirOwn(t *testing.T) {
	fl := schema.DefaultMariaDB
	for _, c := range divided {
		t.Run(c.name, func(t *testing.T) {
			p, err := schema.NewPlan(read(t, "from", c.from, fl), read(t, "to", c.to, fl), schema.Options{Flavor: fl, UpdateID: "u1"})
			if err != nil {
				t.Fatal(err)
			}
			last := p.Steps[len(p.Steps)-min(len(c.steps), len(p.Steps)):]
			for i, want := range c.steps {
				if i >= len(last) || !strings.Contains(last[i].SQL, want) {
					t.Fatalf("want steps with %q\n%s", c.steps, script(p))
				}
			}
			if len(c.steps) == 2 && (last[1].Blocks || strings.Contains(last[0].SQL, "KEY")) {
				t.Errorf("the statement is not divided well:\n%s", script(p))
			}
			if len(c.steps) == 1 && slices.ContainsFunc(p.Steps[:len(p.Steps)-1], func(s schema.Step) bool { return s.Phase == last[0].Phase }) {
				t.Errorf("the statement is divided:\n%s", script(p))
			}
		})
	}
}

func TestDividedIndexKeepsTheQuestionForDuplicates(t *testing.T) {
	fl := schema.DefaultMariaDB
	p, err := schema.NewPlan(
		read(t, "from", "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) COLLATE utf8mb4_bin)", fl),
		read(t, "to", "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) COLLATE utf8mb4_general_ci NOT NULL, UNIQUE KEY a (a))", fl),
		schema.Options{Flavor: fl, UpdateID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	hazards := p.Steps[len(p.Steps)-1].Hazards
	if len(hazards) != 1 || !hazards[0].Blocks || !strings.Contains(hazards[0].Count, "COLLATE utf8mb4_general_ci") {
		t.Errorf("want a count of what is the same in the new collation, got %+v\n%s", hazards, script(p))
	}
}

func TestIndexesComeBackByAStatementOfTheirOwn(t *testing.T) {
	fl := schema.DefaultMariaDB
	inverses := func(from, to string) []schema.Statement {
		p, err := schema.NewPlan(read(t, "from", from, fl), read(t, "to", to, fl), schema.Options{Flavor: fl, UpdateID: "u1"})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(p.Steps, func(s schema.Step) bool { return strings.Contains(s.SQL, "DROP INDEX") })
		if i < 0 {
			t.Fatalf("no index is dropped\n%s", script(p))
		}
		return p.Steps[i].Inverse
	}
	back := inverses("CREATE TABLE t (id int PRIMARY KEY, a varchar(20), b int, UNIQUE KEY b (b))", "CREATE TABLE t (id int PRIMARY KEY, a int, b int)")
	if n := len(back); n != 2 || strings.Contains(back[0].SQL, "KEY") || strings.Contains(back[1].SQL, "COLUMN") {
		t.Errorf("the way back is not divided: %v", back)
	}
	// A foreign key must not be without an index in between (error 1553).
	parent := "CREATE TABLE p (id int PRIMARY KEY); "
	back = inverses(parent+"CREATE TABLE t (a int NOT NULL, k int NOT NULL, c int, KEY ak (a,k), CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id))",
		parent+"CREATE TABLE t (a int NOT NULL, k int NOT NULL, PRIMARY KEY (a,k), CONSTRAINT f FOREIGN KEY (a) REFERENCES p (id))")
	if len(back) != 1 || !strings.Contains(back[0].SQL, "DROP PRIMARY KEY") || !strings.Contains(back[0].SQL, "ADD KEY") {
		t.Errorf("the way back leaves a foreign key without an index: %v", back)
	}
}
