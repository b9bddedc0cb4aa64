package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/database"
	"moult/core/schema"
	"moult/core/update"
)

// phases in the order of a run. Without files to switch nothing lies between them.
var phases = []schema.Phase{schema.Expand, schema.Contract}

func (p *Program) schemaApplyCommand() *cobra.Command {
	var base, dir string
	var leave leaving
	cmd := &cobra.Command{
		Use:   "apply [--base F] DSN TO.sql",
		Short: "Bring a database to a schema, with a way back",
		Long: "What is dropped or narrowed is kept aside in the database, so that `moult schema undo` brings it back.\n" +
			"With --leave or --leave-larger-than, slow statements on large tables are left to a tool that alters tables\n" +
			"without blocking their writers. What does not need them is done, the tool's command lines are printed as a\n" +
			"shell script, and the command ends with 6. After the tool, `moult schema resume` goes on.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			db, err := openDSN(ctx, args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			id := strings.ReplaceAll(time.Now().UTC().Format("20060102t150405.000"), ".", "") // two runs in a second are two updates
			pl, err := p.planApply(ctx, db, id, base, args[1])
			if err != nil {
				return err
			}
			if pl.Empty() {
				return p.done(map[string]any{"state": update.UpToDate}, "There is nothing to do.")
			}
			if !p.quiet {
				writeSQL(p.Stderr, pl)
			}
			left, err := leave.steps(ctx, db, pl)
			if err != nil {
				return err
			}
			findings, err := db.Preflight(ctx, pl)
			if err != nil {
				return err
			}
			if err := p.heed(findings); err != nil {
				return err
			}
			ok, err := p.confirm(fmt.Sprintf("Run %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			if dir == "" {
				dir = "moult-schema-" + id
			}
			j, err := createJournal(dir, pl, left)
			if err != nil {
				return usageError{err}
			}
			defer j.Close()
			db.Leave(left...)
			return (&schemaRun{p, db, pl, j, dir}).forward(ctx)
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "schema that the database started from: what differs from it otherwise stays")
	cmd.Flags().StringVar(&dir, "journal", "", "directory for the plan and the journal (moult-schema-DATE)")
	leave.flags(cmd.Flags())
	return cmd
}

func (p *Program) schemaResumeCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "resume DSN JOURNAL-DIR",
		Short: "Go on with a `moult schema apply` that waits for a tool or was interrupted",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			r, err := p.openSchemaRun(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			defer r.close()
			left, err := readLeft(r.dir)
			if err != nil {
				return usageError{err}
			}
			begun, err := r.db.Begun(ctx, r.plan)
			if err != nil {
				return err
			}
			if !begun {
				return usagef("nothing of the run in %s was begun, or it was taken back: use moult schema apply", r.dir)
			}
			ok, err := p.confirm(fmt.Sprintf("Go on with %s on %s?", plural(len(r.plan.Steps), "statement"), r.db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			// Going on forward ends a way back that was begun.
			if err := os.Remove(filepath.Join(r.dir, formerName)); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if !all {
				r.db.Leave(left...)
			}
			return r.forward(ctx)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "run the statements that were left to a tool, too")
	return cmd
}

func (p *Program) planApply(ctx context.Context, db *database.DB, id, base, to string) (*schema.Plan, error) {
	live, err := db.Introspect(ctx)
	if err != nil {
		return nil, err
	}
	target, err := p.readSchema(ctx, to, db.Flavor())
	if err != nil {
		return nil, err
	}
	merged := &schema.Merged{Target: target}
	if base != "" {
		b, err := p.readSchema(ctx, base, db.Flavor())
		if err != nil {
			return nil, err
		}
		merged = schema.Merge(b, live, target, db.Flavor())
	}
	pl, err := merged.Plan(live, schema.Options{Flavor: db.Flavor(), UpdateID: id})
	if err != nil || pl.Empty() {
		return pl, err
	}
	_, _, err = db.Cost(ctx, pl, live)
	return pl, err
}

// heed prints what a preflight has found and refuses what can't succeed.
func (p *Program) heed(findings []database.Finding) error {
	var stop []error
	for _, f := range findings {
		text := words.Sentence(f.Text)
		if f.Hint != "" {
			text += " Hint: " + words.Sentence(f.Hint)
		}
		switch update.CheckLevel(f.Level) {
		case update.CheckStop:
			stop = append(stop, errors.New(text))
		case update.CheckWarn:
			p.sayf("%s", text)
			for _, row := range f.Rows {
				p.sayf("  %s", row)
			}
		}
	}
	if stop != nil {
		return &update.Error{Kind: update.KindBlocked, Stage: update.StagePreflight, Err: errors.Join(stop...)}
	}
	return nil
}

// schemaRun is a plan on its way to a database or back, with what is written down of it.
type schemaRun struct {
	*Program
	db      *database.DB
	plan    *schema.Plan
	journal journal
	dir     string // of plan and journal
}

// openSchemaRun opens a run that an earlier command has begun.
func (p *Program) openSchemaRun(ctx context.Context, dsn, dir string) (*schemaRun, error) {
	pl, j, err := openJournal(dir)
	if err != nil {
		return nil, usageError{err}
	}
	db, err := openDSN(ctx, dsn)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &schemaRun{p, db, pl, j, dir}, nil
}

func (r *schemaRun) close() {
	r.db.Close()
	r.journal.Close()
}

// forward runs the plan, up to what is left to a tool, and takes it back if it does
// not come to its end.
func (r *schemaRun) forward(ctx context.Context) error {
	err := r.run(ctx)
	var left *database.LeftError
	if errors.As(err, &left) {
		return r.waiting(left, "resume")
	}
	if err != nil {
		failed := &update.Error{Kind: update.KindMigration, Stage: update.StageExpand, Err: err}
		former := database.Former{Start: r.plan.Start, With: r.plan.Start}
		if undoErr := r.undo(context.WithoutCancel(ctx), former); undoErr != nil {
			failed.Kind, failed.RollBackErr = update.KindRollbackFailed, undoErr
		}
		return failed
	}
	if r.json {
		return r.printJSON(map[string]any{"state": "done", "journal": r.dir})
	}
	r.printf("%s", r.dir)
	r.sayf("Done. Take it back with: moult schema undo DSN %s", r.dir)
	return nil
}

// run does the statements and compares the result with the target.
func (r *schemaRun) run(ctx context.Context) error {
	report := func(e database.Progress) { r.sayf("%d of %d  %s: %s", e.Done, e.Total, e.Object, e.Change) }
	for _, phase := range phases {
		if err := r.db.Run(ctx, r.plan, phase, r.journal, report); err != nil {
			return err
		}
	}
	return r.db.Matches(ctx, r.plan.Target)
}

// undo takes back what was done of the plan and compares the result with what it has
// to be.
func (r *schemaRun) undo(ctx context.Context, former database.Former) error {
	notes, err := r.db.Undo(ctx, r.plan, "", r.journal, nil)
	for _, n := range notes {
		r.sayf("%s", words.Sentence(n))
	}
	if err != nil {
		return err
	}
	return r.db.MatchesFormer(ctx, former)
}

func (p *Program) schemaUndoCommand() *cobra.Command {
	var leave leaving
	var dry bool
	cmd := &cobra.Command{
		Use:   "undo DSN JOURNAL-DIR",
		Short: "Take back what `moult schema apply` did",
		Long: "Before anything runs it is said which rows can't come back as they were, and what was changed here since,\n" +
			"which stays. --leave and --leave-larger-than work as for `moult schema apply`; after the tool, the same\n" +
			"command goes on.",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			r, err := p.openSchemaRun(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			defer r.close()
			back, err := r.db.WayBack(ctx, r.plan)
			if err != nil {
				return err
			}
			if len(back.Steps) == 0 {
				return p.done(map[string]any{"state": update.UpToDate}, "There is nothing to take back.")
			}
			if dry && p.json {
				if err := p.printJSON(newSchemaDoc(&schema.Plan{Steps: back.Steps})); err != nil {
					return err
				}
			} else if dry {
				writeSQL(p.Stdout, &schema.Plan{Steps: back.Steps})
			} else if !p.quiet {
				writeSQL(p.Stderr, &schema.Plan{Steps: back.Steps})
			}
			left, err := leave.steps(ctx, r.db, r.plan)
			if err != nil {
				return err
			}
			if err := p.heed(back.Findings); err != nil || dry {
				return err
			}
			ok, err := p.confirm(fmt.Sprintf("Take back %s on %s?", plural(len(back.Steps), "statement"), r.db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			former, err := keepFormer(r.dir, back.Former)
			if err != nil {
				return err
			}
			r.db.Leave(left...)
			return r.back(ctx, former)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print the statements and what was found, and change nothing")
	leave.flags(cmd.Flags())
	return cmd
}

// back undoes the run, up to what is left to a tool.
func (r *schemaRun) back(ctx context.Context, former database.Former) error {
	err := r.undo(ctx, former)
	var left *database.LeftError
	if errors.As(err, &left) {
		return r.waiting(left, "undo")
	}
	if err != nil {
		return &update.Error{Kind: update.KindRollbackFailed, Stage: update.StageRollBack, Err: err}
	}
	if err := os.Remove(filepath.Join(r.dir, formerName)); err != nil {
		return err
	}
	doc := map[string]any{"state": "undone", "kept": orEmpty(former.Since)}
	if len(former.Since) > 0 {
		return r.done(doc, "The schema is what it was, and with it what was changed here since.")
	}
	return r.done(doc, "The schema is what it was.")
}

// The names inside a journal directory.
const (
	planName    = "plan.json"
	journalName = "journal.jsonl"
	formerName  = "former.json" // what a way back that was begun leads to
)

// keepFormer writes down what a way back leads to, or reads what an earlier attempt
// at it has written.
func keepFormer(dir string, f database.Former) (database.Former, error) {
	name := filepath.Join(dir, formerName)
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &f)
	} else if errors.Is(err, os.ErrNotExist) {
		if b, err = json.Marshal(f); err == nil {
			err = os.WriteFile(name, b, 0o600)
		}
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// journal is what a run writes down, as JSON lines. Undo does not read it: marks
// and probes in the database decide what has happened. It is for people.
type journal struct{ *os.File }

// Append adds a record.
func (j journal) Append(kind string, data any) error {
	b, err := json.Marshal(map[string]any{"kind": kind, "time": time.Now(), "data": data})
	if err != nil {
		return err
	}
	_, err = j.Write(append(b, '\n'))
	return err
}

// createJournal makes a new directory with the plan in it, safe on the disk
// before the first statement runs, and the list of what is left to a tool.
func createJournal(dir string, pl *schema.Plan, left []string) (journal, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return journal{}, err
	}
	b, err := json.MarshalIndent(pl, "", "  ")
	if err != nil {
		return journal{}, err
	}
	f, err := os.Create(filepath.Join(dir, planName))
	if err != nil {
		return journal{}, err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close(), writeLeft(dir, left)); err != nil {
		return journal{}, err
	}
	f, err = os.Create(filepath.Join(dir, journalName))
	return journal{f}, err
}

func openJournal(dir string) (*schema.Plan, journal, error) {
	b, err := os.ReadFile(filepath.Join(dir, planName))
	if err != nil {
		return nil, journal{}, err
	}
	var pl *schema.Plan
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&pl); err != nil {
		return nil, journal{}, fmt.Errorf("%s: %w", filepath.Join(dir, planName), err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return pl, journal{f}, err
}
