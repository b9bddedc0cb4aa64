package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
	"moult/core/site"
)

// mounted is an update of a site in which two directories are mounted from elsewhere:
// one from a file system of its own, one from another place on the same.
func mounted(t *testing.T) *world {
	t.Helper()
	sc := scenario{
		shipped: contents{"a": "1", "lib/a": "1", "lib/old": "1", "lib/turns": "1", "lib/d/b": "1", "data/x": "1", "data/same": "1", "data/sub/y": "1"},
		new:     contents{"a": "2", "lib/a": "2", "lib/turns/in": "2", "lib/d/b": "2", "lib/d/new": "2", "data/x": "2", "data/same": "1", "data/sub/y": "2"},
		full:    true,
	}
	all := sc.shipped
	sc.here = contents{"a": "1", "lib/": "", "data/": ""}
	w := build(t, t.TempDir(), sc)
	t.Cleanup(w.close)
	lib, data, elsewhere := filepath.Join(w.dir, "lib"), filepath.Join(w.dir, "data"), t.TempDir()
	for _, m := range []struct {
		from, at, kind, options string
		flags                   uintptr
	}{{"tmpfs", lib, "tmpfs", "size=1m", 0}, {elsewhere, data, "", "", syscall.MS_BIND}} {
		if err := syscall.Mount(m.from, m.at, m.kind, m.flags, m.options); err != nil {
			t.Skipf("nothing can be mounted: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(m.at, syscall.MNT_DETACH) })
	}
	w.write(w.dir, all)
	w.makePlan()
	if diff := cmp.Diff(paths("data", "lib"), w.plan.Mounts); diff != "" {
		t.Fatalf("mounts (-want +got):\n%s", diff)
	}
	return w
}

func TestMountedDirectoriesAreStagedOnTheirOwnFileSystem(t *testing.T) {
	w := mounted(t)
	before := w.digest()
	problems, err := Preflight(t.Context(), w.site, w.plan)
	if err != nil || len(problems) > 0 {
		t.Fatalf("problems %+v, %v", problems, err)
	}
	w.all(realDisk{})
	must(t, Verify(t.Context(), w.site, w.plan))
	if diff := cmp.Diff(w.sc.new, w.tree()); diff != "" {
		t.Errorf("after the update (-want +got):\n%s", diff)
	}
	v, err := Read(w.site, w.u, w.plan, "lib/a", nil)
	if err != nil || string(v.Here) != "1" {
		t.Errorf("of lib/a before the update there is %q, %v", v.Here, err)
	}
	next := w.input()
	next.Inventory = &site.Inventory{BaseKnown: true, Files: w.sc.new.files()}
	p, err := MakePlan(t.Context(), next)
	must(t, errors.Join(err, next.Contents.Close()))
	if c := p.Counts(); c != (Counts{}) || len(p.Mounts) > 0 {
		t.Errorf("the same release again is %+v in %v", c, p.Mounts)
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 || w.digest() != before {
		t.Errorf("undo: %v, notes %q; the site holds %v", err, notes, w.tree())
	}
	must(t, w.u.Remove())
	for _, dir := range []string{"lib", "data"} {
		if _, err := os.Lstat(filepath.Join(w.dir, dir, site.OutpostPrefix+"u1")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the outpost in %s is still there: %v", dir, err)
		}
	}
}

func TestMountedDirectoriesSurviveKillAtEveryStep(t *testing.T) {
	w := mounted(t)
	before := w.digest()
	all := 0
	for n := 1; n == 1 || n <= all; n++ {
		f := &faultyDisk{u: w.u, at: n, with: errKilled, after: n%2 == 0}
		err := w.stage(f)
		if err == nil {
			err = w.switchOver(f)
		}
		all = max(all, f.n+1)
		if err == nil {
			all = f.n
		}
		if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 || w.digest() != before {
			t.Fatalf("killed at %d: undo: %v, notes %q; the site holds %v", n, err, notes, w.tree())
		}
	}
	if all < 30 {
		t.Errorf("only %d calls were made", all)
	}
}

func TestFullMountIsFoundBeforeAnythingChanges(t *testing.T) {
	w := mounted(t)
	fill := make([]byte, 1<<20)
	if err := os.WriteFile(filepath.Join(w.dir, "lib", "fill"), fill, 0o644); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the mount takes more than it has: %v", err)
	}
	problems, err := Preflight(t.Context(), w.site, w.plan)
	must(t, err)
	if len(problems) == 0 || problems[0].Code != "disk" {
		t.Errorf("problems %+v", problems)
	}
}

func TestWorkingDirectoriesAreReadFromProc(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "volume", "data"), 0o755))
	t.Chdir(filepath.Join(dir, "volume", "data"))
	used, sure := inUse(dir)
	if _, err := pathInFileSystem(dir); err != nil { // as in a chroot, which shows no mount of its root
		if sure {
			t.Error("it is sure of what it can't know")
		}
		return
	}
	link := filepath.Join(t.TempDir(), "link")
	must(t, os.Symlink(dir, link))
	linked, _ := inUse(link)
	for _, used := range [][]release.Path{used, linked} {
		if !slices.Contains(used, release.Path("volume/data")) {
			t.Errorf("in use are %v", used)
		}
	}
}
