package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
	"moult/core/site"
)

func TestLinksInTheSiteAreNotFollowed(t *testing.T) {
	outside := t.TempDir()
	must(t, os.WriteFile(filepath.Join(outside, "a"), []byte("not mine"), 0o644))
	tests := []struct {
		name, target string
		outside      bool
	}{
		{"absolute, outside", outside, true},
		{"relative, outside", "../elsewhere", true},
		{"inside", "real", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sc := scenario{
				shipped: contents{"lib/a": "1", "real/a": "1"}, here: contents{"lib": "->" + test.target, "real/a": "1"},
				new: contents{"lib/a": "2", "real/a": "1"}, full: true,
			}
			w := build(t, scratch(t), sc)
			defer w.close()
			before := w.digest()
			w.makePlan()
			problems, err := Preflight(t.Context(), w.site, w.plan)
			if err != nil {
				t.Fatal(err)
			}
			if len(problems) == 0 || problems[0].Code != "symlink" || !strings.Contains(problems[0].Text, "lib is a symbolic link to "+test.target) {
				t.Fatalf("problems %+v", problems)
			}
			if got := strings.Contains(problems[0].Text, "out of the site"); got != test.outside {
				t.Errorf("%q, but outside is %v", problems[0].Text, test.outside)
			}
			if err := w.stage(realDisk{}); err == nil {
				t.Error("a blocked plan was staged")
			}
			if w.digest() != before {
				t.Error("the site was changed")
			}
		})
	}
	if b, err := os.ReadFile(filepath.Join(outside, "a")); err != nil || string(b) != "not mine" {
		t.Errorf("outside there is %q, %v", b, err)
	}
}

// TestDirectorySwappedForALink swaps a directory of the site for a link between
// the plan and the switch, and at each exchange, as an attacker on the same machine
// could. Nothing outside may change.
func TestDirectorySwappedForALink(t *testing.T) {
	for _, when := range []string{"before the switch", "before lib/a", "after lib/a"} {
		t.Run(when, func(t *testing.T) {
			outside := t.TempDir()
			for _, name := range []string{"a", "b", "c"} {
				must(t, os.WriteFile(filepath.Join(outside, name), []byte("1"), 0o644))
			}
			sc := scenario{
				shipped: contents{"lib/a": "1", "lib/b": "1", "lib/c": "1", "z": "1"},
				new:     contents{"lib/a": "2", "lib/b": "2", "z": "2"}, full: true, way: "file",
			}
			w := build(t, scratch(t), sc)
			defer w.close()
			w.makePlan()
			if err := w.stage(realDisk{}); err != nil {
				t.Fatal(err)
			}
			swap := func() {
				must(t, os.Rename(filepath.Join(w.dir, "lib"), filepath.Join(w.dir, "lib-moved")))
				must(t, os.Symlink(outside, filepath.Join(w.dir, "lib")))
			}
			if when == "before the switch" {
				swap()
			}
			err := w.switchOver(&meddler{disk: realDisk{}, when: when, do: swap})
			if when == "before the switch" && err == nil {
				t.Error("the switch went on")
			}
			_, _ = w.undo(realDisk{})
			for _, name := range []string{"a", "b", "c"} {
				if b, err := os.ReadFile(filepath.Join(outside, name)); err != nil || string(b) != "1" {
					t.Errorf("outside, %s is now %q, %v", name, b, err)
				}
			}
			list, err := os.ReadDir(outside)
			if err != nil || len(list) != 3 {
				t.Errorf("outside there is now %v", list)
			}
		})
	}
}

func TestFileChangedAfterThePlanStopsTheSwitch(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
	}{
		{"edited", func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, "a"), []byte("3"), 0o644)) }},
		{"edited and given its old time back", func(t *testing.T, dir string) {
			name := filepath.Join(dir, "a")
			info, err := os.Stat(name)
			must(t, err)
			must(t, os.WriteFile(name, []byte("3"), 0o644))
			must(t, os.Chtimes(name, info.ModTime(), info.ModTime()))
		}},
		{"removed", func(t *testing.T, dir string) { must(t, os.Remove(filepath.Join(dir, "a"))) }},
		{"appeared", func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, "new"), []byte("3"), 0o644)) }},
		{"a directory now", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "a")))
			must(t, os.Mkdir(filepath.Join(dir, "a"), 0o755))
		}},
		{"a link now", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, "a")))
			must(t, os.Symlink("/etc/passwd", filepath.Join(dir, "a")))
		}},
		{"the deleted one edited", func(t *testing.T, dir string) { must(t, os.WriteFile(filepath.Join(dir, "old"), []byte("3"), 0o644)) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sc := scenario{shipped: contents{"a": "1", "b": "1", "old": "1"}, new: contents{"a": "2", "b": "2", "new": "2"}, full: true}
			w := build(t, scratch(t), sc)
			defer w.close()
			w.makePlan()
			w.trustTimes()
			if err := w.stage(realDisk{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // more than the clock of any file system here counts in
			test.change(t, w.dir)
			changed := w.digest()
			if err := w.switchOver(realDisk{}); !errors.Is(err, ErrChanged) {
				t.Errorf("the switch says %v", err)
			}
			if _, err := w.undo(realDisk{}); err != nil {
				t.Error(err)
			}
			if w.digest() != changed {
				t.Errorf("the site holds %v", w.tree())
			}
		})
	}
}

