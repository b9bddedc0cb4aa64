package update_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// origin is a web server on a publisher's folder that hands out packages in a way of
// its own.
type origin struct {
	*httptest.Server
	mu   sync.Mutex
	sent int64 // bytes of packages
	// give sends what is left of a package; nil sends it at once.
	give func(rw http.ResponseWriter, rest []byte)
}

// serveRepository makes the site of w update from a web server.
func serveRepository(t *testing.T, w *world) *origin {
	o := &origin{}
	folder := http.FileServer(http.Dir(w.repo))
	o.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if !strings.Contains(req.URL.Path, ".full.tar") {
			folder.ServeHTTP(rw, req)
			return
		}
		name := filepath.Join(w.repo, filepath.FromSlash(req.URL.Path))
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		http.ServeContent(&counting{rw, o}, req, "", time.Time{}, strings.NewReader(string(text)))
	}))
	t.Cleanup(o.Close)
	w.configure(func(c *site.Config) { c.Source.URL = o.URL + "/" })
	return o
}

// counting passes contents through give.
type counting struct {
	http.ResponseWriter
	o *origin
}

func (c *counting) Write(b []byte) (int, error) {
	c.o.mu.Lock()
	c.o.sent += int64(len(b))
	give := c.o.give
	c.o.mu.Unlock()
	if give != nil {
		give(c.ResponseWriter, b)
		return len(b), nil
	}
	return c.ResponseWriter.Write(b)
}

// newRoomyWorld is a site of a product with packages of a few chunks, and without deltas.
func newRoomyWorld(t *testing.T) *world {
	w := newWorld(t, false, roomy("1.0.0", 1))
	w.publish(roomy("1.1.0", 2), nil)
	return w
}

// roomy is a release of a few chunks that don't compress: a.bin is in the first two.
func roomy(version string, seed byte) edition {
	text := func(n int) string {
		b := make([]byte, n)
		rand.NewChaCha8([32]byte{seed, byte(n)}).Read(b)
		return string(b)
	}
	return edition{version: version, schema: v1.schema, files: map[string]string{
		"a.bin": text(release.ChunkSize + 1000), "b.bin": text(2 * release.ChunkSize), "c.txt": version,
	}}
}

func TestAPackageIsUnpackedWhileItArrives(t *testing.T) {
	w := newRoomyWorld(t)
	o := serveRepository(t, w)
	var waited sync.Once
	sent := 0
	o.give = func(rw http.ResponseWriter, b []byte) {
		rw.Write(b)
		if sent += len(b); sent < 2*release.ChunkSize+release.ChunkSize/2 {
			return
		}
		waited.Do(func() {
			rw.(http.Flusher).Flush()
			unpacked := filepath.Join(w.dir, site.Home, "updates", "*", "package", "a.bin")
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				if found, _ := filepath.Glob(unpacked); len(found) == 1 {
					return
				}
				if time.Now().After(end) {
					t.Error("nothing was unpacked before the package had arrived")
					return
				}
			}
		})
	}
	e := w.engine()
	offer := get(e.Check(t.Context(), update.Choices{Full: true}, nil))(t)
	var order []string
	p, err := e.Prepare(t.Context(), offer, update.Choices{Full: true}, func(ev update.Event) {
		step := string(ev.Stage) + " " + string(ev.Status)
		if len(order) == 0 || order[len(order)-1] != step {
			order = append(order, step)
		}
	})
	must(t, err)
	want := "download running, download done, verify package done, extract running, extract done, plan"
	if got := strings.Join(order, ", "); !strings.HasPrefix(got, want) {
		t.Errorf("the steps were %s", got)
	}
	_, err = e.Apply(t.Context(), p, nil)
	must(t, err)
	if left, _ := filepath.Glob(filepath.Join(w.dir, site.Home, "cache", "package-*")); len(left) > 0 {
		t.Errorf("%v are left in the cache", left)
	}
}

// TestAPackageThatTurnsBadAtItsEndLeavesNothing forges the last byte, when the most of the
// package has been unpacked already; then the honest server comes back.
func TestAPackageThatTurnsBadAtItsEndLeavesNothing(t *testing.T) {
	w := newRoomyWorld(t)
	o := serveRepository(t, w)
	was := w.state()
	w.tamper("full.tar.zst", flipLast)
	e := w.engine()
	choices := update.Choices{Full: true}
	offer := get(e.Check(t.Context(), choices, nil))(t)
	if _, err := e.Prepare(t.Context(), offer, choices, nil); update.KindOf(err) != update.KindHash {
		t.Fatalf("kind %q: %v", update.KindOf(err), err)
	}
	if left := get(e.Site().Updates())(t); len(left) != 0 || w.state() != was {
		t.Errorf("%v are left behind, or the site has changed", left)
	}
	o.mu.Lock()
	o.sent = 0
	o.mu.Unlock()
	w.tamper("full.tar.zst", flipLast)
	_, err := e.Prepare(t.Context(), offer, choices, nil)
	must(t, err)
	if o.sent > release.ChunkSize {
		t.Errorf("%d bytes were fetched again; only the last chunk was bad", o.sent)
	}
}

func flipLast(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

// TestWhatDoesNotFitIsSaidBeforeItIsFetched gives the site a file system of its own
// that is too small for the package, or for what comes out of it.
func TestWhatDoesNotFitIsSaidBeforeItIsFetched(t *testing.T) {
	w := newRoomyWorld(t)
	small := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", small).CombinedOutput(); err != nil {
		t.Skipf("a file system can't be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", small).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	must(t, os.CopyFS(filepath.Join(small, "site"), os.DirFS(w.dir)))
	w.dir = filepath.Join(small, "site")
	o := serveRepository(t, w)
	e := w.engine()
	choices := update.Choices{Full: true}
	offer := get(e.Check(t.Context(), choices, nil))(t)
	_, err := e.Prepare(t.Context(), offer, choices, nil)
	if update.KindOf(err) != update.KindDiskFull || !strings.Contains(err.Error(), "are missing") {
		t.Errorf("kind %q: %v", update.KindOf(err), err)
	}
	if o.sent > 0 {
		t.Errorf("%d bytes were fetched", o.sent)
	}
}

// TestAPackageIsFetchedOnceForAllPlansOfAnUpdate takes the packages away after the
// first plan.
func TestAPackageIsFetchedOnceForAllPlansOfAnUpdate(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e := w.engine()
	first := w.plan(e, update.Choices{})
	packages := get(filepath.Glob(filepath.Join(w.repo, "targets/releases/1.1.0/*from*")))(t)
	if len(packages) == 0 {
		t.Fatal("no package was published")
	}
	for _, name := range packages {
		must(t, os.Remove(name))
	}
	again := w.plan(e, update.Choices{})
	if again.Hash != first.Hash {
		t.Error("the same plan made again is another one")
	}
	_, err := e.Apply(t.Context(), again, nil)
	must(t, err)
	if left := get(filepath.Glob(filepath.Join(w.dir, site.Home, "cache", "package-*")))(t); len(left) > 0 {
		t.Errorf("after the update these lie in the cache: %q", left)
	}
}
