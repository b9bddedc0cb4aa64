package app

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing/fstest"
	"time"

	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// fakeEngine is a site that exists in the test only. Its fields are set before
// the window opens; gate holds a long call until the test lets it go.
type fakeEngine struct {
	dir       string
	config    site.Config
	openErr   error
	run       *update.Run
	checkErr  error
	offer     *update.Offer
	prepErr   error
	plan      func(update.Choices) *update.Plan
	applyErr  error
	verifyErr error
	keepErr   error         // of Discard
	checks    chan struct{} // Check waits for it; nil: it doesn't wait
	edited    []files.Difference
	gate      chan struct{} // Apply waits for it; nil: it doesn't wait
	begun     chan struct{} // closed by Apply when it has begun to change things
	ask       AskPassword   // asked by TryDatabase; nil: nobody is

	mu      sync.Mutex
	current release.Version
	history []update.Record
	closed  bool
	skipped release.Version
	asked   int // how often Check was called
	inCall  int
	overlap bool
}

// call notes that a worker is inside the engine, and finds two at once.
func (e *fakeEngine) call() func() {
	e.mu.Lock()
	e.inCall++
	e.overlap = e.overlap || e.inCall > 1
	e.mu.Unlock()
	return func() {
		e.mu.Lock()
		e.inCall--
		e.mu.Unlock()
	}
}

func (e *fakeEngine) Config() site.Config { return e.config }
func (e *fakeEngine) Current() release.Version {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current
}
func (e *fakeEngine) Checked() time.Time                { return at("2026-11-20T08:30:00Z") }
func (e *fakeEngine) Interrupted() (*update.Run, error) { return e.run, nil }
func (e *fakeEngine) SaveConfig(c site.Config) error    { e.config = c; return nil }

func (e *fakeEngine) History() ([]update.Record, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.history, nil
}

func (e *fakeEngine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.inCall > 0 {
		panic("engine closed under a worker")
	}
	return nil
}

func (e *fakeEngine) Skipped() release.Version {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.skipped
}

func (e *fakeEngine) Skip(v release.Version) error {
	defer e.call()()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.skipped = v
	return nil
}

func (e *fakeEngine) Verify(context.Context, update.Report) (*update.Verification, error) {
	defer e.call()()
	if e.verifyErr != nil {
		return nil, e.verifyErr
	}
	return &update.Verification{Version: e.current, Files: e.edited}, nil
}

func (e *fakeEngine) Check(ctx context.Context, _ update.Choices, r update.Report) (*update.Offer, error) {
	defer e.call()()
	e.mu.Lock()
	e.asked++
	e.mu.Unlock()
	if r != nil {
		r(update.Event{Time: time.Now(), Stage: update.StageCheck, Status: update.StepRunning, Interruptible: true})
	}
	if e.checks != nil {
		select {
		case <-e.checks:
		case <-ctx.Done():
			return nil, &update.Error{Kind: update.KindCancelled, Stage: update.StageCheck, Err: ctx.Err()}
		}
	}
	return e.offer, e.checkErr
}

func (e *fakeEngine) Prepare(_ context.Context, _ *update.Offer, c update.Choices, r update.Report) (*update.Plan, error) {
	defer e.call()()
	for _, s := range stagesOf(PreparingNow) {
		r(update.Event{Time: time.Now(), Stage: s, Status: update.StepDone, Interruptible: true, Log: "done with " + string(s)})
	}
	if e.prepErr != nil {
		return nil, e.prepErr
	}
	return e.plan(c), nil
}

func (e *fakeEngine) Replan(_ context.Context, _ *update.Plan, c update.Choices, _ update.Report) (*update.Plan, error) {
	defer e.call()()
	return e.plan(c), e.prepErr
}