// trustTimes makes the plan one of files that had not been changed for a while.
func (w *world) trustTimes() {
	w.Helper()
	for i := range w.plan.Entries {
		e := &w.plan.Entries[i]
		if info, err := w.site.Root.Lstat(string(e.Path)); err == nil && e.Here.Exists() {
			e.seen, _ = stampOf(info)
		}
	}
}

// TestEditThatNoTimeTellsIsFound edits files behind the back of what planning
// remembered of them, as a program that has one mapped into its memory can: they are
// read once more when they are out of the way.
func TestEditThatNoTimeTellsIsFound(t *testing.T) {
	for _, way := range ways {
		for _, p := range []string{"lib/a", "lib/old", "a", "old"} {
			t.Run(way.name+"/"+p, func(t *testing.T) {
				sc := scenario{
					shipped: contents{"lib/a": "1", "lib/b": "1", "lib/old": "1", "a": "1", "old": "1"},
					new:     contents{"lib/a": "2", "lib/b": "2", "a": "2"}, full: true, way: way.choice,
				}
				w := build(t, scratch(t), sc)
				defer w.close()
				w.makePlan()
				if seen := w.plan.Entries[0].seen; seen != (stamp{}) {
					t.Fatalf("a file that was written a moment ago is trusted: %v", seen)
				}
				d := way.wrap(&faultyDisk{})
				must(t, w.stage(d))
				must(t, os.WriteFile(filepath.Join(w.dir, p), []byte("3"), 0o644))
				changed := w.digest()
				w.trustTimes()
				if w.plan.Entries[0].seen == (stamp{}) {
					t.Skip("times don't tell of changes on this system")
				}
				if err := w.switchOver(d); !errors.Is(err, ErrChanged) || !strings.HasPrefix(err.Error(), p) {
					t.Errorf("the switch says %v", err)
				}
				if notes, err := w.undo(d); err != nil || len(notes) > 0 {
					t.Errorf("undo: %v, notes %q", err, notes)
				}
				if w.digest() != changed {
					t.Errorf("the site holds %v", w.tree())
				}
			})
		}
	}
}

// TestWriterRacesTheSwitch has a process write to a file all the time while it is
// planned, switched and undone, again and again. Either the update is refused or what
// the writer wrote last is what the way back holds.
func TestWriterRacesTheSwitch(t *testing.T) {
	sc := scenario{shipped: contents{}, new: contents{}, full: true, way: "file"}
	for i := range 60 {
		p := fmt.Sprintf("f%02d", i)
		sc.shipped[p], sc.new[p] = "old", "new"
	}
	var switched, refused int
	for round := range 12 {
		w := build(t, scratch(t), sc)
		w.makePlan()
		must(t, w.stage(realDisk{}))
		var wrote atomic.Int64
		stop := make(chan struct{})
		var done sync.WaitGroup
		done.Go(func() { // writes one file from its middle to its end, and no other
			name := filepath.Join(w.dir, fmt.Sprintf("f%02d", 5*round))
			time.Sleep(time.Duration(round*round) * 100 * time.Microsecond)
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				return
			}
			defer f.Close()
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				default:
					if _, err := fmt.Fprintf(f, "%d\n", n); err != nil {
						return
					}
					wrote.Store(n)
				}
			}
		})
		for round == 0 && wrote.Load() == 0 {
			time.Sleep(time.Millisecond) // once the write comes first for sure
		}
		err := w.switchOver(realDisk{})
		close(stop)
		done.Wait()
		switch {
		case err == nil:
			switched++
		case errors.Is(err, ErrChanged):
			refused++
		default:
			t.Errorf("the switch says %v", err)
		}
		if _, err := w.undo(realDisk{}); err != nil {
			t.Error(err)
		}
		var lines strings.Builder
		for n := int64(1); n <= wrote.Load(); n++ {
			fmt.Fprintf(&lines, "%d\n", n)
		}
		found := false
		for p, text := range w.tree() { // the file itself, or one that was set aside
			found = found || strings.HasPrefix(p, fmt.Sprintf("f%02d", 5*round)) && strings.HasPrefix(text, lines.String())
		}
		if !found {
			t.Errorf("round %d: the %d lines that were written are nowhere", round, wrote.Load())
		}
		w.close()
	}
	t.Logf("%d switches went through, %d were refused", switched, refused)
	if refused == 0 {
		t.Error("no write was noticed")
	}
}

