package files

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"moult/core/release"
)

// wholeTrees is an update of which all but one file lies in two directories.
func wholeTrees() scenario {
	return scenario{
		name:    "two directories",
		shipped: contents{"index.php": "1", "lib/a": "1", "lib/b": "1", "lib/sub/c": "1", "lib/same": "1", "front/x": "1", "front/y": "1", "docs/one": "1"},
		new:     contents{"index.php": "2", "lib/a": "2", "lib/sub/c": "2", "lib/new/d": "2", "lib/same": "1", "front/x": "2", "front/y": "2", "docs/one": "2"},
		full:    true,
		after:   contents{"index.php": "2", "lib/a": "2", "lib/sub/c": "2", "lib/new/d": "2", "lib/same": "1", "front/x": "2", "front/y": "2", "docs/one": "2"},
	}
}

// needTrees skips where this process can't tell that no directory is in use.
func needTrees(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("directories are switched whole on Linux only")
	}
	if _, sure := inUse(t.TempDir()); !sure {
		t.Skip("this user may not ask all processes what they use")
	}
}

func TestDirectoriesAreSwitchedWhole(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	if diff := cmp.Diff(paths("front", "lib"), w.plan.Trees); diff != "" {
		t.Fatal(diff)
	}
	same := inodeOf(t, w, "lib/same")
	dir := inodeOf(t, w, "lib")
	w.all(realDisk{})
	if inodeOf(t, w, "lib/same") != same {
		t.Error("a file that doesn't change was replaced")
	}
	if inodeOf(t, w, "lib") == dir {
		t.Error("lib was not switched whole")
	}
	if diff := cmp.Diff(w.sc.after, w.tree()); diff != "" {
		t.Error(diff)
	}
}

func inodeOf(t *testing.T, w *world, p string) uint64 {
	t.Helper()
	info, err := w.site.Root.Lstat(p)
	if err != nil {
		t.Fatal(err)
	}
	return identOf(info).Inode
}

