package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sync/errgroup"

	"moult/core/release"
	"moult/core/site"
)

// Undo takes the switch back, wholly or as far as it came: it looks at the disk for
// each step of the plan, the last first, and undoes those that are done. It may be
// called at any time after [Stage], killed at any point and called again.
//
// A file that was changed after the switch is not lost: it is set aside as
// PATH.moult-ID and named in notes, which are sentences for people. An error of one
// path does not keep the others from going back; all errors come joined.
//
// Undo does not stop when ctx is done: half an undo helps nobody.
func Undo(ctx context.Context, s *site.Site, u *site.Update, p *Plan, j *site.Journal, report func(done, total int)) (notes []string, err error) {
	return undoFiles(ctx, realDisk{}, s, u, p, j, report)
}

// undoer takes steps back.
type undoer struct {
	eyes
	d     disk
	where *site.Site
	id    string
	notes []string
	errs  []error
	// failed are the paths that did not go back. What goes where they still are must
	// wait, as it would take them for somebody else's, and so must what goes into them.
	failed []release.Path
}

// waits reports whether a step must wait for another call of Undo.
func (w *undoer) waits(st step) bool {
	at := release.Path(st.path)
	return slices.ContainsFunc(w.failed, func(p release.Path) bool { return p.Within(at) || at.Within(p) })
}

func undoFiles(_ context.Context, d disk, s *site.Site, u *site.Update, p *Plan, j *site.Journal, report func(done, total int)) ([]string, error) {
	intents, begun, err := intentsOf(u)
	if err != nil {
		return nil, err
	}
	eyes, err := newEyes(s, u, p, intents)
	if err != nil {
		return nil, err
	}
	w := &undoer{eyes: *eyes, d: d, where: s, id: u.ID}
	defer w.close()
	// The journal is for people here: undo decides from the disk, so a journal
	// that can't be written must not stop it.
	_ = d.note(j, recordUndo, nil)
	steps := stepsOf(p, begun)
	slices.Reverse(steps)
	swapped, trees := w.swapped(steps), w.readyTrees(steps)
	for i, st := range steps {
		if w.waits(st) {
			continue
		}
		if swapped[i] {
			swapped[i] = d.exchange(w.update, st.staged(), w.site, st.path) == nil
		}
		if !swapped[i] && (st.kind != swapTree || trees[i] != nil) {
			if err := w.withRoom(func() error { return w.undo(st, trees[i]) }); err != nil {
				w.fail(st, err)
			}
		}
		if report != nil {
			report(i+1, len(steps))
		}
	}
	// The disk is waited for while what came out is looked at.
	var durable errgroup.Group
	durable.Go(w.barrier)
	foreign, out := w.foreign(steps, swapped), w.outOfTrees(steps, trees)
	err = durable.Wait()
	aside, carried := w.leftovers(steps, foreign), w.leftInTrees(steps, trees, out)
	if aside || carried {
		err = errors.Join(err, w.barrier())
	}
	if err != nil {
		w.errs = append(w.errs, err)
	}
	if err := errors.Join(w.errs...); err != nil {
		return w.notes, err
	}
	_ = d.note(j, recordUndone, nil)
	return w.notes, nil
}

// fail notes that a step did not go back.
func (w *undoer) fail(st step, err error) {
	w.errs = append(w.errs, fmt.Errorf("undo %s %s: %w", names[st.kind], st.path, err))
	w.failed = append(w.failed, release.Path(st.path))
}

func (w *undoer) barrier() error {
	return w.withRoom(func() error { return w.d.barrier(w.update) })
}

// withRoom does something again with the room of the reserve file, if the disk was full.
func (w *undoer) withRoom(do func() error) error {
	err := do()
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		if err := w.where.FreeReserve(); err != nil {
			return err
		}
		err = do()
	}
	return err
}

// swapped finds the steps that exchanged a file and of which the old one lies where
// the new one was staged: those go back by one call. It looks at all of them before
// the first goes back, on all processors, so that nothing but those calls is between
// two releases.
func (w *undoer) swapped(steps []step) []bool {
	found := make([]bool, len(steps))
	_ = w.each(len(steps), func(t []*tree, i int) error {
		st := steps[i]
		old := w.intents[st.n].Old
		if st.kind == swapFile && old.known() {
			staged, err := exists(t[1], st.staged())
			found[i] = err == nil && staged != nil && identOf(staged) == old
		}
		return nil
	})
	return found
}

