package app

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"

	"moult/core/release"
	"moult/core/update"
)

// clock is a wall that the test moves, with nothing left to chance.
func (b *bench) clock(start time.Time) *time.Time {
	now := start
	b.app.watch.now = func() time.Time { return now }
	b.app.watch.spread = func(d time.Duration) time.Duration { return d / 2 }
	return &now
}

// wait lets the wall clock go on, with looks at times that fall into the span.
func (b *bench) wait(t testing.TB, now *time.Time, span time.Duration) {
	t.Helper()
	step := watchInterval
	if span > time.Hour {
		step = 10 * watchInterval
	}
	for end := now.Add(span); now.Before(end); *now = now.Add(step) {
		b.app.watch.look()
		b.idle(t)
	}
}

func (e *fakeEngine) checkCount() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.asked
}

// longAgo is a month after the last check of a fake site.
var longAgo = at("2026-12-20T08:00:00Z")

func TestASiteIsCheckedOnceADayWithoutBeingAsked(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	now := b.clock(longAgo)
	b.wait(t, now, firstChecks/2)
	if n := e.checkCount(); n != 0 {
		t.Fatalf("%d checks right after the start", n)
	}
	b.wait(t, now, 2*watchInterval)
	if n := e.checkCount(); n != 1 {
		t.Fatalf("%d checks after the first turn, want 1", n)
	}
	b.mustSay(t, "1.4.2 · update available")
	b.wait(t, now, 23*time.Hour)
	if n := e.checkCount(); n != 1 {
		t.Errorf("%d checks in less than a day, want 1", n)
	}
	b.wait(t, now, 2*time.Hour)
	if n := e.checkCount(); n != 2 {
		t.Errorf("%d checks in more than a day, want 2", n)
	}
}

func TestThePaceOfAutomaticChecksIsChosen(t *testing.T) {
	for _, c := range []struct {
		label string
		want  int // checks in nine days
	}{{"Once a day", 9}, {"Once a week", 2}, {"Off", 0}} {
		e := wiki()
		b := newBench(t, e)
		now := b.clock(longAgo)
		menu := b.app.watch.menu()
		for _, item := range menu.Items {
			if item.Label == c.label {
				item.Action()
			}
		}
		for _, item := range menu.Items {
			if item.Checked != (item.Label == c.label) {
				t.Errorf("%s is chosen, and %s is marked: %v", c.label, item.Label, item.Checked)
			}
		}
		b.wait(t, now, 9*24*time.Hour)
		if n := e.checkCount(); n != c.want {
			t.Errorf("%s: %d checks in nine days, want %d", c.label, n, c.want)
		}
	}
}

func TestAutomaticChecksRunOneAtATime(t *testing.T) {
	first, second := wiki(), shop()
	first.checks = make(chan struct{})
	b := newBench(t, first, second)
	now := b.clock(longAgo)
	b.app.watch.look()
	for range 20 {
		*now = now.Add(watchInterval)
		b.app.watch.look()
	}
	b.until(t, "the first check", func() bool { return first.checkCount() == 1 })
	if n := second.checkCount(); n != 0 {
		t.Fatalf("the second site is checked while the first one is")
	}
	close(first.checks)
	b.idle(t)
	b.wait(t, now, 2*watchInterval)
	if n := second.checkCount(); n != 1 {
		t.Errorf("the second site had %d checks after the first one's", n)
	}
}

func TestAnAutomaticCheckDisturbsNobody(t *testing.T) {
	b := newBench(t, wiki())
	now := b.clock(longAgo)
	b.page().tabs.Select(tabHistory)
	b.app.window.Canvas().Focus(b.page().history.list)
	b.wait(t, now, firstChecks)
	if b.model().State != update.Found {
		t.Fatalf("the state is %q, want found", b.model().State)
	}
	if got := b.page().tabs.Selected(); got != tabHistory {
		t.Errorf("the check has turned to tab %d", got)
	}
	if got := b.app.window.Canvas().Focused(); got != fyne.Focusable(b.page().history.list) {
		t.Errorf("the check has moved the focus to %T", got)
	}
	if b.app.modal != nil {
		t.Error("the check has opened a dialog")
	}
}

func TestNothingIsCheckedBehindAPlanOrADialog(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	now := b.clock(longAgo)
	b.page().openSettings()
	b.wait(t, now, time.Hour)
	if n := e.checkCount(); n != 0 {
		t.Fatalf("%d checks behind the settings", n)
	}
	b.tap(t, "Cancel")
	for _, sc := range scenes {
		m := sc.model()
		if sc.then != nil || m.AtRest() {
			continue
		}
		b.app.current.model = m
		b.wait(t, now, 26*time.Hour)
		if n := e.checkCount(); n != 0 {
			t.Fatalf("%s: %d checks", sc.name, n)
		}
	}
}

func TestOnlySitesAtRestAreCheckedUnasked(t *testing.T) {
	rest := map[string]bool{"idle": true, "up-to-date": true, "found": true, "found-critical": true, "check-failed": true, "not-installable": true, "skipped": true, "unsigned": true}
	for _, sc := range scenes {
		if m := sc.model(); sc.then == nil && m.AtRest() != rest[sc.name] {
			t.Errorf("%s: at rest %v, want %v", sc.name, m.AtRest(), rest[sc.name])
		}
	}
	unread := found()
	unread.State, unread.Err = update.NotBegun, errors.New("preparing has failed")
	if unread.AtRest() {
		t.Error("a check would hide why preparing has failed")
	}
}

