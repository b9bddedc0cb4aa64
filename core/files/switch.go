package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"moult/core/site"
)

// Switch puts the staged files in place and moves away what the release no longer
// has. It returns how long the site was between two releases.
//
// Before anything changes, every path is compared with the plan, and the intents are
// in the journal and on the disk. Then the loop runs, and ctx is not looked at. Then
// what was taken out of the site is read. A path that someone changed, before the
// loop or in it, gives an error that is [ErrChanged]. After an error the caller calls
// [Undo]. Called again after a crash, Switch does what is left to do.
func Switch(ctx context.Context, s *site.Site, u *site.Update, p *Plan, j *site.Journal, report func(done, total int)) (window time.Duration, err error) {
	return switchFiles(ctx, realDisk{}, s, u, p, j, report)
}

// switcher does the steps of one switch.
type switcher struct {
	eyes
	d        disk
	journal  *site.Journal
	steps    []step
	todo     []bool          // by index of steps
	found    []intent        // by index of steps: what check saw of those that are to do
	inner    [][]intent      // by index of steps: the same of their inner parts
	exchange map[string]bool // by home: two files can be swapped there in one step
	how      beginning
	lists    [][]node // by index of steps: of directories that are swapped whole, as they were cloned
}

func switchFiles(ctx context.Context, d disk, s *site.Site, u *site.Update, p *Plan, j *site.Journal, report func(done, total int)) (time.Duration, error) {
	intents, begun, err := intentsOf(u)
	if err != nil {
		return 0, err
	}
	eyes, err := newEyes(s, u, p, intents)
	if err != nil {
		return 0, err
	}
	w := &switcher{eyes: *eyes, d: d, journal: j, exchange: map[string]bool{}}
	defer w.close()
	all := true
	for _, home := range p.homes() {
		if w.exchange[home], err = w.canExchange(home); err != nil {
			return 0, err
		}
		all = all && w.exchange[home]
	}
	w.how.Trees = w.exchange[""] && begun.Trees && (begun.Steps > 0 || stillFree(s.Dir, p.Trees))
	w.how.Turns = all && begun.Turns
	w.steps = stepsOf(p, w.how)
	w.how.Steps = len(w.steps)
	if err := w.check(ctx); err != nil {
		return 0, err
	}
	if err := w.build(ctx); err != nil {
		return 0, err
	}
	if err := w.intend(); err != nil {
		return 0, err
	}
	if !all {
		if err := w.backUp(); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	for i, st := range w.steps {
		if w.todo[i] {
			if err := w.do(st); err != nil {
				return time.Since(start), err
			}
		}
		if report != nil {
			report(i+1, len(w.steps))
		}
	}
	window := time.Since(start)
	if err := w.carryOverAll(); err != nil {
		return window, err
	}
	if err := w.confirm(ctx); err != nil {
		return window, err
	}
	if err := d.barrier(w.update); err != nil {
		return window, err
	}
	return window, d.note(j, recordDone, nil)
}

// check compares the disk with the plan, step by step and by contents.
func (w *switcher) check(ctx context.Context) error {
	w.todo, w.found, w.inner = make([]bool, len(w.steps)), make([]intent, len(w.steps)), make([][]intent, len(w.steps))
	err := eachParallel(ctx, w.trees(), len(w.steps), func(t []*tree, i int) error {
		e := eyes{site: t[0], update: t[1], intents: w.intents}
		st := w.steps[i]
		here, err := exists(e.site, st.path)
		if err != nil {
			return fmt.Errorf("%s %s: %w", names[st.kind], st.path, err)
		}
		how, err := e.lookFrom(st, here)
		if err != nil {
			return fmt.Errorf("%s %s: %w", names[st.kind], st.path, err)
		}
		if how == other {
			return fmt.Errorf("%s %w", st.path, ErrChanged)
		}
		w.todo[i] = how == notDone
		if w.todo[i] {
			w.found[i], err = e.intentOf(st, here, st.staged())
		}
		return err
	})
	for i, st := range w.steps {
		if err == nil && w.todo[i] && (st.kind == swapTree || st.kind == turnOver) {
			w.inner[i], err = w.checkInner(ctx, st)
		}
	}
	return err
}

// canExchange tries whether two files can be swapped here, on two that are made
// for that.
func (w *switcher) canExchange(home string) (bool, error) {
	one, two := path.Join(home, stageDir, "try-1"), path.Join(home, stageDir, "try-2")
	for _, p := range []string{one, two} {
		f, err := w.d.create(w.update, p)
		if errors.Is(err, fs.ErrExist) {
			continue // a switch that was killed here left it
		}
		if err != nil {
			return false, err
		}
		if err := f.Close(); err != nil {
			return false, err
		}
	}
	err := w.d.exchange(w.update, one, w.update, two)
	if err != nil && !errors.Is(err, errNoExchange) {
		return false, err
	}
	for _, p := range []string{one, two} {
		if err := w.d.remove(w.update, p); err != nil {
			return false, err
		}
	}
	return err == nil, nil
}

// intend writes what will be done to the journal, all of it before any of it.
func (w *switcher) intend() error {
	if err := w.d.note(w.journal, recordSwitch, w.how); err != nil {
		return err
	}
	for i, st := range w.steps {
		if !w.todo[i] {
			continue
		}
		if st.kind == swapTree || st.kind == turnOver { // what is staged was made since
			staged, err := w.update.lstat(st.staged())
			if err != nil {
				return err
			}
			w.found[i].New = identOf(staged)
		}
		for _, in := range append(w.inner[i], w.found[i]) {
			if _, known := w.intents[in.N]; !known {
				w.intents[in.N] = in
			}
			if err := w.d.note(w.journal, recordIntent, in); err != nil {
				return err
			}
		}
	}
	return w.d.flush(w.journal)
}

// intentOf is the intent of a step, of which here is what lies at its path, and whose
// new file is at one of the places. What is written to a file after it was looked at
// is noticed when the step is done.
func (e *eyes) intentOf(st step, here fs.FileInfo, staged ...string) (intent, error) {
	in := intent{N: st.n, Do: names[st.kind], Path: st.path}
	if here != nil {
		in.Old = identOf(here)
	}
	if st.kind != placeFile && st.kind != swapFile {
		return in, nil
	}
	for _, place := range staged {
		info, err := exists(e.update, place)
		if err != nil {
			return in, err
		}
		if info != nil {
			in.New = identOf(info)
			return in, nil
		}
	}
	return in, fmt.Errorf("%s is not staged: %w", st.path, fs.ErrNotExist)
}

// backUp gives every file that will be replaced a second name in the restore point,
// where files can't be swapped. It is on the disk before the first is renamed over.
func (w *switcher) backUp() error {
	for i, st := range w.steps {
		if st.kind != swapFile || !w.todo[i] || w.exchange[st.post] {
			continue
		}
		err := w.d.link(w.site, st.path, w.update, st.kept())
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("keep %s: %w", st.path, err)
		}
	}
	return w.d.barrier(w.update)
}

