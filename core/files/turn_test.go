package files

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// turned is an update in which a file becomes a directory and a directory a file.
func turned() scenario {
	return scenario{
		shipped: contents{"a": "1", "b/x": "1", "b/y/z": "1", "c": "1"},
		new:     contents{"a/x": "2", "a/y/z": "2", "b": "2", "c": "2"}, full: true, way: "file",
	}
}

func TestFileAndDirectoryChangePlacesInOneCall(t *testing.T) {
	w := build(t, scratch(t), turned())
	defer w.close()
	before := w.digest()
	w.makePlan()
	f := &faultyDisk{}
	must(t, w.stage(f))
	staged := len(f.calls)
	must(t, w.switchOver(f))
	var inSite []string
	for _, call := range f.calls[staged:] {
		what := strings.Fields(call)
		if slices.ContainsFunc(what[1:], func(p string) bool {
			return p == "a" || p == "b" || strings.HasPrefix(p, "a/") || strings.HasPrefix(p, "b/")
		}) {
			inSite = append(inSite, what[0])
		}
	}
	if diff := cmp.Diff([]string{"exchange", "exchange"}, inSite); diff != "" {
		t.Errorf("calls that touch a or b (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(w.sc.new, w.tree()); diff != "" {
		t.Error(diff)
	}
	v, err := Read(w.site, w.u, w.plan, "b/y/z", nil)
	if err != nil || string(v.Here) != "1" {
		t.Errorf("of b/y/z before the update there is %q, %v", v.Here, err)
	}
	if notes, err := w.undo(f); err != nil || len(notes) > 0 || w.digest() != before {
		t.Errorf("undo: %v, notes %q; the site holds %v", err, notes, w.tree())
	}
}

func TestWhatAppearsWhereADirectoryBecomesAFileStopsTheSwitch(t *testing.T) {
	w := build(t, scratch(t), turned())
	defer w.close()
	w.makePlan()
	must(t, w.stage(realDisk{}))
	m := &meddler{disk: realDisk{}, when: "before b", do: func() {
		must(t, os.WriteFile(filepath.Join(w.dir, "b", "y", "visitor"), []byte("mine"), 0o644))
	}}
	if err := w.switchOver(m); !errors.Is(err, ErrChanged) || !strings.Contains(err.Error(), "b/y/visitor") {
		t.Errorf("the switch says %v", err)
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
		t.Errorf("undo: %v, notes %q", err, notes)
	}
	want := w.sc.shipped
	want["b/y/visitor"] = "mine"
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		t.Error(diff)
	}
}

// TestUndoOfATurnKeepsWhatWasDoneSince changes what came to either path.
func TestUndoOfATurnKeepsWhatWasDoneSince(t *testing.T) {
	w := build(t, scratch(t), turned())
	defer w.close()
	w.makePlan()
	w.all(realDisk{})
	must(t, os.WriteFile(filepath.Join(w.dir, "a", "visitor"), []byte("mine"), 0o644))
	must(t, os.WriteFile(filepath.Join(w.dir, "b"), []byte("changed"), 0o644))
	for range 2 {
		notes, err := w.undo(realDisk{})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(notes)
	}
	want := w.sc.shipped
	want["a.moult-u1/visitor"], want["b.moult-u1"] = "mine", "changed"
	want["a.moult-u1/x"], want["a.moult-u1/y/z"] = "2", "2"
	if diff := cmp.Diff(want, w.tree()); diff != "" {
		t.Error(diff)
	}
}

func TestUndoOfATurnPutsBackWhatWasRemovedSince(t *testing.T) {
	w := build(t, scratch(t), turned())
	defer w.close()
	before := w.digest()
	w.makePlan()
	w.all(realDisk{})
	must(t, os.RemoveAll(filepath.Join(w.dir, "a")))
	must(t, os.Remove(filepath.Join(w.dir, "b")))
	notes, err := w.undo(realDisk{})
	if err != nil || len(notes) != 2 {
		t.Errorf("undo: %v, notes %q", err, notes)
	}
	if w.digest() != before {
		t.Errorf("the site holds %v", w.tree())
	}
}
