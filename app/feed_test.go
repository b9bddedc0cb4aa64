package app

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"moult/core/update"
)

func TestFeedHandsOverTheLatestAtMostOncePerInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		var got []int64
		f := NewFeed(100*time.Millisecond, n.Load, func(v int64) { got = append(got, v) })
		for range 1000 {
			n.Add(1)
			f.Poke()
			time.Sleep(time.Millisecond)
		}
		f.Close()
		if len(got) < 9 || len(got) > 11 {
			t.Errorf("%d calls in a second, want about 10", len(got))
		}
		if got[len(got)-1] != 1000 {
			t.Errorf("the last value is %d, want 1000", got[len(got)-1])
		}
		before := len(got)
		f.Poke()
		time.Sleep(time.Second)
		if len(got) != before {
			t.Error("a closed feed handed something over")
		}
	})
}

func TestFeedCloseWaitsForTheCallUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inside atomic.Bool
		f := NewFeed(time.Millisecond, func() int { return 1 }, func(int) {
			inside.Store(true)
			time.Sleep(50 * time.Millisecond)
			inside.Store(false)
		})
		f.Poke()
		time.Sleep(10 * time.Millisecond)
		f.Close()
		if inside.Load() {
			t.Error("Close returned while a call was under way")
		}
	})
}