// foreign finds the steps that went back by those calls and took out of the site what
// the update had not put there.
func (w *undoer) foreign(steps []step, swapped []bool) []bool {
	foreign := make([]bool, len(steps))
	_ = w.each(len(steps), func(t []*tree, i int) error {
		if swapped[i] {
			out, err := exists(t[1], steps[i].staged())
			foreign[i] = err != nil || out == nil || identOf(out) != w.intents[steps[i].n].New
		}
		return nil
	})
	return foreign
}

// leftovers sets aside what is foreign, and reports whether there was any.
func (w *undoer) leftovers(steps []step, foreign []bool) (any bool) {
	for i, st := range steps {
		if foreign[i] {
			any = true
			if err := w.withRoom(func() error { return w.leftover(st) }); err != nil {
				w.fail(st, err)
			}
		}
	}
	return any
}

// each calls do for 0 … n-1 on all processors, with trees of the site and of the
// update.
func (w *undoer) each(n int, do func(t []*tree, i int) error) error {
	return eachParallel(context.Background(), w.trees(), n, do)
}

// undo takes one step back. A step without an intent in the journal was not begun,
// unless the journal is damaged and the disk shows that it was done.
func (w *undoer) undo(st step, tree []node) error {
	if st.kind == swapTree {
		return w.undoTree(st, tree)
	}
	var link *LinkError
	switch _, err := w.site.dir(path.Dir(st.path)); {
	case errors.As(err, &link) && (st.kind == makeDir || st.kind == placeFile):
		return nil // what the update put there is gone with its directory
	case err != nil && st.kind != makeDir && st.kind != placeFile:
		if old, err := w.holdsOld(st); err != nil || !old {
			return err // the step was not begun: nothing here is the update's doing
		}
		if err := w.makeWay(st.path); err != nil {
			return err
		}
	}
	if _, intended := w.intents[st.n]; !intended {
		if how, err := w.look(st); how != done || st.kind == makeDir {
			return err
		}
	}
	switch st.kind {
	case makeDir:
		return w.undoMakeDir(st)
	case placeFile:
		return w.undoPlace(st)
	case swapFile:
		return w.undoSwap(st)
	case turnOver:
		return w.undoTurn(st)
	}
	return w.undoTake(st)
}

// undoMakeDir removes a directory that the switch made, unless something is in it.
func (w *undoer) undoMakeDir(st step) error {
	info, err := exists(w.site, st.path)
	if err != nil || info == nil {
		return err
	}
	if !info.IsDir() {
		if st.turns {
			return nil // the file that was there before
		}
		return w.setAside(w.site, st.path, st.path)
	}
	left, err := w.site.names(st.path)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		w.say("%s stays: %s appeared in it after the update", st.path, left[0].Name())
		return nil
	}
	defer w.site.forget()
	return w.d.remove(w.site, st.path)
}

// undoPlace moves a new file back to the stage.
func (w *undoer) undoPlace(st step) error {
	here, err := exists(w.site, st.path)
	if err != nil || here == nil {
		return err
	}
	staged, err := exists(w.update, st.staged())
	if err != nil || staged != nil {
		return err // it was not placed; what is here is somebody's
	}
	who, err := w.whose(w.site, st.path, here, st)
	if err != nil {
		return err
	}
	if who != ours {
		return w.setAside(w.site, st.path, st.path)
	}
	return w.d.move(w.site, st.path, w.update, st.staged())
}

// undoSwap puts a replaced file back. What it was may lie where the new one was
// staged, after an exchange, or in old, where the system can't exchange.
func (w *undoer) undoSwap(st step) error {
	here, err := exists(w.site, st.path)
	if err != nil {
		return err
	}
	who, err := w.whose(w.site, st.path, here, st)
	if err != nil {
		return err
	}
	if who == before {
		return w.leftover(st)
	}
	if kept, err := exists(w.update, st.kept()); err != nil {
		return err
	} else if kept != nil {
		return w.undoReplace(st, here)
	}
	staged, err := exists(w.update, st.staged())
	if err != nil || staged == nil {
		return errors.Join(err, w.lost(st, here))
	}
	if who, err = w.whose(w.update, st.staged(), staged, st); err != nil {
		return err
	}
	if who == ours {
		return nil // never swapped: what is here was changed after the plan was made
	}
	if here == nil {
		w.say(saidRemoved, st.path)
		return w.d.move(w.update, st.staged(), w.site, st.path)
	}
	if err := w.d.exchange(w.update, st.staged(), w.site, st.path); err != nil {
		return err
	}
	return w.leftover(st)
}

