package database

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"moult/core/schema"
)

func TestQuarantinedTableKeepsItsRowsWhenItsParentsAreDeleted(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	s.run(p)
	s.exec("DELETE FROM orders WHERE customer = 1", "DELETE FROM customers WHERE id = 1")
	s.undoNoted(p, "legacy_customer of legacy came back unchecked, because rows have a customer that no row of customers has any more, as in customer = 1.")
	if got := s.text("SELECT GROUP_CONCAT(id ORDER BY id) FROM legacy"); got != "1,2" {
		t.Errorf("legacy has the rows %s, want 1,2", got)
	}
}

// undoNoted undoes a plan and wants a note with a word in it.
func (s *site) undoNoted(p *schema.Plan, word string) {
	s.t.Helper()
	notes, err := s.Undo(s.t.Context(), p, "", nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.Matches(s.t.Context(), p.Start); err != nil {
		s.t.Error(err)
	}
	if !strings.Contains(strings.Join(notes, "\n"), word) {
		s.t.Errorf("the notes %q do not say %q", notes, word)
	}
}

func TestRowsWrittenSinceTheUpdateStay(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	s.run(p)
	s.exec("INSERT INTO customers (id, name, email) VALUES (50, 'new', 'n@example.org')", "UPDATE customers SET name = 'renamed' WHERE id = 2", "INSERT INTO orders VALUES (9, 50, 1)")
	s.undo(p)
	if got := s.text("SELECT CONCAT(name, fax IS NULL, (SELECT COUNT(*) FROM orders WHERE customer = 50), (SELECT name FROM customers WHERE id = 2)) FROM customers WHERE id = 50"); got != "new11renamed" {
		t.Errorf("rows written since: %s", got)
	}
}

func TestUndoFiresNoTriggerAndTouchesNoTimestamp(t *testing.T) {
	s := newSite(t,
		"CREATE TABLE log (n int)",
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(50) NOT NULL, b int DEFAULT NULL, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP)",
		"CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
		"INSERT INTO t (id, a, b) VALUES (1, REPEAT('x', 40), NULL), (2, 'short', 5)")
	before := s.sums()
	p := s.plan("CREATE TABLE log (n int); CREATE TABLE t (id int PRIMARY KEY, a varchar(10) NOT NULL, b int NOT NULL DEFAULT 3, changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP);" +
		"CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id);")
	s.run(p)
	if got := s.text("SELECT CONCAT(a, '|', b) FROM t WHERE id = 1"); !strings.HasPrefix(got, "xxxxxxxxxx|") {
		t.Errorf("row 1 is %s after the update", got)
	}
	s.undo(p)
	s.sameSums(before, "after undo")
}

func TestUndoBringsADefinitionBackThatRowsDoNotFit(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a tinyint NOT NULL)", "INSERT INTO t VALUES (1, 5)")
	live := s.introspect()
	is := func(kind string) string {
		return "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 't' AND column_name = 'a' AND data_type = '" + kind + "'"
	}
	// A plan that does not think of rows which are written later.
	p := &schema.Plan{UpdateID: "u1", Start: schema.Emit(live, s.Flavor()), Steps: []schema.Step{{
		ID: "s01", Object: "table t", Change: "change column a", Phase: schema.Expand, Table: "t",
		Statement: schema.Statement{SQL: "ALTER TABLE `t` MODIFY COLUMN `a` int NOT NULL", Probe: is("int")},
		Inverse:   []schema.Statement{{SQL: "ALTER TABLE `t` MODIFY COLUMN `a` tinyint NOT NULL", Probe: is("tinyint")}},
	}}}
	if err := s.Run(t.Context(), p, schema.Expand, nil, nil); err != nil {
		t.Fatal(err)
	}
	s.exec("INSERT INTO t VALUES (2, 1000)")
	s.undoNoted(p, "table t")
	if got := s.text("SELECT GROUP_CONCAT(a ORDER BY id) FROM t"); got != "5,127" {
		t.Errorf("the rows are %s, want 5,127", got)
	}
}

func TestUpdateAndUndoWorkUnderWriters(t *testing.T) {
	s := newSite(t,
		"CREATE TABLE t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, old varchar(40) DEFAULT 'kept', KEY a (a))",
		"CREATE TABLE gone (id int PRIMARY KEY, v varchar(20))", "INSERT INTO gone VALUES (1, 'x')")
	p := s.plan("CREATE TABLE t (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, extra int NOT NULL DEFAULT 4, KEY a (a), KEY extra (extra)); CREATE TABLE fresh (id int PRIMARY KEY)")
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	var lock sync.Mutex
	written, failed := 0, map[string]int{}
	for range 3 {
		writers.Go(func() {
			for ctx.Err() == nil {
				_, err := s.app.Exec("INSERT INTO t (a) VALUES (7)")
				lock.Lock()
				if err == nil {
					written++
				} else {
					failed[fmt.Sprint(err)]++
				}
				lock.Unlock()
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	for range 3 {
		s.run(p)
		s.undo(p)
		if err := s.Discard(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	writers.Wait()
	if len(failed) > 0 {
		t.Errorf("writers failed: %v", failed)
	}
	if got := s.text("SELECT COUNT(*) FROM t"); got != fmt.Sprint(written) {
		t.Errorf("%s rows are there, %d were written", got, written)
	}
	if got := s.text("SELECT COUNT(*) FROM t WHERE old <> 'kept' OR old IS NULL"); got != "0" {
		t.Errorf("%s rows have lost the column's default", got)
	}
}

func TestRunAndUndoCanBeRepeated(t *testing.T) {
	s := newSite(t, shopOld...)
	before := s.sums()
	p := s.plan(shopNew)
	for range 2 {
		s.run(p)
		s.undo(p)
		s.undo(p)
		s.sameSums(before, "after a second undo")
	}
}
