package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"moult/core/database"
	"moult/core/files"
	"moult/core/site"
)

// run is one update under way, forward or back.
type run struct {
	e        *Engine
	site     *site.Site
	lock     *site.Lock
	update   *site.Update
	journal  *site.Journal
	logFile  *os.File
	log      *slog.Logger
	db       *database.DB // nil: the site has no database
	plan     *Plan
	intake   *intake
	report   Report
	started  time.Time
	stage    Stage
	skipped  bool        // the stage had nothing to do
	lease    *site.Lease // the maintenance flag; nil: the site has none
	cause    *Error      // what made the run go back; nil while it goes as asked
	window   time.Duration
	setAside int  // as Result.SetAside
	unsure   bool // as Result.Unsure
	warnings []string
}

// before is what an update has to put back besides files, schema and inventory.
type before struct {
	State     site.State `json:"state"`
	Schema    string     `json:"schema"` // text of the installed release
	HadSchema bool       `json:"had_schema"`
	Healthy   bool       `json:"healthy"` // the health check was answered rightly
}

// begin takes the lock, looks whether the plan still fits, and stages the files.
// Until it returns without an error nothing of the site has changed.
func (e *Engine) begin(ctx context.Context, p *Plan, report Report) (*run, error) {
	if open := p.Files.Undecided(); len(open) > 0 {
		return nil, &Error{Kind: KindUndecided, Stage: StagePlan, Err: fmt.Errorf("nobody has said what to do with %s, which was edited on this site (such files in all: %d)", open[0].Path, len(open))}
	}
	if stop := p.Blocked(); len(stop) > 0 {
		return nil, &Error{Kind: KindBlocked, Stage: StagePreflight, Err: errors.New(stop[0].Text)}
	}
	r, err := e.open(ctx, p.ID, report)
	if err != nil {
		return nil, err
	}
	found, err := e.findInterrupted()
	if err == nil {
		err = found.refusal()
	}
	if err != nil {
		r.close()
		return nil, err
	}
	if err := r.ready(ctx, p); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// ready checks that planning again gives the plan that was shown, writes down what
// the way back needs, stages the files and opens the run in the journal.
func (r *run) ready(ctx context.Context, p *Plan) error {
	r.stage = StageReady
	r.send(Event{Status: StepRunning, Interruptible: true})
	life, err := lifeOf(r.update)
	if err != nil {
		return err
	}
	if !life.begun.IsZero() {
		return &Error{Kind: KindBlocked, Stage: StageLock, Err: fmt.Errorf("update %s has already been run", p.ID)}
	}
	if err := r.readIntake(); err != nil {
		return err
	}
	now, err := r.e.makePlan(ctx, r.update, r.intake, r.db)
	if err != nil {
		return err
	}
	if now.Hash != p.Hash {
		return &Error{Kind: KindBlocked, Stage: StagePlan, Err: errors.New("the site or its database has changed since this plan was made: look at a new plan first")}
	}
	r.plan = p
	if err := r.saveBefore(ctx); err != nil {
		return err
	}
	contents, err := r.update.Root.OpenRoot(packageDir)
	if err != nil {
		return err
	}
	defer contents.Close()
	err = keepPristine(r.site, contents, r.intake.Files, func(done, total int) {
		r.send(Event{Status: StepRunning, Done: int64(done), Total: int64(total), Unit: Files, Interruptible: true})
	})
	if err != nil {
		return err
	}
	if err := keepTarget(r.update, contents); err != nil {
		return err
	}
	err = files.Stage(ctx, r.site, r.update, p.Files, contents, func(done, total int64) {
		r.send(Event{Status: StepRunning, Done: done, Total: total, Unit: Bytes, Interruptible: true})
	})
	if err != nil {
		return err
	}
	r.send(Event{Status: StepDone, Interruptible: true})
	return r.mark(recordBegin, p.Hash)
}

// readIntake reads what the package brought, which a run forward works from.
func (r *run) readIntake() error {
	r.intake = new(intake)
	return r.update.ReadJSON(intakeFile, r.intake)
}

// saveBefore writes down the site's records as they are now.
func (r *run) saveBefore(ctx context.Context) error {
	var b before
	var err error
	if b.State, err = r.site.State(); err != nil {
		return err
	}
	if err := r.site.KeepInventory(r.update); err != nil {
		return err
	}
	dir, err := r.site.SubDir("schema")
	if err != nil {
		return err
	}
	defer dir.Close()
	text, err := dir.ReadFile(fromSQL)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	b.Schema, b.HadSchema = string(text), err == nil
	if cfg := r.site.Config.Health; cfg.URL != "" {
		is, _ := probe(ctx, cfg)
		b.Healthy = is == healthGood
	}
	return r.update.WriteJSON(beforeFile, b)
}

// open takes the lock and everything that a run works with, for a new run as for
// one that goes on.
func (e *Engine) open(ctx context.Context, id string, report Report) (_ *run, err error) {
	r := &run{e: e, site: e.site, report: report.serial(), started: e.opts.Now(), stage: StageLock, lease: e.site.Lease()}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.lock, err = e.site.Lock(); err != nil {
		return nil, err
	}
	if r.update, err = e.site.Update(id); err != nil {
		return nil, fmt.Errorf("update %s: %w", id, err)
	}
	if r.journal, _, err = r.update.Journal(); err != nil {
		return nil, err
	}
	if r.logFile, err = r.update.Root.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	// The log of the update carries what the program's own log does, for this run.
	r.log = slog.New(slog.NewMultiHandler(slog.NewJSONHandler(r.logFile, nil), e.log.Handler())).With("update", id)
	if r.db, err = e.connect(ctx); err != nil {
		return nil, databaseError{err}
	}
	return r, nil
}

// close gives back what open took. It never changes the verdict of a run.
func (r *run) close() {
	if r.lease != nil {
		r.lease.Leave()
	}
	if r.db != nil {
		r.db.Close()
	}
	if r.journal != nil {
		r.journal.Close()
	}
	if r.logFile != nil {
		r.logFile.Close()
	}
	if r.update != nil {
		r.update.Close()
	}
	if r.lock != nil {
		r.lock.Release()
	}
}

// mark writes a record of the run's life and makes it durable.
func (r *run) mark(kind string, data any) error {
	if err := r.journal.Append(kind, data); err != nil {
		return err
	}
	return r.journal.Sync()
}

// warn notes what didn't stop the run but has to be told.
func (r *run) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.warnings = append(r.warnings, text)
	r.log.Warn(text, "stage", r.stage)
	r.send(Event{Status: StepRunning, Log: text})
}

