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
				if p.json {
					err = p.printJSON(newCheckDoc(o))
				} else {
					p.printOffer(e.Site().Config.Name, o)
				}
				if err == nil && byExit && !o.UpToDate() {
					return errDiffers
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&byExit, "exit-code", false, "exit with 10 when an update is available")
	return cmd
}

func newCheckDoc(o *update.Offer) checkDoc {
	doc := checkDoc{
		Current: o.Current, Target: o.Target, UpToDate: o.UpToDate(), Blocked: o.Blocked,
		Critical: o.Critical, Released: o.Released, Strategy: o.Strategy.Kind, Reason: o.Strategy.Reason,
		DownloadBytes: o.Strategy.Bytes, FullBytes: o.Strategy.FullBytes, Trust: o.Trust, Notes: o.Notes,
	}
	if doc.Notes == nil {
		doc.Notes = []update.Note{}
	}
	return doc
}

func (p *Program) printOffer(name string, o *update.Offer) {
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
