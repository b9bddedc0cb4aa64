package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// reader looks at a directory again and again, as visitors do: each look opens it
// and reads every file in it.
type reader struct {
	dir   string
	names []string

	looks, mixed, missed int
	firstMixed           time.Time
	lastMixed            time.Time
}

// run looks until stop is closed.
func (r *reader) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
			r.look()
		}
	}
}

func (r *reader) look() {
	start := time.Now()
	r.looks++
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		r.missed++
		return
	}
	defer root.Close()
	seen := map[string]bool{}
	for _, name := range r.names {
		b, err := root.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			r.missed++
			continue
		}
		seen[string(b)] = true
	}
	for _, name := range r.names {
		if _, err := os.Stat(filepath.Join(r.dir, name)); err != nil {
			r.missed++
		}
	}
	if len(seen) > 1 {
		if r.mixed == 0 {
			r.firstMixed = start
		}
		r.mixed++
		r.lastMixed = time.Now()
	}
}

// TestReaderNeverMissesAPath has readers hammer a site while it is switched and
// undone, over and over. No path may ever be missing; where directories are swapped
// whole no look may see two releases.
func TestReaderNeverMissesAPath(t *testing.T) {
	for _, way := range []string{"file", "auto"} {
		t.Run(way, func(t *testing.T) {
			if way == "auto" {
				needTrees(t)
			}
			sc := scenario{name: "hammered", shipped: contents{}, new: contents{}, full: true, way: way}
			var names []string
			for i := range 300 {
				name := fmt.Sprintf("d%d/f%03d", i%5, i)
				names = append(names, name)
				sc.shipped["lib/"+name], sc.new["lib/"+name] = "old", "new"
			}
			base := scratch(t)
			rounds := 4
			var total reader
			for range rounds {
				w := build(t, base, sc)
				w.makePlan()
				if err := w.stage(realDisk{}); err != nil {
					t.Fatal(err)
				}
				r := &reader{dir: filepath.Join(w.dir, "lib"), names: names}
				stop := make(chan struct{})
				var done sync.WaitGroup
				done.Go(func() { r.run(stop) })
				err := w.switchOver(realDisk{})
				if err == nil {
					_, err = w.undo(realDisk{})
				}
				close(stop)
				done.Wait()
				if err != nil {
					t.Fatal(err)
				}
				w.close()
				total.looks += r.looks
				total.mixed += r.mixed
				total.missed += r.missed
				if r.mixed > 0 {
					t.Logf("two releases were seen for %v", r.lastMixed.Sub(r.firstMixed))
				}
			}
			t.Logf("%d looks at 300 files: %d saw two releases, %d paths were missing", total.looks, total.mixed, total.missed)
			if total.looks == 0 {
				t.Error("nobody looked")
			}
			if total.missed > 0 {
				t.Errorf("%d times a path was missing", total.missed)
			}
			if way == "auto" && total.mixed > 0 {
				t.Errorf("%d looks saw two releases", total.mixed)
			}
		})
	}
}
