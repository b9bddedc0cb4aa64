package update

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"moult/core/archive"
	"moult/core/database"
	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/site"
)

// Replan plans a prepared update again, with other choices or after the admin has
// mended what a check found. It fetches nothing and changes nothing of the site.
func (e *Engine) Replan(ctx context.Context, p *Plan, c Choices, report Report) (*Plan, error) {
	u, err := e.site.Update(p.ID)
	if err != nil {
		return nil, classify(StagePlan, err)
	}
	defer u.Close()
	var in intake
	if err := u.ReadJSON(intakeFile, &in); err != nil {
		return nil, classify(StagePlan, err)
	}
	in.Choices = c
	if err := u.WriteJSON(intakeFile, &in); err != nil {
		return nil, classify(StagePlan, err)
	}
	return e.plan(ctx, u, &in, report)
}

// plan makes the plan from what was extracted and writes it down.
func (e *Engine) plan(ctx context.Context, u *site.Update, in *intake, report Report) (*Plan, error) {
	report.send(Event{Stage: StagePlan, Status: StepRunning, Interruptible: true})
	db, err := e.connect(ctx)
	if err != nil {
		report.send(Event{Stage: StagePlan, Status: StepFailed, Log: err.Error(), Interruptible: true})
		return nil, classify(StagePlan, databaseError{err})
	}
	if db != nil {
		defer db.Close()
	}
	p, err := e.makePlan(ctx, u, in, db)
	if err != nil {
		report.send(Event{Stage: StagePlan, Status: StepFailed, Log: err.Error(), Interruptible: true})
		return nil, classify(StagePlan, err)
	}
	report.send(Event{Stage: StagePlan, Status: StepDone, Interruptible: true})
	report.send(Event{Stage: StagePreflight, Status: StepRunning, Interruptible: true})
	if err := e.preflight(ctx, p, db); err != nil {
		report.send(Event{Stage: StagePreflight, Status: StepFailed, Log: err.Error(), Interruptible: true})
		return nil, classify(StagePreflight, err)
	}
	p.Takes, p.Downtime = estimate(p)
	if err := u.WriteJSON(planFile, p); err != nil {
		return nil, classify(StagePlan, err)
	}
	report.send(Event{Stage: StagePreflight, Status: StepDone, Interruptible: true})
	return p, nil
}

// makePlan is a pure look at the site, its database and the package: the same
// site gives the same plan, which is how Apply knows that nothing has changed
// since the plan was shown.
func (e *Engine) makePlan(ctx context.Context, u *site.Update, in *intake, db *database.DB) (*Plan, error) {
	p := &Plan{ID: u.ID, From: in.From, To: in.To, Strategy: in.Strategy, Notes: in.Notes, Trust: in.Trust}
	inventory := func() (*site.Inventory, error) { return e.site.InventoryOf(in.Ops) }
	if in.Full {
		inventory = e.site.Inventory
	}
	inv, err := inventory()
	if err != nil {
		return nil, err
	}
	contents, err := u.Root.OpenRoot(packageDir)
	if err != nil {
		return nil, err
	}
	defer contents.Close()
	onEdited := in.Choices.OnEdited
	if onEdited == files.ChoiceAsk && e.site.Config.Files.OnEdited != "ask" {
		onEdited = files.Choice(e.site.Config.Files.OnEdited)
	}
	p.Files, err = files.MakePlan(ctx, files.PlanInput{
		Site: e.site, Inventory: inv, New: in.Files, Dirs: in.Dirs, Operations: in.Ops, Full: in.Full,
		OnEdited: onEdited, Choices: in.Choices.Files, Contents: contents,
	})
	if err != nil {
		return nil, err
	}
	if db != nil {
		if p.Schema, p.Proof, err = e.planSchema(ctx, u.ID, contents, in, db); err != nil {
			return nil, err
		}
		if p.Scripts, err = readScripts(contents); err != nil {
			return nil, err
		}
	}
	p.Hash, err = hashOf(p)
	return p, err
}

