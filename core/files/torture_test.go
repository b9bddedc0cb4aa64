package files

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// points counts the kill and fault points that were tried.
type points struct {
	killed, failed, recoveries, forward atomic.Int64

	want int64 // of the long run
}

func (p *points) report(t *testing.T) {
	if t.Failed() {
		return
	}
	total := p.killed.Load() + p.failed.Load() + p.recoveries.Load() + p.forward.Load()
	t.Logf("%d points: %d kills, %d faults, %d kills of the recovery, %d ways forward; none ended mixed",
		total, p.killed.Load(), p.failed.Load(), p.recoveries.Load(), p.forward.Load())
	if want := p.want; torture() && total < want {
		t.Errorf("only %d points were tried, want at least %d", total, want)
	}
}

// everyWay calls do for every scenario, switched in every way, on all processors, and
// waits for all of them.
func everyWay(t *testing.T, do func(t *testing.T, i int, sc scenario, way way)) {
	t.Run("every", func(t *testing.T) {
		for i, sc := range scenarios {
			for _, way := range ways {
				t.Run(sc.name+"/"+way.name, func(t *testing.T) {
					t.Parallel()
					sc := sc
					sc.way = way.choice
					do(t, i, sc, way)
				})
			}
		}
	})
}

// TestSwitchSurvivesKillAtEveryStep kills the update before and after each of its
// calls. The recovery must bring the old site back, or, where every staged file is
// intact, be able to go on to the new one; and it is killed at each of its own
// calls too.
func TestSwitchSurvivesKillAtEveryStep(t *testing.T) {
	base := scratch(t)
	p := points{want: 10_000}
	everyWay(t, func(t *testing.T, i int, sc scenario, way way) {
		all, plan := calls(t, base, sc, way.wrap)
		for n := 1 + i%stride(23); n <= all; n += stride(23) {
			for _, after := range []bool{false, true} {
				killOnce(t, base, sc, plan, way.wrap, n, after, &p)
			}
		}
	})
	p.report(t)
}

func killOnce(t *testing.T, base string, sc scenario, plan *Plan, wrap func(*faultyDisk) disk, n int, after bool, p *points) {
	kill := func() (*world, string, *faultyDisk) {
		f := &faultyDisk{at: n, with: errKilled, after: after}
		w, before, err := attempt(t, base, sc, plan, f, wrap)
		if !f.dead || err == nil {
			t.Fatalf("point %d was not reached: %v", n, err)
		}
		return w, before, f
	}
	w, before, f := kill()
	rec := &faultyDisk{u: w.u}
	if notes, err := w.undo(wrap(rec)); err != nil || len(notes) > 0 {
		t.Fatalf("killed at %d (%s, after=%v): undo: %v, notes %q", n, f.calls[n-1], after, err, notes)
	}
	w.mustBeOld(before, n, f)
	w.close()
	p.killed.Add(1)

	for m := 1; m <= rec.n; m += stride(29) {
		w, before, f := kill()
		again := &faultyDisk{u: w.u, at: m, with: errKilled, after: m%2 == 0}
		_, _ = w.undo(wrap(again)) // killed: whatever it says, nobody hears
		if _, err := w.undo(wrap(&faultyDisk{})); err != nil {
			t.Fatalf("killed at %d (%s), recovery killed at %d (%s): %v", n, f.calls[n-1], m, again.calls[m-1], err)
		}
		w.mustBeOld(before, n, f)
		w.close()
		p.recoveries.Add(1)
	}
	w, _, f = kill()
	defer w.close()
	w.goOn(t, wrap, n, f, p)
}

func (w *world) mustBeOld(before string, n int, f *faultyDisk) {
	w.Helper()
	if w.digest() != before {
		w.Fatalf("killed at %d (%s): after the recovery the site holds %v", n, f.calls[n-1], w.tree())
	}
	if err := VerifyOld(context.Background(), w.site, w.plan); err != nil {
		w.Fatalf("killed at %d: %v", n, err)
	}
}

// goOn finishes a switch that was killed, where that can be done.
func (w *world) goOn(t *testing.T, wrap func(*faultyDisk) disk, n int, f *faultyDisk, p *points) {
	at, err := Inspect(context.Background(), w.site, w.u, w.plan)
	if err != nil {
		t.Fatal(err)
	}
	if at.Other > 0 && slices.Contains(f.calls, "note "+recordSwitch) {
		t.Fatalf("killed at %d (%s): %d paths are neither old nor new", n, f.calls[n-1], at.Other)
	}
	if !at.StagedIntact || at.Other > 0 {
		return
	}
	if err := w.switchOver(wrap(&faultyDisk{})); err != nil {
		t.Fatalf("killed at %d (%s): going on: %v", n, f.calls[n-1], err)
	}
	if diff := cmp.Diff(w.sc.after, w.tree()); diff != "" {
		t.Fatalf("killed at %d (%s): the site after going on (-want +got):\n%s", n, f.calls[n-1], diff)
	}
	p.forward.Add(1)
}

// faults are the errors that a system call answers with when disks fill up, break,
// are protected, or a signal comes.
var faults = []error{syscall.ENOSPC, syscall.EIO, syscall.EACCES, syscall.EXDEV, syscall.EINTR}

// TestFaultAtEveryStepEndsOldOrNew fails each call once with each error. Whoever
// gets the error undoes, as the pipeline does, and the undo is failed too.
func TestFaultAtEveryStepEndsOldOrNew(t *testing.T) {
	base := scratch(t)
	p := points{want: 5_000}
	everyWay(t, func(t *testing.T, i int, sc scenario, way way) {
		all, plan := calls(t, base, sc, way.wrap)
		for n := 1; n <= all; n++ {
			for k, fault := range faults {
				if (n+i+k)%stride(29) == 0 {
					failOnce(t, base, sc, plan, way.wrap, n, fault, &p)
				}
			}
		}
	})
	p.report(t)
}

func failOnce(t *testing.T, base string, sc scenario, plan *Plan, wrap func(*faultyDisk) disk, n int, fault error, p *points) {
	f := &faultyDisk{at: n, with: fault}
	w, before, err := attempt(t, base, sc, plan, f, wrap)
	defer w.close()
	p.failed.Add(1)
	if err == nil {
		if diff := cmp.Diff(sc.after, w.tree()); diff != "" {
			t.Fatalf("%v at %d (%s) was no error, and the site is not new (-want +got):\n%s", fault, n, f.calls[n-1], diff)
		}
		return
	}
	if !errors.Is(err, fault) {
		t.Errorf("%v at %d (%s) came out as %v", fault, n, f.calls[n-1], err)
	}
	bad := &faultyDisk{at: 1 + n%7, with: fault}
	if _, err := w.undo(wrap(bad)); err != nil && !errors.Is(err, fault) {
		t.Fatalf("%v at %d (%s): undo with a fault: %v", fault, n, f.calls[n-1], err)
	}
	if notes, err := w.undo(wrap(&faultyDisk{})); err != nil || len(notes) > 0 {
		t.Fatalf("%v at %d (%s): undo: %v, notes %q", fault, n, f.calls[n-1], err, notes)
	}
	w.mustBeOld(before, n, f)
}
