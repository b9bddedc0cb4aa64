package update_test

import (
	"strings"
	"testing"

	"moult/core/update"
)

// checked returns the text of the check with a code, "" if there is none.
func checked(checks []update.Check, code string, level update.CheckLevel) string {
	for _, c := range checks {
		if c.Code == code && c.Level == level {
			return c.Text
		}
	}
	return ""
}

func TestARollBackSaysBeforehandWhatItMeetsAndLeavesWhatIsTheAdmins(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	if look, err := e.PreviewRollBack(t.Context(), ""); update.KindOf(err) != update.KindNoBackup {
		t.Fatalf("without a restore point: %+v, %v", look, err)
	}
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	w.exec("ALTER TABLE users ADD COLUMN own INT DEFAULT 7; UPDATE users SET name = REPEAT('n', 60) WHERE name = 'bob'")
	fresh := w.state()
	look, err := e.PreviewRollBack(t.Context(), "")
	must(t, err)
	checks := look.Checks
	if look.Updates != 1 || look.To.String() != "1.0.0" {
		t.Errorf("it would undo %d updates and lead to %s", look.Updates, look.To)
	}
	if text := checked(checks, "schema L1", update.CheckWarn); !strings.Contains(text, "40") {
		t.Errorf("nobody is told that a name will be cut: %+v", checks)
	}
	if checked(checks, "schema since", update.CheckWarn) == "" {
		t.Errorf("nobody is told what was changed here: %+v", checks)
	}
	if w.state() != fresh {
		t.Error("the look has changed the site")
	}
	res, err := e.RollBack(t.Context(), "", nil)
	must(t, err)
	if res.State != update.RolledBack || res.Site != update.SiteOld {
		t.Errorf("state %q, site %q", res.State, res.Site)
	}
	var own, fax int
	must(t, w.pool().QueryRow("SELECT SUM(own), COUNT(fax) FROM users").Scan(&own, &fax))
	if own != 21 || fax != 2 {
		t.Errorf("the admin's column sums up to %d, and %d fax numbers are back", own, fax)
	}
}

func TestARollBackThatCannotSucceedDoesNotBegin(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	fresh := w.state()
	w.exec("SET GLOBAL read_only = 1")
	_, err = e.RollBack(t.Context(), "", nil)
	w.exec("SET GLOBAL read_only = 0")
	if update.KindOf(err) != update.KindBlocked || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("%v", err)
	}
	if w.state() != fresh {
		t.Error("the site has changed")
	}
	if found, err := e.Interrupted(); err != nil || found != nil {
		t.Errorf("a run is open: %+v, %v", found, err)
	}
	_, err = e.RollBack(t.Context(), "", nil)
	must(t, err)
}
