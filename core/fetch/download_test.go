package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/release"
)

const step = 64 << 10

var everyKnowledge = []knowledge{nothing, wholeHash, chunkHashes}

func TestDownloadFromEachKindOfPlace(t *testing.T) {
	content := random(3*release.ChunkSize + 17)
	o := newOrigin(t, content)
	path := filepath.Join(t.TempDir(), "a file #1.tar")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	fileURL, err := fetch.FileURL(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{o.URL, fileURL} {
		for _, k := range everyKnowledge {
			dir := tempRoot(t)
			var last int64
			d, err := newClient(t).Download(t.Context(), request(dir, k, content, u), func(done, total int64) {
				if done < last || (total != int64(len(content)) && total != -1) {
					t.Errorf("progress %d of %d after %d", done, total, last)
				}
				last = done
			})
			if err != nil || d != release.DigestOf(content) || last != int64(len(content)) {
				t.Fatalf("%s, %s: %v, %s, last progress %d", u, k, err, d, last)
			}
			expect(t, dir, content)
		}
	}
}

func TestFinishedFileIsNotFetchedAgain(t *testing.T) {
	content := random(100)
	o, dir := newOrigin(t, content), tempRoot(t)
	for range 2 {
		if _, err := newClient(t).Download(t.Context(), request(dir, wholeHash, content, o.URL), nil); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := o.counts(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

// A connection that dies every 64 KiB is the worst line that still moves: every byte
// arrives once.
func TestDownloadCutEvery64KiB(t *testing.T) {
	content := random(2*release.ChunkSize + 5000)
	for _, k := range everyKnowledge {
		o, dir := newOrigin(t, content), tempRoot(t)
		o.cut = step
		if _, err := newClient(t).Download(t.Context(), request(dir, k, content, o.URL), nil); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		expect(t, dir, content)
		if _, sent := o.counts(); sent > int64(len(content)) {
			t.Errorf("%s: %d bytes sent for %d", k, sent, len(content))
		}
	}
}

// One cut at each multiple of 64 KiB, and the process with it: another client goes on.
func TestDownloadResumedByAnotherProcess(t *testing.T) {
	content := random(2*release.ChunkSize + 5000)
	for _, k := range everyKnowledge {
		for at := step; at < len(content); at += step {
			o, dir := newOrigin(t, content), tempRoot(t)
			o.cut = at
			once := clientWith(t, fetch.Options{Attempts: 1})
			if _, err := once.Download(t.Context(), request(dir, k, content, o.URL), nil); err == nil {
				t.Fatalf("%s: a download that was cut at %d succeeded", k, at)
			}
			expectNothing(t, dir)
			o.cut = 0
			if _, err := newClient(t).Download(t.Context(), request(dir, k, content, o.URL), nil); err != nil {
				t.Fatalf("%s, cut at %d: %v", k, at, err)
			}
			expect(t, dir, content)
			if _, sent := o.counts(); sent > int64(len(content)) {
				t.Errorf("%s, cut at %d: %d bytes sent for %d", k, at, sent, len(content))
			}
		}
	}
}

// The part on the disk is damaged between two processes.
func TestDamagedPartCostsOneChunk(t *testing.T) {
	content := random(4 * release.ChunkSize)
	for at := 0; at < 3*release.ChunkSize; at += 5 * step {
		o, dir := newOrigin(t, content), tempRoot(t)
		o.cut = 3*release.ChunkSize + 100
		if _, err := clientWith(t, fetch.Options{Attempts: 1}).Download(t.Context(), request(dir, chunkHashes, content, o.URL), nil); err == nil {
			t.Fatal("the cut download succeeded")
		}
		part, err := dir.ReadFile("package.part")
		if err != nil {
			t.Fatal(err)
		}
		part[at] ^= 1
		if err := dir.WriteFile("package.part", part, 0o600); err != nil {
			t.Fatal(err)
		}
		o.cut = 0
		if _, err := newClient(t).Download(t.Context(), request(dir, chunkHashes, content, o.URL), nil); err != nil {
			t.Fatal(err)
		}
		expect(t, dir, content)
	}
}

// flip serves content with one wrong byte.
func flip(content []byte, at int) []byte {
	bad := append([]byte(nil), content...)
	bad[at] ^= 0x40
	return bad
}

func TestBadRangeCostsOneChunk(t *testing.T) {
	content := random(4*release.ChunkSize + 9)
	o, dir := newOrigin(t, content), tempRoot(t)
	o.content = flip(content, 2*release.ChunkSize+77)
	o.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			o.mu.Lock()
			o.content = content
			o.mu.Unlock()
			return o.serveNow(w, r)
		}
		return false
	}
	if _, err := newClient(t).Download(t.Context(), request(dir, chunkHashes, content, o.URL), nil); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, content)
	if got, want := o.requests[1], fmt.Sprintf("bytes=%d-", 2*release.ChunkSize); got != want {
		t.Errorf("second request asked for %q, want %q: what was verified must not be fetched again", got, want)
	}
}

// serveNow answers with the content as it is at this moment.
func (o *origin) serveNow(w http.ResponseWriter, r *http.Request) bool {
	http.ServeContent(w, r, "package", time.Time{}, newReader(o.content))
	return true
}

func TestMirrorTakesOver(t *testing.T) {
	content := random(3 * release.ChunkSize)
	good := newOrigin(t, content)
	tests := map[string]func(t *testing.T) string{
		"unreachable": func(t *testing.T) string { o := newOrigin(t, nil); o.Close(); return o.URL },
		"missing":     func(t *testing.T) string { return good.URL + "/../nowhere\x7f" },
		"404": func(t *testing.T) string {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return s.URL
		},
		"500": func(t *testing.T) string {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
			t.Cleanup(s.Close)
			return s.URL
		},
		"damaged":      func(t *testing.T) string { return newOrigin(t, flip(content, release.ChunkSize+1)).URL },
		"too short":    func(t *testing.T) string { return newOrigin(t, content[:release.ChunkSize]).URL },
		"too long":     func(t *testing.T) string { return newOrigin(t, append(flip(content, 0), 1, 2)).URL },
		"cut for ever": func(t *testing.T) string { o := newOrigin(t, content); o.cut = 100; return o.URL },
		"folder without it": func(t *testing.T) string {
			u, err := fetch.FileURL(filepath.Join(t.TempDir(), "package"))
			if err != nil {
				t.Fatal(err)
			}
			return u
		},
	}
	for name, bad := range tests {
		for _, k := range []knowledge{wholeHash, chunkHashes} {
			t.Run(name+" "+k.String(), func(t *testing.T) {
				dir := tempRoot(t)
				if _, err := newClient(t).Download(t.Context(), request(dir, k, content, bad(t), good.URL), nil); err != nil {
					t.Fatal(err)
				}
				expect(t, dir, content)
			})
		}
	}
}

// What can go wrong with one server, with the error that must come of it. nil means
// that the download must succeed all the same.
func TestServerThatMisbehaves(t *testing.T) {
	content := random(2*release.ChunkSize + 100)
	other := random(2*release.ChunkSize + 101)[1:]
	type answer = func(o *origin) func(n int, w http.ResponseWriter, r *http.Request) bool
	cutFirst := func(then func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool) answer {
		return func(o *origin) func(int, http.ResponseWriter, *http.Request) bool {
			return func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n == 0 {
					w.Header().Set("ETag", o.etag)
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
					w.Write(content[:release.ChunkSize+step])
					return true
				}
				return then(o, n, w, r)
			}
		}
	}
	always := func(f func(w http.ResponseWriter)) answer {
		return func(*origin) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, w http.ResponseWriter, _ *http.Request) bool { f(w); return true }
		}
	}
	tests := map[string]struct {
		answer answer
		know   []knowledge
		want   error
	}{
		"another range than asked for": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", step, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(content[step:])
				return true
			}), everyKnowledge, fetch.ErrProtocol,
		},
		"a range that is not where it says": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				if n > 1 {
					return false
				}
				at := release.ChunkSize + step
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				w.Write(content[at-1 : len(content)-1])
				return true
			}), []knowledge{wholeHash, chunkHashes}, nil,
		},
		"range without Content-Range": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				w.WriteHeader(http.StatusPartialContent)
				return true
			}), everyKnowledge, fetch.ErrProtocol,
		},
		"whole file instead of a range": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				w.Write(content)
				return true
			}), everyKnowledge, nil,
		},
		"416 once": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				if n == 1 {
					w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				}
				return n == 1
			}), []knowledge{nothing, wholeHash}, nil,
		},
		"500 twice": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				if n < 3 {
					w.WriteHeader(http.StatusInternalServerError)
				}
				return n < 3
			}), everyKnowledge, nil,
		},
		"503 with Retry-After": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				if n == 1 {
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(http.StatusServiceUnavailable)
				}
				return n == 1
			}), everyKnowledge, nil,
		},
		"file changed between two ranges": {
			cutFirst(func(o *origin, n int, w http.ResponseWriter, r *http.Request) bool {
				o.mu.Lock()
				o.content, o.etag = other, `"v2"`
				o.mu.Unlock()
				if n == 1 && r.Header.Get("If-Range") == "" {
					return false
				}
				w.Header().Set("ETag", o.etag)
				w.Write(other)
				return true
			}), []knowledge{wholeHash, chunkHashes}, fetch.ErrHash,
		},
		"endless body": {
			always(func(w http.ResponseWriter) {
				b := make([]byte, 1<<16)
				for {
					if _, err := w.Write(b); err != nil {
						return
					}
				}
			}), []knowledge{nothing}, fetch.ErrTooLarge,
		},
		"endless body of a known file": {
			always(func(w http.ResponseWriter) {
				b := make([]byte, 1<<16)
				for {
					if _, err := w.Write(b); err != nil {
						return
					}
				}
			}), []knowledge{wholeHash, chunkHashes}, fetch.ErrHash,
		},
		"wrong length announced": {
			always(func(w http.ResponseWriter) { w.Header().Set("Content-Length", "5"); w.Write(content[:5]) }),
			[]knowledge{wholeHash, chunkHashes}, fetch.ErrProtocol,
		},
		"ends early without a length": {
			always(func(w http.ResponseWriter) { w.(http.Flusher).Flush(); w.Write(content[:5]) }),
			[]knowledge{wholeHash, chunkHashes}, io.ErrUnexpectedEOF,
		},
		"compressed by a proxy": {
			always(func(w http.ResponseWriter) { w.Header().Set("Content-Encoding", "gzip"); w.Write(content) }),
			everyKnowledge, fetch.ErrProtocol,
		},
		"another file": {
			always(func(w http.ResponseWriter) { w.Write(other) }),
			[]knowledge{wholeHash, chunkHashes}, fetch.ErrHash,
		},
		"an error page": {
			always(func(w http.ResponseWriter) { fmt.Fprint(w, "<html>captive portal</html>") }),
			[]knowledge{wholeHash, chunkHashes}, fetch.ErrProtocol,
		},
		"404": {
			always(func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }),
			everyKnowledge, fs.ErrNotExist,
		},
		"silence": {
			always(func(w http.ResponseWriter) {
				w.(http.Flusher).Flush()
				time.Sleep(300 * time.Millisecond)
			}), everyKnowledge, fetch.ErrStalled,
		},
		"drip": {
			always(func(w http.ResponseWriter) {
				for range 12 {
					w.Write([]byte{1})
					w.(http.Flusher).Flush()
					time.Sleep(25 * time.Millisecond)
				}
			}), everyKnowledge, fetch.ErrStalled,
		},
	}
	for name, test := range tests {
		for _, k := range test.know {
			t.Run(name+" "+k.String(), func(t *testing.T) {
				o, dir := newOrigin(t, content), tempRoot(t)
				o.answer = test.answer(o)
				c := clientWith(t, fetch.Options{Idle: 100 * time.Millisecond, MinRate: 1000, Attempts: 4})
				if name == "silence" || name == "drip" {
					c = clientWith(t, fetch.Options{Idle: 100 * time.Millisecond, MinRate: 1000, Attempts: 1})
				}
				r := request(dir, k, content, o.URL)
				r.MaxSize = 8 << 20
				_, err := c.Download(t.Context(), r, nil)
				if test.want == nil {
					if err != nil {
						t.Fatal(err)
					}
					expect(t, dir, content)
					return
				}
				if !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				expectNothing(t, dir)
			})
		}
	}
}

