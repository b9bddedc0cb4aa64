package files

import (
	"context"
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
// to the verified site, with the naive way and with rsync. All end durable.
//
//	window-ms  how long the site is between two releases
//	undo-ms    how long going back takes
//	total-ms   from the extracted package to the verified and durable site
func BenchmarkUpdate(b *testing.B) {
	for _, l := range workloads() {
		base := b.TempDir()
		siteDir, newDir, shipped, changed := l.lay(b, base)
		b.Run(l.name+"/naive", func(b *testing.B) { benchNaive(b, siteDir, newDir, changed) })
		b.Run(l.name+"/rsync", func(b *testing.B) { benchRsync(b, siteDir, newDir) })
		for _, way := range []string{"file", "auto"} {
			b.Run(l.name+"/moult-"+way, func(b *testing.B) { benchMoult(b, way, siteDir, newDir, shipped, changed) })
		}
	}
}

// timings add up what the runs of one benchmark took.
type timings struct{ window, undo, total time.Duration }

func (t timings) report(b *testing.B) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(ms(t.window), "window-ms")
	b.ReportMetric(ms(t.undo), "undo-ms")
	b.ReportMetric(ms(t.total), "total-ms")
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

// benchNaive is what most updaters do: for each file, read it whole, write a backup,
// write the new one beside it and rename.
func benchNaive(b *testing.B, siteDir, newDir string, changed []release.File) {
	var took timings
	for range b.N {
		backup := b.TempDir()
		settle(b, siteDir)
		start := time.Now()
		for _, f := range changed {
			naiveReplace(b, filepath.Join(newDir, string(f.Path)), filepath.Join(siteDir, string(f.Path)), filepath.Join(backup, string(f.Path)))
		}
		took.window += time.Since(start)
		settle(b, siteDir)
		for _, f := range changed {
			if got, err := os.ReadFile(filepath.Join(siteDir, string(f.Path))); err != nil || release.DigestOf(got) != f.SHA256 {
				b.Fatalf("%s: %v", f.Path, err)
			}
		}
		took.total += time.Since(start)
		start = time.Now()
		for _, f := range changed {
			old, err := os.ReadFile(filepath.Join(backup, string(f.Path)))
			if err == nil {
				err = os.WriteFile(filepath.Join(siteDir, string(f.Path)), old, 0o644)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		took.undo += time.Since(start)
		os.RemoveAll(backup)
	}
	took.report(b)
}

func naiveReplace(b *testing.B, from, to, backup string) {
	fresh, err := os.ReadFile(from)
	if err != nil {
		b.Fatal(err)
	}
	old, err := os.ReadFile(to)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(backup), 0o755)
	}
	if err == nil {
		err = os.WriteFile(backup, old, 0o644)
	}
	if err == nil {
		err = os.WriteFile(to+".tmp", fresh, 0o644)
	}
	if err == nil {
		err = os.Rename(to+".tmp", to)
	}
	if err != nil {
		b.Fatal(err)
	}
}

func benchRsync(b *testing.B, siteDir, newDir string) {
	rsync, err := exec.LookPath("rsync")
	if err != nil {
		b.Skip("rsync is not installed")
	}
	run := func(arg ...string) {
		if out, err := exec.Command(rsync, arg...).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	var took timings
	for range b.N {
		backup := b.TempDir()
		settle(b, siteDir)
		start := time.Now()
		run("-a", "--checksum", "--backup", "--backup-dir="+backup, newDir+"/", siteDir+"/")
		took.window += time.Since(start)
		settle(b, siteDir)
		run("-a", "--checksum", newDir+"/", siteDir+"/") // reads everything back
		took.total += time.Since(start)
		start = time.Now()
		run("-a", "--checksum", backup+"/", siteDir+"/")
		took.undo += time.Since(start)
		os.RemoveAll(backup)
	}
	took.report(b)
}

func benchMoult(b *testing.B, way, siteDir, newDir string, shipped, changed []release.File) {
	ctx := context.Background()
	os.RemoveAll(filepath.Join(siteDir, site.Home))
	s, err := site.Init(siteDir, site.Config{Files: site.Files{Switch: way}}, site.State{})
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(filepath.Join(siteDir, site.Home))
	defer s.Close()
	inv := &site.Inventory{BaseKnown: true, Files: shipped}
	var ops release.Operations
	for _, f := range changed {
		ops.ReplaceFiles = append(ops.ReplaceFiles, f.Path)
	}
	var took timings
	for i := range b.N {
		u, err := s.NewUpdate(fmt.Sprintf("u%d", i))
		if err != nil {
			b.Fatal(err)
		}
		copyTree(b, newDir, filepath.Join(u.Root.Name(), "contents"))
		settle(b, siteDir)
		contents, err := u.Root.OpenRoot("contents")
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		p, err := MakePlan(ctx, PlanInput{Site: s, Inventory: inv, New: changed, Operations: ops, Contents: contents})
		if err == nil {
			err = Stage(ctx, s, u, p, contents, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		j, _, err := u.Journal()
		if err != nil {
			b.Fatal(err)
		}
		window, err := Switch(ctx, s, u, p, j, nil)
		if err == nil {
			err = Verify(ctx, s, p)
		}
		if err != nil {
			b.Fatal(err)
		}
		took.window += window
		took.total += time.Since(start)
		start = time.Now()
		if _, err := Undo(ctx, s, u, p, j, nil); err != nil {
			b.Fatal(err)
		}
		took.undo += time.Since(start)
		contents.Close()
		j.Close()
		if err := u.Remove(); err != nil {
			b.Fatal(err)
		}
	}
	took.report(b)
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
