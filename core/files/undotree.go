package files

import (
	"fmt"
	"strings"
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
	if err := w.withRoom(func() error { return w.d.barrier(w.update) }); err != nil {
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

// rescue sets aside what came out of the site at a path of the plan and is neither the
// release's nor what was there before.
func (w *undoer) rescue(st step, out []node) error {
	at := make(map[string]node, len(out))
	for _, n := range out {
		at[n.path] = n
	}
	for _, in := range st.inner {
		n, there := at[strings.TrimPrefix(in.path, st.path+"/")]
		known := w.intents[in.n]
		switch {
		case !there || n.dir || in.kind == makeDir || in.kind == takeDir || in.kind == clearDir:
			continue
		case known.New.known() && n.id == known.New, known.Old.known() && n.id == known.Old:
			continue
		}
		info, err := exists(w.update, st.within(in))
		if err != nil {
			return err
		}
		who, err := w.whose(w.update, st.within(in), info, in)
		if err == nil && who == somebody && info != nil {
			err = w.setAside(w.update, st.within(in), in)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leftInTrees looks at what came out of the site in directories that went back whole.
func (w *undoer) leftInTrees(steps []step, ready [][]node) {
	for i, st := range steps {
		if st.kind != swapTree || w.waits(st) {
			continue
		}
		err := w.withRoom(func() error {
			out, err := list(w.update, st.staged(), 1<<30)
			if err == nil && ready[i] != nil {
				// What was changed of the plan's own files is rescued.
				err = w.carryOver(w.d, st, ready[i], out, func(string) error { return nil })
			}
			if err == nil {
				err = w.rescue(st, out)
			}
			return err
		})
		if err != nil {
			w.fail(st, err)
		}
	}
}
