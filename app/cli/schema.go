package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/database"
	"moult/core/schema"
	"moult/core/schema/parse"
)

// schemaDoc is a schema plan as --json shows it.
type schemaDoc struct {
	Statements []statementDoc `json:"statements"`
	Kept       []schema.Left  `json:"kept"`
	Drift      []schema.Left  `json:"drift"`
	Conflicts  []schema.Left  `json:"conflicts"`
	Renames    []renameDoc    `json:"renames"`
	Warnings   []string       `json:"warnings"`
}

// renameDoc is a look-alike that nobody has confirmed, with what would declare it.
type renameDoc struct {
	schema.Rename
	Declaration string `json:"declaration"`
}

type statementDoc struct {
	SQL       string       `json:"sql"`
	Object    string       `json:"object"`
	Change    string       `json:"change"`
	Phase     schema.Phase `json:"phase"`
	Algorithm string       `json:"algorithm"`
	Rows      int64        `json:"rows"`
	Risk      schema.Risk  `json:"risk"`
	KeepsData bool         `json:"keeps_data"`
	Inverse   []string     `json:"inverse"`
	Notes     []string     `json:"notes,omitempty"`
}

func newSchemaDoc(pl *schema.Plan) *schemaDoc {
	doc := &schemaDoc{
		Statements: []statementDoc{}, Renames: []renameDoc{},
		Kept: orEmpty(pl.Kept), Drift: orEmpty(pl.Drift), Conflicts: orEmpty(pl.Conflicts), Warnings: orEmpty(pl.Warnings),
	}
	for _, s := range pl.Steps {
		d := statementDoc{
			SQL: s.SQL, Object: s.Object, Change: s.Change, Phase: s.Phase, Algorithm: s.Algorithm,
			Rows: s.Rows, Risk: s.Risk, KeepsData: s.KeepsData, Inverse: []string{}, Notes: s.Notes,
		}
		for _, i := range s.Inverse {
			d.Inverse = append(d.Inverse, i.SQL)
		}
		doc.Statements = append(doc.Statements, d)
	}
	for _, r := range pl.Renames {
		doc.Renames = append(doc.Renames, renameDoc{r, r.Declaration()})
	}
	return doc
}

// orEmpty makes nil an empty list, so that JSON has [] and not null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// writeSQL writes a plan as executable SQL, a statement per paragraph with a
// comment above it. What is left alone is told in comments at the end.
func writeSQL(w io.Writer, pl *schema.Plan) {
	if pl == nil {
		return
	}
	for _, s := range pl.Steps {
		fmt.Fprintf(w, "-- %s: %s%s\n%s\n\n", s.Object, s.Change, inParentheses(words.Cost(s)), s.Script())
	}
	for _, group := range []struct {
		title string
		left  []schema.Left
	}{{"kept", pl.Kept}, {"drift", pl.Drift}, {"conflict", pl.Conflicts}} {
		for _, l := range group.left {
			fmt.Fprintf(w, "-- %s: %s: %s\n", group.title, l.Object, l.Reason)
		}
	}
	for _, r := range pl.Renames {
		fmt.Fprintf(w, "-- rename? %s: if %s is the new name, write %s behind it; else %s is kept aside\n", r.Object, r.To, r.Declaration(), r.From)
	}
	for _, warning := range pl.Warnings {
		fmt.Fprintf(w, "-- warning: %s\n", warning)
	}
}

func inParentheses(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

func (p *Program) schemaCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "schema", Short: "Compare, apply, undo and print database schemas"}
	cmd.AddCommand(p.schemaDiffCommand(), p.schemaDumpCommand(), p.schemaApplyCommand(), p.schemaResumeCommand(), p.schemaUndoCommand())
	return cmd
}

func (p *Program) schemaDiffCommand() *cobra.Command {
	var base, vendor, version string
	var reverse, byExit bool
	cmd := &cobra.Command{
		Use:   "diff [--base F] FROM TO",
		Short: "Print the SQL that leads from one schema to another",
		Long:  "FROM and TO are .sql files, - for standard input, or DSNs.\nWith --base, only what changes between base and TO is changed in FROM, and the rest is left alone.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			fl, err := schema.ParseFlavor(vendor, version)
			if err != nil {
				return usageError{err}
			}
			if !cmd.Flags().Changed("flavor") {
				if fl, err = flavorOf(cmd.Context(), fl, args...); err != nil {
					return err
				}
			}
			if reverse {
				args[0], args[1] = args[1], args[0]
			}
			from, err := p.readSchema(cmd.Context(), args[0], fl)
			if err != nil {
				return err
			}
			to, err := p.readSchema(cmd.Context(), args[1], fl)
			if err != nil {
				return err
			}
			merged := &schema.Merged{Target: to}
			if base != "" {
				b, err := p.readSchema(cmd.Context(), base, fl)
				if err != nil {
					return err
				}
				merged = schema.Merge(b, from, to, fl)
			}
			pl, err := merged.Plan(from, schema.Options{Flavor: fl})
			if err != nil {
				return err
			}
			if p.json {
				err = p.printJSON(newSchemaDoc(pl))
			} else {
				writeSQL(p.Stdout, pl)
			}
			if err == nil && byExit && !pl.Empty() {
				return errDiffers
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&base, "base", "", "schema that FROM started from, for a three-way diff")
	f.StringVar(&vendor, "flavor", string(schema.MariaDB), "mysql, mariadb or tidb; a server's own when FROM or TO is a DSN")
	f.StringVar(&version, "server-version", "", "version of the server, as in 10.11")
	f.BoolVar(&reverse, "reverse", false, "print the way from TO to FROM")
	f.BoolVar(&byExit, "exit-code", false, "exit with 10 when there are differences")
	return cmd
}

// isDSN tells a data source name from the name of a file.
func isDSN(s string) bool {
	return s != "-" && !strings.HasSuffix(s, ".sql") && (strings.Contains(s, "://") || strings.Contains(s, "@"))
}

// flavorOf returns the flavor of the first server among the sources, or fl.
func flavorOf(ctx context.Context, fl schema.Flavor, sources ...string) (schema.Flavor, error) {
	for _, s := range sources {
		if isDSN(s) {
			db, err := openDSN(ctx, s)
			if err != nil {
				return fl, err
			}
			defer db.Close()
			return db.Flavor(), nil
		}
	}
	return fl, nil
}

func openDSN(ctx context.Context, text string) (*database.DB, error) {
	dsn, err := database.ParseDSN(text)
	if err != nil {
		return nil, usageError{err}
	}
	return database.Open(ctx, dsn)
}

// readSchema reads a file, standard input or a server.
func (p *Program) readSchema(ctx context.Context, source string, fl schema.Flavor) (*schema.Schema, error) {
	if isDSN(source) {
		db, err := openDSN(ctx, source)
		if err != nil {
			return nil, err
		}
		defer db.Close()
		return db.Introspect(ctx)
	}
	text, err := p.readInput(source)
	if err != nil {
		return nil, usageError{err}
	}
	s, err := parse.Text(source, string(text), fl)
	if err != nil {
		return nil, usageError{err}
	}
	return schema.Canonical(s, fl), nil
}

func (p *Program) schemaDumpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "dump DSN",
		Short: "Print the live schema as canonical SQL",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			db, err := openDSN(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			live, err := db.Introspect(cmd.Context())
			if err != nil {
				return err
			}
			text := schema.Emit(live, db.Flavor())
			if p.json {
				return p.printJSON(map[string]any{"sql": text})
			}
			fmt.Fprint(p.Stdout, text)
			return nil
		},
	}
}
