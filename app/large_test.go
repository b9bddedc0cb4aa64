package app

import (
	"fmt"
	"testing"
	"time"

	"moult/core/files"
	"moult/core/release"
	"moult/core/update"
)

// largePlan changes n files.
func largePlan(n int) *update.Plan {
	p := wikiPlan(update.Choices{})
	p.Files = &files.Plan{Entries: make([]files.Entry, n)}
	kinds := []files.Change{files.Add, files.Replace, files.Replace, files.Delete}
	for i := range n {
		e := files.Entry{Path: release.Path(fmt.Sprintf("vendor/package%04d/src/File%03d.php", i/100, i%100)), Change: kinds[i%4]}
		e.Here, e.New = files.State{Size: int64(i), Mode: 0o644}, files.State{Size: int64(2 * i), Mode: 0o644}
		p.Files.Entries[i] = e
	}
	return p
}

// within fails if something takes longer than the limit, which is three times
// what is promised, because a test machine is shared.
func within(t *testing.T, what string, promised time.Duration, do func()) {
	t.Helper()
	start := time.Now()
	do()
	took := time.Since(start)
	t.Logf("%s took %s; promised are %s", what, took.Round(time.Millisecond), promised)
	if took > 3*promised {
		t.Errorf("%s took %s, want less than %s", what, took, promised)
	}
}

func TestAHundredThousandChangedFiles(t *testing.T) {
	b := newBench(t, wiki())
	m := ready()
	m.Plan = largePlan(100_000)
	v := b.page().files
	b.page().tabs.Select(tabFiles)
	within(t, "opening 100 000 files", time.Second, func() {
		s := b.app.current
		before := s.model
		s.model = m
		b.app.changed(s, before, m)
		b.page().tabs.Select(tabFiles)
		b.idle(t)
	})
	if n := v.tree.Len(); n < 100_000 {
		t.Fatalf("%d lines", n)
	}
	all := v.tree.Len()
	within(t, "filtering 100 000 files", 100*time.Millisecond, func() {
		v.search.SetText("package0042/src/file01")
		b.until(t, "the filter", func() bool { return v.tree.Len() != all })
	})
	if n := v.tree.Len(); n != 11 {
		t.Errorf("the filter leaves %d lines, want 11", n)
	}
	v.search.SetText("")
	b.idle(t)
	within(t, "60 steps of scrolling", 60*33*time.Millisecond, func() {
		for range 60 {
			v.tree.ScrollBy(700)
		}
	})
}

func BenchmarkFilter100000(b *testing.B) {
	entries := shownEntries(largePlan(100_000).Files)
	items := fileItems(ready(), entries)
	on := make([]bool, chips)
	for b.Loop() {
		match := matcher(entries, on, "file042")
		n := 0
		for i := range items {
			if match(i) {
				n++
			}
		}
	}
}
