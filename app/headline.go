package app

import (
	"fmt"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"moult/core/release"
	"moult/core/schema"
	"moult/core/site"
	"moult/core/update"
	"moult/widgets"
)

// headline says in one sentence what state a site is in, and how much that
// wants to be noticed.
func headline(m Model) (widgets.Tone, string) {
	if m.Broken != nil {
		what, _ := explain(m.Broken)
		return widgets.Danger, lang.L("This site can't be opened. {{.What}}", vars{"What": what})
	}
	if m.Doing == OpeningSite {
		return widgets.Neutral, lang.L("Looking at the site…")
	}
	v := vars{"From": versionText(m.Current), "To": versionText(m.Target())}
	switch m.State {
	case update.Checking:
		return widgets.Notice, lang.L("Asking for the newest release…")
	case update.UpToDate:
		return widgets.Good, lang.L("This site is up to date: {{.From}} is the newest release.", v)
	case update.Found:
		if m.Offer.Critical {
			return widgets.Warning, lang.L("{{.To}} is available, and the publisher calls it critical.", v)
		}
		return widgets.Notice, lang.L("{{.To}} is available.", v)
	case update.CheckFailed:
		what, _ := explain(m.Err)
		return widgets.Warning, lang.L("Could not find out whether there is an update. {{.What}}", vars{"What": what})
	case update.NotBegun:
		v["What"], _ = explain(m.Err)
		if m.Offer != nil {
			return widgets.Warning, lang.L("{{.To}} could not be prepared, and nothing on the site has changed. {{.What}}", v)
		}
		return widgets.Warning, lang.L("Nothing was begun, and nothing on the site has changed. {{.What}}", v)
	case update.NotInstallable:
		return widgets.Warning, lang.L("{{.To}} exists, but it can't be installed here.", vars{"To": versionText(m.Offer.Target)})
	case update.Preparing:
		return widgets.Notice, lang.L("Fetching {{.To}} and comparing it with this site. Nothing on the site changes.", v)
	case update.Ready:
		if len(m.Undecided()) > 0 || len(m.Plan.Blocked()) > 0 {
			return widgets.Warning, lang.L("{{.To}} is nearly ready: something needs you first.", v)
		}
		return widgets.Notice, lang.L("{{.To}} is ready. This is what will happen.", v)
	case update.Running:
		return runningHeadline(m)
	case update.Done, update.RolledBack, update.NeedsAttention:
		return outcomeHeadline(m)
	case update.Interrupted:
		if m.Run.RollingBack {
			return widgets.Danger, lang.L("Going back from {{.To}} to {{.From}} was interrupted.", vars{"From": m.Run.From, "To": m.Run.To})
		}
		return widgets.Danger, lang.L("The update from {{.From}} to {{.To}} was interrupted.", vars{"From": m.Run.From, "To": m.Run.To})
	}
	if m.Skips() {
		return widgets.Neutral, lang.L("{{.To}} is skipped. A check that you start yourself shows it again.", vars{"To": m.Skipped})
	}
	return widgets.Neutral, lang.L("Check whether there is an update for this site.")
}

func runningHeadline(m Model) (widgets.Tone, string) {
	switch {
	case m.Doing == RollingBack:
		return widgets.Notice, lang.L("Rolling back. The site gets back its files, its schema and its data.")
	case m.Stopping:
		return widgets.Warning, lang.L("Stopping. What has been changed is put back.")
	case m.Doing == Finishing:
		return widgets.Notice, lang.L("Bringing the interrupted update to its end.")
	}
	return widgets.Notice, lang.L("Updating from {{.From}} to {{.To}}.", vars{"From": versionText(m.Current), "To": versionText(m.Target())})
}

func outcomeHeadline(m Model) (widgets.Tone, string) {
	r := m.Result
	if r == nil {
		return widgets.Danger, lang.L("The last run did not come to its end.")
	}
	switch {
	case m.State == update.NeedsAttention:
		what, _ := explainKind(r.Kind)
		if m.Back {
			return widgets.Danger, lang.L("Rolling back failed and the site needs you. {{.What}}", vars{"What": what})
		}
		return widgets.Danger, lang.L("The update failed and the site needs you. {{.What}}", vars{"What": what})
	case m.State == update.RolledBack:
		what, _ := explainKind(r.Kind)
		return widgets.Warning, lang.L("The update was undone. {{.What}}", vars{"What": what})
	case r.Site == update.SiteOld:
		return widgets.Good, lang.L("Rolled back: the site runs {{.Version}} again.", vars{"Version": r.From})
	}
	return widgets.Good, lang.L("Updated: the site runs {{.Version}}.", vars{"Version": r.To})
}

// siteStateText says what the site is now, from what was verified.
func siteStateText(r *update.Result, c site.Config) string {
	var version release.Version
	switch r.Site {
	case update.SiteOld:
		version = r.From
	case update.SiteNew:
		version = r.To
	default:
		return lang.L("The site is between {{.From}} and {{.To}}. Nothing is lost: the journal and the old files are kept, and going back goes on where it stopped.",
			vars{"From": r.From, "To": r.To})
	}
	if c.Database.DSN == "" {
		return lang.L("The files are those of {{.Version}}. That was verified.", vars{"Version": version})
	}
	return lang.L("Files and database are those of {{.Version}}. That was verified.", vars{"Version": version})
}

// worries lists what an admin should know before an update that looks ready.
func worries(p *update.Plan) []string {
	var out []string
	if p.Schema != nil {
		for _, s := range p.Schema.Steps {
			if s.Risk == schema.CantUndo {
				out = append(out, lang.L("{{.Object}}: {{.Change}} can't be undone completely.", vars{"Object": say(s.Object), "Change": say(s.Change)}))
			}
		}
	}
	switch p.Trust.Level {
	case update.NotFresh:
		out = append(out, lang.L("Nothing proves that this is the newest release."))
	case update.UnsignedOpen, update.NotTrusted:
		out = append(out, lang.L("Nobody signed this release."))
	}
	return out
}

// attention counts what an admin should look at in a schema plan.
func attention(p *schema.Plan) int {
	n := len(p.Renames) + len(p.Conflicts)
	for _, s := range p.Steps {
		if s.Risk == schema.CantUndo || s.Risk == schema.KeepsData {
			n++
		}
	}
	return n
}

// report is what Copy report puts into the clipboard: everything that somebody
// who helps needs, and nothing secret.
func report(m Model, version string) string {
	var b strings.Builder
	line := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-12s %s\n", key+":", value)
		}
	}
	_, sentence := headline(m)
	line("Moult", version)
	line("Site", m.Name())
	line("Installed", versionText(m.Current))
	line("State", string(m.State))
	line("", sentence)
	if r := m.Result; r != nil {
		line("Update", fmt.Sprintf("%s, %s to %s", r.ID, r.From, r.To))
		line("Ran", fmt.Sprintf("%s, %s", r.Started.Format(time.RFC3339), r.Ended.Sub(r.Started).Round(time.Millisecond)))
		line("Site is", string(r.Site))
		line("Kind", string(r.Kind))
		line("Message", r.Message)
	}
	if m.Err != nil {
		line("Error", m.Err.Error())
	}
	if len(m.Progress.Log) > 0 {
		const tail = 40
		b.WriteString("\nLog:\n")
		for _, l := range m.Progress.Log[max(0, len(m.Progress.Log)-tail):] {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}
