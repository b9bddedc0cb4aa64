package fetch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/release"
)

// BenchmarkOverlap unpacks a package while it arrives, and reports how much longer that
// takes than the slower of the two alone, in the same run: over a line that is slower
// than the disk, from a server that is faster, and in a format that takes the most work.
func BenchmarkOverlap(b *testing.B) {
	for _, c := range []struct {
		name   string
		format archive.Format
		rate   int // of the line, bytes a second
	}{{"slow line", archive.TarZstd, 8 << 20}, {"fast line", archive.TarZstd, 1 << 40}, {"fast line, xz", archive.TarXZ, 1 << 40}} {
		b.Run(c.name, func(b *testing.B) {
			pkg := benchPackage(b, c.format)
			o := newOrigin(b, pkg)
			o.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				start := time.Now()
				for sent := 0; sent < len(pkg); {
					n := min(64<<10, len(pkg)-sent)
					w.Write(pkg[sent : sent+n])
					sent += n
					time.Sleep(time.Until(start.Add(time.Duration(float64(sent) / float64(c.rate) * float64(time.Second)))))
				}
				return true
			}
			var download, unpack, both time.Duration
			for b.Loop() {
				r := request(tempRoot(b), chunkHashes, pkg, o.URL)
				download += timed(func() {
					if _, err := newClient(b).Download(b.Context(), r, nil); err != nil {
						b.Fatal(err)
					}
				})
				unpack += timed(func() { extract(b, bytes.NewReader(pkg), int64(len(pkg))) })
				both += timed(func() {
					tr := newClient(b).Start(b.Context(), request(tempRoot(b), chunkHashes, pkg, o.URL), nil)
					defer tr.Close()
					extract(b, tr, int64(len(pkg)))
					if _, err := tr.Wait(); err != nil {
						b.Fatal(err)
					}
				})
			}
			b.ReportMetric(both.Seconds()/max(download, unpack).Seconds(), "of-slowest")
			b.ReportMetric(both.Seconds()/(download+unpack).Seconds(), "of-sum")
		})
	}
}

func timed(do func()) time.Duration {
	begin := time.Now()
	do()
	return time.Since(begin)
}

func extract(b *testing.B, src io.ReaderAt, size int64) {
	b.Helper()
	if _, err := archive.Extract(b.Context(), src, size, tempRoot(b), archive.Limits{}, nil); err != nil {
		b.Fatal(err)
	}
}

// benchPackage is a package of 512 files of 64 KiB that compress about as source code
// does.
func benchPackage(b *testing.B, format archive.Format) []byte {
	b.Helper()
	random := rand.New(rand.NewPCG(6, 6))
	contents := map[release.Path][]byte{}
	tree := archive.Tree{Open: func(p release.Path) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(contents[p])), nil
	}}
	for i := range 512 {
		p := release.Path(fmt.Sprintf("d%02d/f%02d", i/32, i%32))
		var body []byte
		for len(body) < 64<<10 {
			body = fmt.Appendf(body, "$w%d = ", int(random.ExpFloat64()*300))
		}
		contents[p] = body
		tree.Files = append(tree.Files, release.File{Path: p, Size: int64(len(body)), Mode: 0o644, SHA256: release.DigestOf(body)})
	}
	var out bytes.Buffer
	if err := archive.Create(context.Background(), &out, format, tree, time.Unix(0, 0)); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkDownload shows the rate of a download from this machine, and that its memory
// does not grow with the file.
func BenchmarkDownload(b *testing.B) {
	for name, size := range map[string]int{"8 MiB": 8 << 20, "128 MiB": 128 << 20} {
		b.Run(name, func(b *testing.B) {
			content := random(size)
			o := newOrigin(b, content)
			r := request(nil, chunkHashes, content, o.URL)
			c := newClient(b)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r.Dir = tempRoot(b)
				if _, err := c.Download(b.Context(), r, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var _ io.ReaderAt = (*fetch.Transfer)(nil)
