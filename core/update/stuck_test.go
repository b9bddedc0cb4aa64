package update_test

import (
	"os"
	"path/filepath"
	"testing"

	"moult/core/site"
	"moult/core/update"
)

// TestARollBackThatCannotGoOnSaysSoAndGoesOnLater hides what the way back needs
// while the update fails, and brings it again.
func TestARollBackThatCannotGoOnSaysSoAndGoesOnLater(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	w.configure(func(cfg *site.Config) { cfg.Hooks.After = []string{"test ! -e lib/fresh/new.php"} })
	old, e := w.state(), w.engine()
	p := w.plan(e, update.Choices{})
	at := filepath.Join(w.dir, site.Home, "updates", p.ID)
	hidden := filepath.Join(t.TempDir(), "hidden")
	must(t, os.Mkdir(hidden, 0o700))
	kept := []string{"old", "stage"}
	away := false
	res, err := e.Apply(t.Context(), p, func(ev update.Event) {
		if ev.Stage != update.StageAfter || away {
			return
		}
		away = true
		for _, name := range kept {
			must(t, os.Rename(filepath.Join(at, name), filepath.Join(hidden, name)))
		}
	})
	if update.KindOf(err) != update.KindRollbackFailed {
		t.Fatalf("kind %q (%v), want %q", update.KindOf(err), err, update.KindRollbackFailed)
	}
	if res.State != update.NeedsAttention || res.Site != update.SiteMixed {
		t.Errorf("state %q, site %q: want %q and %q", res.State, res.Site, update.NeedsAttention, update.SiteMixed)
	}
	if _, err := e.Check(t.Context(), update.Choices{}, nil); err != nil {
		t.Errorf("a check must still work: %v", err)
	}
	found, err := e.Interrupted()
	must(t, err)
	if found == nil || !found.RollingBack || found.Recommended != update.Undo {
		t.Fatalf("the run that is open is reported as %+v", found)
	}
	if _, err := e.RollBack(t.Context(), "", nil); update.KindOf(err) != update.KindInterrupted {
		t.Errorf("another run can start before this one has ended: %v", err)
	}
	for _, name := range kept {
		must(t, os.RemoveAll(filepath.Join(at, name)))
		must(t, os.Rename(filepath.Join(hidden, name), filepath.Join(at, name)))
	}
	res, err = e.Recover(t.Context(), found.Recommended, nil)
	must(t, err)
	if res.State != update.RolledBack || res.Site != update.SiteOld {
		t.Errorf("state %q, site %q after the recovery", res.State, res.Site)
	}
	if got := w.state(); got != old {
		t.Errorf("the site is not the old one:\n--- before\n%s--- after\n%s", old, got)
	}
}
