package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"moult/core/release"
	"moult/core/site"
)

// keptOfEnded is what stays of an update without a restore point: what history
// shows of it.
var keptOfEnded = []string{planFile, resultFile, logFile}

// eachUpdate calls f for every update on disk, oldest first.
func (e *Engine) eachUpdate(f func(*site.Update, life) error) error {
	ids, err := e.site.Updates()
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := e.site.Update(id)
		if err != nil {
			return err
		}
		l, err := lifeOf(u)
		if err == nil {
			err = f(u, l)
		}
		if err = errors.Join(err, u.Close()); err != nil {
			return err
		}
	}
	return nil
}

// History lists the updates of the site, newest first.
func (e *Engine) History() ([]Record, error) {
	var list []Record
	err := e.eachUpdate(func(u *site.Update, l life) error {
		var rec Record
		err := u.ReadJSON(resultFile, &rec.Result)
		if errors.Is(err, fs.ErrNotExist) || l.open() {
			return nil // prepared only, or interrupted
		}
		if err != nil {
			return err
		}
		rec.CanRollBack = l.committed && u.Has(beforeFile)
		if l.committed && !rec.CanRollBack {
			for i := range list { // can't be reached any more
				list[i].CanRollBack = false
			}
		}
		rec.DiskBytes, err = u.Size()
		list = append(list, rec)
		return err
	})
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	slices.Reverse(list)
	return list, nil
}

// Log opens the log of an update: JSON lines, one for each entry.
func (e *Engine) Log(id string) (fs.File, error) {
	u, err := e.site.Update(id)
	if err != nil {
		return nil, &Error{Kind: KindPath, Stage: StageCheck, Err: fmt.Errorf("update %s: %w", id, err)}
	}
	defer u.Close()
	f, err := u.Root.Open(logFile)
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	return f, nil
}

// Discard gives up a restore point: what was set aside for it, files and data, is
// really removed. The older restore points go with it, as they are reached by way of it
// only. Their lines in the history and their logs stay.
func (e *Engine) Discard(ctx context.Context, id string) error {
	if err := e.refuseInterrupted(); err != nil {
		return err
	}
	r, err := e.resume(ctx, id, nil)
	if err != nil {
		return classify(StageLock, err)
	}
	defer r.close()
	points, err := r.points()
	if err != nil {
		return classify(StageLock, err)
	}
	if i := slices.Index(points, id); i >= 0 {
		for _, older := range slices.Backward(points[i+1:]) {
			if err := r.discardOther(ctx, older); err != nil {
				return classify(StageCommit, fmt.Errorf("the older restore point %s: %w", older, err))
			}
		}
	}
	if err := r.discard(ctx); err != nil {
		return classify(StageCommit, err)
	}
	return nil
}

// points looks again, under the run's lock, that nothing is interrupted, and lists the
// restore points.
func (r *run) points() ([]string, error) {
	found, err := r.e.findInterrupted()
	if err == nil {
		err = found.refusal()
	}
	if err != nil {
		return nil, err
	}
	return r.e.restorePoints()
}

// discard removes what the run set aside. The database comes first: as long as
// the files of the restore point are there, discarding can be repeated.
func (r *run) discard(ctx context.Context) error {
	if r.db != nil && r.plan.Schema != nil {
		if err := r.db.Discard(ctx, r.plan.Schema); err != nil {
			return databaseError{err}
		}
	}
	var res Result
	if err := r.update.ReadJSON(resultFile, &res); err == nil && res.SetAside > 0 {
		res.SetAside = 0
		if err := r.update.WriteJSON(resultFile, res); err != nil {
			return err
		}
	}
	if err := r.update.Trim(keptOfEnded...); err != nil {
		return err
	}
	return r.e.prunePristine()
}

// tidy removes what an undone run no longer needs. A run that failed leaves nothing
// behind but its log. Of one that had served visitors, rows that were written into the
// new release's columns and tables stay set aside until the update is discarded, so
// that going forward again has lost nothing.
func (r *run) tidy(ctx context.Context, served bool) {
	var err error
	switch {
	case !served:
		err = r.discard(ctx)
	case r.db != nil && r.plan.Schema != nil:
		r.setAside, err = r.db.DiscardEmpty(ctx, r.plan.Schema)
	}
	if served {
		err = errors.Join(err, r.update.Trim(keptOfEnded...))
	}
	if err != nil {
		r.warn("What the update had set aside could not be removed: %v", err)
	}
}

// retain discards the restore points that site.toml doesn't want kept. The newest
// one always stays.
func (r *run) retain(ctx context.Context) {
	points, err := r.e.restorePoints()
	if err != nil {
		r.warn("Old restore points could not be looked at: %v", err)
		return
	}
	keep := r.site.Config.Keep
	most := keep.RestorePoints
	if most == 0 {
		most = site.DefaultRestorePoints
	}
	for i, id := range slices.Backward(points) { // the oldest first: each is reached by the newer ones
		if i == 0 || i < most && !r.olderThan(id, time.Duration(keep.MaxAge)) {
			return
		}
		if err := r.discardOther(ctx, id); err != nil {
			r.warn("The old restore point %s could not be discarded: %v", id, err)
			return
		}
	}
}

// olderThan reports whether a restore point is older than age; an age of zero
// means that none is.
func (r *run) olderThan(id string, age time.Duration) bool {
	u, err := r.site.Update(id)
	if err != nil || age == 0 {
		return false
	}
	defer u.Close()
	return r.e.opts.Now().Sub(u.Created) > age
}

// discardOther discards another update's restore point under this run's lock.
func (r *run) discardOther(ctx context.Context, id string) error {
	u, err := r.site.Update(id)
	if err != nil {
		return err
	}
	defer u.Close()
	other := &run{e: r.e, site: r.site, update: u, db: r.db, plan: new(Plan)}
	if err := u.ReadJSON(planFile, other.plan); err != nil {
		return err
	}
	return other.discard(ctx)
}

// prunePristine removes shipped contents that no release needs any more: neither
// the installed one nor one that can be gone back to.
func (e *Engine) prunePristine() error {
	needed := map[release.Digest]bool{}
	add := func(inv *site.Inventory) {
		for _, f := range inv.Files {
			needed[f.SHA256] = true
		}
	}
	inv, err := e.site.Inventory()
	if err != nil {
		return err
	}
	add(inv)
	err = e.eachUpdate(func(u *site.Update, l life) error {
		inv, err := u.Inventory()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			add(inv)
		}
		return err
	})
	if err != nil {
		return err
	}
	store, err := e.site.Pristine()
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = store.Prune(func(d release.Digest) bool { return needed[d] })
	return err
}
