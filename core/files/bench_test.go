package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
	size           int // of each file, in bytes
	dirs           int
}

// workloads are a usual patch, 167 files of 60 MB in all, and a very large one.
// MOULT_TORTURE=1 puts the large one into a site of 200 000 files.
func workloads() []workload {
	large := workload{"20000", 20_000, 20_000, 8 << 10, 1_800}
	if torture() {
		large.files, large.dirs = 200_000, 18_000
	}
	return []workload{{"167", 3_758, 167, 360 << 10, 300}, large}
}

// lay writes a workload: the site below site/, the changed files below new/. A file
// that doesn't change is small: nothing reads it.
func (l workload) lay(b *testing.B, base string) (siteDir, newDir string, shipped, changed []release.File) {
	b.Helper()
	siteDir, newDir = filepath.Join(base, "site"), filepath.Join(base, "new")
	random := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, l.size)
	for i := range l.files {
		p := fmt.Sprintf("d%03d/e%02d/file%06d.php", i%l.dirs/50, i%l.dirs%50, i)
		size := 64
		if i < l.changed {
			size = l.size
		}
		for k := 0; k < size; k += 8 {
			v := random.Uint64()
			for s := range 8 {
				text[k+s] = byte(v >> (8 * s))
			}
		}
		put := func(dir string) release.File {
			name := filepath.Join(dir, p)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(name, text[:size], 0o644); err != nil {
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
	slices.SortFunc(shipped, func(a, b release.File) int { return strings.Compare(string(a.Path), string(b.Path)) })
	return siteDir, newDir, shipped, changed
}

// BenchmarkUpdate compares a whole update of the files, from the extracted package
// to the verified site, with the naive way and with rsync, in memory and on the disk
// of TMPDIR. The ways take turns, and the best of some rounds counts: what else the
// machine does slows all of them, but not each round alike.
//
//	window-ms  how long the site is between two releases
//	undo-ms    how long going back takes
//	total-ms   from the extracted package to the verified and durable site
//	N-is-x     how many times as long N takes
//
// All end durable. naive-fsync is the naive way with each backup on the disk before
// its file is replaced, which a power cut calls for; the others wait once, at the end.
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
		{"moult-tree", func() timings { return x.moult("tree") }},
	}
	if _, err := exec.LookPath("rsync"); err == nil {
		contestants = append(contestants, way{"rsync", x.rsync})
	}
	if l.changed < 1000 {
		contestants = append(contestants, way{"naive-fsync", func() timings { return x.naive(true) }})
	}
	best := map[string]timings{}
	for round := range rounds {
		for _, w := range contestants {
			took := w.run()
			if round > 0 {
				took = took.best(best[w.name])
			}
			best[w.name] = took
		}
	}
	for _, w := range contestants {
		b.Run(w.name, func(b *testing.B) { best[w.name].report(b, best) })
	}
}

// rounds is how often every way is tried.
const rounds = 3

// bench is a workload on disk.
type bench struct {
	*testing.B
	base, siteDir, newDir string
	shipped, changed      []release.File
}

// timings are what one way took.
type timings struct{ plan, stage, window, swap, verify, undo, total time.Duration }

