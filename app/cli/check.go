package cli

import (
	"time"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/release"
	"moult/core/update"
)

// checkDoc is what `check --json` prints.
type checkDoc struct {
	Current       release.Version      `json:"current"`
	Target        release.Version      `json:"target"`
	UpToDate      bool                 `json:"up_to_date"`
	Blocked       string               `json:"blocked,omitempty"`
	Critical      bool                 `json:"critical"`
	Skipped       bool                 `json:"skipped"`
	Released      time.Time            `json:"released,omitzero"`
	Strategy      release.StrategyKind `json:"strategy"`
	Reason        string               `json:"reason"`
	DownloadBytes int64                `json:"download_bytes"`
	FullBytes     int64                `json:"full_bytes"`
	Trust         update.Trust         `json:"trust"`
	Notes         []update.Note        `json:"notes"`
}

func (p *Program) checkCommand() *cobra.Command {
	var byExit bool
	cmd := &cobra.Command{
		Use:   "check SITE",
		Short: "Ask the publisher for a newer release",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSite(args[0], func(e *update.Engine, report update.Report) error {
				if err := p.warnInterrupted(e, args[0]); err != nil {
					return err
				}
				o, err := e.Check(cmd.Context(), update.Choices{}, report)
				if err != nil {
					return err
				}
				st, err := e.Site().State()
				if err != nil {
					return err
				}
				skipped := !o.UpToDate() && st.Skipped.Compare(o.Target) == 0
				if p.json {
					err = p.printJSON(newCheckDoc(o, skipped))
				} else {
					p.printOffer(e.Site().Config.Name, o, skipped)
				}
				if err == nil && byExit && !o.UpToDate() {
					return errDiffers
				}
				return err
			})
		},
	}
	p.mediumFlag(cmd)
	cmd.Flags().BoolVar(&byExit, "exit-code", false, "exit with 10 when an update is available")
	return cmd
}

func newCheckDoc(o *update.Offer, skipped bool) checkDoc {
	doc := checkDoc{
		Current: o.Current, Target: o.Target, UpToDate: o.UpToDate(), Blocked: o.Blocked,
		Critical: o.Critical, Skipped: skipped, Released: o.Released, Strategy: o.Strategy.Kind, Reason: o.Strategy.Reason,
		DownloadBytes: o.Strategy.Bytes, FullBytes: o.Strategy.FullBytes, Trust: o.Trust, Notes: o.Notes,
	}
	if doc.Notes == nil {
		doc.Notes = []update.Note{}
	}
	return doc
}

func (p *Program) printOffer(name string, o *update.Offer, skipped bool) {
	if o.UpToDate() {
		p.printf("%s is up to date at %s.", name, o.Current)
		p.printTrust(o.Trust)
		return
	}
	p.printf("%s  %s → %s", name, o.Current, o.Target)
	if o.Blocked != "" {
		p.printf("Can't be installed here: %s", words.Sentence(o.Blocked))
		return
	}
	if skipped {
		p.printf("It is skipped on this site: it waits until somebody asks for it.")
	}
	if o.Critical {
		p.printf("The publisher calls this update critical.")
	}
	p.printf("%s", words.Sentence(o.Strategy.Reason))
	p.printf("Download: %s%s", size(o.Strategy.Bytes), saving(o.Strategy))
	p.printTrust(o.Trust)
	for _, n := range o.Notes {
		p.printf("\n%s, %s\n\n%s", n.Version, n.Released.Format(time.DateOnly), n.Markdown)
	}
}

func (p *Program) printTrust(t update.Trust) {
	line := "Signed by " + t.Signer
	if t.Level != update.Trusted {
		line = string(t.Level)
	}
	if t.Detail != "" {
		line += ": " + t.Detail
	}
	p.printf("%s", words.Sentence(line))
}

// saving compares what is downloaded with the full package.
func saving(s release.Strategy) string {
	if s.Kind == release.Full || s.FullBytes <= 0 || s.Bytes > s.FullBytes {
		return ""
	}
	return " (the full package: " + size(s.FullBytes) + ")"
}

func (p *Program) skipCommand() *cobra.Command {
	var none bool
	cmd := &cobra.Command{
		Use:   "skip SITE [VERSION]",
		Short: "Pass over a release until somebody asks for it",
		Long: "Pass over the release that is offered, or VERSION: the window doesn't offer it unasked\n" +
			"and update --unattended doesn't install it. A site skips one release at a time.",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if none && len(args) == 2 {
				return usagef("either a version or --none")
			}
			return p.withSite(args[0], func(e *update.Engine, report update.Report) error {
				var skip release.Version
				switch {
				case none:
				case len(args) == 2:
					var err error
					if skip, err = release.ParseVersion(args[1]); err != nil {
						return usageError{err}
					}
				default:
					o, err := e.Check(cmd.Context(), update.Choices{}, report)
					if err != nil {
						return err
					}
					if o.UpToDate() {
						return usagef("%s is up to date at %s: there is nothing to skip", e.Site().Config.Name, o.Current)
					}
					skip = o.Target
				}
				if err := e.Skip(skip); err != nil {
					return err
				}
				switch {
				case p.json:
					return p.printJSON(map[string]any{"skipped": skip})
				case none:
					p.printf("Nothing is skipped.")
				default:
					p.printf("%s is skipped until somebody asks for it.", skip)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&none, "none", false, "skip nothing any more")
	return cmd
}
