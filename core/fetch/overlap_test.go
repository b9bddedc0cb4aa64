package fetch_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/release"
)

// BenchmarkOverlap unpacks a package while it arrives over a line of a given rate, and
// reports how much longer that takes than the slower of the two alone.
func BenchmarkOverlap(b *testing.B) {
	pkg := benchPackage(b)
	for name, rate := range map[string]int{"slow line": 16 << 20, "fast line": 1 << 30} {
		b.Run(name, func(b *testing.B) {
			o := newOrigin(b, pkg)
			o.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
				start := time.Now()
				for sent := 0; sent < len(pkg); {
					n := min(64<<10, len(pkg)-sent)
					w.Write(pkg[sent : sent+n])
					sent += n
					time.Sleep(time.Until(start.Add(time.Duration(float64(sent) / float64(rate) * float64(time.Second)))))
				}
				return true
			}
			var download, unpack, both time.Duration
			for b.Loop() {
				dir := tempRoot(b)
				r := request(dir, chunkHashes, pkg, o.URL)
				begin := time.Now()
				if _, err := newClient(b).Download(b.Context(), r, nil); err != nil {
					b.Fatal(err)
				}
				download += time.Since(begin)
				begin = time.Now()
				extract(b, bytes.NewReader(pkg), int64(len(pkg)))
				unpack += time.Since(begin)

				begin = time.Now()
				tr, err := newClient(b).Start(b.Context(), request(tempRoot(b), chunkHashes, pkg, o.URL), nil)
				if err != nil {
					b.Fatal(err)
				}
				extract(b, tr, tr.Size())
				if _, err := tr.Wait(); err != nil {
					b.Fatal(err)
				}
				both += time.Since(begin)
			}
			b.ReportMetric(both.Seconds()/max(download, unpack).Seconds(), "of-slowest")
			b.ReportMetric(both.Seconds()/(download+unpack).Seconds(), "of-sum")
		})
	}
}

func extract(b *testing.B, src io.ReaderAt, size int64) {
	b.Helper()
	if _, err := archive.Extract(b.Context(), src, size, tempRoot(b), archive.Limits{}, nil); err != nil {
		b.Fatal(err)
	}
}

// benchPackage is a tar.zst of 16 MiB in 256 files that can't be compressed.
func benchPackage(b *testing.B) []byte {
	b.Helper()
	content := random(64 << 10)
	contents := map[release.Path][]byte{}
	tree := archive.Tree{Open: func(p release.Path) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(contents[p])), nil
	}}
	for i := range 256 {
		p := release.Path("d" + string(rune('a'+i/26)) + "/f" + string(rune('a'+i%26)))
		body := append([]byte(p), content...)
		for j := range body {
			body[j] ^= byte(i * j)
		}
		contents[p] = body
		tree.Files = append(tree.Files, release.File{Path: p, Size: int64(len(body)), Mode: 0o644, SHA256: release.DigestOf(body)})
	}
	var out bytes.Buffer
	if err := archive.Create(context.Background(), &out, archive.TarZstd, tree, time.Unix(0, 0)); err != nil {
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
