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
			left, err := leave.steps(ctx, db, pl)
			if err != nil {
				return err
			}
			findings, err := db.Preflight(ctx, pl)
			if err := p.heed(findings, err); err != nil {
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
			return p.runSchema(ctx, db, pl, j, dir)
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
			ctx, dir := cmd.Context(), args[1]
			pl, left, j, err := openJournal(dir)
			if err != nil {
				return usageError{err}
			}
			defer j.Close()
			db, err := openDSN(ctx, args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			ok, err := p.confirm(fmt.Sprintf("Go on with %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			if !all {
				db.Leave(left...)
			}
			return p.runSchema(ctx, db, pl, j, dir)
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
	pl, err := planOf(live, merged, schema.Options{Flavor: db.Flavor(), UpdateID: id})
	if err != nil || pl.Empty() {
		return pl, err
	}
	_, _, err = db.Cost(ctx, pl, live)
	return pl, err
}

// heed prints what a preflight has found and refuses what can't succeed.
func (p *Program) heed(findings []database.Finding, err error) error {
	if err != nil {
		return err
	}
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

// runSchema runs the plan, up to what is left to a tool, and takes it back if it
// does not come to its end.
func (p *Program) runSchema(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal, dir string) error {
	err := p.forwardSchema(ctx, db, pl, j)
	var left *database.LeftError
	if errors.As(err, &left) {
		return p.waiting(db, left, dir, "resume")
	}
	if err != nil {
		failed := &update.Error{Kind: update.KindMigration, Stage: update.StageExpand, Err: err}
		if undoErr := p.undoSchema(context.WithoutCancel(ctx), db, pl, j); undoErr != nil {
			failed.Kind, failed.RollBackErr = update.KindRollbackFailed, undoErr
		}
		return failed
	}
	if p.json {
		return p.printJSON(map[string]any{"state": "done", "journal": dir})
	}
	p.printf("%s", dir)
	p.sayf("Done. Take it back with: moult schema undo DSN %s", dir)
	return nil
}

func (p *Program) forwardSchema(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal) error {
	report := func(e database.Progress) { p.sayf("%d of %d  %s: %s", e.Done, e.Total, e.Object, e.Change) }
	for _, phase := range phases {
		if err := db.Run(ctx, pl, phase, j, report); err != nil {
			return err
		}
	}
	return db.Matches(ctx, pl.Target)
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
	var leave leaving
	cmd := &cobra.Command{
		Use:   "undo DSN JOURNAL-DIR",
		Short: "Take back what `moult schema apply` did",
		Long:  "--leave and --leave-larger-than work as for `moult schema apply`. After the tool, the same command goes on.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, dir := cmd.Context(), args[1]
			pl, _, j, err := openJournal(dir)
			if err != nil {
				return usageError{err}
			}
			defer j.Close()
			db, err := openDSN(ctx, args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			left, err := leave.steps(ctx, db, pl)
			if err != nil {
				return err
			}
			ok, err := p.confirm(fmt.Sprintf("Take back %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			db.Leave(left...)
			err = p.undoSchema(ctx, db, pl, j)
			var waits *database.LeftError
			if errors.As(err, &waits) {
				return p.waiting(db, waits, dir, "undo")
			}
			if err != nil {
				return &update.Error{Kind: update.KindRollbackFailed, Stage: update.StageRollBack, Err: err}
			}
			p.sayf("The schema is what it was.")
			return nil
		},
	}
	leave.flags(cmd.Flags())
	return cmd
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

func openJournal(dir string) (pl *schema.Plan, left []string, j journal, err error) {
	b, err := os.ReadFile(filepath.Join(dir, planName))
	if err != nil {
		return nil, nil, journal{}, err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&pl); err != nil {
		return nil, nil, journal{}, fmt.Errorf("%s: %w", filepath.Join(dir, planName), err)
	}
	if left, err = readLeft(dir); err != nil {
		return nil, nil, journal{}, err
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	return pl, left, journal{f}, err
}