// do does one step.
func (w *switcher) do(st step) error {
	err := w.doKind(st)
	if err != nil {
		return fmt.Errorf("%s %s: %w", names[st.kind], st.path, err)
	}
	return nil
}

func (w *switcher) doKind(st step) error {
	switch st.kind {
	case makeDir:
		return w.makeDir(st)
	case placeFile:
		return w.d.move(w.update, st.staged(), w.site, st.path)
	case swapFile:
		if w.exchange[st.post] {
			return w.d.exchange(w.update, st.staged(), w.site, st.path)
		}
		if err := w.still(st); err != nil {
			return err
		}
		return w.d.replace(w.update, st.staged(), w.site, st.path)
	case swapTree, turnOver:
		defer w.site.forget()
		defer w.update.forget()
		return w.d.exchange(w.update, st.staged(), w.site, st.path)
	case clearDir, takeDir:
		return w.takeDir(st)
	}
	return w.d.move(w.site, st.path, w.update, st.kept())
}

// still looks whether a file that is renamed over is the one that has a second name
// in the restore point: another would be lost.
func (w *switcher) still(st step) error {
	here, err := w.site.lstat(st.path)
	if err == nil && identOf(here) != w.intents[st.n].Old {
		err = ErrChanged
	}
	return err
}

func (w *switcher) makeDir(st step) error {
	h, err := w.site.dir(path.Dir(st.path))
	if err != nil {
		return err
	}
	above, err := h.root.Open(".")
	if err != nil {
		return unwrapPath(err)
	}
	defer above.Close()
	a, err := readAttrs(above)
	if err != nil {
		return err
	}
	a.xattrs = nil // the system hands access lists and labels on to a new directory itself
	if err := w.d.mkdir(w.site, st.path, a); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// takeDir moves a directory that the update emptied into the restore point. One in
// which something appeared at that moment goes back.
func (w *switcher) takeDir(st step) error {
	left, err := w.site.names(st.path)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%s appeared in it: %w", left[0].Name(), ErrChanged)
	}
	if err := w.d.move(w.site, st.path, w.update, st.kept()); err != nil {
		return err
	}
	w.site.forget()
	if left, err = w.update.names(st.kept()); err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("%s appeared in it: %w", left[0].Name(), ErrChanged)
	}
	return nil
}