// TestFourWritersDoNotHoldTheWindowUp has four goroutines report flat out and
// measures how long something queued on Fyne's thread waits for its turn.
func TestFourWritersDoNotHoldTheWindowUp(t *testing.T) {
	tr := newTracker(stagesOf(Updating), time.Now())
	l := newLoop()
	renders := 0
	f := NewFeed(feedInterval, tr.snapshot, func(p Progress) {
		l.do(func() {
			renders++
			stepLines(p)
		})
	})
	var writers sync.WaitGroup
	stop := make(chan struct{})
	var reports atomic.Int64
	for range 4 {
		writers.Go(func() {
			for i := int64(0); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				tr.report(update.Event{Time: time.Now(), Stage: update.StageFiles, Status: update.StepRunning, Done: i, Total: 1 << 40, Unit: update.Files, Item: "app/index.php", Log: "switched app/index.php", Interruptible: true})
				f.Poke()
				reports.Add(1)
			}
		})
	}
	var late int
	const probes = 60
	for range probes {
		asked := time.Now()
		var waited time.Duration
		l.do(func() { waited = time.Since(asked) })
		l.until(t, "the window", func() bool { return waited > 0 })
		if waited > 20*time.Millisecond {
			late++
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	writers.Wait()
	f.Close()
	l.pump()
	t.Logf("%d reports, %d renders, %d of %d probes waited longer than 20 ms", reports.Load(), renders, late, probes)
	if renders > 12 {
		t.Errorf("%d renders in about half a second", renders)
	}
	if reports.Load() < 1000 {
		t.Errorf("only %d reports got through: the writers were held up", reports.Load())
	}
	// A busy machine may take the processor away a few times; a queue that
	// fills would make nearly every probe late.
	if late > probes/4 {
		t.Errorf("%d of %d probes waited longer than 20 ms", late, probes)
	}
}

func TestTrackerSumsUp(t *testing.T) {
	start := at("2026-11-21T10:00:00Z")
	tr := newTracker([]update.Stage{update.StageDownload, update.StageExtract}, start)
	for i := range 5 {
		tr.report(update.Event{Time: start.Add(time.Duration(i) * time.Second), Stage: update.StageDownload, Status: update.StepRunning, Done: int64(i) * 1000, Total: 10_000, Unit: update.Bytes, Item: "patch", Interruptible: true})
	}
	p := tr.snapshot()
	if p.Step != 0 || p.Item != "patch" || p.Rate < 900 || p.Rate > 1100 || p.Left < 5*time.Second || p.Left > 7*time.Second {
		t.Errorf("step %d, item %q, rate %.0f, left %s", p.Step, p.Item, p.Rate, p.Left)
	}
	if want := 6 * 0.4 / 8; p.Fraction < want-0.01 || p.Fraction > want+0.01 {
		t.Errorf("fraction %.3f, want %.3f", p.Fraction, want)
	}
	tr.report(update.Event{Time: start.Add(6 * time.Second), Stage: update.StageDownload, Status: update.StepDone})
	tr.report(update.Event{Time: start.Add(6 * time.Second), Stage: update.StageHealth, Status: update.StepFailed, Log: "502"})
	p = tr.snapshot()
	if len(p.Steps) != 3 || p.Steps[2].Stage != update.StageHealth || p.Step != -1 || len(p.Log) != 3 {
		t.Errorf("a stage that was not listed: %+v", p)
	}
}

func TestLogOfATrackerIsCappedAndSnapshotsKeepTheirs(t *testing.T) {
	tr := newTracker(nil, time.Now())
	var first Progress
	for i := range 3 * maxLog {
		tr.report(update.Event{Time: time.Now(), Stage: update.StageFiles, Status: update.StepRunning, Log: "line"})
		if i == 9 {
			first = tr.snapshot()
		}
	}
	if n := len(tr.snapshot().Log); n > 2*maxLog || n < maxLog {
		t.Errorf("%d lines are kept", n)
	}
	if len(first.Log) != 10 {
		t.Errorf("an old snapshot has %d lines now, want 10", len(first.Log))
	}
}

// TestQuittingAtAnyMoment closes the window a thousand times while an update
// runs, each time at another moment. Nothing may be queued after the window is
// closed, because that is where Fyne panics, and no worker may be left.
func TestQuittingAtAnyMoment(t *testing.T) {
	times := 1000
	if testing.Short() {
		times = 100
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range times {
		quitOnce(t, time.Duration(random.IntN(1500))*time.Microsecond)
		if t.Failed() {
			t.Fatalf("at try %d", i)
		}
	}
}

// quitOnce runs an update on a session without a window and leaves after a while.
func quitOnce(t *testing.T, after time.Duration) {
	l := newLoop()
	var closed atomic.Bool
	threads := newThreads(func(f func()) {
		if closed.Load() {
			t.Error("something was queued after the window was closed")
		}
		l.do(f)
	})
	e := &busyEngine{fakeEngine: wiki()}
	s := newSession(threads, Deps{}, e.dir, nil)
	s.engine = e
	s.model = readyDecided()
	s.apply()
	timer := time.After(after)
	for waiting := true; waiting; {
		select {
		case <-timer:
			waiting = false
		case <-l.wake:
			l.pump()
		}
	}
	threads.join(func() { closed.Store(true) })
	l.until(t, "the window to close", closed.Load)
	if n := threads.active.Load(); n != 0 {
		t.Errorf("%d workers are left", n)
	}
	s.close()
	if !e.ended.Load() {
		t.Error("the engine was left in the middle of its work")
	}
}

// busyEngine reports flat out until it is told to stop, and then takes a moment
// to put everything back.
type busyEngine struct {
	*fakeEngine
	ended atomic.Bool
}

func (e *busyEngine) Apply(ctx context.Context, p *update.Plan, r update.Report) (*update.Result, error) {
	defer e.ended.Store(true)
	for i := int64(0); i < 20_000 && ctx.Err() == nil; i++ {
		r(update.Event{Time: time.Now(), Stage: update.StageFiles, Status: update.StepRunning, Done: i, Total: 20_000, Unit: update.Files, Interruptible: true})
	}
	time.Sleep(200 * time.Microsecond)
	result := &update.Result{ID: p.ID, From: p.From, To: p.To, State: update.RolledBack, Site: update.SiteOld}
	return result, &update.Error{Kind: update.KindCancelled, Stage: update.StageFiles, Err: context.Canceled}
}
