package update_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// third is an edition that changes another file than v2.
func third() edition {
	e := edition{version: "1.2.0", files: maps.Clone(v2.files)}
	e.files["assets/unchanged.css"] = "body {three}\n"
	return e
}

// twice makes a site that was updated twice, so that it has two restore points.
func twice(t *testing.T) (w *world, e *update.Engine, first, second *update.Result) {
	t.Helper()
	w = newWorld(t, false, v1, v2)
	e = w.engine()
	first, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	w.publish(third(), []edition{v1, v2})
	second, err = e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	return w, e, first, second
}

// TestDiscardingAPointGivesUpTheOlderOnes discards the newest restore point: what the
// older one leads back from is not there any more, so nobody may go back by it.
func TestDiscardingAPointGivesUpTheOlderOnes(t *testing.T) {
	w, e, _, newest := twice(t)
	fresh := w.state()
	must(t, e.Discard(t.Context(), newest.ID))
	if _, err := e.RollBack(t.Context(), "", nil); update.KindOf(err) != update.KindNoBackup {
		t.Errorf("rolling back gave %v", err)
	}
	if w.state() != fresh {
		t.Error("the site is not what it was")
	}
	list, err := e.History()
	must(t, err)
	for _, rec := range list {
		if rec.CanRollBack {
			t.Errorf("%s can be rolled back", rec.ID)
		}
	}
}

// TestPointBehindAGapIsNone removes the newest restore point by hand.
func TestPointBehindAGapIsNone(t *testing.T) {
	w, e, _, newest := twice(t)
	must(t, os.Remove(filepath.Join(w.dir, site.Home, "updates", newest.ID, "before.json")))
	if _, err := e.RollBack(t.Context(), "", nil); update.KindOf(err) != update.KindNoBackup {
		t.Errorf("rolling back gave %v", err)
	}
	list, err := e.History()
	must(t, err)
	if list[0].CanRollBack || list[1].CanRollBack {
		t.Errorf("history is %+v", list)
	}
}

func TestPreviewOfAnOlderPointSaysWhereItLeads(t *testing.T) {
	_, e, first, _ := twice(t)
	look, err := e.PreviewRollBack(t.Context(), first.ID)
	must(t, err)
	if look.Updates != 2 || look.To.String() != "1.0.0" {
		t.Errorf("%+v", look)
	}
}

// TestRollBackThatFailsHalfwaySaysHowFarItCame breaks the older of two restore points.
func TestRollBackThatFailsHalfwaySaysHowFarItCame(t *testing.T) {
	w, e, first, _ := twice(t)
	must(t, os.WriteFile(filepath.Join(w.dir, site.Home, "updates", first.ID, "plan.json"), []byte("{"), 0o600))
	res, err := e.RollBack(t.Context(), first.ID, nil)
	if err == nil || res == nil || res.From.String() != "1.1.0" || e.Current().String() != "1.1.0" {
		t.Errorf("result %+v, error %v, current %s", res, err, e.Current())
	}
}

// TestCheckBesideAnUpdateForgetsNothing lets an update commit while a check waits for
// the server.
func TestCheckBesideAnUpdateForgetsNothing(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e := w.engine()
	p := w.plan(e, update.Choices{})
	w.publish(third(), []edition{v1, v2})
	var armed atomic.Bool
	files := http.FileServer(http.Dir(w.repo))
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/targets/") && armed.CompareAndSwap(true, false) {
			if _, err := e.Apply(t.Context(), p, nil); err != nil {
				t.Error(err)
			}
		}
		files.ServeHTTP(rw, r)
	}))
	defer srv.Close()
	w.configure(func(c *site.Config) { c.Source.URL = srv.URL + "/" })
	other := w.engine()
	armed.Store(true)
	_, err := other.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if armed.Load() || e.Current().String() != "1.1.0" {
		t.Errorf("after the update the site is recorded at %s", e.Current())
	}
}

func TestRollBackRemembersWhatIsSkipped(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	bad := get(release.ParseVersion("1.1.0"))(t)
	must(t, e.Skip(bad))
	_, err = e.RollBack(t.Context(), "", nil)
	must(t, err)
	st, err := e.Site().State()
	must(t, err)
	if st.Skipped.Compare(bad) != 0 || st.Version.String() != "1.0.0" {
		t.Errorf("%+v", st)
	}
}

func TestHookMayLeaveSomethingRunning(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	w.configure(func(c *site.Config) { c.Hooks.After = []string{"sleep 4 &"} })
	e := w.engine()
	res, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	if res.State != update.Done || len(res.Warnings) > 0 {
		t.Errorf("%+v", res)
	}
}