func TestContentsThatAreNotThePackagesAreRefused(t *testing.T) {
	w := build(t, scratch(t), scenarios[0])
	defer w.close()
	w.makePlan()
	must(t, os.WriteFile(filepath.Join(w.u.Root.Name(), "contents", "index.php"), []byte("evil"), 0o644))
	var fault *HashError
	if err := w.stage(realDisk{}); !errors.As(err, &fault) || fault.Path != "index.php" {
		t.Errorf("staging says %v", err)
	}
}

func TestStagedFileThatWasTamperedWithIsFoundOut(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			sc := scenarios[0]
			sc.way = way.choice
			w := build(t, scratch(t), sc)
			defer w.close()
			before := w.digest()
			w.makePlan()
			d := way.wrap(&faultyDisk{})
			if err := w.stage(d); err != nil {
				t.Fatal(err)
			}
			must(t, os.WriteFile(filepath.Join(w.u.Root.Name(), "stage", "0"), []byte("evil"), 0o644))
			at, err := Inspect(t.Context(), w.site, w.u, w.plan)
			if err != nil || at.StagedIntact {
				t.Errorf("inspect says %+v, %v", at, err)
			}
			if err := w.switchOver(d); err == nil {
				var fault *DifferenceError
				if err := Verify(t.Context(), w.site, w.plan); !errors.As(err, &fault) || fault.Paths[0] != "index.php" {
					t.Errorf("verify says %v", err)
				}
			}
			if _, err := w.undo(d); err != nil {
				t.Error(err)
			}
			if w.digest() != before && way.name != "fallback" {
				t.Errorf("the site holds %v", w.tree())
			}
		})
	}
}

func TestMoultsOwnDirectoryIsNoTarget(t *testing.T) {
	for _, p := range []string{".moult", ".moult/updates/u1/journal", ".MOULT/site.toml", "a/../.moult/x"} {
		if _, err := release.ParsePath(p); err == nil {
			t.Errorf("%s is accepted as a path of a release", p)
		}
	}
	w := build(t, scratch(t), scenarios[0])
	defer w.close()
	files, err := Scan(t.Context(), w.site, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Path.Within(site.Home) {
			t.Errorf("the scan lists %s", f.Path)
		}
	}
}

// TestOutpostsAreNoTarget has a package that wants to change, and to remove, what the
// outpost of an older update keeps.
func TestOutpostsAreNoTarget(t *testing.T) {
	for _, full := range []bool{true, false} {
		sc := scenario{
			shipped: contents{"lib/a": "1"}, here: contents{"lib/a": "1", "lib/.moult-u0/old/1": "kept"},
			new: contents{"lib/a": "2", "lib/.moult-u0/old/1": "evil", "lib/.MOULT-U0/old/2": "evil"}, full: full,
		}
		if !full {
			sc.ops = release.Operations{ReplaceDirectories: paths("lib"), DeleteDirectories: paths("lib/.moult-u0")}
		}
		sc.choices = map[release.Path]Choice{"lib/.moult-u0/old/1": ChoiceNew}
		w := build(t, scratch(t), sc)
		defer w.close()
		w.makePlan()
		w.all(realDisk{})
		got, err := os.ReadFile(filepath.Join(w.dir, "lib/.moult-u0/old/1"))
		if err != nil || string(got) != "kept" {
			t.Errorf("the outpost holds %q, %v", got, err)
		}
		if _, err := os.Lstat(filepath.Join(w.dir, "lib/.MOULT-U0")); err == nil {
			t.Error("an outpost of the package's own was made")
		}
	}
}

