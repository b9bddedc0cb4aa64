package database

import "testing"

// hidden counts what is kept aside.
func (s *site) hidden() string {
	s.t.Helper()
	return s.text("SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE '\\_moult\\_%')" +
		" + (SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name LIKE '\\_moult\\_%' AND table_name NOT LIKE '\\_moult\\_%')")
}

func TestDiscardReallyRemovesWhatIsKept(t *testing.T) {
	s := newSite(t, shopOld...)
	s.exec("CREATE TABLE digits (d int)", "INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)",
		"INSERT INTO legacy SELECT 100 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d, NULL, REPEAT('x', 20) FROM digits a, digits b, digits c, digits e",
		"DROP TABLE digits", "ANALYZE TABLE legacy")
	p := s.plan(shopNew)
	s.run(p)
	after := s.sums()
	s.exec("ANALYZE TABLE customers")
	bytes, err := s.KeptBytes(t.Context(), p)
	if err != nil || bytes < 10000*20 {
		t.Errorf("%d bytes are kept, %v; want those of a table of 10000 rows", bytes, err)
	}
	if s.hidden() == "0" {
		t.Fatal("nothing is kept aside")
	}
	for range 2 {
		if err := s.Discard(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if n := s.hidden(); n != "0" {
			t.Errorf("%s objects are left", n)
		}
	}
	s.sameSums(after, "after discarding")
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
	if bytes, err := s.KeptBytes(t.Context(), p); err != nil || bytes != 0 {
		t.Errorf("%d bytes are kept after discarding, %v", bytes, err)
	}
}

func TestTablesThatNobodyWroteIntoAreDiscardedAfterUndo(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, note varchar(9), unused varchar(9), n int NOT NULL DEFAULT 7, filled int NOT NULL DEFAULT 7, owed int NOT NULL); CREATE TABLE parent (id int PRIMARY KEY);" +
		"CREATE TABLE empty (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parent (id));" +
		"CREATE TABLE written (id int PRIMARY KEY, parent int, FOREIGN KEY (parent) REFERENCES parent (id))")
	s.run(p)
	s.exec("INSERT INTO written VALUES (7, NULL)", "UPDATE t SET note = 'x', filled = 8")
	s.undo(p)
	for range 2 {
		left, err := s.DiscardEmpty(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if left != 3 || s.hidden() != "3" {
			t.Errorf("%d are said to be left and %s are, want the table with a row and the columns with values", left, s.hidden())
		}
	}
	if err := s.Discard(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if n := s.hidden(); n != "0" {
		t.Errorf("%s objects are left after discarding", n)
	}
}

func TestDiscardAfterUndoRemovesWhatTheUpdateHadAdded(t *testing.T) {
	s := newSite(t, shopOld...)
	before := s.sums()
	p := s.plan(shopNew)
	s.run(p)
	s.exec("INSERT INTO labels VALUES (1, 'new')")
	s.undo(p)
	if s.hidden() == "0" {
		t.Error("the rows of the added table are gone already")
	}
	if err := s.Discard(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if n := s.hidden(); n != "0" {
		t.Errorf("%s objects are left", n)
	}
	s.sameSums(before, "after undo and discarding")
}
