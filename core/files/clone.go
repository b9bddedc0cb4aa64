package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"moult/core/release"
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
	w.lists = make([][]node, len(w.steps))
	var built atomic.Bool
	err := eachParallel(ctx, w.trees(), len(w.steps), func(t []*tree, i int) (err error) {
		st := w.steps[i]
		b := builder{d: w.d, site: t[0], update: t[1]}
		switch {
		case !w.todo[i]:
			return nil
		case st.kind == swapTree:
			w.lists[i], err = b.clone(ctx, st)
		case st.kind == turnOver && st.entry.Change == Mkdir:
			err = b.gather(ctx, st)
		default:
			return nil
		}
		if err != nil {
			return fmt.Errorf("build %s: %w", st.path, err)
		}
		built.Store(true)
		return nil
	})
	if err != nil || !built.Load() {
		return err
	}
	return w.d.barrier(w.update)
}

// builder fills directories of the update that will take the place of something.
type builder struct {
	d            disk
	site, update *tree
}

// clone makes the staged directory what the site's is, with hard links, but for what
// the plan changes in it. A clone that was begun is gone on with. It returns the
// listing of the directory that it was made equal to.
func (b *builder) clone(ctx context.Context, st step) ([]node, error) {
	c := cloner{d: b.d, from: b.site, fromDir: st.path, to: b.update, toDir: st.staged(), planned: plannedIn(st)}
	nodes, err := c.sync()
	if err != nil {
		return nil, err
	}
	return nodes, b.putInner(ctx, st)
}

// putInner puts what the plan brings into a staged directory: the directories first.
func (b *builder) putInner(ctx context.Context, st step) error {
	for _, in := range st.inner {
		if in.kind != makeDir {
			continue
		}
		at := st.within(in)
		above, err := attrsOfDir(b.update, path.Dir(at))
		if err != nil {
			return err
		}
		above.xattrs = nil
		if err := b.d.mkdir(b.update, at, above); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return eachParallel(ctx, []*tree{b.update}, len(st.inner), func(t []*tree, i int) error {
		in := st.inner[i]
		if in.kind != placeFile && in.kind != swapFile {
			return nil
		}
		staged, err := exists(t[0], in.staged())
		if err != nil || staged == nil {
			return err // in the clone already; the intents make sure
		}
		return b.d.move(t[0], in.staged(), t[0], st.within(in))
	})
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
	// aside names what can't be where it is in the original, since the plan needs its
	// place for something else. Nil: that is an error.
	aside func(rel string) string
	// moved are the names that were needed, by paths of the original.
	moved map[string]string
}

// copied is something of the original that the clone is to have at a path.
type copied struct {
	node
	at string
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
	holds := c.holding(have)
	all, err := c.wanted(nodes, have, holds)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]node, len(all))
	for _, w := range all {
		wanted[w.at] = w.node
	}
	kept := make(map[string]node, len(have))
	for _, n := range slices.Backward(have) { // what is in a directory comes after it
		w, is := wanted[n.path]
		_, planned := c.planned[n.path]
		switch {
		case planned, holds[n.path], is && w.dir && n.dir, is && !w.dir && !n.dir && w.inode == n.inode && n.inode != 0:
			kept[n.path] = n
			continue
		}
		if err := c.d.remove(c.to, path.Join(c.toDir, n.path)); err != nil {
			return nil, err
		}
		c.to.forget()
	}
	var files []copied // to be linked
	for _, w := range all {
		has, there := kept[w.at]
		switch {
		case !w.dir && !there:
			files = append(files, w)
		case w.dir && !(there && c.whole && has.mode == w.mode && has.owner == w.owner && has.group == w.group):
			if err := c.mkdirs(w.path, w.at); err != nil {
				return nil, err
			}
		}
	}
	err = eachParallel(context.Background(), []*tree{c.from, c.to}, len(files), func(t []*tree, i int) error {
		return c.link(t[0], t[1], files[i].path, files[i].at)
	})
	return nodes, err
}

// holding finds the directories of the clone with something of the plan's in them.
func (c *cloner) holding(have []node) map[string]bool {
	holds := map[string]bool{}
	for _, n := range have {
		if _, planned := c.planned[n.path]; planned {
			parents(release.Path(n.path), func(dir release.Path) { holds[string(dir)] = true })
		}
	}
	return holds
}

