package app

import (
	"fmt"
	"testing"

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

// TestAHundredThousandChangedFiles looks at what is shown; how long it takes is in
// the benchmarks and, on a real screen, in gl_test.go.
func TestAHundredThousandChangedFiles(t *testing.T) {
	b := newBench(t, wiki())
	openLarge(b, largePlan(100_000))
	b.idle(t)
	v := b.page().files
	all := v.tree.Len()
	if all < 100_000 {
		t.Fatalf("%d lines", all)
	}
	v.search.SetText("package0042/src/file01")
	b.until(t, "the filter", func() bool { return v.tree.Len() != all })
	if n := v.tree.Len(); n != 11 {
		t.Errorf("the filter leaves %d lines, want 11", n)
	}
}

// openLarge shows the files of a plan.
func openLarge(b *bench, p *update.Plan) {
	s := b.app.current
	before, m := s.model, ready()
	m.Plan = p
	s.model = m
	b.app.changed(s, before, m)
	b.page().tabs.Select(tabFiles)
}

func BenchmarkOpen100000(b *testing.B) {
	w := newBench(b, wiki())
	p := largePlan(100_000)
	for b.Loop() {
		openLarge(w, p)
		w.idle(b)
	}
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
