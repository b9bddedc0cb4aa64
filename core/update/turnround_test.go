package update_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"moult/core/site"
	"moult/core/update"
)

// TestARollBackThatStoppedCanBeTurnedRound stops a roll back dead at events of every
// stage and goes forward to the new release again, long after its package is gone.
func TestARollBackThatStoppedCanBeTurnedRound(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	fresh := w.state()
	turned := 0
	for n := 0; diesAt(t, n, func(report update.Report) { e.RollBack(t.Context(), "", report) }); n += 2 {
		found, err := e.Interrupted()
		must(t, err)
		if found == nil {
			break // the roll back had come to its end
		}
		if !found.CanFinish {
			t.Fatalf("stopped at event %d the roll back can't be turned round: %s", n, found.Reason)
		}
		_, err = e.Recover(t.Context(), update.Forward, nil)
		must(t, err)
		if got := w.state(); got != fresh {
			t.Fatalf("stopped at event %d and turned round gives:\n%s--- want\n%s", n, got, fresh)
		}
		turned++
	}
	if turned < 5 {
		t.Errorf("only %d roll backs were turned round", turned)
	}
}

// TestTurningRoundAndBackLosesNoRows goes forward again after a roll back was stopped,
// fails there, and goes back by itself: what visitors wrote stays set aside.
func TestTurningRoundAndBackLosesNoRows(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	var sick atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		if sick.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer srv.Close()
	w.configure(func(c *site.Config) { c.Health.URL, c.Health.Attempts = srv.URL, 1 })
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	w.exec("INSERT INTO tags VALUES (7, 'precious')")
	if !diesAt(t, 22, func(report update.Report) { e.RollBack(t.Context(), "", report) }) {
		t.Fatal("the roll back was not stopped")
	}
	sick.Store(true)
	res, err := e.Recover(t.Context(), update.Forward, nil)
	if err == nil || res.Site != update.SiteOld || res.SetAside == 0 {
		t.Errorf("result %+v, error %v", res, err)
	}
}