func TestDirectoriesThatAreNotSwitchedWhole(t *testing.T) {
	needTrees(t)
	// Little changes in lib beside what lies there: nearly as many files as are linked for
	// the sake of few changes, and one too many.
	crowd := func(sc *scenario, files int) {
		for i := range files {
			p := fmt.Sprintf("lib/crowd/%d", i)
			sc.shipped[p], sc.new[p] = "1", "1"
		}
	}
	tests := []struct {
		name   string
		change func(*scenario)
		hold   string // a directory that a process works in
		want   []release.Path
	}{
		{"much stays, but not too much", func(sc *scenario) { crowd(sc, smallClone-20) }, "", paths("front", "lib")},
		{"too much stays", func(sc *scenario) { crowd(sc, smallClone) }, "", paths("front")},
		{"too much stays, and the site wants it", func(sc *scenario) { crowd(sc, smallClone); sc.way = "tree" }, "", paths("front", "lib")},
		{"the site says file", func(sc *scenario) { sc.way = "file" }, "", nil},
		{"an own path inside", func(sc *scenario) { sc.own = paths("lib/cache") }, "", paths("front")},
		{"an own path inside a part", func(sc *scenario) {
			sc.own = paths("lib/cache")
			for _, p := range []string{"lib/sub/d", "lib/sub/e"} {
				sc.shipped[p], sc.new[p] = "1", "2"
			}
		}, "", paths("front", "lib/sub")},
		{"a process works in it", func(*scenario) {}, "lib/sub", paths("front")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sc := wholeTrees()
			test.change(&sc)
			w := build(t, scratch(t), sc)
			defer w.close()
			if test.hold != "" {
				t.Chdir(filepath.Join(w.dir, test.hold))
			}
			w.makePlan()
			if diff := cmp.Diff(test.want, w.plan.Trees); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDirectoryThatIsTakenHoldOfAfterThePlanIsSwitchedByFiles(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	before := w.digest()
	w.makePlan()
	must(t, w.stage(realDisk{}))
	t.Chdir(filepath.Join(w.dir, "lib"))
	dir := inodeOf(t, w, "lib")
	must(t, w.switchOver(realDisk{}))
	if inodeOf(t, w, "lib") != dir {
		t.Error("lib was switched whole under a process that works in it")
	}
	if diff := cmp.Diff(w.sc.after, w.tree()); diff != "" {
		t.Error(diff)
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 || w.digest() != before {
		t.Errorf("undo: %v, notes %q; the site holds %v", err, notes, w.tree())
	}
}

// meddler changes the site at a certain call of the switch, as visitors do.
type meddler struct {
	disk
	when string // the call
	do   func()
}

func (m *meddler) exchange(a *tree, p string, b *tree, q string) error {
	if m.when == "before "+q {
		m.do()
	}
	err := m.disk.exchange(a, p, b, q)
	if m.when == "after "+q {
		m.do()
	}
	return err
}

// TestOnlyExchangesAreBetweenTwoReleases looks at the calls of a switch and of its undo
// from the first that changes the site to the last.
func TestOnlyExchangesAreBetweenTwoReleases(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	must(t, w.stage(realDisk{}))
	there, back := &faultyDisk{}, &faultyDisk{}
	must(t, w.switchOver(there))
	if notes, err := w.undo(back); err != nil || len(notes) > 0 {
		t.Fatalf("undo: %v, notes %q", err, notes)
	}
	for name, f := range map[string]*faultyDisk{"switch": there, "undo": back} {
		swaps := func(call string) bool { return strings.HasPrefix(call, "exchange") && !strings.Contains(call, "try-1") }
		first, n := slices.IndexFunc(f.calls, swaps), 0
		for _, call := range f.calls {
			if swaps(call) {
				n++
			}
		}
		if n != 4 || slices.ContainsFunc(f.calls[first:first+n], func(call string) bool { return !swaps(call) }) {
			t.Errorf("%s: not only four exchanges are between two releases: %q", name, f.calls)
		}
	}
}

func TestWhatAppearsWhileADirectoryIsSwitchedIsCarriedOver(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	if err := w.stage(realDisk{}); err != nil {
		t.Fatal(err)
	}
	at := func(p string) string { return filepath.Join(w.dir, p) }
	m := &meddler{disk: realDisk{}, when: "before lib", do: func() {
		for _, p := range []string{"lib/up.jpg", "lib/dir/up2.jpg"} {
			must(t, os.MkdirAll(filepath.Dir(at(p)), 0o755))
			must(t, os.WriteFile(at(p), []byte("visitor"), 0o644))
		}
		must(t, os.WriteFile(at("lib/tmp"), []byte("replaced"), 0o644))
		must(t, os.Rename(at("lib/tmp"), at("lib/same")))
	}}
	if err := w.switchOver(m); err != nil {
		t.Fatal(err)
	}
	want := w.sc.after
	want["lib/up.jpg"], want["lib/dir/up2.jpg"], want["lib/same"] = "visitor", "visitor", "replaced"
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		t.Errorf("after the switch (-want +got):\n%s", diff)
	}
}

func TestWhatAppearsWhileADirectoryGoesBackIsCarriedOver(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	w.all(realDisk{})
	at := func(p string) string { return filepath.Join(w.dir, p) }
	m := &meddler{disk: realDisk{}, when: "before lib", do: func() {
		for _, p := range []string{"lib/up.jpg", "lib/new/up2.jpg", "lib/dir/up3.jpg"} {
			must(t, os.MkdirAll(filepath.Dir(at(p)), 0o755))
			must(t, os.WriteFile(at(p), []byte("visitor"), 0o644))
		}
		must(t, os.WriteFile(at("lib/tmp"), []byte("replaced"), 0o644))
		must(t, os.Rename(at("lib/tmp"), at("lib/same")))
		must(t, os.WriteFile(at("lib/a"), []byte("edited"), 0o644))
	}}
	notes, err := w.undo(m)
	if err != nil || len(notes) != 1 {
		t.Fatalf("undo: %v, notes %q", err, notes)
	}
	want := w.sc.shipped
	for _, p := range []string{"lib/up.jpg", "lib/new/up2.jpg", "lib/dir/up3.jpg"} {
		want[p] = "visitor"
	}
	want["lib/same"], want["lib/a.moult-u1"] = "replaced", "edited"
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		t.Errorf("after the undo (-want +got):\n%s\nnotes: %q", diff, notes)
	}
}

func must(t rapid.TB, err error) {
	if err != nil {
		t.Helper()
		t.Fatal(err)
	}
}

func TestChangeOfAPlannedFileWhileADirectoryIsSwitchedStopsIt(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	if err := w.stage(realDisk{}); err != nil {
		t.Fatal(err)
	}
	m := &meddler{disk: realDisk{}, when: "before lib", do: func() {
		must(t, os.WriteFile(filepath.Join(w.dir, "lib/a"), []byte("edited at that moment"), 0o644))
	}}
	if err := w.switchOver(m); err == nil {
		t.Fatal("the switch went on")
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
		t.Fatalf("undo: %v, notes %q", err, notes)
	}
	want := w.sc.shipped
	want["lib/a"] = "edited at that moment"
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		t.Errorf("after the undo (-want +got):\n%s", diff)
	}
}

// inEveryWay calls do with a site and a plan for each way to switch.
func inEveryWay(t *testing.T, sc scenario, do func(t *testing.T, w *world, d disk)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			if way.name == "trees" {
				needTrees(t)
			}
			sc.way = way.choice
			w := build(t, scratch(t), sc)
			defer w.close()
			w.makePlan()
			do(t, w, way.wrap(&faultyDisk{}))
		})
	}
}

