package cli

import (
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
	cmd := &cobra.Command{
		Use:   "apply [--base F] DSN TO.sql",
		Short: "Bring a database to a schema, with a way back",
		Long:  "What is dropped or narrowed is kept aside in the database, so that `moult schema undo` brings it back.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			db, err := openDSN(ctx, args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			id := time.Now().UTC().Format("20060102t150405")
			pl, err := p.planApply(ctx, db, id, base, args[1])
			if err != nil {
				return err
			}
			if pl.Empty() {
				p.sayf("There is nothing to do.")
				return nil
			}
			if !p.quiet {
				writeSQL(p.Stderr, pl)
			}
			if err := p.preflightSchema(ctx, db, pl); err != nil {
				return err
			}
			ok, err := p.confirm(fmt.Sprintf("Run %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			if dir == "" {
				dir = "moult-schema-" + id
			}
			j, err := createJournal(dir, pl)
			if err != nil {
				return usageError{err}
			}
			defer j.Close()
			if err := p.runSchema(ctx, db, pl, j); err != nil {
				return err
			}
			p.printf("%s", dir)
			p.sayf("Done. Take it back with: moult schema undo DSN %s", dir)
			return nil
		},
	}
	cmd.Flags().StringVar(&base, "base", "", "schema that the database started from: what differs from it otherwise stays")
	cmd.Flags().StringVar(&dir, "journal", "", "directory for the plan and the journal (moult-schema-DATE)")
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
	pl, err := planOf(live, merged, schema.Options{Flavor: db.Flavor(), UpdateID: id})
	if err != nil || pl.Empty() {
		return pl, err
	}
	_, _, err = db.Cost(ctx, pl, live)
	return pl, err
}

// preflightSchema prints what was found and refuses a plan that can't succeed.
func (p *Program) preflightSchema(ctx context.Context, db *database.DB, pl *schema.Plan) error {
	findings, err := db.Preflight(ctx, pl)
	if err != nil {
		return err
	}
	var stop []error
	for _, f := range findings {
		if f.Level == string(update.CheckStop) {
			stop = append(stop, fmt.Errorf("%s %s", words.Sentence(f.Text), f.Hint))
		} else if f.Level == string(update.CheckWarn) {
			p.sayf("%s %s", words.Sentence(f.Text), f.Hint)
		}
	}
	if stop != nil {
		return &update.Error{Kind: update.KindBlocked, Stage: update.StagePreflight, Err: errors.Join(stop...)}
	}
	return nil
}

// runSchema runs the plan and takes it back if it does not come to its end.
func (p *Program) runSchema(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal) error {
	report := func(e database.Progress) { p.sayf("%d of %d  %s: %s", e.Done, e.Total, e.Object, e.Change) }
	run := func() error {
		for _, phase := range phases {
			if err := db.Run(ctx, pl, phase, j, report); err != nil {
				return err
			}
		}
		return db.Matches(ctx, pl.Target)
	}
	err := run()
	if err == nil {
		return nil
	}
	failed := &update.Error{Kind: update.KindMigration, Stage: update.StageExpand, Err: err}
	if undoErr := p.undoSchema(context.WithoutCancel(ctx), db, pl, j); undoErr != nil {
		failed.Kind, failed.RollBackErr = update.KindRollbackFailed, undoErr
	}
	return failed
}

// undoSchema takes back what was done of the plan and compares the result with the start.
func (p *Program) undoSchema(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal) error {
	notes, err := db.Undo(ctx, pl, "", j, nil)
	for _, n := range notes {
		p.sayf("%s", words.Sentence(n))
	}
	if err != nil {
		return err
	}
	return db.Matches(ctx, pl.Start)
}

func (p *Program) schemaUndoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undo DSN JOURNAL-DIR",
		Short: "Take back what `moult schema apply` did",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			pl, j, err := openJournal(args[1])
			if err != nil {
				return usageError{err}
			}
			defer j.Close()
			db, err := openDSN(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			ok, err := p.confirm(fmt.Sprintf("Take back %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			if err := p.undoSchema(cmd.Context(), db, pl, j); err != nil {
				return &update.Error{Kind: update.KindRollbackFailed, Stage: update.StageRollBack, Err: err}
			}
			p.sayf("The schema is what it was.")
			return nil
		},
	}
}

// The names inside a journal directory.
const (
	planName    = "plan.json"
	journalName = "journal.jsonl"
)

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
// before the first statement runs.
func createJournal(dir string, pl *schema.Plan) (journal, error) {
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
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
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
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	var pl schema.Plan
	if err := d.Decode(&pl); err != nil {
		return nil, journal{}, fmt.Errorf("%s: %w", filepath.Join(dir, planName), err)
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return &pl, journal{f}, err
}
