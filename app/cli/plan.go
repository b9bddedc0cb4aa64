package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moult/app/words"
	"moult/core/files"
	"moult/core/release"
	"moult/core/update"
)

// want is what the flags of plan and update say about the update.
type want struct {
	full         bool
	to, onEdited string
}

func (w *want) flags(f *pflag.FlagSet) {
	f.BoolVar(&w.full, "full", false, "take the full package even if a patch would do")
	f.StringVar(&w.to, "to", "", "version to go to instead of the newest")
	f.StringVar(&w.onEdited, "on-edited", "", "for files edited here: keep, new or both")
}

// mediumFlag is for commands that may take the publisher's word from a medium.
func (p *Program) mediumFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.medium, "from", "", "take releases from this folder or file, made by moult publish carry, and not from the server")
}

func (w *want) choices() (update.Choices, error) {
	to, err := versionFlag("to", w.to)
	if err != nil {
		return update.Choices{}, err
	}
	switch c := files.Choice(w.onEdited); c {
	case files.ChoiceAsk, files.ChoiceKeep, files.ChoiceNew, files.ChoiceBoth:
		return update.Choices{Full: w.full, To: to, OnEdited: c}, nil
	}
	return update.Choices{}, usagef("--on-edited %s: want keep, new or both", w.onEdited)
}

// planDoc is what `plan --json` prints.
type planDoc struct {
	ID            string               `json:"id"`
	From          release.Version      `json:"from"`
	To            release.Version      `json:"to"`
	Strategy      release.StrategyKind `json:"strategy"`
	Reason        string               `json:"reason"`
	DownloadBytes int64                `json:"download_bytes"`
	DiskBytes     int64                `json:"disk_bytes"`
	FreeBytes     int64                `json:"free_bytes"`
	Files         []fileDoc            `json:"files"`
	Undecided     []release.Path       `json:"undecided"`
	Schema        *schemaDoc           `json:"schema"`
	Proof         update.Proof         `json:"proof"`
	Checks        []update.Check       `json:"checks"`
	Trust         update.Trust         `json:"trust"`
	Hash          string               `json:"hash"`
}

type fileDoc struct {
	Path   release.Path `json:"path"`
	Change files.Change `json:"change"`
	Edited bool         `json:"edited"`
	Choice files.Choice `json:"choice,omitempty"`
	Size   int64        `json:"size"`
	Old    string       `json:"old_sha256"`
	New    string       `json:"new_sha256"`
	Note   string       `json:"note,omitempty"`
}

func newPlanDoc(pl *update.Plan) planDoc {
	doc := planDoc{
		ID: pl.ID, From: pl.From, To: pl.To, Strategy: pl.Strategy.Kind, Reason: pl.Strategy.Reason,
		DownloadBytes: pl.Strategy.Bytes, DiskBytes: pl.DiskBytes, FreeBytes: pl.FreeBytes,
		Files: []fileDoc{}, Undecided: []release.Path{}, Proof: pl.Proof, Checks: pl.Checks, Trust: pl.Trust, Hash: pl.Hash,
	}
	for _, e := range pl.Files.Entries {
		if e.Change == files.Same {
			continue
		}
		doc.Files = append(doc.Files, fileDoc{
			Path: e.Path, Change: e.Change, Edited: e.Edited, Choice: e.Choice, Size: e.New.Size,
			Old: e.Here.SHA256.Hex(), New: e.New.SHA256.Hex(), Note: e.Note,
		})
	}
	for _, e := range pl.Files.Undecided() {
		doc.Undecided = append(doc.Undecided, e.Path)
	}
	if pl.Schema != nil {
		doc.Schema = newSchemaDoc(pl.Schema)
	}
	return doc
}

