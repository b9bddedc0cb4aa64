package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/files"
	"moult/core/publish"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// TestQuittingOverRealUpdates closes the window at random moments of updates of a
// real site: preparing, switching, going back, in turns. Whenever it was, the site is one
// release or the other, no run is left interrupted, and the journals can be read.
// MOULT_TORTURE makes it a thousand times.
func TestQuittingOverRealUpdates(t *testing.T) {
	times := 25
	switch {
	case os.Getenv("MOULT_TORTURE") != "":
		times = 1000
	case testing.Short():
		times = 5
	}
	dir := realSite(t)
	trees := map[string]string{"1.0.0": treeOf(t, dir)}
	random := rand.New(rand.NewPCG(3, 4))
	phases := []Activity{PreparingNow, Updating, RollingBack}
	// The first is let run to its end, to know how long each phase takes here.
	spans, _ := quitOver(t, dir, None, 0)
	ends, cut := map[string]int{}, map[Activity]int{}
	for i := range times {
		if i > 0 && i%50 == 0 {
			dir = realSite(t) // without the history, which every run reads
		}
		phase := phases[i%len(phases)]
		after := time.Duration(random.Int64N(int64(spans[phase])))
		took, over := quitOver(t, dir, phase, after)
		if over == None && took[phase] > 0 {
			spans[phase] = took[phase] // it was over sooner than expected
		}
		cut[over]++
		e := openReal(t, dir)
		if run, err := e.Interrupted(); err != nil || run != nil {
			t.Fatalf("try %d, %s into %v: an interrupted run is left: %+v, %v", i, after, phase, run, err)
		}
		history, err := e.History()
		if err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
		now := e.Current().String()
		if want, known := trees[now]; !known {
			trees[now] = treeOf(t, dir)
		} else if got := treeOf(t, dir); got != want {
			t.Fatalf("try %d, %s into %v: the files are not those of %s", i, after, phase, now)
		}
		ends[now]++
		if now == "1.1.0" {
			if _, err := e.RollBack(t.Context(), history[0].ID, nil); err != nil {
				t.Fatalf("try %d: roll back: %v", i, err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d quits: %d over a preparation, %d over an update, %d over a roll back, %d after its end; the site ran %v", times,
		cut[PreparingNow], cut[Updating], cut[RollingBack], cut[None], ends)
	if len(cut) < 2 || cut[None] > times/2 {
		t.Errorf("the moments are not spread over an update: %v", cut)
	}
}

// quitOver checks, prepares, updates and rolls back a site as the window does, and
// closes the window a while after a phase has begun, with None when all is done. It
// returns how long the phases took that came to their end, and what the window was
// closed over.
func quitOver(t *testing.T, dir string, phase Activity, after time.Duration) (map[Activity]time.Duration, Activity) {
	t.Helper()
	l := newLoop()
	threads := newThreads(l.do)
	s := newSession(threads, Deps{}, dir, nil)
	s.adopt(coreEngine{openReal(t, dir)})
	took, finished := map[Activity]time.Duration{}, false
	var begun time.Time
	var quit <-chan time.Time
	s.changed = func(before, m Model) {
		if before.Doing == m.Doing {
			return
		}
		if took[before.Doing] = time.Since(begun); m.Doing != None {
			if begun = time.Now(); m.Doing == phase {
				quit = time.After(after)
			}
			return
		}
		switch {
		case m.State == update.Found:
			l.do(s.review)
		case m.State == update.Ready:
			l.do(s.apply)
		case m.State == update.Done && m.Result.Site == update.SiteNew:
			l.do(func() { s.rollBack(m.Result.ID) })
		default:
			finished = true
		}
	}
	s.check()
	for waiting := true; waiting && !finished; {
		select {
		case <-quit:
			waiting = false
		case <-l.wake:
			l.pump()
		}
	}
	over, closed := s.model.Doing, false
	threads.join(func() { closed = true })
	l.until(t, "the window to close", func() bool { return closed })
	s.close()
	return took, over
}

func openReal(t *testing.T, dir string) *update.Engine {
	t.Helper()
	e, err := update.Open(dir, update.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func treeOf(t *testing.T, dir string) string {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tree, err := files.TreeDigest(t.Context(), root, func(p string) bool { return p == site.Home })
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

// realSite makes a site of the first of two releases, and returns its directory.
func realSite(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	repo, dir := filepath.Join(base, "repo"), filepath.Join(base, "site")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(publish.Init(repo, publish.InitOptions{Product: "Quitters"}))
	first := version("1.0.0")
	for _, v := range []release.Version{first, version("1.1.0")} {
		tree := filepath.Join(base, v.String())
		for i := range 120 {
			name := filepath.Join(tree, fmt.Sprintf("lib/part%d/File%03d.php", i%10, i))
			check(os.MkdirAll(filepath.Dir(name), 0o755))
			check(os.WriteFile(name, fmt.Appendf(nil, "<?php // %d of %s\n", i, v), 0o644))
		}
		r := publish.Release{Version: v, Tree: tree, Channel: "stable", Date: time.Now()}
		if v != first {
			r.PatchFrom = []release.Version{first}
		}
		check(publish.Add(t.Context(), repo, r))
	}
	check(os.CopyFS(dir, os.DirFS(filepath.Join(base, first.String()))))
	root, err := os.ReadFile(filepath.Join(repo, "root.json"))
	check(err)
	address, err := fetch.FileURL(repo)
	check(err)
	e, err := update.Init(t.Context(), dir, update.InitOptions{URL: address, RootJSON: root, Version: first, Name: "quitters"}, update.Options{}, nil)
	check(err)
	check(e.Close())
	return dir
}
