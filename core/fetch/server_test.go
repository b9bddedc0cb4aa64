package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/release"
)

// origin is a server that can be told to misbehave.
type origin struct {
	*httptest.Server
	mu       sync.Mutex
	content  []byte
	etag     string
	requests []string // the Range header of each
	sent     int64    // bytes of bodies
	// answer, when set, may answer request n (from 0) itself and then returns true.
	answer func(n int, w http.ResponseWriter, r *http.Request) bool
	// cut ends every body after that many bytes; 0 never.
	cut int
}

func newOrigin(t testing.TB, content []byte) *origin {
	o := &origin{content: content, etag: `"v1"`}
	o.Server = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.Close)
	return o
}

func (o *origin) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	n := len(o.requests)
	o.requests = append(o.requests, r.Header.Get("Range"))
	answer, content, etag, cut := o.answer, o.content, o.etag, o.cut
	o.mu.Unlock()
	if answer != nil && answer(n, w, r) {
		return
	}
	first := 0
	if span, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		tag := r.Header.Get("If-Range")
		if tag == "" || tag == etag {
			first, _ = strconv.Atoi(strings.TrimSuffix(span, "-"))
		}
	}
	if first >= len(content) && first > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", len(content)))
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	body := content[first:]
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if first > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, len(content)-1, len(content)))
		w.WriteHeader(http.StatusPartialContent)
	}
	if cut > 0 && len(body) > cut {
		body = body[:cut]
	}
	written, _ := io.Copy(w, bytes.NewReader(body))
	o.mu.Lock()
	o.sent += written
	o.mu.Unlock()
}

func (o *origin) counts() (requests int, sent int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.requests), o.sent
}

// random returns n bytes that look random and are the same each time.
func random(n int) []byte {
	b := make([]byte, n)
	x := uint32(2463534242) // xorshift, Marsaglia 2003
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func chunksOf(b []byte) []release.Digest {
	var out []release.Digest
	for len(b) > 0 {
		n := min(len(b), release.ChunkSize)
		out = append(out, release.DigestOf(b[:n]))
		b = b[n:]
	}
	return out
}

func newClient(t testing.TB) *fetch.Client {
	t.Helper()
	return clientWith(t, fetch.Options{})
}

func clientWith(t testing.TB, o fetch.Options) *fetch.Client {
	t.Helper()
	o.Backoff = time.Millisecond
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func tempRoot(t testing.TB) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// knowledge is what a request says of the file beforehand.
type knowledge int

const (
	nothing knowledge = iota
	wholeHash
	chunkHashes
)

func (k knowledge) String() string { return [...]string{"nothing", "hash", "chunks"}[k] }

func request(dir *os.Root, k knowledge, content []byte, urls ...string) fetch.Request {
	r := fetch.Request{URLs: urls, Dir: dir, Name: "package"}
	if k >= wholeHash {
		r.Size, r.Digest = int64(len(content)), release.DigestOf(content)
	}
	if k == chunkHashes {
		r.Chunks = chunksOf(content)
	}
	return r
}

// expect checks that the file is there, whole, and nothing else is.
func expect(t testing.TB, dir *os.Root, want []byte) {
	t.Helper()
	got, err := dir.ReadFile("package")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("corrupt result: %d bytes, want %d", len(got), len(want))
	}
	for _, left := range []string{"package.part", "package.part.json"} {
		if _, err := dir.Stat(left); err == nil {
			t.Errorf("%s is left over", left)
		}
	}
}

// expectNothing checks that a failed download left no file that looks finished.
func expectNothing(t testing.TB, dir *os.Root) {
	t.Helper()
	if _, err := dir.Stat("package"); err == nil {
		t.Fatal("a download that failed left a file under its final name")
	}
}
