package files

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"moult/core/release"
	"moult/core/site"
)

// tb is what testing.TB and *rapid.T have in common.
type tb interface {
	Helper()
	Fatalf(format string, args ...any)
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// contents maps paths to what the files hold. A path that ends in "/" is a
// directory; a text that begins with "->" is a symbolic link.
type contents map[string]string

// scenario is a site, what someone did to it, and an update.
type scenario struct {
	name    string
	shipped contents
	here    contents // nil: as shipped
	new     contents // the package
	ops     release.Operations
	full    bool
	own     []release.Path
	choices map[release.Path]Choice
	unknown bool           // what was shipped is not known at all
	way     string         // [files] switch of site.toml
	mounts  []release.Path // directories that are taken for mounted from elsewhere
	after   contents
}

// world is a scenario on disk.
type world struct {
	tb
	dir  string
	sc   scenario
	site *site.Site
	u    *site.Update
	plan *Plan
}

// scratch returns a directory for tests: in memory where the system has such, since
// thousands of sites are made.
func scratch(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if runtime.GOOS == "linux" {
		if memory, err := os.MkdirTemp("/dev/shm", "moult-test-"); err == nil {
			t.Cleanup(func() { os.RemoveAll(memory) })
			return memory
		}
	}
	return dir
}

// build makes the scenario's site in a new directory below base.
func build(t tb, base string, sc scenario) *world {
	t.Helper()
	dir, err := os.MkdirTemp(base, "site-")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{tb: t, dir: dir, sc: sc}
	here := sc.here
	if here == nil {
		here = sc.shipped
	}
	w.write(dir, here)
	cfg := site.Config{Name: "test", Files: site.Files{Own: sc.own, Switch: sc.way}}
	if w.site, err = site.Init(dir, cfg, site.State{}); err != nil {
		t.Fatal(err)
	}
	if w.u, err = w.site.NewUpdate("u1"); err != nil {
		t.Fatal(err)
	}
	w.keepPristine()
	w.write(filepath.Join(w.u.Root.Name(), "contents"), sc.new)
	return w
}

func (w *world) keepPristine() {
	store, err := w.site.Pristine()
	if err != nil {
		w.Fatal(err)
	}
	defer store.Close()
	for _, text := range w.sc.shipped {
		if err := store.Put(release.DigestOf([]byte(text)), []byte(text)); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) write(dir string, c contents) {
	w.Helper()
	for _, p := range slices.Sorted(maps.Keys(c)) {
		full := filepath.Join(dir, filepath.FromSlash(p))
		text := c[p]
		must := func(err error) {
			if err != nil {
				w.Helper()
				w.Fatal(err)
			}
		}
		if strings.HasSuffix(p, "/") {
			must(os.MkdirAll(full, 0o755))
			continue
		}
		must(os.MkdirAll(filepath.Dir(full), 0o755))
		if target, ok := strings.CutPrefix(text, "->"); ok {
			must(os.Symlink(target, full))
			continue
		}
		must(os.WriteFile(full, []byte(text), 0o644))
	}
	if len(c) == 0 {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			w.Fatal(err)
		}
	}
}

// files lists contents as a release does.
func (c contents) files() []release.File {
	var list []release.File
	for _, p := range slices.Sorted(maps.Keys(c)) {
		if !strings.HasSuffix(p, "/") {
			list = append(list, release.File{Path: release.Path(p), Size: int64(len(c[p])), Mode: 0o644, SHA256: release.DigestOf([]byte(c[p]))})
		}
	}
	return list
}

func (c contents) dirs() []release.Path {
	seen := map[release.Path]bool{}
	for p := range c {
		if strings.HasSuffix(p, "/") {
			seen[release.Path(strings.TrimSuffix(p, "/"))] = true
		}
		parents(release.Path(strings.TrimSuffix(p, "/")), func(dir release.Path) { seen[dir] = true })
	}
	return slices.Sorted(maps.Keys(seen))
}

func (w *world) input() PlanInput {
	in := PlanInput{
		Site: w.site, New: w.sc.new.files(), Dirs: w.sc.new.dirs(), Operations: w.sc.ops, Full: w.sc.full,
		Choices: w.sc.choices, Contents: w.contents(),
	}
	if !w.sc.unknown {
		in.Inventory = &site.Inventory{BaseKnown: true, Files: w.sc.shipped.files()}
	}
	return in
}

func (w *world) contents() *os.Root {
	root, err := w.u.Root.OpenRoot("contents")
	if err != nil {
		w.Helper()
		w.Fatal(err)
	}
	return root
}

// makePlan makes the plan.
func (w *world) makePlan() {
	w.Helper()
	in := w.input()
	defer in.Contents.Close()
	var err error
	if w.plan, err = MakePlan(context.Background(), in); err != nil {
		w.Fatal(err)
	}
	if len(w.sc.mounts) > 0 {
		w.plan.Mounts, w.plan.Trees = w.sc.mounts, nil
	}
}

// stage stages through a disk.
func (w *world) stage(d disk) error {
	c := w.contents()
	defer c.Close()
	return stage(context.Background(), d, w.site, w.u, w.plan, c, nil)
}

// switchOver switches through a disk, with the journal opened and closed around it.
func (w *world) switchOver(d disk) error {
	j, _, err := w.u.Journal()
	if err != nil {
		w.Fatal(err)
	}
	defer j.Close()
	_, err = switchFiles(context.Background(), d, w.site, w.u, w.plan, j, nil)
	return err
}

func (w *world) undo(d disk) ([]string, error) {
	j, _, err := w.u.Journal()
	if err != nil {
		w.Fatal(err)
	}
	defer j.Close()
	return undoFiles(context.Background(), d, w.site, w.u, w.plan, j, nil)
}

func (w *world) close() {
	w.u.Close()
	w.site.Close()
	os.RemoveAll(w.dir)
}

// isMoults reports whether a path is .moult or an outpost of it.
func isMoults(p string) bool {
	return p == site.Home || strings.HasPrefix(path.Base(p), site.OutpostPrefix)
}

// digest is the hash of the site without .moult.
func (w *world) digest() string {
	w.Helper()
	sum, err := TreeDigest(context.Background(), w.site.Root, isMoults)
	if err != nil {
		w.Fatal(err)
	}
	return sum
}

// tree reads the site without .moult back as contents. Directories that hold
// something are not listed.
func (w *world) tree() contents {
	w.Helper()
	c := contents{}
	err := fs.WalkDir(os.DirFS(w.dir), ".", func(p string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case isMoults(p):
			return fs.SkipDir
		case p == ".":
		case e.IsDir():
			if list, err := os.ReadDir(filepath.Join(w.dir, p)); err != nil || len(list) == 0 {
				c[p+"/"] = ""
				return err
			}
		case e.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(filepath.Join(w.dir, p))
			c[p] = "->" + target
			return err
		default:
			b, err := os.ReadFile(filepath.Join(w.dir, p))
			c[path.Clean(p)] = string(b)
			return err
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return c
}
