package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// lookTree tells whether a directory was swapped with its clone: by its inode, or,
// where that doesn't tell, by what the plan changes in it.
func (e *eyes) lookTree(s step, here fs.FileInfo) (status, error) {
	if here == nil || !here.IsDir() {
		return other, nil
	}
	in, id := e.intents[s.n], identOf(here)
	switch {
	case in.New.known() && id == in.New:
		return done, nil
	case in.Old.known() && id == in.Old, !in.Old.known():
		// Before the first intent the directory can't have been swapped.
		return notDone, nil
	}
	return other, nil
}

// checkInner compares what the plan changes in a directory with the disk, as check
// does for the other steps, and returns what will be done in it.
func (w *switcher) checkInner(ctx context.Context, st step) ([]intent, error) {
	found := make([]intent, len(st.inner))
	err := eachParallel(ctx, w.trees(), len(st.inner), func(t []*tree, i int) error {
		in := st.inner[i]
		e := eyes{site: t[0], update: t[1], intents: w.intents}
		here, err := exists(t[0], in.path)
		if err != nil {
			return err
		}
		asPlanned := here == nil
		switch in.kind {
		case makeDir, placeFile:
			asPlanned = asPlanned || in.turns
		case takeDir, clearDir:
			asPlanned = here != nil && here.IsDir()
		default:
			who, err := e.whose(t[0], in.path, here, in)
			if err != nil {
				return err
			}
			asPlanned = who == before
		}
		if !asPlanned {
			return fmt.Errorf("%s %w", in.path, ErrChanged)
		}
		found[i], err = e.intentOf(in, here, in.staged(), st.within(in))
		return err
	})
	return found, err
}

// build makes the clones of directories that are swapped whole, with the new release
// in them, and the directories that files become, and makes all of them durable.
func (w *switcher) build(ctx context.Context) error {
	w.lists = map[int][]node{}
	built := false
	for i, st := range w.steps {
		var do func(step) error
		switch {
		case !w.todo[i]:
		case st.kind == swapTree:
			do = w.clone
		case st.kind == turnOver && st.entry.Change == Mkdir:
			do = w.gather
		}
		if do == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(st); err != nil {
			return fmt.Errorf("build %s: %w", st.path, err)
		}
		built = true
	}
	if !built {
		return nil
	}
	return w.d.barrier(w.update)
}

// clone makes the staged directory what the site's is, with hard links, but for what
// the plan changes in it. A clone that was begun is gone on with.
func (w *switcher) clone(st step) error {
	c := cloner{d: w.d, from: w.site, fromDir: st.path, to: w.update, toDir: st.staged(), planned: plannedIn(st)}
	nodes, err := c.sync()
	if err != nil {
		return err
	}
	w.lists[st.n] = nodes
	return w.putInner(st)
}

