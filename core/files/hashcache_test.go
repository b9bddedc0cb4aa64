package files

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/release"
	"moult/core/site"
)

// planWithCache makes a plan of a full package that changes one file of two, after
// the times of all files were made old enough to be trusted.
func planWithCache(t *testing.T, w *world) map[release.Path]Entry {
	t.Helper()
	w.makePlan()
	entries := map[release.Path]Entry{}
	for _, e := range w.plan.Entries {
		entries[e.Path] = e
	}
	return entries
}

func TestCacheKnowsUnchangedFilesAndNoOthers(t *testing.T) {
	sc := scenario{shipped: contents{"same": "1", "changed": "1"}, new: contents{"same": "1", "changed": "2"}, full: true}
	w := build(t, scratch(t), sc)
	defer w.close()
	if _, can := stampOf(mustLstat(t, w, "same")); !can {
		t.Skip("this system tells no time of change")
	}
	planWithCache(t, w)
	if n := len(loadHashes(w.site).known); n != 0 {
		t.Errorf("%d files were remembered that were just written", n)
	}
	time.Sleep(settling - time.Since(mustLstat(t, w, "same").ModTime()) + 10*time.Millisecond)
	planWithCache(t, w)
	cache := loadHashes(w.site)
	if len(cache.known) != 1 {
		t.Fatalf("%d files are remembered", len(cache.known))
	}
	e := cache.known["same"]
	if e.sum != release.DigestOf([]byte("1")) {
		t.Errorf("the hash remembered is %v", e.sum)
	}

	// What is remembered is used: a wrong hash makes the file look edited.
	e.sum = release.DigestOf([]byte("wrong"))
	cache.known["same"], cache.added = e, 1
	cache.save(w.site)
	if got := planWithCache(t, w)["same"]; got.Change != Keep || !got.Edited {
		t.Errorf("the cache was not asked: %+v", got)
	}

	// A file that is written to is read again, even if its times are set back.
	was := mustLstat(t, w, "same").ModTime()
	name := filepath.Join(w.dir, "same")
	must(t, os.WriteFile(name, []byte("2"), 0o644))
	must(t, os.Chtimes(name, was, was))
	if got := planWithCache(t, w)["same"]; got.Here.SHA256 != release.DigestOf([]byte("2")) {
		t.Errorf("a file that was written to is taken as %v", got.Here)
	}
}

func mustLstat(t *testing.T, w *world, p string) os.FileInfo {
	t.Helper()
	info, err := w.site.Root.Lstat(p)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestDamagedCacheIsAnEmptyOne(t *testing.T) {
	c := &hashCache{known: map[release.Path]cachedHash{"a": {stamp{1, 2, 3, -4}, release.DigestOf(nil)}, "b/c": {stamp{5, 6, 7, 8}, release.DigestOf([]byte("x"))}}}
	whole := c.encode()
	back := &hashCache{known: map[release.Path]cachedHash{}}
	if err := back.parse(whole); err != nil || len(back.known) != 2 || back.known["a"] != c.known["a"] {
		t.Fatalf("read back %v, %v", back.known, err)
	}
	for i := range len(whole) {
		cut := &hashCache{known: map[release.Path]cachedHash{}}
		if err := cut.parse(whole[:i]); err == nil && len(cut.known) == 2 {
			t.Errorf("cut at byte %d it is whole", i)
		} else if err != nil && !errors.Is(err, errHashes) {
			t.Error(err)
		}
	}
	w := build(t, scratch(t), scenarios[1])
	defer w.close()
	dir, err := w.site.SubDir(hashesDir)
	must(t, err)
	defer dir.Close()
	must(t, site.WriteFile(dir, hashesFile, []byte(strings.Repeat("damaged", 9))))
	w.makePlan()
	w.all(realDisk{})
	must(t, Verify(t.Context(), w.site, w.plan))
}

func FuzzParseHashes(f *testing.F) {
	f.Add([]byte(hashesHeading))
	f.Add((&hashCache{known: map[release.Path]cachedHash{"a": {}}}).encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &hashCache{known: map[release.Path]cachedHash{}}
		_ = c.parse(b)
	})
}