// Without a hash, a file that changes in the middle must come out whole in its new form.
func TestChangedFileWithoutHashStartsAgain(t *testing.T) {
	before, after := random(300_000), append([]byte("new"), random(400_000)...)
	for name, etags := range map[string][2]string{"tags": {`"v1"`, `"v2"`}, "weak tags": {`W/"v1"`, `W/"v1"`}} {
		t.Run(name, func(t *testing.T) {
			o, dir := newOrigin(t, before), tempRoot(t)
			o.cut, o.etag = 100_000, etags[0]
			o.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
				if n == 1 {
					o.mu.Lock()
					o.content, o.etag, o.cut = after, etags[1], 0
					o.mu.Unlock()
					w.WriteHeader(http.StatusBadGateway)
				}
				return n == 1
			}
			if _, err := newClient(t).Download(t.Context(), request(dir, nothing, nil, o.URL), nil); err != nil {
				t.Fatal(err)
			}
			expect(t, dir, after)
		})
	}
}

func TestCancelledDownloadStopsAtOnce(t *testing.T) {
	content := random(release.ChunkSize)
	o, dir := newOrigin(t, content), tempRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	o.answer = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		w.Write(content[:step])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		return true
	}
	start := time.Now()
	_, err := newClient(t).Download(ctx, request(dir, nothing, content, o.URL), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %v", d)
	}
	expectNothing(t, dir)
}
