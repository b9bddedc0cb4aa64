package database

import (
	"slices"
	"strings"
	"testing"
)

func (s *site) wayBack(u *WayBack, err error) *WayBack {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func TestWayBackOfAnUntouchedUpdateFindsNothing(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	if w := s.wayBack(s.WayBack(t.Context(), p)); len(w.Steps) != 0 {
		t.Errorf("before the update there are %d steps to take back", len(w.Steps))
	}
	s.run(p)
	before := s.sums()
	w := s.wayBack(s.WayBack(t.Context(), p))
	for _, f := range w.Findings {
		if f.Level != levelOK && f.Code != "database version" {
			t.Errorf("%+v", f)
		}
	}
	if len(w.Steps) < len(p.Steps) || len(w.Former.Since) != 0 || w.Former.With != p.Start {
		t.Errorf("%d steps; changed since %+v", len(w.Steps), w.Former.Since)
	}
	s.sameSums(before, "after a look at the way back")
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
}

func TestWayBackTellsBeforehandWhatUndoMeets(t *testing.T) {
	s := newSite(t, shopOld...)
	p := s.plan(shopNew)
	s.run(p)
	s.exec("UPDATE customers SET name = REPEAT('n', 150) WHERE id = 2",
		"DELETE FROM orders WHERE customer = 1", "DELETE FROM customers WHERE id = 1",
		"ALTER TABLE customers ADD COLUMN own int DEFAULT 5", "CREATE TABLE mine (id int PRIMARY KEY)")
	w := s.wayBack(s.WayBack(t.Context(), p))
	for code, words := range map[string][]string{
		"schema L1":    {"name", "(rows: 1)"},
		"schema F1":    {"legacy_customer of legacy", "no parent in customers", "(rows: 1)"},
		"schema since": {"changed here"},
	} {
		i := slices.IndexFunc(w.Findings, func(f Finding) bool { return f.Code == code })
		if i < 0 {
			t.Errorf("no finding %s in %+v", code, w.Findings)
			continue
		}
		f := w.Findings[i]
		if f.Level != levelWarn || len(f.Rows) == 0 {
			t.Errorf("%+v; want a warning with rows", f)
		}
		for _, word := range words {
			if !strings.Contains(f.Text, word) {
				t.Errorf("%q lacks %q", f.Text, word)
			}
		}
	}
	if _, err := s.Undo(t.Context(), p, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.MatchesFormer(t.Context(), w.Former); err != nil {
		t.Error(err)
	}
	if err := s.Matches(t.Context(), p.Start); err == nil {
		t.Error("what was added here since is gone")
	}
	if err := there(t.Context(), s.DB, p, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Undo(t.Context(), p, "contract", nil, nil); err != nil {
		t.Fatal(err)
	}
	if half := s.wayBack(s.WayBack(t.Context(), p)); len(half.Former.Since) != 0 || hasFinding(half.Findings, "schema since", levelWarn) {
		t.Errorf("half of a way back is taken for changes of somebody's: %+v", half.Former.Since)
	}
	if _, err := s.Undo(t.Context(), p, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	s.exec("DROP TABLE legacy")
	if s.MatchesFormer(t.Context(), w.Former) == nil {
		t.Error("a table that did not come back is not missed")
	}
}

func TestWayBackStopsAtDuplicatesUnderAnOldKey(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a int, UNIQUE KEY a (a))", "INSERT INTO t VALUES (1, 1)")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int)")
	s.run(p)
	s.exec("INSERT INTO t VALUES (2, 1)")
	if w := s.wayBack(s.WayBack(t.Context(), p)); !hasFinding(w.Findings, "schema U1", levelBlock) {
		t.Errorf("%+v", w.Findings)
	}
}

func TestAWayBackThatWouldFailOnWhatWasChangedSinceIsRefused(t *testing.T) {
	for _, c := range []struct{ change, mend, code, object string }{
		{"ALTER TABLE t DROP COLUMN added", "ALTER TABLE t ADD COLUMN added int", "schema gone", "table t, column added"},
		{"ALTER TABLE t DROP INDEX n", "ALTER TABLE t ADD INDEX n (n)", "schema gone", "table t, index n"},
		{"ALTER TABLE t DROP COLUMN wide", "ALTER TABLE t ADD COLUMN wide bigint AFTER n", "schema gone", "table t, column wide"},
		{"DROP TABLE fresh", "CREATE TABLE fresh (id int PRIMARY KEY)", "schema gone", "table fresh"},
		{"ALTER TABLE t ADD COLUMN fax int", "ALTER TABLE t DROP COLUMN fax", "schema in the way", "table t, column fax"},
		{"CREATE TABLE old (id int PRIMARY KEY)", "DROP TABLE old", "schema in the way", "table old"},
	} {
		t.Run(c.object, func(t *testing.T) {
			s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, n int, wide int, fax varchar(9))", "INSERT INTO t VALUES (1, 2, NULL, 'x')", "CREATE TABLE old (id int PRIMARY KEY)")
			before := s.sums()
			p := s.plan("CREATE TABLE t (id int PRIMARY KEY, n int, wide bigint, added int, KEY n (n)); CREATE TABLE fresh (id int PRIMARY KEY)")
			s.run(p)
			s.exec(c.change)
			w := s.wayBack(s.WayBack(t.Context(), p))
			i := slices.IndexFunc(w.Findings, func(f Finding) bool { return f.Code == c.code })
			if i < 0 || w.Findings[i].Level != levelBlock || !strings.Contains(w.Findings[i].Text, c.object) {
				t.Fatalf("want %s, found %+v", c.code, w.Findings)
			}
			s.exec(c.mend)
			w = s.wayBack(s.WayBack(t.Context(), p))
			if hasFinding(w.Findings, c.code, levelBlock) {
				t.Errorf("after %s: %+v", c.mend, w.Findings)
			}
			s.undo(p)
			s.sameSums(before, "after the way back")
		})
	}
}
