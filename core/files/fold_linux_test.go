package files

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

// foldingDisk mounts a file system that takes names for the same that differ in their
// case only. It skips where none can be had.
func foldingDisk(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"mkntfs", "lowntfs-3g", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	image, dir := filepath.Join(t.TempDir(), "image"), t.TempDir()
	must(t, os.WriteFile(image, nil, 0o600))
	must(t, os.Truncate(image, 32<<20))
	for _, arg := range [][]string{{"mkntfs", "-F", "-Q", "-q", image}, {"lowntfs-3g", "-o", "ignore_case,permissions", image, dir}} {
		if out, err := exec.Command(arg[0], arg[1:]...).CombinedOutput(); err != nil {
			t.Skipf("%s: %v, %s", arg[0], err, out)
		}
	}
	t.Cleanup(func() {
		for range 20 { // it lets go when it has written everything
			if exec.Command("umount", dir).Run() == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Errorf("%s is still mounted", dir)
	})
	return dir
}

// readAs reads files by the spelling of the given ones: the kernel remembers what
// other spellings named before.
func (w *world) readAs(c contents) contents {
	w.Helper()
	got := contents{}
	for p := range c {
		b, err := w.site.Root.ReadFile(p)
		if err != nil {
			w.Errorf("%v", err)
		}
		got[p] = string(b)
	}
	return got
}

// TestNamesThatDifferInCaseOnly changes the case of names where that makes no other
// name.
func TestNamesThatDifferInCaseOnly(t *testing.T) {
	base := foldingDisk(t)
	tests := []scenario{
		{
			name:    "the same contents",
			shipped: contents{"Readme": "1", "Lib/a": "1"}, new: contents{"README": "1", "lib/a": "1"}, full: true,
			after: contents{"README": "1", "lib/a": "1"},
		},
		{
			name:    "other contents",
			shipped: contents{"Readme": "1", "Lib/a": "1", "old": "1"}, new: contents{"README": "2", "lib/a": "2", "new": "2"}, full: true,
			after: contents{"README": "2", "lib/a": "2", "new": "2"},
		},
		{
			name:    "edited here, keep mine",
			shipped: contents{"Readme": "1", "b": "1"}, here: contents{"Readme": "mine", "b": "1"}, new: contents{"README": "2", "b": "2"}, full: true,
			choices: map[release.Path]Choice{"README": ChoiceKeep},
			after:   contents{"README": "mine", "b": "2"},
		},
		{
			name:    "edited here, use new",
			shipped: contents{"Readme": "1", "b": "1"}, here: contents{"Readme": "mine", "b": "1"}, new: contents{"README": "2", "b": "2"}, full: true,
			choices: map[release.Path]Choice{"README": ChoiceNew},
			after:   contents{"README": "2", "b": "2"},
		},
		{
			name:    "edited here, only the name changes, use new",
			shipped: contents{"Readme": "1", "b": "1"}, here: contents{"Readme": "mine", "b": "1"}, new: contents{"README": "1", "b": "2"}, full: true,
			choices: map[release.Path]Choice{"README": ChoiceNew},
			after:   contents{"README": "mine", "b": "2"},
		},
	}
	for _, sc := range tests {
		t.Run(sc.name, func(t *testing.T) {
			w := build(t, base, sc)
			defer w.close()
			w.makePlan()
			if !w.plan.Folds {
				t.Fatal("it was not noticed that the disk folds case")
			}
			w.all(realDisk{})
			must(t, Verify(t.Context(), w.site, w.plan))
			if diff := cmp.Diff(sc.after, w.readAs(sc.after)); diff != "" {
				t.Errorf("after the update (-want +got):\n%s\nplan: %s", diff, w.plan.text())
			}
			if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
				t.Errorf("undo: %v, notes %q", err, notes)
			}
			must(t, VerifyOld(t.Context(), w.site, w.plan))
		})
	}
}

func TestReleaseWithTwoSpellingsOfAFileIsBlockedWhereTheyAreOne(t *testing.T) {
	sc := scenario{shipped: contents{"a": "1"}, new: contents{"a": "1", "Read": "1", "READ": "2"}, full: true}
	w := build(t, foldingDisk(t), sc)
	defer w.close()
	w.makePlan()
	if len(w.plan.Blocks) != 1 || w.plan.Blocks[0].Code != "case" {
		t.Errorf("blocks %+v", w.plan.Blocks)
	}
}
