package files

import (
	"context"
	"fmt"
)

// readyTrees makes ready to go back what lay in the place of directories that were
// swapped whole: what was written there after the update goes with it. All of them are
// ready, and on the disk, before the first goes back, so that nothing but one call for
// each is between two releases. It returns what they were made equal to, by index of
// steps; nil stands for a step that has nothing to go back.
func (w *undoer) readyTrees(steps []step) [][]node {
	ready, errs := make([][]node, len(steps)), make([]error, len(steps))
	_ = w.each(len(steps), func(t []*tree, i int) error {
		if steps[i].kind != swapTree {
			return nil
		}
		e := eyes{site: t[0], update: t[1], intents: w.intents}
		errs[i] = w.withRoom(func() (err error) {
			ready[i], err = e.ready(w.d, steps[i])
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

// ready makes one directory ready; nil stands for one that was not swapped.
func (e *eyes) ready(d disk, st step) ([]node, error) {
	here, err := exists(e.site, st.path)
	if err != nil {
		return nil, err
	}
	switch how, err := e.lookTree(st, here); {
	case err != nil || how == notDone:
		return nil, err
	case how == other:
		return nil, fmt.Errorf("%w: another directory is in its place", ErrChanged)
	}
	c := cloner{d: d, from: e.site, fromDir: st.path, to: e.update, toDir: st.staged(), planned: plannedIn(st), whole: true}
	return c.sync()
}

// undoTree swaps a directory back that is ready.
func (w *undoer) undoTree(st step) error {
	defer w.site.forget()
	defer w.update.forget()
	return w.d.exchange(w.update, st.staged(), w.site, st.path)
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
					err = w.setAside(w.update, st.within(in), in)
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
