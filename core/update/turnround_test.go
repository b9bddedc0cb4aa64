package update_test

import (
	"testing"

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
