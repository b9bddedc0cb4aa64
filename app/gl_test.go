//go:build gl && linux

package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"golang.org/x/sys/unix"

	"moult/core/update"
	"moult/resources"
)

// These tests measure the window with the driver that draws it on a screen, which
// needs one, as Xvfb is:
//
//	xvfb-run -a -s '-screen 0 1280x800x24' go test -tags gl -count=1 -v -run OnScreen ./app

// screen is the application that all tests of this file share, as Fyne runs one.
var screen fyne.App

// TestMain gives the main thread to Fyne and runs the tests beside it.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "moult-gl-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("HOME", home)
	os.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	if err := resources.UseLanguage(resources.English); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	screen = fyneapp.NewWithID(ID)
	code := 1
	screen.Lifecycle().SetOnStarted(func() {
		go func() {
			code = m.Run()
			fyne.Do(screen.Quit)
		}()
	})
	screen.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// onScreen opens a window on a fake site.
func onScreen(t *testing.T, e *fakeEngine) *App {
	t.Helper()
	var a *App
	fyne.DoAndWait(func() {
		a = build(screen, Deps{Sites: &givenSites{dirs: []string{e.dir}}, Open: func(string, AskPassword) (Engine, error) { return e, nil }}, fyne.Do)
		a.window.Show()
	})
	t.Cleanup(func() { fyne.DoAndWait(a.window.Hide) })
	waitFor(t, "the site", func() bool { return a.current != nil && a.current.engine != nil })
	return a
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		done := false
		fyne.DoAndWait(func() { done = is() })
		if done {
			return
		}
	}
	t.Fatalf("waited for %s in vain", what)
}

// turns are what Fyne's thread did, one by one: how long each turn kept others
// waiting, and how much of the processor it took itself. On a machine that does
// other work too, the second says what the first would be on a quiet one.
type turns struct{ waited, worked []time.Duration }

// pulse asks Fyne's thread for a turn again and again while do runs. Drawing
// happens on that thread, so that no frame takes longer than the longest turn.
func pulse(do func()) turns {
	var all turns
	var stop atomic.Bool
	var pulses sync.WaitGroup
	pulses.Go(func() {
		var before time.Duration
		for !stop.Load() {
			asked := time.Now()
			var now time.Duration
			fyne.DoAndWait(func() { now = threadTime() })
			if before > 0 {
				all.waited = append(all.waited, time.Since(asked))
				all.worked = append(all.worked, now-before)
			}
			before = now
			time.Sleep(time.Millisecond)
		}
	})
	do()
	stop.Store(true)
	pulses.Wait()
	slices.Sort(all.waited)
	slices.Sort(all.worked)
	return all
}

// threadTime is how much of the processor this thread has taken.
func threadTime() time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// judge prints the turns and fails where the thread itself was busy for longer than
// is promised, in more than one turn of a hundred: where others keep the processor
// busy, several frames are drawn in one turn.
func judge(t *testing.T, what string, all turns, promised time.Duration) {
	t.Helper()
	at := func(list []time.Duration, share float64) time.Duration {
		return list[int(share*float64(len(list)-1))].Round(100 * time.Microsecond)
	}
	t.Logf("%s: %d turns; work: median %s, 99 %% %s, longest %s; wait: median %s, 99 %% %s, longest %s", what, len(all.worked),
		at(all.worked, 0.5), at(all.worked, 0.99), at(all.worked, 1), at(all.waited, 0.5), at(all.waited, 0.99), at(all.waited, 1))
	if most := at(all.worked, 0.99); most > promised {
		t.Errorf("%s: turns took up to %s, promised are %s", what, most, promised)
	}
}

func TestOnScreenAHundredThousandFiles(t *testing.T) {
	a := onScreen(t, wiki())
	m := ready()
	m.Plan = largePlan(100_000)
	v := a.pages[a.current].files
	start := time.Now()
	fyne.DoAndWait(func() {
		s := a.current
		before := s.model
		s.model = m
		a.changed(s, before, m)
		a.pages[s].tabs.Select(tabFiles)
	})
	waitFor(t, "the tree", func() bool { return v.tree.Len() >= 100_000 })
	t.Logf("opened in %s", time.Since(start).Round(time.Millisecond))
	all := v.tree.Len()
	for _, find := range []string{"file042", "package0042/src/file01", "nothing"} {
		start = time.Now()
		fyne.DoAndWait(func() { v.search.SetText(find) })
		waitFor(t, "the filter", func() bool { return v.tree.Len() != all })
		t.Logf("filtered by %q in %s", find, time.Since(start).Round(time.Millisecond))
		all = v.tree.Len()
	}
	fyne.DoAndWait(func() { v.search.SetText("") })
	waitFor(t, "the tree", func() bool { return v.tree.Len() >= 100_000 })
	judge(t, "scrolling", pulse(func() {
		for range 120 {
			fyne.DoAndWait(func() { v.tree.ScrollBy(700) })
			time.Sleep(16 * time.Millisecond)
		}
	}), 33*time.Millisecond)
}

func TestOnScreenFourWritersFlatOut(t *testing.T) {
	e := wiki()
	e.plan = func(update.Choices) *update.Plan { return readyDecided().Plan }
	noisy := &noisyEngine{fakeEngine: e, stop: make(chan struct{})}
	a := onScreen(t, e)
	var renders []time.Duration
	var start, end time.Duration
	fyne.DoAndWait(func() {
		s := a.current
		render := s.changed
		s.changed = func(before, after Model) {
			from := threadTime()
			render(before, after)
			renders = append(renders, threadTime()-from)
		}
		s.engine, s.model = noisy, readyDecided()
		s.apply()
		renders, start = nil, threadTime()
	})
	all := pulse(func() { time.Sleep(5 * time.Second) })
	close(noisy.stop)
	fyne.DoAndWait(func() { end = threadTime() })
	waitFor(t, "the end", func() bool { return a.current.model.Doing == None })
	slices.Sort(renders)
	each := (end - start) / time.Duration(max(len(renders), 1))
	t.Logf("%d events, %d snapshots; work for each: %s in the median and %s at most to set it, %s with drawing; wait for a turn: median %s, longest %s", noisy.events.Load(), len(renders),
		renders[len(renders)/2], renders[len(renders)-1], each, all.waited[len(all.waited)/2], all.waited[len(all.waited)-1])
	if each > 20*time.Millisecond {
		t.Errorf("a snapshot keeps Fyne's thread busy for %s, promised are 20 ms", each)
	}
}

// noisyEngine has four goroutines report as fast as they can until it is stopped.
type noisyEngine struct {
	*fakeEngine
	stop   chan struct{}
	events atomic.Int64
}

func (e *noisyEngine) Apply(_ context.Context, p *update.Plan, r update.Report) (*update.Result, error) {
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for i := int64(0); ; i++ {
				select {
				case <-e.stop:
					return
				default:
				}
				r(update.Event{Time: time.Now(), Stage: update.StageFiles, Status: update.StepRunning, Done: i, Total: 1 << 40, Unit: update.Files, Item: "app/index.php", Log: "switched app/index.php", Interruptible: true})
				e.events.Add(1)
			}
		})
	}
	writers.Wait()
	return &update.Result{ID: p.ID, From: p.From, To: p.To, State: update.Done, Site: update.SiteNew}, nil
}
