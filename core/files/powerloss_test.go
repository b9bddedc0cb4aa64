package files

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"testing"

	"moult/core/site"
)

// Power loss: a file system may have written any of the changes since the last
// barrier and lost the others, whatever their order was. The recording disk writes
// down what an update does; then, for every moment at which the power can go, every
// subset of what was not yet behind a barrier is played into a fresh site, which
// must recover.

// op is one recorded call.
type op struct {
	what    string
	barrier bool // everything before it is on the disk
	note    bool // goes to the journal, which keeps its order
	flush   bool // every note before it is on the disk
	play    func(w *world)
}

// side tells which tree of a world a recorded call means.
type side bool

func (s side) tree(w *world) *tree {
	if s {
		return newTree(w.u.Root)
	}
	return newTree(w.site.Root)
}

// recordingDisk records the calls that it does.
type recordingDisk struct {
	realDisk
	w   *world
	mu  sync.Mutex // the stage is filled by several goroutines
	ops []op
}

var _ disk = (*recordingDisk)(nil)

// side tells which tree a call means, and where in it: the package lies in the
// update's directory.
func (r *recordingDisk) side(t *tree, p string) (side, string) {
	switch t.base.root {
	case r.w.site.Root:
		return false, p
	case r.w.u.Root:
		return true, p
	}
	return true, "contents/" + p
}

func (r *recordingDisk) add(what string, play func(w *world)) {
	r.record(op{what: what, play: play})
}

func (r *recordingDisk) record(o op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, o)
}

func (r *recordingDisk) create(t *tree, p string) (io.WriteCloser, error) {
	f, err := r.realDisk.create(t, p)
	if err != nil {
		return nil, err
	}
	s, _ := r.side(t, p)
	r.add("create "+p, func(w *world) {
		if f, err := (realDisk{}).create(s.tree(w), p); err == nil {
			f.Close()
		}
	})
	return &recordedFile{f, r, s, p}, nil
}

type recordedFile struct {
	io.WriteCloser
	r *recordingDisk
	s side
	p string
}

func (f *recordedFile) Write(b []byte) (int, error) {
	text := bytes.Clone(b)
	f.r.add("write "+f.p, func(w *world) {
		root := w.site.Root
		if f.s {
			root = w.u.Root
		}
		_ = root.WriteFile(f.p, text, 0o600)
	})
	return f.WriteCloser.Write(b)
}

func (r *recordingDisk) mkdir(t *tree, p string, a attrs) error {
	s, _ := r.side(t, p)
	r.add("mkdir "+p, func(w *world) { _ = realDisk{}.mkdir(s.tree(w), p, a) })
	return r.realDisk.mkdir(t, p, a)
}

func (r *recordingDisk) setAttrs(t *tree, p string, a attrs) error {
	s, at := r.side(t, p)
	r.add("attrs "+at, func(w *world) { _ = realDisk{}.setAttrs(s.tree(w), at, a) })
	return r.realDisk.setAttrs(t, p, a)
}

func (r *recordingDisk) two(what string, do func(realDisk, *tree, string, *tree, string) error, a *tree, p string, b *tree, q string) error {
	from, at := r.side(a, p)
	to, new := r.side(b, q)
	r.add(what+" "+p+" "+q, func(w *world) { _ = do(realDisk{}, from.tree(w), at, to.tree(w), new) })
	return do(r.realDisk, a, p, b, q)
}

func (r *recordingDisk) exchange(a *tree, p string, b *tree, q string) error {
	return r.two("exchange", realDisk.exchange, a, p, b, q)
}

func (r *recordingDisk) move(a *tree, p string, b *tree, q string) error {
	return r.two("move", realDisk.move, a, p, b, q)
}

func (r *recordingDisk) replace(a *tree, p string, b *tree, q string) error {
	return r.two("replace", realDisk.replace, a, p, b, q)
}

func (r *recordingDisk) link(a *tree, p string, b *tree, q string) error {
	return r.two("link", realDisk.link, a, p, b, q)
}

func (r *recordingDisk) remove(t *tree, p string) error {
	s, _ := r.side(t, p)
	r.add("remove "+p, func(w *world) { _ = realDisk{}.remove(s.tree(w), p) })
	return r.realDisk.remove(t, p)
}

func (r *recordingDisk) barrier(*tree) error {
	r.record(op{what: "barrier", barrier: true, flush: true, play: func(*world) {}})
	return nil
}

func (r *recordingDisk) reserve(*site.Site) error { return nil }

func (r *recordingDisk) note(j *site.Journal, kind string, data any) error {
	r.record(op{what: "note " + kind, note: true, play: func(w *world) { w.playNote(kind, data) }})
	return r.realDisk.note(j, kind, data)
}

func (r *recordingDisk) flush(*site.Journal) error {
	r.record(op{what: "flush", flush: true, play: func(*world) {}})
	return nil
}