// wanted lists what the clone is to have besides what the plan itself makes, changes or
// removes, and where.
func (c *cloner) wanted(nodes, have []node, holds map[string]bool) ([]copied, error) {
	clone := make(map[string]node, len(have))
	for _, n := range have {
		clone[n.path] = n
	}
	taken := make(map[string]bool, len(nodes))
	for _, n := range nodes {
		taken[n.path] = true
	}
	instead := map[string]string{} // of paths that are in the way, the names that are given
	var all []copied
	for _, n := range nodes {
		_, planned := c.planned[n.path]
		at, why := n.path, ""
		parents(release.Path(n.path), func(dir release.Path) {
			if name, is := instead[string(dir)]; is {
				at, why = name+strings.TrimPrefix(n.path, string(dir)), string(dir)
			}
		})
		has, there := clone[n.path]
		if why == "" && c.inTheWay(n, has, there, holds[n.path]) {
			if c.aside == nil {
				return nil, fmt.Errorf("%s %w", n.path, ErrChanged)
			}
			at, why = c.aside(n.path), n.path
			for k := 2; taken[at]; k++ {
				at = c.aside(n.path) + "-" + strconv.Itoa(k)
			}
			instead[why] = at
			if n.dir {
				continue // made for the first file in it that is not the plan's
			}
			planned = false
		}
		if planned || why != "" && n.dir {
			continue
		}
		if why != "" {
			c.moved[why] = instead[why]
		}
		all = append(all, copied{n, at})
	}
	return all, nil
}

// inTheWay reports whether something of the original is where the plan's own goes back
// to. There says whether the clone has something at its path, held whether that holds
// what is the plan's.
func (c *cloner) inTheWay(n, has node, there, held bool) bool {
	does, planned := c.planned[n.path]
	switch {
	case !n.dir && planned && does == makeDir:
		return true
	case !there || has.dir == n.dir:
		return false
	case n.dir:
		return planned
	}
	return held && (!planned || does == takeDir)
}

// link gives a file of the original a name in the clone.
func (c *cloner) link(from, to *tree, rel, at string) error {
	do := func() error { return c.d.link(from, path.Join(c.fromDir, rel), to, path.Join(c.toDir, at)) }
	err := do()
	if missing(err) {
		// It lies in a directory that the plan makes or removes, and so keeps it.
		own := cloner{d: c.d, from: from, fromDir: c.fromDir, to: to, toDir: c.toDir}
		if err = own.mkdirs(path.Dir(rel), path.Dir(at)); err == nil || errors.Is(err, fs.ErrExist) {
			err = do()
		}
	}
	return err
}

// mkdir makes a directory like that of the original.
func (c *cloner) mkdir(rel, at string) error {
	a, err := attrsOfDir(c.from, path.Join(c.fromDir, rel))
	if err != nil {
		return err
	}
	return c.d.mkdir(c.to, path.Join(c.toDir, at), a)
}

func (c *cloner) mkdirs(rel, at string) error {
	err := c.mkdir(rel, at)
	if missing(err) && rel != "." {
		if err = c.mkdirs(path.Dir(rel), path.Dir(at)); err == nil {
			err = c.mkdir(rel, at)
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

// carryOver takes what someone wrote into the directory of a step, in the moment
// between its cloning and its swapping, over to the one that is in its place now.
// cloned is the listing that the clone was made equal to, after that of what is out of
// the site now. planned is called for a path of the plan, which is not taken over.
func (e *eyes) carryOver(d disk, st step, cloned, after []node, planned func(p string) error) error {
	was := make(map[string]node, len(cloned))
	for _, n := range cloned {
		was[n.path] = n
	}
	touched := plannedIn(st)
	c := cloner{d: d, from: e.update, fromDir: st.staged(), to: e.site, toDir: st.path}
	for _, n := range after {
		old, there := was[n.path]
		if there && (n.dir || n.inode == old.inode && n.inode != 0) {
			continue
		}
		to := path.Join(st.path, n.path)
		if _, is := touched[n.path]; is {
			if err := planned(to); err != nil {
				return err
			}
			continue
		}
		if n.dir {
			if err := c.mkdirs(n.path, n.path); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			continue
		}
		if there {
			if err := d.remove(e.site, to); err != nil && !missing(err) {
				return err
			}
		}
		if err := c.link(e.update, e.site, n.path, n.path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
