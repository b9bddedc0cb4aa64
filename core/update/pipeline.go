package update

import (
	"context"
	"errors"
	"fmt"
	"time"

	"moult/core/files"
	"moult/core/schema"
)

// step is one stage of a run and what does it.
type step struct {
	stage Stage
	do    func(*run, context.Context) error
}

// forward is an update, from the first thing that visitors could notice to the
// last. Every step can be repeated: recovery runs the same list again.
//
// Additive statements come before the files, so that the old release runs on
// while they work; what takes something away comes after, when the new release no
// longer asks for it. Maintenance ends before the health check, as a site in
// maintenance can't be healthy.
var forward = []step{
	{StageBefore, (*run).before},
	{StageMaintenance, (*run).maintenanceOn},
	{StageExpand, (*run).expand},
	{StageFiles, (*run).switchFiles},
	{StageContract, (*run).contract},
	{StageScripts, (*run).scripts},
	{StageCheckResult, (*run).verifyNew},
	{StageAfter, (*run).after},
	{StageHealth, (*run).health},
	{StageCommit, (*run).commit},
}

// backward is the way back, the same journal read from its end.
var backward = []step{
	{StageBefore, (*run).before},
	{StageMaintenance, (*run).maintenanceOn},
	{StageScripts, (*run).undoScripts},
	{StageContract, (*run).undoContract},
	{StageFiles, (*run).undoFiles},
	{StageExpand, (*run).undoExpand},
	{StageCheckResult, (*run).verifyOld},
	{StageAfter, (*run).after},
	{StageRollBack, (*run).settleOld},
}

// Apply does what a plan says. If that fails after the site has begun to change,
// it is undone at once, and the result says what the site is now; the error is
// then of the kind that made it fail, or of KindRollbackFailed.
func (e *Engine) Apply(ctx context.Context, p *Plan, report Report) (*Result, error) {
	r, err := e.begin(ctx, p, report)
	if err != nil {
		return nil, classify(StageLock, err)
	}
	defer r.close()
	return r.apply(ctx)
}

// apply runs forward and, when that fails, backward.
func (r *run) apply(ctx context.Context) (*Result, error) {
	for _, s := range forward {
		err := r.step(ctx, s)
		if err == nil {
			continue
		}
		r.cause = classify(s.stage, err)
		r.log.Error("update failed", "stage", s.stage, "error", err)
		return r.undo(ctx)
	}
	if err := r.update.Root.RemoveAll(packageDir); err != nil {
		r.warn("The unpacked package could not be removed: %v", err)
	}
	if err := r.e.emptyCache(); err != nil {
		r.warn("The downloaded package could not be removed: %v", err)
	}
	r.retain(ctx)
	return r.finish(Done, SiteNew)
}

// undo takes back what the run did. It goes on when the caller has cancelled: a
// cancel asks for the old release, not for half of it.
func (r *run) undo(ctx context.Context) (*Result, error) {
	ctx = context.WithoutCancel(ctx)
	l, err := lifeOf(r.update)
	if err == nil {
		err = r.mark(recordUndo, nil)
	}
	if err != nil {
		return r.stuck(ctx, err)
	}
	for _, s := range backward {
		err := r.step(ctx, s)
		if err == nil {
			continue
		}
		if s.stage == StageBefore || s.stage == StageAfter {
			// A command of the admin's must not keep the site between two releases.
			r.warn("While going back: %v", err)
			continue
		}
		r.log.Error("roll back failed", "stage", s.stage, "error", err)
		return r.stuck(ctx, err)
	}
	r.tidy(ctx, l.served)
	return r.finish(RolledBack, SiteOld)
}

// stuck ends a run that could be neither finished nor undone. It stays open in the
// journal, so that the next start finds it.
func (r *run) stuck(ctx context.Context, err error) (*Result, error) {
	if r.cause == nil {
		r.cause = classify(StageRollBack, err)
	} else {
		r.cause = &Error{Kind: KindRollbackFailed, Stage: r.cause.Stage, Err: r.cause.Err, RollBackErr: err}
	}
	return r.finish(NeedsAttention, r.verdict(ctx))
}

// step runs one stage between its marks in the journal.
func (r *run) step(ctx context.Context, s step) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.stage = s.stage
	if err := r.mark(recordStage, s.stage); err != nil {
		return err
	}
	r.skipped = false
	r.send(Event{Status: StepRunning, Interruptible: true})
	started := time.Now()
	if err := s.do(r, ctx); err != nil {
		r.send(Event{Status: StepFailed, Log: err.Error()})
		return err
	}
	status := StepDone
	if r.skipped {
		status = StepSkipped
	}
	r.log.Info("stage ended", "stage", s.stage, "status", status, "took", time.Since(started))
	r.send(Event{Status: status})
	return nil
}