// playNote writes a record, with the inodes of this world.
func (w *world) playNote(kind string, data any) {
	if in, ok := data.(intent); ok {
		e, err := newEyes(w.site, w.u, w.plan, nil)
		if err != nil {
			w.Fatal(err)
		}
		defer e.close()
		in.Old, in.New = ident{}, ident{}
		if info, _ := exists(e.site, in.Path); info != nil {
			in.Old = identOf(info)
		}
		for _, st := range stepsOf(w.plan, beginning{Trees: true, Turns: true}) {
			places := []string{st.staged()}
			if st.n != in.N {
				places = nil
				for _, inner := range st.inner {
					if inner.n == in.N {
						places = []string{st.within(inner), inner.staged()}
					}
				}
			}
			for _, p := range places {
				if info, _ := exists(e.update, p); info != nil && in.New == (ident{}) {
					in.New = identOf(info)
				}
			}
		}
		data = in
	}
	j, _, err := w.u.Journal()
	if err != nil {
		w.Fatal(err)
	}
	defer j.Close()
	if err := j.Append(kind, data); err != nil {
		w.Fatal(err)
	}
}

// record does a whole update, or an update and its undo, and returns the calls.
func record(t tb, base string, sc scenario, wrap func(disk) disk, undo bool) []op {
	w := build(t, base, sc)
	defer w.close()
	w.makePlan()
	r := &recordingDisk{w: w}
	if err := w.stage(wrap(r)); err != nil {
		t.Fatal(err)
	}
	if err := w.switchOver(wrap(r)); err != nil {
		t.Fatal(err)
	}
	if undo {
		r.record(op{what: "barrier", barrier: true, flush: true, play: func(*world) {}})
		if _, err := w.undo(wrap(r)); err != nil {
			t.Fatal(err)
		}
	}
	return r.ops
}

// mostLoose is how many calls after a barrier every subset is tried of; of more, the
// subsets of the last ones are, with all before them done or none.
const mostLoose = 9

// TestPowerLossAtEveryMoment enumerates what a file system may have kept.
func TestPowerLossAtEveryMoment(t *testing.T) {
	base := scratch(t)
	states := 0
	small := []scenario{
		{shipped: contents{"a": "1", "b": "1"}, new: contents{"a": "2", "b": "2"}, full: true},
		{shipped: contents{"a": "1", "old": "1"}, new: contents{"a": "2", "new": "2"}, full: true},
		{shipped: contents{"a": "1"}, new: contents{"a/x": "2"}, full: true},
		{shipped: contents{"a/x": "1"}, new: contents{"a": "2"}, full: true},
		{shipped: contents{"d/a": "1", "d/b": "1", "d/c": "1"}, new: contents{"d/a": "2", "d/b": "2", "d/c": "1"}, full: true},
		{shipped: contents{"d/x": "1", "e": "1"}, new: contents{"e": "2", "f/g": "2"}, full: true},
	}
	plain := func(d disk) disk { return d }
	without := func(d disk) disk { return fallbackDisk{d} }
	for i, sc := range small {
		for k, wrap := range []func(disk) disk{plain, without} {
			for _, undo := range []bool{false, true} {
				if !torture() && (i+k)%2 == 1 || !torture() && undo && i > 1 {
					continue
				}
				ops := record(t, base, sc, wrap, undo)
				for n := 0; n < len(ops); n += stride(3) {
					states += loseAt(t, base, sc, wrap, ops[:n+1])
				}
			}
		}
	}
	t.Logf("%d states that a power cut may leave, all recovered", states)
	if states < 300 {
		t.Errorf("only %d states were tried", states)
	}
}

// loseAt tries every state in which the power may have gone after these calls.
func loseAt(t *testing.T, base string, sc scenario, wrap func(disk) disk, ops []op) (states int) {
	safe, flushed := 0, 0
	for i, o := range ops {
		if o.barrier {
			safe = i + 1
		}
		if o.flush {
			flushed = i + 1
		}
	}
	var loose []int // calls on the file system that may be lost, each for itself
	for i := safe; i < len(ops); i++ {
		if !ops[i].note && !ops[i].flush {
			loose = append(loose, i)
		}
	}
	most := mostLoose
	if !torture() {
		most = 3
	}
	loose = loose[max(0, len(loose)-most):]
	for subset := range 1 << len(loose) {
		for _, notesToo := range []bool{true, false} {
			lost := map[int]bool{}
			for bit, i := range loose {
				lost[i] = subset&(1<<bit) != 0
			}
			for i := flushed; i < len(ops); i++ {
				lost[i] = lost[i] || ops[i].note && !notesToo
			}
			recoverFrom(t, base, sc, wrap, ops, lost)
			states++
			if flushed == len(ops) {
				break
			}
		}
	}
	return states
}

func recoverFrom(t *testing.T, base string, sc scenario, wrap func(disk) disk, ops []op, lost map[int]bool) {
	w := build(t, base, sc)
	defer w.close()
	before := w.digest()
	w.makePlan()
	for i, o := range ops {
		if !lost[i] {
			o.play(w)
		}
	}
	notes, err := w.undo(wrap(&faultyDisk{}))
	if err != nil || len(notes) > 0 || w.digest() != before {
		what := make([]string, 0, len(ops))
		for i, o := range ops {
			state := ""
			if lost[i] {
				state = " (lost)"
			}
			what = append(what, o.what+state)
		}
		list, _ := json.MarshalIndent(what, "", " ")
		t.Fatalf("after %s\nundo: %v, notes %q; the site holds %v", list, err, notes, w.tree())
	}
}