// best takes the shorter of each.
func (t timings) best(o timings) timings {
	return timings{
		min(t.plan, o.plan), min(t.stage, o.stage), min(t.window, o.window), min(t.swap, o.swap),
		min(t.verify, o.verify), min(t.undo, o.undo), min(t.total, o.total),
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

func settle(b *testing.B, dir string) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	if err := site.Barrier(root); err != nil {
		b.Fatal(err)
	}
}

// naive is what most updaters do: for each file, read it whole, write a backup, write
// the new one beside it and rename.
func (x *bench) naive(each bool) (t timings) {
	backup := x.scratch("backup")
	defer os.RemoveAll(backup)
	settle(x.B, x.siteDir)
	start := time.Now()
	for _, f := range x.changed {
		p := string(f.Path)
		x.naiveReplace(filepath.Join(x.newDir, p), filepath.Join(x.siteDir, p), filepath.Join(backup, p), each)
	}
	t.window = time.Since(start)
	settle(x.B, x.siteDir)
	for _, f := range x.changed {
		if got, err := os.ReadFile(filepath.Join(x.siteDir, string(f.Path))); err != nil || release.DigestOf(got) != f.SHA256 {
			x.Fatalf("%s: %v", f.Path, err)
		}
	}
	t.total = time.Since(start)
	start = time.Now()
	for _, f := range x.changed {
		old, err := os.ReadFile(filepath.Join(backup, string(f.Path)))
		if err == nil {
			err = write(filepath.Join(x.siteDir, string(f.Path)), old, each)
		}
		x.must(err)
	}
	settle(x.B, x.siteDir)
	t.undo = time.Since(start)
	return t
}

func (x *bench) naiveReplace(from, to, backup string, each bool) {
	fresh, err := os.ReadFile(from)
	x.must(err)
	old, err := os.ReadFile(to)
	x.must(err)
	x.must(os.MkdirAll(filepath.Dir(backup), 0o755))
	x.must(write(backup, old, each))
	x.must(write(to+".tmp", fresh, each))
	x.must(os.Rename(to+".tmp", to))
}

// write writes a file, and waits for the disk if asked to.
func write(name string, data []byte, wait bool) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && wait {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (x *bench) must(err error) {
	if err != nil {
		x.Helper()
		x.Fatal(err)
	}
}

// scratch makes an empty directory.
func (x *bench) scratch(name string) string {
	dir, err := os.MkdirTemp(x.base, name+"-")
	x.must(err)
	return dir
}

func (x *bench) rsync() (t timings) {
	run := func(arg ...string) {
		if out, err := exec.Command("rsync", arg...).CombinedOutput(); err != nil {
			x.Fatalf("%v: %s", err, out)
		}
	}
	backup := x.scratch("backup")
	defer os.RemoveAll(backup)
	settle(x.B, x.siteDir)
	start := time.Now()
	run("-a", "--checksum", "--backup", "--backup-dir="+backup, x.newDir+"/", x.siteDir+"/")
	t.window = time.Since(start)
	settle(x.B, x.siteDir)
	run("-a", "--checksum", x.newDir+"/", x.siteDir+"/") // reads everything back
	t.total = time.Since(start)
	start = time.Now()
	run("-a", "--checksum", backup+"/", x.siteDir+"/")
	settle(x.B, x.siteDir)
	t.undo = time.Since(start)
	return t
}

// moult is what this package does.
func (x *bench) moult(way string) (t timings) {
	ctx := context.Background()
	s, err := site.Init(x.siteDir, site.Config{Files: site.Files{Switch: way}}, site.State{})
	x.must(err)
	defer os.RemoveAll(filepath.Join(x.siteDir, site.Home))
	defer s.Close()
	in := PlanInput{Site: s, Inventory: &site.Inventory{BaseKnown: true, Files: x.shipped}, New: x.changed}
	for _, f := range x.changed {
		in.Operations.ReplaceFiles = append(in.Operations.ReplaceFiles, f.Path)
	}
	u, err := s.NewUpdate("u")
	x.must(err)
	defer u.Close()
	copyTree(x.B, x.newDir, filepath.Join(u.Root.Name(), "contents"))
	settle(x.B, x.siteDir)
	time.Sleep(settling) // a site is not changed in the moment before its update
	in.Contents, err = u.Root.OpenRoot("contents")
	x.must(err)
	defer in.Contents.Close()

	start := time.Now()
	lap := start
	since := func() (d time.Duration) {
		d, lap = time.Since(lap), time.Now()
		return d
	}
	p, err := MakePlan(ctx, in)
	x.must(err)
	t.plan = since()
	x.must(Stage(ctx, s, u, p, in.Contents, nil))
	t.stage = since()
	j, _, err := u.Journal()
	x.must(err)
	defer j.Close()
	t.window, err = Switch(ctx, s, u, p, j, nil)
	x.must(err)
	t.swap = since()
	x.must(Verify(ctx, s, p))
	t.verify = since()
	t.total = time.Since(start)
	since()
	_, err = Undo(ctx, s, u, p, j, nil)
	x.must(err)
	t.undo = since()
	return t
}

func copyTree(b *testing.B, from, to string) {
	err := filepath.WalkDir(from, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		src, err := os.Open(name)
		if err != nil {
			return err
		}
		defer src.Close()
		dst, err := os.Create(filepath.Join(to, rel))
		if err != nil {
			return err
		}
		if _, err := io.Copy(dst, src); err != nil {
			return err
		}
		return dst.Close()
	})
	if err != nil {
		b.Fatal(err)
	}
}