// planSchema merges three ways what the installed release shipped, what the
// server has and what the new release wants.
func (e *Engine) planSchema(ctx context.Context, id string, contents *os.Root, in *intake, db *database.DB) (*schema.Plan, Proof, error) {
	live, err := db.Introspect(ctx)
	if err != nil {
		return nil, Proof{}, databaseError{err}
	}
	target, err := contents.ReadFile(path.Join(archive.PackageDir, "schema", "to.sql"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Proof{Reason: "the release brings no schema"}, nil
	}
	if err != nil {
		return nil, Proof{}, err
	}
	base, err := e.installedSchema(contents)
	if err != nil {
		return nil, Proof{}, err
	}
	fl := db.Flavor()
	to, err := canonicalText("to.sql", string(target), live, fl)
	if err != nil {
		return nil, Proof{}, fmt.Errorf("schema of the new release: %w", err)
	}
	from, err := canonicalText(fromSQL, string(base), live, fl)
	if err != nil {
		return nil, Proof{}, fmt.Errorf("schema of the installed release: %w", err)
	}
	for _, text := range []**schema.Schema{&from, &to} {
		// Expressions and views are compared in the server's own words.
		if *text, err = db.Resolve(ctx, *text, live); err != nil {
			return nil, Proof{}, databaseError{err}
		}
	}
	merged := schema.Merge(from, live, to, fl)
	plan, err := schema.NewPlan(live, merged.Target, schema.Options{
		Flavor: fl, UpdateID: id,
		Confirmed: func(r schema.Rename) bool { return in.Choices.Renames[r.Object+"→"+r.To] },
	})
	if err != nil {
		return nil, Proof{}, err
	}
	plan.Kept, plan.Drift, plan.Conflicts = merged.Kept, merged.Drift, merged.Conflicts
	if plan.Empty() {
		return plan, Proof{Proved: true, Reason: "the schema stays as it is"}, nil
	}
	proved, reason, err := db.Cost(ctx, plan, live)
	if err != nil {
		return nil, Proof{}, databaseError{err}
	}
	return plan, Proof{Proved: proved, Reason: reason}, nil
}

// installedSchema returns the schema text of the installed release: as recorded
// at the last update, or as the package remembers it. Without either it is empty,
// so that everything on the server counts as the admin's own and stays.
func (e *Engine) installedSchema(contents *os.Root) ([]byte, error) {
	dir, err := e.site.SubDir("schema")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	text, err := dir.ReadFile(fromSQL)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = contents.ReadFile(path.Join(archive.PackageDir, "schema", "from.sql"))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// readScripts reads the data scripts of a package in the order of their names.
func readScripts(contents *os.Root) ([]Script, error) {
	dir := path.Join(archive.PackageDir, "scripts")
	entries, err := fs.ReadDir(contents.FS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var scripts []Script
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasSuffix(name, ".sql") || strings.HasSuffix(name, ".undo.sql") {
			continue
		}
		text, err := contents.ReadFile(path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		undo, err := contents.ReadFile(path.Join(dir, strings.TrimSuffix(name, ".sql")+".undo.sql"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		scripts = append(scripts, Script{Name: name, SQL: string(text), Undo: string(undo)})
	}
	slices.SortFunc(scripts, func(a, b Script) int { return strings.Compare(a.Name, b.Name) })
	return scripts, nil
}

// hashOf pins what a plan does. The update's own name is left out, so that the
// same update prepared twice has the same hash; estimates are left out too.
func hashOf(p *Plan) (string, error) {
	type statement struct {
		SQL     string
		Inverse []schema.Statement
		Phase   schema.Phase
	}
	pinned := struct {
		From, To release.Version
		Package  release.Digest
		Files    []files.Entry
		Schema   []statement
		Scripts  []Script
	}{From: p.From, To: p.To, Package: p.Strategy.Package.Digest, Files: p.Files.Entries, Scripts: p.Scripts}
	if p.Schema != nil {
		for _, s := range p.Schema.Steps {
			pinned.Schema = append(pinned.Schema, statement{s.SQL, s.Inverse, s.Phase})
		}
	}
	b, err := json.Marshal(pinned)
	if err != nil {
		return "", err
	}
	return release.DigestOf(bytes.ReplaceAll(b, []byte(p.ID), []byte("ID"))).Hex(), nil
}

// estimate says how long a run takes and how much of it visitors can notice. The
// figures are rounded up from measurements on a small machine: a file is switched
// in 26 µs or less, a package staged at 60 MiB/s, a statement answered in 50 ms,
// and a row copied by an ALTER in 20 µs.
func estimate(p *Plan) (takes, downtime time.Duration) {
	const (
		perFile      = 26 * time.Microsecond
		perByte      = time.Second / (60 << 20)
		perStatement = 50 * time.Millisecond
		perCopiedRow = 20 * time.Microsecond
	)
	downtime = time.Duration(len(p.Files.Entries)) * perFile
	takes = time.Second + time.Duration(p.Files.StageBytes)*perByte
	if p.Schema != nil {
		for _, s := range p.Schema.Steps {
			takes += perStatement
			if s.Blocks && s.Rows > 0 {
				copying := time.Duration(s.Rows) * perCopiedRow
				takes += copying
				downtime += copying
			}
		}
	}
	return takes + downtime, downtime
}
