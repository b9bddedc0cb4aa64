package files

import (
	"context"
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
)

// readyTrees makes ready to go back what lay in the place of directories that were
// swapped whole: what was written there after the update goes with it. All of them are
// ready, and on the disk, before the first goes back, so that nothing but one call for
// each is between two releases. It returns what they were made equal to, by index of
// steps; nil stands for a step that has nothing to go back.
func (w *undoer) readyTrees(steps []step) [][]node {
	ready, moved, errs := make([][]node, len(steps)), make([]map[string]string, len(steps)), make([]error, len(steps))
	_ = w.each(len(steps), func(t []*tree, i int) error {
		if steps[i].kind != swapTree {
			return nil
		}
		e := eyes{site: t[0], update: t[1], intents: w.intents}
		errs[i] = w.withRoom(func() (err error) {
			ready[i], moved[i], err = e.ready(w.d, steps[i], w.asideName)
			return err
		})
		return nil
	})
	some := false
	for i, st := range steps {
		if errs[i] != nil {
			w.fail(st, errs[i])
			ready[i] = nil
		}
		for _, rel := range slices.Sorted(maps.Keys(moved[i])) {
			w.say("%s was changed after the update; that is kept as %s", path.Join(st.path, rel), path.Join(st.path, moved[i][rel]))
		}
		some = some || ready[i] != nil
	}
	if !some {
		return ready
	}
	if err := w.barrier(); err != nil {
		for i, st := range steps {
			if ready[i] != nil {
				w.fail(st, err)
				ready[i] = nil
			}
		}
	}
	return ready
}

// ready makes one directory ready; nil stands for one that was not swapped. What was
// put since where something else goes back to gets a name of its own: asideName gives it.
func (e *eyes) ready(d disk, st step, asideName func(p string) string) ([]node, map[string]string, error) {
	here, err := exists(e.site, st.path)
	if err != nil {
		return nil, nil, err
	}
	switch how, err := e.lookTree(st, here); {
	case err != nil || how == notDone:
		return nil, nil, err
	case how == other:
		old := e.intents[st.n].Old
		staged, err := exists(e.update, st.staged())
		if err != nil || staged == nil || !old.known() || identOf(staged) != old {
			return nil, nil, err // never swapped, or back already: what is here is somebody's
		}
		return []node{}, nil, nil
	}
	c := cloner{d: d, from: e.site, fromDir: st.path, to: e.update, toDir: st.staged(), planned: plannedIn(st), whole: true, moved: map[string]string{}}
	c.aside = func(rel string) string {
		return strings.TrimPrefix(asideName(path.Join(st.path, rel)), st.path+"/")
	}
	nodes, err := c.sync()
	return nodes, c.moved, err
}

// undoTree swaps a directory back that is ready. Where what the update put there is gone,
// it is moved back, and what has taken its place is set aside.
func (w *undoer) undoTree(st step, ready []node) error {
	defer w.site.forget()
	defer w.update.forget()
	if len(ready) > 0 {
		return w.d.exchange(w.update, st.staged(), w.site, st.path)
	}
	if err := w.makeWay(st.path); err != nil {
		return err
	}
	here, err := exists(w.site, st.path)
	if err != nil {
		return err
	}
	if here != nil {
		if err := w.setAside(w.site, st.path, st.path); err != nil {
			return err
		}
	} else {
		w.say(saidRemoved, st.path)
	}
	return w.d.move(w.update, st.staged(), w.site, st.path)
}

// outOfTree is what came out of the site in a directory that went back whole.
type outOfTree struct {
	nodes []node
	// foreign are the parts of the step at whose paths lies what is neither the
	// release's nor what was there before.
	foreign []step
	err     error
}

// outOfTrees looks at what came out, by index of steps.
func (w *undoer) outOfTrees(steps []step, ready [][]node) []outOfTree {
	out := make([]outOfTree, len(steps))
	_ = w.each(len(steps), func(t []*tree, i int) error {
		if st := steps[i]; st.kind == swapTree && !w.waits(st) {
			e := eyes{site: t[0], update: t[1], intents: w.intents}
			out[i] = e.outOf(st, ready[i] != nil)
		}
		return nil
	})
	return out
}

func (e *eyes) outOf(st step, swapped bool) (out outOfTree) {
	if swapped {
		if out.nodes, out.err = list(e.update, st.staged(), 1<<30); out.err != nil {
			return out
		}
	}
	foreign := make([]bool, len(st.inner))
	out.err = eachParallel(context.Background(), e.trees(), len(st.inner), func(t []*tree, i int) error {
		in := st.inner[i]
		if in.kind == makeDir || in.kind == takeDir || in.kind == clearDir {
			return nil
		}
		info, err := exists(t[1], st.within(in))
		if link := new(LinkError); errors.As(err, &link) {
			return nil // a directory became a link, which went along
		}
		if err != nil || info == nil || info.IsDir() {
			return err
		}
		e := eyes{site: t[0], update: t[1], intents: e.intents}
		who, err := e.whose(t[1], st.within(in), info, in)
		foreign[i] = who == somebody
		return err
	})
	for i, in := range st.inner {
		if foreign[i] {
			out.foreign = append(out.foreign, in)
		}
	}
	return out
}

// leftInTrees carries over what came out and was written there by others, and reports
// whether it changed anything.
func (w *undoer) leftInTrees(steps []step, ready [][]node, out []outOfTree) (any bool) {
	for i, st := range steps {
		if st.kind != swapTree || w.waits(st) {
			continue
		}
		any = true
		err := w.withRoom(func() error {
			err := out[i].err
			if err == nil && ready[i] != nil {
				// What was changed of the plan's own files is set aside.
				err = w.carryOver(w.d, st, ready[i], out[i].nodes, func(string) error { return nil })
			}
			for _, in := range out[i].foreign {
				if err == nil {
					err = w.setAside(w.update, st.within(in), in.path)
				}
			}
			return err
		})
		if err != nil {
			w.fail(st, err)
		}
	}
	return any
}