func (p *Program) planCommand() *cobra.Command {
	var w want
	var sqlFile, arch string
	cmd := &cobra.Command{
		Use:   "plan SITE",
		Short: "Show everything that an update would do, and change nothing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			choices, err := w.choices()
			if err != nil {
				return err
			}
			return p.withWholeSite(cmd.Context(), args[0], func(e *update.Engine, _ []*update.Result, report update.Report) error {
				if arch != "" {
					if _, err := release.ParseArch(arch); err != nil {
						return usagef("--arch: %w", err)
					}
					e.Site().Config.Source.Arch = arch
				}
				pl, err := prepare(cmd.Context(), e, choices, nil, report)
				if err != nil {
					return err
				}
				if sqlFile != "" && pl != nil {
					if err := writeFile(sqlFile, func(w io.Writer) { writeSQL(w, pl.Schema) }); err != nil {
						return err
					}
				}
				switch {
				case p.json && pl == nil:
					return p.printJSON(planDoc{From: e.Current(), To: e.Current(), Strategy: release.None, Files: []fileDoc{}, Undecided: []release.Path{}, Checks: []update.Check{}})
				case p.json:
					return p.printJSON(newPlanDoc(pl))
				case pl == nil:
					p.printf("%s is up to date at %s.", e.Site().Config.Name, e.Current())
				default:
					p.printPlan(e.Site().Config.Name, pl)
				}
				return nil
			})
		},
	}
	w.flags(cmd.Flags())
	p.mediumFlag(cmd)
	cmd.Flags().StringVar(&sqlFile, "sql", "", "write the statements to this file, too")
	cmd.Flags().StringVar(&arch, "arch", "", "architecture of the package: x86_64 or aarch64")
	return cmd
}

// prepare checks and prepares what the rules admit. The plan is nil if there is nothing
// to install.
func prepare(ctx context.Context, e *update.Engine, c update.Choices, r *rules, report update.Report) (*update.Plan, error) {
	offer, err := e.Check(ctx, c, report)
	if err != nil {
		return nil, err
	}
	if offer.Current.Compare(c.To) > 0 && !c.To.IsZero() {
		return nil, usagef("%s An older release is gone back to with: moult rollback %s", words.Sentence(offer.Strategy.Reason), quoted(e.Site().Dir))
	}
	if offer.UpToDate() {
		return nil, nil
	}
	if err := r.admit(offer); err != nil {
		return nil, err
	}
	return e.Prepare(ctx, offer, c, report)
}

// printPlan prints the summary, the files, the statements and the checks.
func (p *Program) printPlan(name string, pl *update.Plan) {
	p.printf("%s  %s → %s", name, pl.From, pl.To)
	p.printf("%s", words.Sentence(pl.Strategy.Reason))
	p.printf("Download  %s%s", size(pl.Strategy.Bytes), saving(pl.Strategy))
	p.printf("Disk      %s (%s free)", size(pl.DiskBytes), size(pl.FreeBytes))
	p.printf("Time      about %s; visitors notice %s of it", pl.Takes.Round(100*time.Millisecond), pl.Downtime.Round(time.Millisecond))
	p.printTrust(pl.Trust)

	c := pl.Files.Counts()
	p.printf("\nFiles: %d changed, %d new, %d removed, %d edited here", c.Changed, c.New, c.Removed, c.Edited)
	t := p.table()
	for _, e := range pl.Files.Entries {
		if e.Change != files.Same {
			line := words.Change(e.Change) + "\t" + string(e.Path)
			if r := remark(e); r != "" {
				line += "\t" + r
			}
			fmt.Fprintf(t, "  %s\n", line)
		}
	}
	t.Flush()
	for _, n := range pl.Files.Notes {
		p.printf("  %s", n)
	}
	if pl.Schema != nil {
		p.printf("\nDatabase: %s; %s", plural(len(pl.Schema.Steps), "statement"), words.Sentence(pl.Proof.Reason))
		writeSQL(p.Stdout, pl.Schema)
	}
	p.printf("\nChecks")
	for _, ch := range pl.Checks {
		p.printf("  %-5s %s", ch.Level, words.Sentence(ch.Text))
		if ch.Hint != "" {
			p.printf("        %s", words.Sentence(ch.Hint))
		}
	}
	p.printf("\nPlan %s", pl.Hash)
}

// remark is what a person has to know about a file of the plan.
func remark(e files.Entry) string {
	var parts []string
	switch {
	case e.Edited && e.Choice != files.ChoiceAsk:
		parts = append(parts, "edited here: "+string(e.Choice))
	case e.Edited && (e.Change == files.Replace || e.Change == files.Add):
		return "edited here: undecided"
	case e.Edited:
		parts = append(parts, "edited here")
	}
	if e.Note != "" {
		parts = append(parts, e.Note)
	}
	return strings.Join(parts, "; ")
}

// writeFile makes a new file or replaces an old one.
func writeFile(name string, write func(io.Writer)) error {
	var b strings.Builder
	write(&b)
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		return usageError{err}
	}
	return nil
}
