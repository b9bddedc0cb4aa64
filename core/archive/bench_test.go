package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"moult/core/release"
)

// product is a tree of files as large as those of PHP programs, of total bytes.
func product(total int) Tree {
	r := rand.New(rand.NewPCG(4, 2))
	contents := map[release.Path][]byte{}
	t := Tree{}
	for i := 0; total > 0; i++ {
		b := text(r, min(total, 500+r.IntN(16000)))
		total -= len(b)
		p := release.Path(fmt.Sprintf("program/lib%d/file%04d.php", i/40, i))
		contents[p] = b
		t.Files = append(t.Files, release.File{Path: p, Size: int64(len(b)), Mode: 0o644, SHA256: release.DigestOf(b)})
	}
	t.Open = func(p release.Path) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(contents[p])), nil }
	return t
}

// text is about four times as long as what it packs to.
func text(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+64)
	for len(b) < n {
		b = fmt.Appendf(b, "\t$row%d = $this->fetch('%04x', %d);\n", r.IntN(9), r.IntN(1<<16), r.IntN(50))
	}
	return b[:n]
}

// TestMemoryDoesNotGrowWithTheArchive extracts one large file from each format.
func TestMemoryDoesNotGrowWithTheArchive(t *testing.T) {
	for _, f := range formats {
		large := 24 << 20
		if f == TarXZ {
			large = 6 << 20 // packing more takes too long
		}
		for _, size := range []int{2 << 20, large} {
			// The dictionaries of xz and zstd have 8 MiB; the rest is buffers.
			if most := peak(t, f, size); most > 20<<20 {
				t.Errorf("%s: extracting %d MiB took %d MiB of memory", f, size>>20, most>>20)
			}
		}
	}
}

// peak returns the most heap that was in use while a file of size bytes was extracted.
func peak(t *testing.T, f Format, size int) uint64 {
	file, err := os.Create(filepath.Join(t.TempDir(), "archive"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := writeLarge(file, f, size); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, m runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	_, err = Extract(context.Background(), &sampler{file, func() {
		runtime.ReadMemStats(&m)
		most = max(most, m.HeapAlloc)
	}}, info.Size(), openRoot(t, t.TempDir()), Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return most - min(before.HeapAlloc, most)
}

// writeLarge packs a file of size bytes as fast as it can be done.
func writeLarge(w io.Writer, f Format, size int) error {
	piece := text(rand.New(rand.NewPCG(1, 1)), 1<<20)
	fill := func(w io.Writer) error {
		for range size / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		return nil
	}
	if f == Zip {
		z := zip.NewWriter(w)
		one, err := z.CreateHeader(&zip.FileHeader{Name: "large", Method: zip.Store})
		if err != nil {
			return err
		}
		return errors.Join(fill(one), z.Close())
	}
	var c io.WriteCloser
	var err error
	switch f {
	case TarGzip:
		c, err = gzip.NewWriterLevel(w, gzip.BestSpeed)
	case TarXZ:
		c, err = xz.NewWriter(w)
	default:
		c, err = zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	}
	if err != nil {
		return err
	}
	t := tar.NewWriter(c)
	err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "large", Mode: 0o644, Size: int64(size)})
	return errors.Join(err, fill(t), t.Close(), c.Close())
}

// sampler looks at the memory whenever the archive is read.
type sampler struct {
	*os.File
	look func()
}

func (s *sampler) ReadAt(b []byte, at int64) (int, error) {
	s.look()
	return s.File.ReadAt(b, at)
}

const benchBytes = 32 << 20

func BenchmarkExtract(b *testing.B) {
	tree := product(benchBytes)
	for _, f := range formats {
		packed := create(b, f, tree)
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(benchBytes)
			b.ReportAllocs()
			for b.Loop() {
				root := openRoot(b, b.TempDir())
				if _, err := Extract(context.Background(), bytes.NewReader(packed), int64(len(packed)), root, Limits{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkExtractNaively is what BenchmarkExtract is to be compared with: members
// are read whole, written by path, and hashed in a second pass.
func BenchmarkExtractNaively(b *testing.B) {
	packed := create(b, TarZstd, product(benchBytes))
	b.SetBytes(benchBytes)
	b.ReportAllocs()
	for b.Loop() {
		if err := naively(packed, b.TempDir()); err != nil {
			b.Fatal(err)
		}
	}
}

func naively(packed []byte, dir string) error {
	d, err := zstd.NewReader(nil)
	if err != nil {
		return err
	}
	defer d.Close()
	plain, err := d.DecodeAll(packed, nil)
	if err != nil {
		return err
	}
	var written []string
	for r := tar.NewReader(bytes.NewReader(plain)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		contents, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		p := filepath.Join(dir, h.Name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, contents, os.FileMode(h.Mode)); err != nil {
			return err
		}
		written = append(written, p)
	}
	for _, p := range written {
		contents, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		sha256.Sum256(contents)
	}
	return nil
}

func BenchmarkCreate(b *testing.B) {
	tree := product(benchBytes / 4)
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			b.SetBytes(benchBytes / 4)
			for b.Loop() {
				if err := Create(context.Background(), io.Discard, f, tree, date); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