// carryOverAll takes over what was written into directories while they were swapped.
func (w *switcher) carryOverAll() error {
	for i, st := range w.steps {
		if st.kind != swapTree || !w.todo[i] {
			continue
		}
		after, err := list(w.update, st.staged(), 1<<30)
		if err == nil {
			err = w.carryOver(w.d, st, w.lists[i], after, func(p string) error { return fmt.Errorf("%s %w", p, ErrChanged) })
		}
		if err != nil {
			return fmt.Errorf("carry over what appeared in %s: %w", st.path, err)
		}
	}
	return nil
}

// confirm reads every file that was taken out of the site and compares it with what
// the plan was made for. Someone may have written to it when it had been compared
// already, in a way that no time of it tells. It is out of the way now, so nothing
// that is written at the path any more gets lost.
func (w *switcher) confirm(ctx context.Context) error {
	var all []taken
	for _, st := range w.steps {
		if _, intended := w.intents[st.n]; !intended {
			continue
		}
		all = w.takenBy(all, st)
		if st.kind == turnOver && st.gone.Change == Rmdir {
			if err := w.nothingElse(st); err != nil {
				return err
			}
		}
	}
	return eachParallel(ctx, []*tree{w.update}, len(all), func(t []*tree, i int) error {
		got, err := stateOf(t[0], all[i].place)
		if err == nil && !got.SameContent(all[i].entry.Here) {
			err = ErrChanged
		}
		if err != nil {
			return fmt.Errorf("%s %w", all[i].entry.Path, err)
		}
		return nil
	})
}

// taken is a file that a switch took out of the site.
type taken struct {
	place string // in the update's directory
	entry *Entry
}

// takenBy adds what a step took out of the site.
func (w *switcher) takenBy(all []taken, st step) []taken {
	switch st.kind {
	case turnOver, swapTree:
		if st.kind == turnOver && st.gone.Change == Delete {
			all = append(all, taken{st.staged(), st.gone})
		}
		for _, in := range st.inner {
			if in.kind == swapFile || in.kind == takeFile || in.kind == clearFile {
				all = append(all, taken{st.within(in), in.entry})
			}
		}
	case swapFile:
		if w.exchange[st.post] {
			return append(all, taken{st.staged(), st.entry})
		}
		return append(all, taken{st.kept(), st.entry})
	case takeFile, clearFile:
		return append(all, taken{st.kept(), st.entry})
	}
	return all
}