func (e *fakeEngine) Apply(ctx context.Context, p *update.Plan, r update.Report) (*update.Result, error) {
	defer e.call()()
	result := &update.Result{ID: p.ID, From: p.From, To: p.To, Started: at("2026-11-21T10:00:00Z"), Ended: at("2026-11-21T10:00:07Z"),
		State: update.Done, Site: update.SiteNew, Window: 8 * time.Millisecond}
	r(update.Event{Time: time.Now(), Stage: update.StageLock, Status: update.StepDone, Interruptible: true})
	r(update.Event{Time: time.Now(), Stage: update.StageExpand, Status: update.StepRunning, Interruptible: true, Done: 1, Total: 4, Unit: update.Statements})
	if e.begun != nil {
		close(e.begun)
	}
	err := e.applyErr
	if e.gate != nil {
		select {
		case <-e.gate:
		case <-ctx.Done():
			err = &update.Error{Kind: update.KindCancelled, Stage: update.StageExpand, Err: ctx.Err()}
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		result.State, result.Site, result.Kind, result.Message = update.RolledBack, update.SiteOld, update.KindOf(err), err.Error()
		return result, err
	}
	e.current = p.To
	e.history = append([]update.Record{{Result: *result, CanRollBack: true, DiskBytes: 3_400_000}}, e.history...)
	return result, nil
}

func (e *fakeEngine) RollBack(_ context.Context, id string, _ update.Report) (*update.Result, error) {
	defer e.call()()
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, r := range e.history {
		if r.ID == id || id == "" {
			e.current = r.From
			back := r.Result
			back.State, back.Site = update.RolledBack, update.SiteOld
			e.history = slices.Clone(e.history)
			e.history[i] = update.Record{Result: back}
			return &back, nil
		}
	}
	return nil, &update.Error{Kind: update.KindNoBackup, Stage: update.StageRollBack, Err: fmt.Errorf("update %s has no restore point", id)}
}

func (e *fakeEngine) Recover(_ context.Context, d update.Direction, _ update.Report) (*update.Result, error) {
	defer e.call()()
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &update.Result{ID: e.run.ID, From: e.run.From, To: e.run.To, State: update.RolledBack, Site: update.SiteOld}
	if d == update.Forward {
		r.State, r.Site = update.Done, update.SiteNew
		e.current = e.run.To
	}
	e.run = nil
	return r, nil
}

func (e *fakeEngine) Discard(_ context.Context, id string) error {
	defer e.call()()
	if e.keepErr != nil {
		return e.keepErr
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found := false
	for i := range e.history { // the older ones go with it
		if found = found || e.history[i].ID == id; found {
			e.history[i].CanRollBack, e.history[i].DiskBytes = false, 0
		}
	}
	return nil
}

func (e *fakeEngine) Contents(_ *update.Plan, p release.Path) (files.Versions, error) {
	if p == "config/wiki.php" {
		return files.Versions{Shipped: []byte(shippedConfig), Here: []byte(hereConfig), New: []byte(newConfig), Merged: []byte(mergedConfig)}, nil
	}
	if p == "assets/logo.png" {
		return files.Versions{Here: []byte("\x89PNG\x00"), New: []byte("\x89PNG\x00\x01")}, nil
	}
	return files.Versions{Shipped: []byte(shippedPage), Here: []byte(shippedPage), New: []byte(newPageText)}, nil
}

func (e *fakeEngine) TrySource(_ context.Context, c site.Config) (string, error) {
	if c.Source.URL == "" {
		return "", &update.Error{Kind: update.KindNoSource, Stage: update.StageCheck, Err: fmt.Errorf("no address")}
	}
	return "1.5.0 of 12 November 2026 is offered.", nil
}

func (e *fakeEngine) TryDatabase(ctx context.Context, _ site.Config) (string, error) {
	if e.ask != nil {
		if password, err := e.ask(ctx, "Password of wiki@tcp(127.0.0.1:3306)/wiki"); err != nil || password != "quack" {
			return "", fmt.Errorf("access denied: %w", err)
		}
	}
	return "Connected to mariadb 10.11.6, tables: 14.", nil
}

func (e *fakeEngine) TryHealth(context.Context, site.Config) (string, error) {
	return "The site answers 200 OK.", nil
}

func (e *fakeEngine) Log(string) (fs.File, error) {
	return fstest.MapFS{"log.jsonl": {Data: []byte(`{"time":"2026-11-21T10:00:01Z","level":"INFO","msg":"switch files","files":37}` + "\n")}}.Open("log.jsonl")
}

func (e *fakeEngine) Bundle(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "bundle")
	return err
}
