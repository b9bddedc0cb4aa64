package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"moult/core/files"
	"moult/core/site"
)

// RollBack brings the site back to what it was before the update id, or before
// the newest one when id is "". Newer updates are undone first, in order; the
// result is that of the last one. With an error it is that of the last one that was
// begun, nil for none.
func (e *Engine) RollBack(ctx context.Context, id string, report Report) (*Result, error) {
	if err := e.refuseInterrupted(); err != nil {
		return nil, err
	}
	points, err := e.wayTo(id)
	if err != nil {
		return nil, err
	}
	var last *Result
	for _, point := range points {
		res, err := e.goBack(ctx, point, report)
		last = cmp.Or(res, last)
		if err != nil {
			return last, err
		}
	}
	return last, nil
}

// wayTo lists the updates that are to be undone, newest first, to get to before the
// update id, or before the newest one.
func (e *Engine) wayTo(id string) ([]string, error) {
	points, err := e.restorePoints()
	if err != nil {
		return nil, classify(StageRollBack, err)
	}
	if len(points) == 0 {
		return nil, &Error{Kind: KindNoBackup, Stage: StageRollBack, Err: errors.New("this site has no restore point")}
	}
	if id == "" {
		return points[:1], nil
	}
	last := slices.Index(points, id)
	if last < 0 {
		return nil, &Error{Kind: KindNoBackup, Stage: StageRollBack, Err: fmt.Errorf("%s is not a restore point of this site", id)}
	}
	return points[:last+1], nil
}

// restorePoints lists the updates that can be rolled back, newest first. One that was
// discarded cuts off the older ones: what they lead back to begins where it led to.
func (e *Engine) restorePoints() ([]string, error) {
	var points []string
	err := e.eachUpdate(func(u *site.Update, l life) error {
		switch {
		case l.committed && u.Has(beforeFile):
			points = append(points, u.ID)
		case l.committed:
			points = nil
		}
		return nil
	})
	slices.Reverse(points)
	return points, err
}

// goBack undoes one committed update.
func (e *Engine) goBack(ctx context.Context, id string, report Report) (*Result, error) {
	r, err := e.resume(ctx, id, report)
	if err != nil {
		return nil, classify(StageLock, err)
	}
	defer r.close()
	found, err := e.findInterrupted()
	if err == nil {
		err = found.refusal()
	}
	if err != nil {
		return nil, classify(StageLock, err)
	}
	if err := r.lookBack(ctx); err != nil {
		return nil, classify(StageRollBack, err)
	}
	return r.undo(ctx)
}

// resume opens a run that is on disk.
func (e *Engine) resume(ctx context.Context, id string, report Report) (*run, error) {
	r, err := e.open(ctx, id, report)
	if err != nil {
		return nil, err
	}
	r.plan = new(Plan)
	if err := r.update.ReadJSON(planFile, r.plan); err != nil {
		r.close()
		return nil, fmt.Errorf("update %s: %w", id, err)
	}
	return r, nil
}

// Interrupted looks for a run that was cut off. It returns nil when there is
// none, and KindLocked while a living process is at work on the site.
func (e *Engine) Interrupted() (*Run, error) {
	if owner, held := e.site.Holder(); held {
		return nil, classify(StageLock, &site.LockedError{Owner: owner})
	}
	found, err := e.findInterrupted()
	if err != nil {
		return nil, classify(StageLock, err)
	}
	return found, nil
}

// findInterrupted reads the journals. The caller holds the lock, or knows that
// nobody does.
func (e *Engine) findInterrupted() (*Run, error) {
	var found *Run
	err := e.eachUpdate(func(u *site.Update, l life) error {
		if !l.open() {
			return nil
		}
		var p Plan
		if err := u.ReadJSON(planFile, &p); err != nil {
			return fmt.Errorf("update %s was interrupted and its plan can't be read: %w", u.ID, err)
		}
		at, err := files.Inspect(context.Background(), e.site, u, p.Files)
		if err != nil {
			return err
		}
		found = &Run{ID: u.ID, From: p.From, To: p.To, Started: l.begun, Stage: l.stage, RollingBack: l.undoing, CanFinish: at.StagedIntact}
		found.Recommended, found.Reason = recommend(l, found.CanFinish)
		return nil
	})
	return found, err
}

// recommend says which way out of an interrupted run is the better one, and why.
func recommend(l life, canFinish bool) (Direction, string) {
	switch {
	case l.undoing:
		return Undo, "It was going back to the old release when it stopped."
	case l.verified && canFinish:
		return Forward, "Everything had been changed and verified; only the end is missing."
	case !canFinish:
		return Undo, "Some of the new files are no longer intact."
	}
	return Undo, "It stopped between two releases; going back is the safe way."
}

var errNothingToRecover error = &Error{Kind: KindBlocked, Stage: StageLock, Err: errors.New("no interrupted run was found on this site")}

// Recover ends an interrupted run, forward or by undoing it; "" takes the
// recommended way. It can be interrupted and repeated like any run.
func (e *Engine) Recover(ctx context.Context, d Direction, report Report) (*Result, error) {
	found, err := e.Interrupted()
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, errNothingToRecover
	}
	if d == "" {
		d = found.Recommended
	}
	if d == Forward && !found.CanFinish {
		return nil, &Error{Kind: KindBlocked, Stage: StageLock, Err: errors.New("the update can't be finished: some of its new files are no longer intact. Undo it instead")}
	}
	r, err := e.resume(ctx, found.ID, report)
	if err != nil {
		return nil, classify(StageLock, err)
	}
	defer r.close()
	// Somebody else may have ended it before the lock was taken.
	now, err := e.findInterrupted()
	if err == nil && (now == nil || now.ID != found.ID) {
		err = errNothingToRecover
	}
	if err != nil {
		return nil, classify(StageLock, err)
	}
	r.log.Info("recover", "direction", d, "stage", found.Stage)
	if d == Forward {
		if err := r.readIntake(); err != nil {
			return nil, classify(StageLock, err)
		}
		if err := r.mark(recordBegin, r.plan.Hash); err != nil {
			return nil, classify(StageLock, err)
		}
		return r.apply(ctx)
	}
	return r.undo(ctx)
}

// refuseInterrupted is what every method asks first that would change the site.
func (e *Engine) refuseInterrupted() error {
	found, err := e.Interrupted()
	if err != nil {
		return err
	}
	return found.refusal()
}

// refusal is the error of what can't be done before the run has been ended, nil
// for no run.
func (found *Run) refusal() error {
	if found != nil {
		return &Error{Kind: KindInterrupted, Stage: StageLock, Err: fmt.Errorf("the update from %s to %s was interrupted at %q: finish or undo it first", found.From, found.To, found.Stage)}
	}
	return nil
}