// TestUndoKeepsWhatWasDoneSince undoes an update on whose site people have worked
// since: nothing of theirs is lost, and what they changed of the update's own files
// is set aside.
func TestUndoKeepsWhatWasDoneSince(t *testing.T) {
	inEveryWay(t, wholeTrees(), func(t *testing.T, w *world, d disk) {
		w.all(d)
		at := func(p string) string { return filepath.Join(w.dir, p) }
		must(t, os.WriteFile(at("lib/a"), []byte("changed since"), 0o644))
		must(t, os.WriteFile(at("index.php"), []byte("changed since"), 0o644))
		must(t, os.WriteFile(at("lib/same"), []byte("written since"), 0o644))
		must(t, os.WriteFile(at("lib/b"), []byte("made again"), 0o644))
		must(t, os.WriteFile(at("lib/new/visitor"), []byte("visitor"), 0o644))
		must(t, os.WriteFile(at("front/visitor"), []byte("visitor"), 0o644))
		must(t, os.Remove(at("front/y")))
		notes, err := w.undo(d)
		if err != nil {
			t.Fatal(err)
		}
		if len(notes) == 0 {
			t.Error("nothing was reported")
		}
		want := contents{
			"index.php": "1", "lib/a": "1", "lib/b": "1", "lib/sub/c": "1", "lib/same": "written since", "front/x": "1", "front/y": "1", "docs/one": "1",
			"index.php.moult-u1": "changed since", "lib/a.moult-u1": "changed since", "lib/b.moult-u1": "made again",
			"lib/new/visitor": "visitor", "front/visitor": "visitor",
		}
		if diff := cmp.Diff(want, w.tree()); diff != "" {
			t.Errorf("after the undo (-want +got):\n%s\nnotes: %q", diff, notes)
		}
	})
}

// TestUndoMakesRoom undoes an update on whose site directories and files have taken each
// other's places since.
func TestUndoMakesRoom(t *testing.T) {
	shipped := contents{"index.php": "1", "lib/a": "1", "lib/b": "1", "lib/sub/c": "1", "lib/sub/same": "1", "lib/keep/x": "1"}
	cases := []struct {
		name  string
		since func(t *testing.T, at func(p string) string)
		want  contents // on top of what was shipped; "" is not there
	}{
		{"a directory became a link", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/keep")))
			must(t, os.Symlink("elsewhere", at("lib/keep")))
		}, contents{"lib/keep/x": "", "lib/keep": "->elsewhere"}},
		{"a directory became a file", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/keep")))
			must(t, os.WriteFile(at("lib/keep"), []byte("mine"), 0o644))
		}, contents{"lib/keep/x": "", "lib/keep": "mine"}},
		{"a directory with files of the update became a file", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/sub")))
			must(t, os.WriteFile(at("lib/sub"), []byte("mine"), 0o644))
		}, contents{"lib/sub/same": "", "lib/sub.moult-u1": "mine"}},
		{"a directory with files of the update became a link", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/sub")))
			must(t, os.Symlink("elsewhere", at("lib/sub")))
		}, contents{"lib/sub/same": "", "lib/sub.moult-u1": "->elsewhere"}},
		{"a directory with files of the update was removed", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/sub")))
		}, contents{"lib/sub/same": ""}},
		{"a file of the update became a directory", func(t *testing.T, at func(p string) string) {
			must(t, os.Remove(at("lib/a")))
			must(t, os.MkdirAll(at("lib/a/mine"), 0o755))
			must(t, os.WriteFile(at("lib/a/mine/x"), []byte("mine"), 0o644))
		}, contents{"lib/a.moult-u1/mine/x": "mine"}},
		{"a directory that the update made became a link", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/new")))
			must(t, os.Symlink("elsewhere", at("lib/new")))
		}, contents{"lib/new.moult-u1": "->elsewhere"}},
		{"a directory that the update made became a file", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib/new")))
			must(t, os.WriteFile(at("lib/new"), []byte("mine"), 0o644))
		}, contents{"lib/new.moult-u1": "mine"}},
		{"a directory that the update made has something in it", func(t *testing.T, at func(p string) string) {
			must(t, os.WriteFile(at("lib/new/mine"), []byte("mine"), 0o644))
		}, contents{"lib/new/mine": "mine"}},
		{"a directory that was swapped whole is another now", func(t *testing.T, at func(p string) string) {
			must(t, os.Rename(at("lib"), filepath.Join(filepath.Dir(at("lib")), "lib.bak")))
			must(t, os.CopyFS(at("lib"), os.DirFS(at("lib.bak"))))
			must(t, os.RemoveAll(at("lib.bak")))
			must(t, os.WriteFile(at("lib/mine"), []byte("mine"), 0o644))
		}, nil},
		{"a directory that was swapped whole was removed", func(t *testing.T, at func(p string) string) {
			must(t, os.RemoveAll(at("lib")))
		}, nil},
	}
	sc := scenario{full: true, shipped: shipped,
		new: contents{"index.php": "2", "lib/a": "2", "lib/b": "2", "lib/sub/c": "2", "lib/sub/same": "1", "lib/keep/x": "1", "lib/new/d": "2"}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			inEveryWay(t, sc, func(t *testing.T, w *world, d disk) {
				w.all(d)
				c.since(t, func(p string) string { return filepath.Join(w.dir, p) })
				notes, err := w.undo(d)
				if err != nil {
					t.Fatal(err)
				}
				want := maps.Clone(shipped)
				for p, text := range c.want {
					if want[p] = text; text == "" {
						delete(want, p)
					}
				}
				if err := VerifyOld(t.Context(), w.site, w.plan); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(want, w.tree()); c.want != nil && diff != "" {
					t.Errorf("after the undo (-want +got):\n%s\nnotes: %q", diff, notes)
				}
				for p := range c.want {
					if strings.Contains(p, ".moult-") && !strings.Contains(strings.Join(notes, " "), ".moult-u1") {
						t.Errorf("%s is not reported: %q", p, notes)
					}
				}
			})
		})
	}
}

