package files

import (
	"context"
	"fmt"
	"io/fs"
	"path"
)

// Where a file becomes a directory, or a directory a file, one exchange does it: the
// new directory is filled before, and the old one goes away with everything in it, so
// that the path is never missing and never half of either. Where the system can't
// exchange, the path is cleared first and the new file or directory comes then.

// turnsOf makes one step of all those of a path at which a file and a directory
// change places.
func turnsOf(steps []step) []step {
	come := map[string]step{}
	for _, s := range steps {
		if s.turns && (s.kind == makeDir || s.kind == placeFile) {
			come[s.path] = s
		}
	}
	over := map[string]*step{}
	for _, s := range steps {
		c, has := come[s.path]
		if has && (s.kind == clearFile && c.kind == makeDir || s.kind == clearDir && c.kind == placeFile) {
			over[s.path] = &step{n: c.n, post: c.post, kind: turnOver, path: s.path, entry: c.entry, gone: s.entry, turns: true}
		}
	}
	if len(over) == 0 {
		return steps
	}
	var rest, turned []step
	for _, s := range steps {
		switch t := aroundOf(over, s.path); {
		case t == nil:
			rest = append(rest, s)
		case t.path != s.path:
			t.inner = append(t.inner, s)
		case s.n == t.n:
			turned = append(turned, s)
		}
	}
	for i := range turned {
		turned[i] = *over[turned[i].path]
	}
	return insert(rest, turned)
}

// aroundOf returns the step at a path or at a directory above it.
func aroundOf(over map[string]*step, p string) *step {
	for ; p != "."; p = path.Dir(p) {
		if t := over[p]; t != nil {
			return t
		}
	}
	return nil
}

// goneStep stands for the file or directory that a step turns over.
func (s step) goneStep() step { return step{n: s.n, post: s.post, path: s.path, entry: s.gone} }

// lookTurn tells whether a file and a directory have changed places: by inode, or,
// where that doesn't tell, by what they are.
func (e *eyes) lookTurn(s step, here fs.FileInfo) (status, error) {
	if here == nil {
		return other, nil
	}
	in, id := e.intents[s.n], identOf(here)
	intoDir := s.entry.Change == Mkdir
	switch {
	case in.New.known() && id == in.New:
		return done, nil
	case in.Old.known() && id == in.Old:
		return notDone, nil
	case here.IsDir() && intoDir: // not the one of the journal, if that tells of one
		kept, err := exists(e.update, s.staged())
		if err != nil || in.New.known() || kept == nil {
			return other, err
		}
		who, err := e.whose(e.update, s.staged(), kept, s.goneStep())
		if err != nil || who != before {
			return other, err
		}
		return done, nil
	case here.IsDir():
		if in.Old.known() {
			return other, nil
		}
		return notDone, nil
	case intoDir:
		return e.when(before, notDone, s.goneStep(), here)
	}
	return e.when(ours, done, s, here)
}

// gather fills the directory that a file becomes.
func (b *builder) gather(ctx context.Context, st step) error {
	above, err := b.site.dir(path.Dir(st.path))
	if err != nil {
		return err
	}
	dir, err := above.root.Open(".")
	if err != nil {
		return unwrapPath(err)
	}
	defer dir.Close()
	a, err := inheritDirAttrs(dir)
	if err != nil {
		return err
	}
	if err := b.d.mkdir(b.update, st.staged(), a); err != nil {
		return err
	}
	return b.putInner(ctx, st)
}

// nothingElse makes sure that a directory which became a file held only what the
// plan says.
func (w *switcher) nothingElse(st step) error {
	nodes, err := list(w.update, st.staged(), 1<<30)
	if err != nil {
		return err
	}
	planned := plannedIn(st)
	for _, n := range nodes {
		if _, is := planned[n.path]; !is && n.path != "." {
			return fmt.Errorf("%s/%s appeared in it: %w", st.path, n.path, ErrChanged)
		}
	}
	return nil
}

// undoTurn lets a file and a directory change places again.
func (w *undoer) undoTurn(st step) error {
	here, err := exists(w.site, st.path)
	if err != nil {
		return err
	}
	if here != nil {
		how, err := w.lookTurn(st, here)
		if err != nil {
			return err
		}
		if how == notDone {
			return w.turnedOut(st)
		}
	}
	kept, err := exists(w.update, st.staged())
	if err != nil || kept == nil {
		return err
	}
	if st.gone.Change == Rmdir != kept.IsDir() {
		return nil // never turned over: what is here was changed after the plan was made
	}
	if !kept.IsDir() {
		if who, err := w.whose(w.update, st.staged(), kept, st.goneStep()); err != nil || who == ours {
			return err
		}
	}
	defer w.site.forget()
	defer w.update.forget()
	if here == nil {
		w.say(saidRemoved, st.path)
		return w.d.move(w.update, st.staged(), w.site, st.path)
	}
	if err := w.d.exchange(w.update, st.staged(), w.site, st.path); err != nil {
		return err
	}
	w.site.forget()
	w.update.forget()
	return w.turnedOut(st)
}

// turnedOut sets aside what came out of the site if someone has changed it, or
// something in it, since the update put it there.
func (w *undoer) turnedOut(st step) error {
	out, err := exists(w.update, st.staged())
	if err != nil || out == nil {
		return err
	}
	if !out.IsDir() {
		return w.leftover(st)
	}
	ours, err := w.allOurs(st)
	if err != nil || ours {
		return err
	}
	return w.setAside(w.update, st.staged(), st.path)
}

// allOurs reports whether a directory holds nothing but what the update put there.
func (w *undoer) allOurs(st step) (bool, error) {
	nodes, err := list(w.update, st.staged(), 1<<30)
	if err != nil {
		return false, err
	}
	put := map[string]step{}
	for _, in := range st.inner {
		put[st.within(in)] = in
	}
	for _, n := range nodes[1:] {
		at := path.Join(st.staged(), n.path)
		in, is := put[at]
		if !is || n.dir != (in.kind == makeDir) {
			return false, nil
		}
		if n.dir {
			continue
		}
		info, err := w.update.lstat(at)
		if err != nil {
			return false, err
		}
		if who, err := w.whose(w.update, at, info, in); err != nil || who != ours {
			return false, err
		}
	}
	return true, nil
}
