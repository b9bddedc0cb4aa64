package delta

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/release"
)

// pair is two releases to compare sizes on.
type pair struct {
	name     string
	old, new contents
}

// pairs are made up, so that figures can be compared over time. For real ones see
// TestDeltasOfRealReleases.
func pairs() []pair {
	r := rand.New(rand.NewPCG(11, 11))
	all := []pair{
		{"patch release, 16 of 400 files", contents{}, contents{}},
		{"minor release, 150 of 400 files", contents{}, contents{}},
		{"one large file, 48 MiB", contents{}, contents{}},
	}
	for i := range 400 {
		p := release.Path(fmt.Sprintf("program/lib%02d/file%03d.php", i/20, i))
		b := source(r, 20+r.IntN(400))
		for j, every := range []int{25, 3} {
			all[j].old[p], all[j].new[p] = b, b
			if i%every == 0 {
				all[j].new[p] = edit(r, b, 1+3*j+r.IntN(5))
			}
		}
	}
	large := noise(r, 48<<20)
	all[2].old["large.bin"] = large
	all[2].new["large.bin"] = slices.Concat(large[20<<20:30<<20], edit(r, large[:20<<20], 200), large[30<<20:])
	return all
}

// load reads a directory, leaving out what no package can hold.
func load(t testing.TB, dir string) contents {
	t.Helper()
	c := contents{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		safe, err := release.ParsePath(filepath.ToSlash(name))
		if err != nil {
			return nil
		}
		c[safe], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// BenchmarkSizes reports how large the delta of each pair is, and what else could
// be sent instead: all headers included.
func BenchmarkSizes(b *testing.B) {
	for _, p := range pairs() {
		b.Run(p.name, func(b *testing.B) {
			old, new := p.old.tree("1.0.0"), p.new.tree("1.0.1")
			changed, before := contents{}, contents{}
			for path, c := range p.new {
				if was, ok := p.old[path]; !ok || !bytes.Equal(was, c) {
					changed[path] = c
					if ok {
						before[path] = was
					}
				}
			}
			for b.Loop() {
				full := packTar(b, new)
				started := time.Now()
				delta := makeDelta(b, old, new, Options{GoOnly: true})
				b.ReportMetric(float64(time.Since(started).Milliseconds()), "go-ms")
				b.ReportMetric(float64(len(full)), "full-B")
				b.ReportMetric(float64(len(packTar(b, changed.tree("1.0.1")))), "changed-only-B")
				b.ReportMetric(float64(len(delta)), "go-B")
				started = time.Now()
				peak := applyPeak(b, delta, old, new.Files)
				b.ReportMetric(float64(time.Since(started).Milliseconds()), "apply-ms")
				b.ReportMetric(float64(peak>>20), "apply-MiB")
				if _, err := exec.LookPath("zstd"); err == nil {
					started = time.Now()
					b.ReportMetric(float64(len(makeDelta(b, old, new, Options{Zstd: "zstd"}))), "zstd-B")
					b.ReportMetric(float64(time.Since(started).Milliseconds()), "zstd-ms")
					b.ReportMetric(float64(patchFrom(b, tarFile(b, before), tarFile(b, changed))), "patch-from-B")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// applyPeak applies a delta and returns the most heap that was in use beyond what
// was in use before, in bytes.
func applyPeak(b *testing.B, delta []byte, old Tree, want []release.File) uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	before, most := m.HeapAlloc, m.HeapAlloc
	_, err := Apply(context.Background(), bytes.NewReader(delta), int64(len(delta)), old, want, openRoot(b), Limits{}, func(int64, int64) {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	})
	if err != nil {
		b.Fatal(err)
	}
	return most - before
}

func packTar(b testing.TB, t Tree) []byte {
	var out bytes.Buffer
	if err := archive.Create(context.Background(), &out, archive.TarZstd, archive.Tree{Files: t.Files, Open: t.Open}, time.Unix(0, 0)); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// patchFrom packs one file against another with the zstd command.
func patchFrom(b testing.TB, old, new string) int64 {
	return run(b, "zstd", "-q", "-f", "-19", "--long=30", "--patch-from="+old, new, "-o", outFile)
}

// outFile stands in the arguments of run for a file that the command writes.
const outFile = "OUT"

// run returns the size of what a command writes.
func run(b testing.TB, name string, args ...string) int64 {
	b.Helper()
	out := filepath.Join(b.TempDir(), "out")
	args[slices.Index(args, outFile)] = out
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		b.Fatalf("%s: %v: %s", name, err, said)
	}
	info, err := os.Stat(out)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// tarFile returns the path of a tar of contents.
func tarFile(b testing.TB, c contents) string {
	f, err := os.Create(filepath.Join(b.TempDir(), "tar"))
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(writeTar(f, c), f.Close()); err != nil {
		b.Fatal(err)
	}
	return f.Name()
}

func writeTar(w io.Writer, c contents) error {
	t := tar.NewWriter(w)
	for _, f := range c.tree("1.0.0").Files {
		if err := t.WriteHeader(&tar.Header{Name: string(f.Path), Size: f.Size, Mode: 0o644}); err != nil {
			return err
		}
		if _, err := t.Write(c[f.Path]); err != nil {
			return err
		}
	}
	return t.Close()
}
