package database

import (
	"strings"
	"testing"
)

var countScripts = []Script{
	{Name: "10-double.sql", SQL: "UPDATE t SET n = n * 2; INSERT INTO t VALUES (0, 100);", Undo: "DELETE FROM t WHERE n = 100; UPDATE t SET n = n / 2;"},
	{Name: "05-add.sql", SQL: "-- first\nUPDATE t SET n = n + 1;", Undo: "UPDATE t SET n = n - 1"},
}

func countSite(t *testing.T) *site {
	return newSite(t, "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int NOT NULL)", "INSERT INTO t VALUES (1, 5), (2, 7)")
}

func TestScriptsRunOnceInOrderAndBack(t *testing.T) {
	s := countSite(t)
	before := s.sums()
	for range 2 {
		if err := s.RunScripts(t.Context(), "u1", countScripts, nil, nil); err != nil {
			t.Fatal(err)
		}
		if got := s.text("SELECT GROUP_CONCAT(CONCAT(id, ':', n) ORDER BY id) FROM t"); got != "1:12,2:16,3:100" {
			t.Fatalf("rows %s", got)
		}
	}
	for range 2 {
		notes, err := s.UndoScripts(t.Context(), "u1", countScripts, nil, nil)
		if err != nil || len(notes) != 0 {
			t.Fatal(notes, err)
		}
		s.sameSums(before, "after undo")
	}
}

func TestScriptThatFailsChangesNothing(t *testing.T) {
	s := countSite(t)
	before := s.sums()
	scripts := []Script{{Name: "10.sql", SQL: "UPDATE t SET n = 0; INSERT INTO t VALUES (1, 1);"}}
	err := s.RunScripts(t.Context(), "u1", scripts, nil, nil)
	if err == nil || !strings.Contains(err.Error(), "10.sql") {
		t.Fatalf("%v; want the script's name", err)
	}
	s.sameSums(before, "after a failed script")
}

func TestScriptThatWouldCommitIsRefusedBeforeAnythingRuns(t *testing.T) {
	s := countSite(t)
	before := s.sums()
	for _, bad := range []string{"ALTER TABLE t ADD m int", "COMMIT", "TRUNCATE t", "CALL p()", "LOCK TABLES t WRITE", "SET autocommit = 1", "SET @@global.read_only = 1", "SET PERSIST x = 1"} {
		err := s.RunScripts(t.Context(), "u1", []Script{{Name: "a.sql", SQL: "UPDATE t SET n = 0"}, {Name: "b.sql", SQL: "SELECT 1;\n" + bad}}, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "b.sql:2:1") {
			t.Errorf("%s: %v; want it refused with its place", bad, err)
		}
	}
	s.sameSums(before, "after refused scripts")
}

func TestScriptWithoutUndoIsSaid(t *testing.T) {
	s := countSite(t)
	scripts := []Script{{Name: "10.sql", SQL: "UPDATE t SET n = 0"}}
	if err := s.RunScripts(t.Context(), "u1", scripts, nil, nil); err != nil {
		t.Fatal(err)
	}
	notes, err := s.UndoScripts(t.Context(), "u1", scripts, nil, nil)
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "10.sql") {
		t.Errorf("%q, %v", notes, err)
	}
}
