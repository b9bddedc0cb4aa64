package update

import (
	"context"
	"errors"

	"moult/core/database"
	"moult/core/release"
)

// formerFile says what the database is to be when the update has been taken back.
const formerFile = "former.json"

// RollBackPreview is what a roll back leads to and what it would meet.
type RollBackPreview struct {
	To      release.Version
	Updates int // that would be undone
	// Checks are of the newest of them: what the others would meet is not there before
	// it is undone. One that stops would stop RollBack as well.
	Checks []Check
}

// PreviewRollBack looks at what [Engine.RollBack] would do, and what it would meet in
// the database: rights that are missing, rows that the old schema can't hold, what was
// changed there since. Nothing changes.
func (e *Engine) PreviewRollBack(ctx context.Context, id string) (*RollBackPreview, error) {
	if err := e.refuseInterrupted(); err != nil {
		return nil, err
	}
	points, err := e.wayTo(id)
	if err != nil {
		return nil, err
	}
	r, err := e.resume(ctx, points[0], nil)
	if err != nil {
		return nil, classify(StageLock, err)
	}
	defer r.close()
	back, err := r.wayBack(ctx)
	if err != nil {
		return nil, classify(StageRollBack, err)
	}
	p := &RollBackPreview{Updates: len(points)}
	if back != nil {
		p.Checks = checksOf(back.Findings)
	}
	var oldest Plan
	if err := e.readPlan(points[len(points)-1], &oldest); err != nil {
		return nil, classify(StageRollBack, err)
	}
	p.To = oldest.From
	return p, nil
}

func (e *Engine) readPlan(id string, p *Plan) error {
	u, err := e.site.Update(id)
	if err != nil {
		return err
	}
	defer u.Close()
	return u.ReadJSON(planFile, p)
}

// wayBack asks the database; nil means that the update did not touch it.
func (r *run) wayBack(ctx context.Context) (*database.WayBack, error) {
	if r.db == nil || r.plan.Schema.Empty() {
		return nil, nil
	}
	back, err := r.db.WayBack(ctx, r.plan.Schema)
	return back, asDatabase(err)
}

// lookBack refuses a way back that can't succeed, and notes what it leads to: the
// schema of before, with what was changed here since.
func (r *run) lookBack(ctx context.Context) error {
	back, err := r.wayBack(ctx)
	if err != nil || back == nil {
		return err
	}
	for _, c := range checksOf(back.Findings) {
		if c.Level == CheckStop {
			return &Error{Kind: KindBlocked, Stage: StageRollBack, Err: errors.New(c.Text)}
		}
	}
	return r.update.WriteJSON(formerFile, back.Former)
}

// former is what the database is to be after a way back. Of an update that was
// never finished it is exactly the start.
func (r *run) former() (database.Former, error) {
	f := database.Former{Start: r.plan.Schema.Start, With: r.plan.Schema.Start}
	if !r.update.Has(formerFile) {
		return f, nil
	}
	return f, r.update.ReadJSON(formerFile, &f)
}

// matchesFormer compares the database with what it is to be after a way back.
func (r *run) matchesFormer(ctx context.Context) error {
	if r.db == nil || r.plan.Schema == nil {
		return nil
	}
	f, err := r.former()
	if err != nil {
		return err
	}
	return r.db.MatchesFormer(ctx, f)
}

func checksOf(findings []database.Finding) []Check {
	var checks []Check
	for _, f := range findings {
		checks = append(checks, Check{Code: f.Code, Level: CheckLevel(f.Level), Text: f.Text, Hint: f.Hint, Rows: f.Rows})
	}
	return checks
}
