package delta

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"moult/core/release"
)

// BenchmarkMemory reports what making and applying a delta takes of a machine: the
// process's resident memory at its highest, beyond what it had before, and that of the
// largest command. One large file is cut into segments; many small ones fill the packs.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct {
		name        string
		files, size int
	}{{"a file of 32 MiB", 1, 32 << 20}, {"a file of 256 MiB", 1, 256 << 20}, {"1000 files of 64 KiB", 1000, 64 << 10}} {
		for how, o := range map[string]Options{"in Go": {GoOnly: true}, "with commands": {}} {
			b.Run(c.name+", "+how, func(b *testing.B) {
				old, new := onDisk(b, c.files, c.size)
				for b.Loop() {
					out, err := os.Create(filepath.Join(b.TempDir(), "delta"))
					if err != nil {
						b.Fatal(err)
					}
					defer out.Close()
					made := measured(b, func() error {
						_, err := Make(context.Background(), out, old, new, o)
						return err
					})
					info, err := out.Stat()
					if err != nil {
						b.Fatal(err)
					}
					dst := openRoot(b)
					applied := measured(b, func() error {
						got, err := Apply(context.Background(), out, info.Size(), old, new.Files, dst, Limits{}, nil)
						if err == nil && len(got.Lost) > 0 {
							err = got.Lost[0].Err
						}
						return err
					})
					var children syscall.Rusage
					if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &children); err != nil {
						b.Fatal(err)
					}
					total := float64(c.files) * float64(c.size)
					b.ReportMetric(made.peak/mib, "make-MiB")
					b.ReportMetric(float64(children.Maxrss)*1024/mib, "command-MiB")
					b.ReportMetric(applied.peak/mib, "apply-MiB")
					b.ReportMetric(total/1e6/applied.took.Seconds(), "apply-MB/s")
					b.ReportMetric(float64(info.Size())/total*100, "%-of-full")
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

const mib = 1 << 20

type measurement struct {
	peak float64 // bytes
	took time.Duration
}

// measured runs do and reads the kernel's record of the highest resident memory.
func measured(b *testing.B, do func() error) measurement {
	b.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // proc(5): resets VmHWM
		b.Skip(err)
	}
	before, begin := resident(b, "VmRSS"), time.Now()
	if err := do(); err != nil {
		b.Fatal(err)
	}
	return measurement{resident(b, "VmHWM") - before, time.Since(begin)}
}

func resident(b *testing.B, field string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), field+":")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib * 1024
}

// onDisk makes two releases in directories: noise, of which every 100 KiB something is
// changed, added or taken away.
func onDisk(b *testing.B, files, size int) (old, new Tree) {
	noise := rand.NewChaCha8([32]byte{6})
	r := rand.New(rand.NewPCG(6, 6))
	dir := b.TempDir()
	var trees [2]Tree
	for i, v := range []string{"1.0.0", "2.0.0"} {
		place := filepath.Join(dir, v)
		if err := os.Mkdir(place, 0o700); err != nil {
			b.Fatal(err)
		}
		trees[i] = Tree{Version: version(v), Open: func(p release.Path) (io.ReadCloser, error) { return os.Open(filepath.Join(place, string(p))) }}
	}
	piece := make([]byte, 100<<10)
	for n := range files {
		name := fmt.Sprintf("f%04d", n)
		var out [2]*bufio.Writer
		var open [2]*os.File
		for i, v := range []string{"1.0.0", "2.0.0"} {
			f, err := os.Create(filepath.Join(dir, v, name))
			if err != nil {
				b.Fatal(err)
			}
			open[i], out[i] = f, bufio.NewWriterSize(f, 1<<20)
		}
		for left := size; left > 0; left -= len(piece) {
			p := piece[:min(left, len(piece))]
			noise.Read(p)
			out[0].Write(p)
			at := r.IntN(len(p) - 100)
			out[1].Write(p[:at])
			fmt.Fprintf(out[1], "changed %d", r.Uint64())
			out[1].Write(p[at+r.IntN(100):])
		}
		for i, v := range []string{"1.0.0", "2.0.0"} {
			if err := errors.Join(out[i].Flush(), open[i].Close()); err != nil {
				b.Fatal(err)
			}
			trees[i].Files = append(trees[i].Files, fileOf(b, filepath.Join(dir, v), release.Path(name)))
		}
	}
	return trees[0], trees[1]
}

func fileOf(b *testing.B, dir string, p release.Path) release.File {
	f, err := os.Open(filepath.Join(dir, string(p)))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		b.Fatal(err)
	}
	return release.File{Path: p, Size: n, Mode: 0o644, SHA256: release.Digest(h.Sum(nil))}
}
