package fetch_test

import (
	"archive/tar"
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/release"
)

// BenchmarkMemory brings and unpacks packages of growing size, and reports the highest
// resident memory of the process. The server is in the same process, and so is all that
// a test binary has; what they take is in the figure.
func BenchmarkMemory(b *testing.B) {
	for _, size := range []int64{64 << 20, 1 << 30} {
		b.Run(fmt.Sprintf("%d MiB", size>>20), func(b *testing.B) {
			dir := b.TempDir()
			r := hugePackage(b, dir, size)
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer server.Close()
			r.URLs = []string{server.URL + "/huge.tar.zst"}
			b.SetBytes(size)
			for b.Loop() {
				r.Dir = tempRoot(b)
				debug.FreeOSMemory()                                                          // of making the package
				if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // proc(5): resets VmHWM
					b.Skip(err)
				}
				tr := newClient(b).Start(b.Context(), r, nil)
				if _, err := archive.Extract(b.Context(), tr, r.Size, tempRoot(b), archive.Limits{}, nil); err != nil {
					b.Fatal(err)
				}
				_, err := tr.Wait()
				if err := errors.Join(err, tr.Close()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(peak(b)/(1<<20), "peak-MiB")
				b.ReportMetric(float64(r.Size)/(1<<20), "package-MiB")
			}
		})
	}
}

// peak is the highest resident memory of the process, in bytes.
func peak(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		b.Fatal(err)
	}
	return kib * 1024
}

// hugePackage writes huge.tar.zst, one file of hexadecimal digits, which pack to the
// half, and returns a request for it.
func hugePackage(b *testing.B, dir string, size int64) fetch.Request {
	f, err := os.Create(filepath.Join(dir, "huge.tar.zst"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	z, err := zstd.NewWriter(out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		b.Fatal(err)
	}
	t := tar.NewWriter(z)
	err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "huge", Mode: 0o644, Size: size})
	if err == nil {
		_, err = io.CopyN(hex.NewEncoder(t), rand.NewChaCha8([32]byte{}), size/2)
	}
	if err := errors.Join(err, t.Close(), z.Close(), out.Flush()); err != nil {
		b.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	r := fetch.Request{Name: "package"}
	piece := make([]byte, release.ChunkSize)
	for {
		n, err := io.ReadFull(f, piece)
		if n > 0 {
			r.Size += int64(n)
			r.Chunks = append(r.Chunks, release.DigestOf(piece[:n]))
		}
		if err != nil {
			return r
		}
	}
}