func TestLongestNames(t *testing.T) {
	long := strings.Repeat("n", 255)
	deep := strings.Repeat("d/", 60) + long
	sc := scenario{shipped: contents{long: "1", deep: "1"}, new: contents{long: "2", deep: "2"}, full: true, after: contents{long: "2", deep: "2"}}
	w := build(t, scratch(t), sc)
	defer w.close()
	w.makePlan()
	w.all(realDisk{})
	must(t, os.WriteFile(filepath.Join(w.dir, long), []byte("since"), 0o644))
	notes, err := w.undo(realDisk{})
	if err != nil || len(notes) != 1 {
		t.Fatalf("%v, notes %q", err, notes)
	}
	tree := w.tree()
	if tree[long] != "1" || tree[deep] != "1" || len(tree) != 3 {
		t.Errorf("the site holds %d files", len(tree))
	}
}

func TestPreflightLeavesNothingBehind(t *testing.T) {
	w := build(t, scratch(t), scenarios[1])
	defer w.close()
	before := w.digest()
	w.makePlan()
	problems, err := Preflight(t.Context(), w.site, w.plan)
	if err != nil || len(problems) > 0 {
		t.Errorf("problems %+v, %v", problems, err)
	}
	if w.digest() != before {
		t.Errorf("the site holds %v", w.tree())
	}
}

func TestPreflightSaysWhatIsShort(t *testing.T) {
	w := build(t, scratch(t), scenarios[1])
	defer w.close()
	w.makePlan()
	w.plan.Entries[0].Put.Size = 1 << 60
	problems, err := Preflight(t.Context(), w.site, w.plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].Code != "disk" || problems[0].Level != Block {
		t.Errorf("problems %+v", problems)
	}
}

func TestHardLinksAreReported(t *testing.T) {
	w := build(t, scratch(t), scenarios[0])
	defer w.close()
	if err := os.Link(filepath.Join(w.dir, "index.php"), filepath.Join(w.dir, "other-name")); err != nil {
		t.Skip(err)
	}
	w.makePlan()
	problems, err := Preflight(t.Context(), w.site, w.plan)
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) != 1 || problems[0].Code != "hard links" || problems[0].Level != Warn {
		t.Errorf("problems %+v", problems)
	}
	w.all(realDisk{})
	if b, _ := os.ReadFile(filepath.Join(w.dir, "other-name")); string(b) != "one" {
		t.Errorf("the other name holds %q", b)
	}
}

func TestCancelStopsBeforeTheSwitchOnly(t *testing.T) {
	w := build(t, scratch(t), scenarios[1])
	defer w.close()
	before := w.digest()
	w.makePlan()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := w.contents()
	defer c.Close()
	if err := Stage(ctx, w.site, w.u, w.plan, c, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("stage says %v", err)
	}
	must(t, w.stage(realDisk{}))
	j, _, err := w.u.Journal()
	must(t, err)
	defer j.Close()
	if _, err := Switch(ctx, w.site, w.u, w.plan, j, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("switch says %v", err)
	}
	if w.digest() != before {
		t.Error("the site was changed")
	}
}

func TestModeAndOwnerFollowTheReplacedFile(t *testing.T) {
	sc := scenario{
		shipped: contents{"bin/run": "1", "bin/tool": "1", "secret": "1"},
		new:     contents{"bin/run": "2", "bin/tool": "1", "secret": "2", "bin/fresh": "2"}, full: true,
	}
	w := build(t, scratch(t), sc)
	defer w.close()
	must(t, os.Chmod(filepath.Join(w.dir, "secret"), 0o600))
	root := os.Geteuid() == 0
	if root {
		must(t, os.Chown(filepath.Join(w.dir, "secret"), 12345, 54321))
		must(t, os.Chown(filepath.Join(w.dir, "bin"), 12345, 54321))
	}
	in := w.input()
	defer in.Contents.Close()
	for i := range in.New { // the release makes a program of what was none
		if strings.HasPrefix(string(in.New[i].Path), "bin/") {
			in.New[i].Mode = 0o755
		}
	}
	var err error
	w.plan, err = MakePlan(t.Context(), in)
	must(t, err)
	w.all(realDisk{})
	must(t, Verify(t.Context(), w.site, w.plan))
	got := map[string]string{}
	for _, p := range []string{"bin/run", "bin/tool", "secret", "bin/fresh"} {
		info, err := os.Stat(filepath.Join(w.dir, p))
		must(t, err)
		got[p] = info.Mode().String()
		if owner := ownerOf(info); root && (p == "secret" || p == "bin/fresh") && owner != 12345 {
			t.Errorf("%s belongs to %d", p, owner)
		}
	}
	want := map[string]string{"bin/run": "-rwxr-xr-x", "bin/tool": "-rwxr-xr-x", "secret": "-rw-------", "bin/fresh": "-rwxr-xr-x"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
