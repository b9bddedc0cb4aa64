package files

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"moult/core/release"
	"moult/core/site"
)

// workload is an update as the benchmarks make it: a site of some files, of which
// some change.
type workload struct {
	name           string
	files, changed int
	size           int // of each file that changes, in bytes
	dirs, touched  int // directories, and those in which something changes
	rounds         int // how often every way is tried
}

// workloads are a usual patch, 167 files of 60 MB in all, and a very large one: a tenth
// of the files and directories of a site of 200 000 files.
func workloads() []workload {
	return []workload{
		{"167", 3_758, 167, 360 << 10, 300, 300, 3},
		{"20000", 200_000, 20_000, 8 << 10, 18_000, 1_800, 2},
	}
}

// dir returns the directory of the i-th file.
func (l workload) dir(i int) string {
	n := i % l.dirs
	switch {
	case i < l.changed:
		n = i % l.touched
	case l.touched < l.dirs:
		n = l.touched + i%(l.dirs-l.touched)
	}
	return fmt.Sprintf("d%03d/e%02d", n/50, n%50)
}

// lay writes a workload: the site below site/, the changed files below new/. A file
// that doesn't change is small: nothing reads it.
func (l workload) lay(b *testing.B, base string) (siteDir, newDir string, shipped, changed []release.File) {
	b.Helper()
	siteDir, newDir = filepath.Join(base, "site"), filepath.Join(base, "new")
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, l.size)
	for i := range l.files {
		p := fmt.Sprintf("%s/file%06d.php", l.dir(i), i)
		size := 64
		if i < l.changed {
			size = l.size
		}
		for k := 0; k < size; k += 8 {
			binary.LittleEndian.PutUint64(text[k:], random.Uint64())
		}
		put := func(dir string) release.File {
			name := filepath.Join(dir, p)
			err := os.WriteFile(name, text[:size], 0o644)
			if errors.Is(err, fs.ErrNotExist) {
				if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
					err = os.WriteFile(name, text[:size], 0o644)
				}
			}
			if err != nil {
				b.Fatal(err)
			}
			return release.File{Path: release.Path(p), Size: int64(size), Mode: 0o644, SHA256: release.DigestOf(text[:size])}
		}
		shipped = append(shipped, put(siteDir))
		if i < l.changed {
			text[0]++
			changed = append(changed, put(newDir))
		}
	}
	slices.SortFunc(shipped, byPath)
	slices.SortFunc(changed, byPath)
	return siteDir, newDir, shipped, changed
}

// BenchmarkUpdate compares a whole update of the files, from the extracted package
// to the verified site, with the naive way and with rsync, in memory and on the disk
// of TMPDIR. The site is laid once. The ways take turns in it, each goes back to
// where it began before the next comes, and the best of some rounds counts: what else
// the machine does slows all of them, but not each round alike. Nothing that one way
// wrote is left for the next to wait for.
//
//	window-ms  how long the site is between two releases
//	undo-ms    how long going back takes; undo-window-ms of it between two releases
//	total-ms   from the extracted package to the verified and durable site
//	N-is-x     how many times as long N takes
//
// All end durable. naive-fsync is the naive way with each backup on the disk before
// its file is replaced, which a power cut calls for; the others wait once, at the end.
// Of very many files it does one in ten, and counts that ten times.
func BenchmarkUpdate(b *testing.B) {
	for _, place := range benchPlaces(b) {
		for _, l := range workloads() {
			b.Run(place.name+"/"+l.name, func(b *testing.B) { compareWays(b, place.dir, l) })
		}
	}
}

// benchPlaces are a directory in memory, where the system has such, and one on a disk.
func benchPlaces(b *testing.B) []struct{ name, dir string } {
	disk := b.TempDir()
	places := []struct{ name, dir string }{{"disk", disk}}
	if memory := scratch(b); memory != disk {
		places = append(places, struct{ name, dir string }{"memory", memory})
	}
	return places
}

// compareWays updates and goes back in every way by turns.
func compareWays(b *testing.B, dir string, l workload) {
	base, err := os.MkdirTemp(dir, "bench-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(base)
	x := &bench{B: b, base: base}
	x.siteDir, x.newDir, x.shipped, x.changed = l.lay(b, base)
	type way struct {
		name string
		run  func() timings
	}
	contestants := []way{
		{"naive", func() timings { return x.naive(false) }},
		{"moult-file", func() timings { return x.moult("file") }},
		{"moult-auto", func() timings { return x.moult("auto") }},
		{"naive-fsync", func() timings { return x.naive(true) }},
	}
	if _, err := exec.LookPath("rsync"); err == nil {
		contestants = append(contestants, way{"rsync", x.rsync})
	}
	var paths []release.Path
	for _, f := range x.changed {
		paths = append(paths, f.Path)
	}
	best := map[string]timings{}
	for round := range l.rounds {
		for _, w := range contestants {
			took := w.run()
			x.isBack(w.name, paths...)
			if round > 0 {
				took = took.best(best[w.name])
			}
			best[w.name] = took
		}
	}
	x.isBack("one of the ways")
	for _, w := range contestants {
		b.Run(w.name, func(b *testing.B) { best[w.name].report(b, best) })
	}
}

// bench is a workload on disk.
type bench struct {
	*testing.B
	base, siteDir, newDir string
	shipped, changed      []release.File
}

// timings are what one way took.
type timings struct{ plan, stage, window, swap, verify, undo, back, total time.Duration }

// best takes the shorter of each.
func (t timings) best(o timings) timings {
	return timings{
		min(t.plan, o.plan), min(t.stage, o.stage), min(t.window, o.window), min(t.swap, o.swap),
		min(t.verify, o.verify), min(t.undo, o.undo), min(t.back, o.back), min(t.total, o.total),
	}
}

func (t timings) report(b *testing.B, all map[string]timings) {
	ms := func(d time.Duration, unit string) {
		if d > 0 {
			b.ReportMetric(float64(d.Microseconds())/1000, unit)
		}
	}
	ms(t.window, "window-ms")
	ms(t.undo, "undo-ms")
	ms(t.back, "undo-window-ms")
	ms(t.total, "total-ms")
	ms(t.plan, "total-plan-ms")
	ms(t.stage, "total-stage-ms")
	ms(t.swap, "total-switch-ms")
	ms(t.verify, "total-verify-ms")
	for name, o := range all {
		if t.plan == 0 || o.plan != 0 {
			continue
		}
		b.ReportMetric(float64(o.total)/float64(t.total), name+"-total-is-x")
		b.ReportMetric(float64(o.window)/float64(t.window), name+"-window-is-x")
		b.ReportMetric(float64(o.undo)/float64(t.undo), name+"-undo-is-x")
	}
	b.ReportMetric(0, "ns/op")
}

// isBack fails unless the given files, or all of the site, are what they were laid as.
func (x *bench) isBack(way string, paths ...release.Path) {
	s, err := site.Init(x.siteDir, site.Config{}, site.State{})
	x.must(err)
	defer os.RemoveAll(filepath.Join(x.siteDir, site.Home))
	defer s.Close()
	have, err := Scan(context.Background(), s, nil, paths...)
	x.must(err)
	want := x.shipped
	if len(paths) > 0 {
		want = slices.DeleteFunc(slices.Clone(want), func(f release.File) bool {
			_, touched := slices.BinarySearch(paths, f.Path)
			return !touched
		})
	}
	if !slices.Equal(have, want) {
		x.Fatalf("%s has not left the site as it was", way)
	}
}