// send reports progress of the stage in hand.
func (r *run) send(ev Event) {
	if ev.Stage == "" {
		ev.Stage = r.stage
	}
	r.report.send(ev)
}

// files turns the progress of switching into events. The switch can't be cut
// short: it takes milliseconds, and half of it is of use to nobody.
func (r *run) files(done, total int) {
	r.send(Event{Status: StepRunning, Done: int64(done), Total: int64(total), Unit: Files})
}

// statements turns the progress of a migration into events. A statement can be
// cut short: the server is told to stop it, and says afterwards whether it did.
func (r *run) statements(p database.Progress) {
	ev := Event{Status: StepRunning, Item: p.Object + ": " + p.Change, Done: int64(p.Done), Total: int64(p.Total), Unit: Statements, Interruptible: true, Share: max(p.Fraction, 0)}
	if p.Waiting != "" {
		ev.Log = "waiting: " + p.Waiting
	}
	if p.Refused != "" {
		r.warn("The database did %s (%s) in a slower way than the preview said: %s", p.Change, p.Object, p.Refused)
	}
	r.send(ev)
}

// settle writes down how the run ends. It comes before the mark that ends it, so
// that no run is over without a line in the history.
func (r *run) settle(state State, now SiteState) (*Result, error) {
	res := &Result{
		ID: r.plan.ID, From: r.plan.From, To: r.plan.To, Started: r.started, Ended: r.e.opts.Now(),
		State: state, Site: now, Warnings: r.warnings, Window: r.window, SetAside: r.setAside, Unsure: r.unsure,
	}
	if r.cause != nil {
		res.Kind, res.Message = r.cause.Kind, r.cause.Error()
	}
	return res, r.update.WriteJSON(resultFile, res)
}

// finish reports how the run ended.
func (r *run) finish(state State, now SiteState) (*Result, error) {
	res, err := r.settle(state, now)
	if err != nil {
		r.log.Error("the result could not be written", "error", err)
	}
	r.log.Info("run ended", "state", state, "site", now, "message", res.Message)
	if r.cause != nil {
		return res, r.cause
	}
	return res, nil
}