// TestUndoOfWhatWasNotBegun puts a link where a directory was, after staging and before
// the switch.
func TestUndoOfWhatWasNotBegun(t *testing.T) {
	inEveryWay(t, wholeTrees(), func(t *testing.T, w *world, d disk) {
		must(t, w.stage(d))
		lib, away := filepath.Join(w.dir, "lib"), w.dir+"-lib"
		must(t, os.Rename(lib, away))
		must(t, os.Symlink(away, lib))
		want := w.tree()
		if err := w.switchOver(d); err == nil {
			t.Fatal("the switch went through a link")
		}
		if notes, err := w.undo(d); err != nil || len(notes) > 0 {
			t.Errorf("undo: %v, notes %q", err, notes)
		}
		if diff := cmp.Diff(want, w.tree()); diff != "" {
			t.Errorf("the undo changed the site (-want +got):\n%s", diff)
		}
	})
}

func TestUndoLeavesTheGroupOfADirectory(t *testing.T) {
	needTrees(t)
	if os.Geteuid() != 0 {
		t.Skip("only root may give a directory to any group")
	}
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	w.all(realDisk{})
	dir := filepath.Join(w.dir, "lib", "sub")
	must(t, os.Chown(dir, -1, 33))
	_, err := w.undo(realDisk{})
	must(t, err)
	info, err := os.Stat(dir)
	must(t, err)
	if got := groupOf(info); got != 33 {
		t.Errorf("the group is %d, want 33", got)
	}
}

// TestRestorePointsAreNoForeignLinks makes a second update after one that swapped a
// directory whole: the names that its restore point holds are Moult's own.
func TestRestorePointsAreNoForeignLinks(t *testing.T) {
	needTrees(t)
	w := build(t, scratch(t), wholeTrees())
	defer w.close()
	w.makePlan()
	w.all(realDisk{})
	next := &Plan{Entries: []Entry{{Path: "lib/same", Change: Replace}}}
	problems, err := Preflight(t.Context(), w.site, next)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %+v, %v", problems, err)
	}
	must(t, os.Link(filepath.Join(w.dir, "lib/same"), filepath.Join(w.dir, "elsewhere")))
	problems, err = Preflight(t.Context(), w.site, next)
	if err != nil || len(problems) != 1 || problems[0].Code != "hard links" {
		t.Errorf("with a name elsewhere: problems %+v, %v", problems, err)
	}
}

func TestARemovedDirectoryIsNotKeptOpen(t *testing.T) {
	w := build(t, scratch(t), scenarios[0])
	defer w.close()
	must(t, os.MkdirAll(filepath.Join(w.dir, "a", "b"), 0o755))
	tr := newTree(w.site.Root)
	defer tr.close()
	if _, err := tr.dir("a/b"); err != nil {
		t.Fatal(err)
	}
	must(t, realDisk{}.remove(tr, "a/b"))
	if open := tr.lines[0].names(); !slices.Equal(open, []string{"a"}) {
		t.Errorf("open are %q", open)
	}
}
