package delta

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// figures are what could be sent to lead a site from one release to the next, in
// bytes.
type figures struct {
	pair, from, to string
	files          int // that differ
	full           int // a package of the new release
	changed        int // a package of the files that differ
	inGo           int // a delta made with the Go library alone
	usual          int // a delta made with the commands zstd and bsdiff
	// The other tools are given one tar of the old files that the new release has
	// otherwise or not at all, and one of the files that differ.
	zstd, bsdiff, xdelta int
}

// columns of the table, in order. Without a unit they are KiB.
var columns = []struct {
	head  string
	value func(f figures) float64
	form  string
}{
	{"full", func(f figures) float64 { return kib(f.full) }, "%.0f"},
	{"changed", func(f figures) float64 { return kib(f.changed) }, "%.0f"},
	{"Go", func(f figures) float64 { return kib(f.inGo) }, "%.1f"},
	{"zstd", func(f figures) float64 { return kib(f.usual) }, "%.1f"},
	{"zstd -19", func(f figures) float64 { return kib(f.zstd) }, "%.1f"},
	{"bsdiff", func(f figures) float64 { return kib(f.bsdiff) }, "%.1f"},
	{"xdelta3", func(f figures) float64 { return kib(f.xdelta) }, "%.1f"},
	{"Go/full", func(f figures) float64 { return ratio(f.inGo, f.full) }, "%.3f"},
	{"zstd/zstd -19", usualToZstd, "%.3f"},
	{"Go/zstd -19", goToZstd, "%.3f"},
	{"Go/bsdiff", goToBsdiff, "%.3f"},
}

func usualToZstd(f figures) float64 { return ratio(f.usual, f.zstd) }
func goToZstd(f figures) float64    { return ratio(f.inGo, f.zstd) }
func goToBsdiff(f figures) float64  { return ratio(f.inGo, f.bsdiff) }

func kib(n int) float64      { return float64(n) / 1024 }
func ratio(a, b int) float64 { return float64(a) / float64(b) }

func median(all []figures, value func(figures) float64) float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = value(f)
	}
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// TestDeltasOfRealReleases measures deltas between two releases of products that
// Debian packages, against what else could be sent, and applies each. It takes
// minutes. `make bench-deltas` fetches the products and sets MOULT_PAIRS to the
// directory that has them: PAIR/{old,new}/{version,tree}.
func TestDeltasOfRealReleases(t *testing.T) {
	dir := os.Getenv("MOULT_PAIRS")
	if dir == "" {
		t.Skip("MOULT_PAIRS names no directory of releases; `make bench-deltas` does this")
	}
	for _, tool := range []string{"zstd", "bsdiff", "xdelta3"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "*", "new", "tree"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		why, _ := os.ReadFile(filepath.Join(dir, "unavailable"))
		t.Skipf("%s has no pairs of releases: %s", dir, cmp.Or(strings.TrimSpace(string(why)), "`make bench-deltas` fetches some"))
	}
	var all []figures
	for _, tree := range found {
		pair := filepath.Dir(filepath.Dir(tree))
		t.Run(filepath.Base(pair), func(t *testing.T) {
			all = append(all, measure(t, pair))
		})
	}
	if len(all) == 0 {
		t.Fatal("nothing was measured")
	}
	t.Logf("KiB, all headers included:\n%s", table(all))
	for _, goal := range []struct {
		what  string
		value func(figures) float64
		most  float64
	}{
		{"delta with the zstd command to zstd -19 --patch-from", usualToZstd, 1.02},
		{"delta in Go to zstd -19 --patch-from", goToZstd, 1.35},
		{"delta in Go to bsdiff", goToBsdiff, 1},
	} {
		if got := median(all, goal.value); got > goal.most {
			t.Errorf("%s: %.3f in the median, want at most %g", goal.what, got, goal.most)
		}
	}
}

// measure makes all that could be sent for a pair, and applies the deltas.
func measure(t *testing.T, dir string) figures {
	oldContents, newContents := load(t, filepath.Join(dir, "old", "tree")), load(t, filepath.Join(dir, "new", "tree"))
	old, new := oldContents.tree("1.0.0"), newContents.tree("2.0.0")
	before, changed := contents{}, contents{}
	for p, b := range oldContents {
		if now, ok := newContents[p]; !ok || !bytes.Equal(now, b) {
			before[p] = b
		}
	}
	for p, b := range newContents {
		if was, ok := oldContents[p]; !ok || !bytes.Equal(was, b) {
			changed[p] = b
		}
	}
	f := figures{
		pair: filepath.Base(dir), from: packaged(t, dir, "old"), to: packaged(t, dir, "new"),
		files: len(changed), full: len(packTar(t, new)), changed: len(packTar(t, changed.tree("2.0.0"))),
	}
	for _, made := range []struct {
		size    *int
		options Options
	}{{&f.inGo, Options{GoOnly: true}}, {&f.usual, Options{}}} {
		delta := makeDelta(t, old, new, made.options)
		*made.size = len(delta)
		dst := openRoot(t)
		got, err := apply(delta, old, new.Files, dst)
		if err != nil {
			t.Fatal(err)
		}
		check(t, dst, got, newContents)
		if len(got.Files) != len(changed) || len(got.Lost) != 0 {
			t.Errorf("the delta made %d files and lost %d; %d differ", len(got.Files), len(got.Lost), len(changed))
		}
	}
	f.zstd, f.bsdiff, f.xdelta = otherTools(t, before, changed)
	t.Log("\n" + table([]figures{f}))
	return f
}

// packaged returns the version of a release, as Debian has it.
func packaged(t *testing.T, pair, which string) string {
	b, err := os.ReadFile(filepath.Join(pair, which, "version"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// otherTools returns how large the differences between two tars are that other
// tools make, at their highest usual level and with a window for all of the tars.
func otherTools(t testing.TB, old, new contents) (zstd, bsdiff, xdelta int) {
	from, to := tarFile(t, old), tarFile(t, new)
	return int(patchFrom(t, from, to)),
		int(run(t, "bsdiff", from, to, outFile)),
		int(run(t, "xdelta3", "-e", "-f", "-9", "-S", "lzma", "-B", "2147483647", "-s", from, to, outFile))
}

func table(all []figures) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	row := func(name string, cell func(i int) string) {
		fmt.Fprint(w, name)
		for i := range columns {
			fmt.Fprint(w, "\t", cell(i))
		}
		fmt.Fprintln(w)
	}
	row("pair\tfrom\tto\tfiles", func(i int) string { return columns[i].head })
	for _, f := range all {
		row(fmt.Sprintf("%s\t%s\t%s\t%d", f.pair, f.from, f.to, f.files), func(i int) string {
			return fmt.Sprintf(columns[i].form, columns[i].value(f))
		})
	}
	row("median\t\t\t", func(i int) string { return fmt.Sprintf(columns[i].form, median(all, columns[i].value)) })
	w.Flush()
	return b.String()
}
