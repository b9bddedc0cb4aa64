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
			begun, err := db.Begun(ctx, pl)
			if err != nil {
				return err
			}
			if !begun {
				return usagef("nothing of the run in %s was begun, or it was taken back: use moult schema apply", dir)
			}
			ok, err := p.confirm(fmt.Sprintf("Go on with %s on %s?", plural(len(pl.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			// Going on forward ends a way back that was begun.
			if err := os.Remove(filepath.Join(dir, formerName)); err != nil && !errors.Is(err, os.ErrNotExist) {
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
		former := database.Former{Start: pl.Start, With: pl.Start}
		if undoErr := p.undoSchema(context.WithoutCancel(ctx), db, pl, j, former); undoErr != nil {
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

// undoSchema takes back what was done of the plan and compares the result with what
// it has to be.
func (p *Program) undoSchema(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal, former database.Former) error {
	notes, err := db.Undo(ctx, pl, "", j, nil)
	for _, n := range notes {
		p.sayf("%s", words.Sentence(n))
	}
	if err != nil {
		return err
	}
	return db.MatchesFormer(ctx, former)
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
			back, err := db.WayBack(ctx, pl)
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
			left, err := leave.steps(ctx, db, pl)
			if err != nil {
				return err
			}
			if err := p.heed(back.Findings); err != nil || dry {
				return err
			}
			ok, err := p.confirm(fmt.Sprintf("Take back %s on %s?", plural(len(back.Steps), "statement"), db.Name()), "--yes")
			if err != nil || !ok {
				return err
			}
			former, err := keepFormer(dir, back.Former)
			if err != nil {
				return err
			}
			db.Leave(left...)
			return p.takeBack(ctx, db, pl, j, former, dir)
		},
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, "print the statements and what was found, and change nothing")
	leave.flags(cmd.Flags())
	return cmd
}

// takeBack undoes a run, up to what is left to a tool.
func (p *Program) takeBack(ctx context.Context, db *database.DB, pl *schema.Plan, j database.Journal, former database.Former, dir string) error {
	err := p.undoSchema(ctx, db, pl, j, former)
	var left *database.LeftError
	if errors.As(err, &left) {
		return p.waiting(db, left, dir, "undo")
	}
	if err != nil {
		return &update.Error{Kind: update.KindRollbackFailed, Stage: update.StageRollBack, Err: err}
	}
	if err := os.Remove(filepath.Join(dir, formerName)); err != nil {
		return err
	}
	doc := map[string]any{"state": "undone", "kept": orEmpty(former.Since)}
	if len(former.Since) > 0 {
		return p.done(doc, "The schema is what it was, and with it what was changed here since.")
	}
	return p.done(doc, "The schema is what it was.")
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