func TestAQuietCheckGivesWayToTheAdmin(t *testing.T) {
	e := wiki()
	e.checks = make(chan struct{})
	b := newBench(t, e)
	b.app.current.checkQuietly(time.Now)
	b.until(t, "the quiet check", func() bool { return e.checkCount() == 1 })
	b.mustSay(t, "checked 2026-11-20")
	b.app.current.check()
	b.until(t, "the check that was asked for", func() bool { return e.checkCount() == 2 })
	b.mustSay(t, "checking…")
	close(e.checks)
	b.idle(t)
	if b.model().State != update.Found {
		t.Errorf("the state is %q, want found", b.model().State)
	}

	e.checks = make(chan struct{})
	b.app.current.checkQuietly(time.Now)
	b.tap(t, "Review update")
	if b.model().State != update.Ready {
		t.Errorf("the state is %q, want ready", b.model().State)
	}
	if e.overlap {
		t.Error("two workers were in one engine at once")
	}
}

func TestASiteIsTakenOffDuringAQuietCheck(t *testing.T) {
	e := wiki()
	e.checks = make(chan struct{})
	b := newBench(t, e, shop())
	s := b.app.current
	s.checkQuietly(time.Now)
	b.until(t, "the quiet check", func() bool { return e.checkCount() == 1 })
	b.app.remove(s)
	b.idle(t)
	if len(b.app.sites) != 1 || !e.closed {
		t.Errorf("%d sites are left, and the engine is closed: %v", len(b.app.sites), e.closed)
	}
}

func TestQuittingEndsAQuietCheck(t *testing.T) {
	e := wiki()
	e.checks = make(chan struct{})
	b := newBench(t, e)
	b.app.current.checkQuietly(time.Now)
	b.until(t, "the quiet check", func() bool { return e.checkCount() == 1 })
	left := false
	b.app.threads.join(func() { left = true })
	b.until(t, "the workers to end", func() bool { return left })
	if n := b.app.threads.active.Load(); n != 0 {
		t.Errorf("%d workers are left", n)
	}
}

func TestAFailedAutomaticCheckIsTriedAgainWithinTheDay(t *testing.T) {
	e := wiki()
	e.checkErr, e.offer = &update.Error{Kind: update.KindDownload, Stage: update.StageCheck, Err: errors.New("no such host")}, nil
	b := newBench(t, e)
	now := b.clock(longAgo)
	b.wait(t, now, 4*time.Hour)
	b.mustSay(t, "could not check")
	if n := e.checkCount(); n < 2 || n > 4 {
		t.Errorf("%d tries in four hours, want one an hour", n)
	}
}

func TestAFailureHidesNoUpdateThatIsKnown(t *testing.T) {
	m := reduce(found(), noticed{err: &update.Error{Kind: update.KindDownload, Err: errors.New("no such host")}})
	if m.State != update.Found || m.Offer == nil || m.Err != nil {
		t.Errorf("state %q, offer %v, error %v", m.State, m.Offer, m.Err)
	}
}

func TestASkippedVersionIsShownOnlyWhenAskedFor(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	now := b.clock(longAgo)
	b.tap(t, "Check for updates")
	b.choose(t, "Skip this version")
	if got := e.Skipped().String(); got != "1.5.0" {
		t.Fatalf("the site remembers %s as skipped", got)
	}
	b.mustSay(t, "1.4.2 · 1.5.0 skipped")
	b.mustSay(t, "1.5.0 is skipped.")
	b.app.current.model.Checked = time.Time{}
	b.wait(t, now, 26*time.Hour)
	if n := e.checkCount(); n < 2 {
		t.Fatalf("%d checks, want automatic ones too", n)
	}
	b.mustSay(t, "1.4.2 · 1.5.0 skipped")

	b.tap(t, "Check for updates")
	b.mustSay(t, "1.5.0 is available.")
	b.wait(t, now, 26*time.Hour)
	b.mustSay(t, "1.5.0 is available.")
	b.choose(t, "Don't skip this version any more")
	if !e.Skipped().IsZero() {
		t.Error("the version is still skipped")
	}
	b.mustSay(t, "1.5.0 is available.")
}

func TestANewerVersionThanTheSkippedOneIsFound(t *testing.T) {
	e := wiki()
	e.skipped = version("1.4.3")
	b := newBench(t, e)
	b.mustSay(t, "1.4.2 · 1.4.3 skipped")
	now := b.clock(longAgo)
	b.wait(t, now, firstChecks)
	b.mustSay(t, "1.4.2 · update available")
}

func TestASkippedVersionThatIsInstalledIsNoNews(t *testing.T) {
	m := base()
	m.Skipped = m.Current
	if m.Skips() {
		t.Error("the installed version is called skipped")
	}
	m.Skipped = release.Version{}
	if m.Skips() {
		t.Error("no version is called skipped")
	}
}

// choose takes a line of the menu of what is not needed every day.
func (b *bench) choose(t testing.TB, label string) {
	t.Helper()
	for _, item := range b.page().moreMenu().Items {
		if item.Label == label {
			if item.Disabled {
				t.Fatalf("%q is disabled", label)
			}
			item.Action()
			b.idle(t)
			return
		}
	}
	t.Fatalf("the menu has no %q", label)
}

func TestEveryEndsWithTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var runs, closed atomic.Int64
		threads := newThreads(func(f func()) { f() })
		threads.every(watchInterval, func() { runs.Add(1) })
		time.Sleep(10*watchInterval + time.Second)
		if n := runs.Load(); n != 10 {
			t.Errorf("ran %d times in ten intervals", n)
		}
		threads.join(func() { closed.Add(1) })
		synctest.Wait()
		if closed.Load() != 1 {
			t.Fatal("what runs at an interval holds the window up")
		}
		time.Sleep(10 * watchInterval)
		if n := runs.Load(); n != 10 {
			t.Errorf("ran %d times, some of them after the end", n)
		}
	})
}