// putInner puts what the plan brings into a staged directory.
func (w *switcher) putInner(st step) error {
	for _, in := range st.inner {
		at := st.within(in)
		switch in.kind {
		case makeDir:
			above, err := attrsOfDir(w.update, path.Dir(at))
			if err != nil {
				return err
			}
			above.xattrs = nil
			if err := w.d.mkdir(w.update, at, above); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		case placeFile, swapFile:
			if staged, err := exists(w.update, in.staged()); err != nil {
				return err
			} else if staged == nil {
				continue // in the clone already; the intents make sure
			}
			if err := w.d.move(w.update, in.staged(), w.update, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// plannedIn are the paths below a directory that is swapped whole which the plan
// itself makes, changes or removes.
func plannedIn(st step) map[string]kind {
	planned := map[string]kind{}
	for _, in := range st.inner {
		rel := strings.TrimPrefix(in.path, st.path+"/")
		if k, has := planned[rel]; !has || k == clearFile || k == clearDir {
			planned[rel] = in.kind
		}
	}
	return planned
}

// cloner makes one directory hold the same files as another, by hard links, except
// for what a plan says.
type cloner struct {
	d       disk
	from    *tree
	fromDir string
	to      *tree
	toDir   string
	planned map[string]kind
	whole   bool // it was whole once: a directory in it has all that it was made with
}

// sync makes the clone equal and returns the listing of the original that it is
// equal to.
func (c *cloner) sync() ([]node, error) {
	var nodes, have []node
	var both errgroup.Group
	both.Go(func() (err error) {
		nodes, err = list(c.from, c.fromDir, 1<<30)
		if err == nil && nodes == nil {
			err = ErrChanged
		}
		return err
	})
	both.Go(func() (err error) {
		have, err = list(c.to, c.toDir, 1<<30)
		return err
	})
	if err := both.Wait(); err != nil {
		return nil, err
	}
	clone := make(map[string]node, len(have))
	for _, n := range have {
		clone[n.path] = n
	}
	wanted := make(map[string]bool, len(nodes))
	var files []node // to be linked
	for _, n := range nodes {
		if _, planned := c.planned[n.path]; planned {
			continue
		}
		wanted[n.path] = true
		has, there := clone[n.path]
		switch {
		case there && !n.dir && has.id.Inode == n.id.Inode && has.id.known():
			continue
		case there && n.dir && has.dir && c.whole && has.mode == n.mode && has.owner == n.owner:
			continue
		}
		if there && has.dir != n.dir || there && !n.dir {
			if err := c.d.remove(c.to, path.Join(c.toDir, n.path)); err != nil {
				return nil, err
			}
			c.to.forget()
		}
		if !n.dir {
			files = append(files, n)
		} else if err := c.mkdirs(n.path); err != nil {
			return nil, err
		}
	}
	trees := []*tree{c.from, c.to}
	err := eachParallel(context.Background(), trees, len(files), func(t []*tree, i int) error {
		return c.link(t[0], t[1], files[i].path)
	})
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(have) {
		if _, planned := c.planned[n.path]; planned || wanted[n.path] {
			continue
		}
		if err := c.d.remove(c.to, path.Join(c.toDir, n.path)); err != nil {
			return nil, err
		}
		c.to.forget()
	}
	return nodes, nil
}

// link gives a file a name in the clone.
func (c *cloner) link(from, to *tree, rel string) error {
	do := func() error { return c.d.link(from, path.Join(c.fromDir, rel), to, path.Join(c.toDir, rel)) }
	err := do()
	if missing(err) {
		// It lies in a directory that the plan makes or removes, and so keeps it.
		own := cloner{d: c.d, from: from, fromDir: c.fromDir, to: to, toDir: c.toDir}
		if err = own.mkdirs(path.Dir(rel)); err == nil {
			err = do()
		}
	}
	return err
}

// mkdir makes a directory like that of the original.
func (c *cloner) mkdir(rel string) error {
	a, err := attrsOfDir(c.from, path.Join(c.fromDir, rel))
	if err != nil {
		return err
	}
	return c.d.mkdir(c.to, path.Join(c.toDir, rel), a)
}

func (c *cloner) mkdirs(rel string) error {
	err := c.mkdir(rel)
	if missing(err) && rel != "." {
		if err = c.mkdirs(path.Dir(rel)); err == nil {
			err = c.mkdir(rel)
		}
	}
	return err
}

// attrsOfDir reads what a directory has besides its entries, also what it hands on.
func attrsOfDir(t *tree, p string) (attrs, error) {
	h, err := t.dir(p)
	if err != nil {
		return attrs{}, err
	}
	d, err := h.root.Open(".")
	if err != nil {
		return attrs{}, unwrapPath(err)
	}
	defer d.Close()
	return readDirAttrs(d)
}

// carryOver takes what someone wrote into a directory in the moment between its
// cloning and its swapping over to the new one.
func (w *switcher) carryOver() error {
	for i, st := range w.steps {
		if st.kind != swapTree || !w.todo[i] {
			continue
		}
		if err := w.carryOverOf(st); err != nil {
			return fmt.Errorf("carry over what appeared in %s: %w", st.path, err)
		}
	}
	return nil
}

func (w *switcher) carryOverOf(st step) error {
	after, err := list(w.update, st.staged(), 1<<30)
	if err != nil {
		return err
	}
	was := map[string]node{}
	for _, n := range w.lists[st.n] {
		was[n.path] = n
	}
	planned := plannedIn(st)
	for _, n := range after {
		old, there := was[n.path]
		if there && (n.dir || n.id == old.id) {
			continue
		}
		if _, touched := planned[n.path]; touched {
			return fmt.Errorf("%s %w", path.Join(st.path, n.path), ErrChanged)
		}
		to := path.Join(st.path, n.path)
		if n.dir {
			a, err := attrsOfDir(w.update, path.Join(st.staged(), n.path))
			if err != nil {
				return err
			}
			if err := w.d.mkdir(w.site, to, a); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			continue
		}
		if there {
			if n.id.Inode == old.id.Inode {
				continue // written in place: it is the same file in both
			}
			if err := w.d.remove(w.site, to); err != nil && !missing(err) {
				return err
			}
		}
		if err := w.d.link(w.update, path.Join(st.staged(), n.path), w.site, to); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// undoTree swaps a directory back. What was written there after the update goes with
// it, and what was changed of what the update itself put there is set aside.
func (w *undoer) undoTree(st step) error {
	here, err := exists(w.site, st.path)
	if err != nil {
		return err
	}
	how, err := w.lookTree(st, here)
	switch {
	case err != nil:
		return err
	case how == other:
		return fmt.Errorf("%w: another directory is in its place", ErrChanged)
	case how == done:
		c := cloner{d: w.d, from: w.site, fromDir: st.path, to: w.update, toDir: st.staged(), planned: plannedIn(st), whole: true}
		if _, err := c.sync(); err != nil {
			return err
		}
		if err := w.d.barrier(w.update); err != nil {
			return err
		}
		if err := w.d.exchange(w.update, st.staged(), w.site, st.path); err != nil {
			return err
		}
		w.site.forget()
		w.update.forget()
	}
	return w.rescue(st)
}

// rescue sets aside what lies in the clone at a path of the plan and is neither the
// release's nor what was there before.
func (w *undoer) rescue(st step) error {
	for _, in := range st.inner {
		if in.kind == makeDir || in.kind == takeDir || in.kind == clearDir {
			continue
		}
		at := st.within(in)
		info, err := exists(w.update, at)
		if err != nil {
			return err
		}
		if info == nil || info.IsDir() {
			continue
		}
		who, err := w.whose(w.update, at, info, in)
		if err != nil {
			return err
		}
		if who == somebody {
			if err := w.setAside(w.update, at, in); err != nil {
				return err
			}
		}
	}
	return nil
}