// leftover sets aside what came out of the site in an exchange and was not the
// release's file: someone had changed it since.
func (w *undoer) leftover(st step) error {
	staged, err := exists(w.update, st.staged())
	if err != nil || staged == nil {
		return err
	}
	who, err := w.whose(w.update, st.staged(), staged, st)
	if err != nil || who == ours {
		return err
	}
	return w.setAside(w.update, st.staged(), st.path)
}

// undoReplace puts back a file that was renamed over, from its second name. The
// release's file goes back to the stage first.
func (w *undoer) undoReplace(st step, here fs.FileInfo) error {
	if here != nil {
		who, err := w.whose(w.site, st.path, here, st)
		if err != nil {
			return err
		}
		switch {
		case who == ours:
			err = w.d.link(w.site, st.path, w.update, st.staged())
		case here.IsDir():
			err = w.setAside(w.site, st.path, st.path)
		default:
			w.say("%s was changed after the update; that is kept as %s", st.path, w.asideName(st.path))
			err = w.d.link(w.site, st.path, w.site, w.asideName(st.path))
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return w.d.replace(w.update, st.kept(), w.site, st.path)
}

// holdsOld reports whether what was at the path of a step before the update lies in the
// restore point.
func (w *undoer) holdsOld(st step) (bool, error) {
	if kept, err := exists(w.update, st.kept()); err != nil || kept != nil {
		return kept != nil, err
	}
	staged, err := exists(w.update, st.staged())
	switch {
	case err != nil || staged == nil:
		return false, err
	case st.kind == turnOver:
		return staged.IsDir() == (st.gone.Change == Rmdir), nil
	case st.kind == swapFile:
		who, err := w.whose(w.update, st.staged(), staged, st)
		return who == before, err
	}
	return false, nil
}

// makeWay makes the directories above a path that goes back, where they were removed
// since, and sets aside what was put in their place.
func (w *undoer) makeWay(p string) error {
	dir := path.Dir(p)
	_, err := w.site.dir(dir)
	if err == nil {
		return nil
	}
	if err := w.makeWay(dir); err != nil {
		return err
	}
	switch here, looked := exists(w.site, dir); {
	case looked != nil:
		return looked
	case here != nil && here.IsDir():
		return err
	case here != nil:
		if err := w.setAside(w.site, dir, dir); err != nil {
			return err
		}
	}
	above, err := nearestDir(w.site, path.Dir(dir))
	if err != nil {
		return err
	}
	defer above.Close()
	like, err := inheritDirAttrs(above)
	if err != nil {
		return err
	}
	return w.d.mkdir(w.site, dir, like)
}

// undoTake moves what was removed back to its place.
func (w *undoer) undoTake(st step) error {
	gone, err := exists(w.update, st.kept())
	if err != nil || gone == nil {
		return err
	}
	here, err := exists(w.site, st.path)
	if err != nil {
		return err
	}
	if here != nil {
		if here.IsDir() && gone.IsDir() {
			w.say("%s was made again after the update and stays", st.path)
			return w.d.remove(w.update, st.kept())
		}
		if err := w.setAside(w.site, st.path, st.path); err != nil {
			return err
		}
	}
	defer w.site.forget()
	return w.d.move(w.update, st.kept(), w.site, st.path)
}

// lost reports a file of which nothing is left to put back.
func (w *undoer) lost(st step, here fs.FileInfo) error {
	if here != nil {
		return nil // changed before the switch came to it
	}
	return fmt.Errorf("neither the old nor the new file is there: %w", fs.ErrNotExist)
}

// setAside gives what someone else made a name of its own beside its path in the site.
func (w *undoer) setAside(t *tree, p, sitePath string) error {
	name := w.asideName(sitePath)
	for n := 2; ; n++ {
		err := w.d.move(t, p, w.site, name)
		if !errors.Is(err, fs.ErrExist) {
			if err == nil {
				w.say("%s was changed after the update; that is kept as %s", sitePath, name)
			}
			return err
		}
		name = w.asideName(sitePath) + "-" + strconv.Itoa(n)
	}
}

// asideName is PATH.moult-ID; a name too long for that is cut.
func (w *undoer) asideName(p string) string {
	dir, base := path.Split(p)
	suffix := ".moult-" + w.id
	const maxName = 255 // NAME_MAX, with room for a number
	if room := maxName - len(suffix) - 4; len(base) > room {
		base = base[:room]
	}
	return dir + base + suffix
}

const saidRemoved = "%s was removed after the update and is back as it was before"

func (w *undoer) say(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}
