package files

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"moult/core/release"
	"moult/core/site"
)

// BenchmarkPlan plans one update of 167 files for sites of two sizes, of which all that
// the release leaves alone is known to the cache:
//
//   - patch names what it touches: only that is read, of the inventory too;
//   - product is a full package of 20 000 files: what else the site has, as uploads, is
//     not looked at;
//   - full is a full package of as many files as the site has, and has to look at every
//     one, since one that was edited here has to be found;
//   - look is that alone: each directory listed and each file in it looked at, on all
//     processors, which no plan of a full package can beat.
//
// x-of-N is how many times as long each takes as for the site of N files.
func BenchmarkPlan(b *testing.B) {
	sizes := []int{20_000, 200_000}
	took := map[string]time.Duration{}
	for _, n := range sizes {
		s, kinds := planInputs(b, n, sizes[0])
		measure := func(kind string, do func()) {
			do() // fills the cache
			b.Run(fmt.Sprintf("%d/%s", n, kind), func(b *testing.B) {
				for b.Loop() {
					do()
				}
				took[kind+fmt.Sprint(n)] = b.Elapsed() / time.Duration(b.N)
				if small := took[kind+fmt.Sprint(sizes[0])]; n != sizes[0] && small > 0 {
					b.ReportMetric(float64(took[kind+fmt.Sprint(n)])/float64(small), fmt.Sprintf("x-of-%d", sizes[0]))
				}
			})
		}
		for _, k := range kinds {
			if err := s.SetInventory(&site.Inventory{BaseKnown: true, Files: k.shipped}); err != nil {
				b.Fatal(err)
			}
			measure(k.name, func() {
				in, err := k.in, error(nil)
				if in.Full {
					in.Inventory, err = s.Inventory()
				} else {
					in.Inventory, err = s.InventoryOf(in.Operations)
				}
				if err != nil {
					b.Fatal(err)
				}
				p, err := MakePlan(context.Background(), in)
				if err != nil {
					b.Fatal(err)
				}
				if c := p.Counts(); c.Changed != 167 || c.New+c.Removed > 0 {
					b.Fatalf("the plan has %+v", c)
				}
			})
		}
		measure("look", func() {
			if seen := lookAtAll(b, s.Dir); seen < n {
				b.Fatalf("%d files were seen, want %d", seen, n)
			}
		})
		s.Close()
	}
}

// lookAtAll looks at every file below a directory and returns how many there are.
func lookAtAll(b *testing.B, dir string) int {
	var seen atomic.Int64
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	top, err := os.ReadDir(dir)
	if err != nil {
		b.Fatal(err)
	}
	for _, sub := range top {
		g.Go(func() error {
			return filepath.WalkDir(filepath.Join(dir, sub.Name()), func(_ string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					_, err = e.Info()
					seen.Add(1)
				}
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return int(seen.Load())
}

// planned is one kind of update that is planned, of a release that shipped some files.
type planned struct {
	name    string
	shipped []release.File
	in      PlanInput
}

// planInputs lays a site of n files and the updates of it; the product's own are so many.
func planInputs(b *testing.B, n, product int) (*site.Site, []planned) {
	l := workload{files: n, changed: 167, size: 8 << 10, dirs: n / 11, touched: n / 11}
	siteDir, _, shipped, changed := l.lay(b, scratch(b))
	s, err := site.Init(siteDir, site.Config{}, site.State{})
	if err != nil {
		b.Fatal(err)
	}
	patch := PlanInput{Site: s, New: changed}
	for _, f := range changed {
		patch.Operations.ReplaceFiles = append(patch.Operations.ReplaceFiles, f.Path)
	}
	full := func(shipped []release.File) PlanInput {
		return PlanInput{Site: s, New: afterUpdate(shipped, changed), Full: true}
	}
	time.Sleep(settling)
	return s, []planned{
		{"patch", shipped, patch},
		{"product", shipped[:product], full(shipped[:product])},
		{"full", shipped, full(shipped)},
	}
}

// afterUpdate is the complete list of the release that a patch leads to.
func afterUpdate(shipped, changed []release.File) []release.File {
	by := map[release.Path]release.File{}
	for _, f := range changed {
		by[f.Path] = f
	}
	all := make([]release.File, len(shipped))
	for i, f := range shipped {
		all[i] = f
		if now, is := by[f.Path]; is {
			all[i] = now
		}
	}
	return all
}

// BenchmarkMerge merges a file of 10 000 lines that both sides changed.
func BenchmarkMerge(b *testing.B) {
	var base, mine, theirs []byte
	for i := range 10_000 {
		line := fmt.Appendf(nil, "line %d\n", i)
		base = append(base, line...)
		if i%500 == 3 {
			mine = append(mine, "mine\n"...)
		} else {
			mine = append(mine, line...)
		}
		if i%500 == 50 {
			theirs = append(theirs, "theirs\n"...)
		} else {
			theirs = append(theirs, line...)
		}
	}
	b.SetBytes(int64(len(base)))
	for b.Loop() {
		if _, clean := mergeText(string(base), string(mine), string(theirs)); !clean {
			b.Fatal("it does not merge")
		}
	}
}