func (r *run) expand(ctx context.Context) error { return r.migrate(ctx, schema.Expand) }

func (r *run) contract(ctx context.Context) error { return r.migrate(ctx, schema.Contract) }

// migrate runs the statements of one phase.
func (r *run) migrate(ctx context.Context, phase schema.Phase) error {
	if r.count(phase) == 0 {
		r.skipped = true
		return nil
	}
	return asDatabase(r.db.Run(ctx, r.plan.Schema, phase, r.journal, r.statements))
}

func (r *run) undoExpand(ctx context.Context) error { return r.unmigrate(ctx, schema.Expand) }

func (r *run) undoContract(ctx context.Context) error { return r.unmigrate(ctx, schema.Contract) }

// unmigrate takes back the statements of one phase that have happened.
func (r *run) unmigrate(ctx context.Context, phase schema.Phase) error {
	if r.count(phase) == 0 {
		r.skipped = true
		return nil
	}
	notes, err := r.db.Undo(ctx, r.plan.Schema, phase, r.journal, r.statements)
	r.warnings = append(r.warnings, notes...)
	return asDatabase(err)
}

// count returns how many statements a phase has.
func (r *run) count(phase schema.Phase) int {
	if r.db == nil || r.plan.Schema == nil {
		return 0
	}
	n := 0
	for _, s := range r.plan.Schema.Steps {
		if s.Phase == phase {
			n++
		}
	}
	return n
}

func (r *run) scripts(ctx context.Context) error {
	if r.db == nil || len(r.plan.Scripts) == 0 {
		r.skipped = true
		return nil
	}
	return asDatabase(r.db.RunScripts(ctx, r.plan.ID, r.plan.Scripts, r.journal, r.statements))
}

func (r *run) undoScripts(ctx context.Context) error {
	if r.db == nil || len(r.plan.Scripts) == 0 {
		r.skipped = true
		return nil
	}
	notes, err := r.db.UndoScripts(ctx, r.plan.ID, r.plan.Scripts, r.journal, r.statements)
	r.warnings = append(r.warnings, notes...)
	return asDatabase(err)
}

func (r *run) switchFiles(ctx context.Context) error {
	window, err := files.Switch(ctx, r.site, r.update, r.plan.Files, r.journal, r.files)
	r.window += window
	return err
}

func (r *run) undoFiles(ctx context.Context) error {
	notes, err := files.Undo(ctx, r.site, r.update, r.plan.Files, r.journal, r.files)
	r.warnings = append(r.warnings, notes...)
	return err
}

// verifyNew reads back every touched path and the schema. Only after it may
// anything be called done.
func (r *run) verifyNew(ctx context.Context) error {
	if err := files.Verify(ctx, r.site, r.plan.Files); err != nil {
		return fmt.Errorf("the files are not as planned: %w (%w)", err, errVerification)
	}
	if r.db != nil && r.plan.Schema != nil {
		if err := r.db.Matches(ctx, r.plan.Schema.Target); err != nil {
			return fmt.Errorf("the schema is not as planned: %w (%w)", err, errVerification)
		}
	}
	return r.mark(recordVerified, nil)
}

// verifyOld is verifyNew for the way back.
func (r *run) verifyOld(ctx context.Context) error {
	if err := files.VerifyOld(ctx, r.site, r.plan.Files); err != nil {
		return fmt.Errorf("the files are not as before: %w (%w)", err, errVerification)
	}
	if err := r.matchesFormer(ctx); err != nil {
		return fmt.Errorf("the schema is not as before: %w (%w)", err, errVerification)
	}
	return nil
}

// verdict says what the site is after a run that could not be ended: what can be
// read back decides, not the error.
func (r *run) verdict(ctx context.Context) SiteState {
	switch {
	case files.VerifyOld(ctx, r.site, r.plan.Files) == nil && r.matchesFormer(ctx) == nil:
		return SiteOld
	case files.Verify(ctx, r.site, r.plan.Files) == nil && (r.db == nil || r.plan.Schema == nil || r.db.Matches(ctx, r.plan.Schema.Target) == nil):
		return SiteNew
	}
	return SiteMixed
}

// errVerification is wrapped when reading back finds something else than planned.
var errVerification = errors.New("verification failed")
