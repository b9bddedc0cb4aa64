package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/schema"
	"moult/core/update"
	"moult/widgets"
)

// overview is the first tab: the state in a sentence, and below it what belongs
// to that state.
type overview struct {
	page    *page
	running *runningView
	scroll  *container.Scroll
	stack   *fyne.Container
	object  fyne.CanvasObject
	shown   Model
	painted bool
}

func newOverview(p *page) *overview {
	o := &overview{page: p, running: newRunningView()}
	o.scroll = container.NewVScroll(container.NewVBox())
	o.stack = container.NewStack(o.scroll, o.running.object)
	o.object = o.stack
	return o
}

// progress shows a new snapshot of what runs.
func (o *overview) progress(m Model) { o.running.render(m) }

// scrolled is the part that is shown.
func (o *overview) scrolled() *container.Scroll {
	if o.running.object.Visible() {
		return o.running.object
	}
	return o.scroll
}

// toggleLog opens or closes the log.
func (o *overview) toggleLog() { o.running.toggleLog() }

// render builds the tab anew from a model.
func (o *overview) render(m Model) {
	runs := m.State == update.Running || m.State == update.Preparing || m.State == update.Checking
	setShown(o.running.object, runs)
	setShown(o.scroll, !runs)
	if runs {
		o.running.render(m)
		o.stack.Refresh()
		return
	}
	if !o.painted || !onlyProgress(o.shown, m) {
		o.painted = true
		keep := o.shown.State == m.State
		o.shown = m
		o.scroll.Content = o.content(m)
		widgets.InSight(o.scroll, o.scroll.Content)
		if !keep {
			o.scroll.Offset = fyne.Position{}
		}
	}
	o.stack.Refresh()
	o.scroll.Refresh()
}

// content is the tab for a site at rest.
func (o *overview) content(m Model) fyne.CanvasObject {
	column := container.New(layout.NewCustomPaddedVBoxLayout(10), o.banner(m))
	switch {
	case m.Broken != nil:
		_, todo := explain(m.Broken)
		column.Add(widgets.NewPanel(iconLine(theme.IconNameInfo, widgets.Neutral, todo)))
		column.Add(detailsPanel(m.Broken))
	case m.State == update.Idle, m.State == update.UpToDate:
		column.Add(o.resting(m))
	case m.State == update.Found:
		column.Add(offerPanel(m.Offer))
		column.Add(trustPanel(m.Offer.Trust))
	case m.State == update.NotInstallable:
		column.Add(widgets.NewPanel(iconLine(theme.IconNameInfo, widgets.Neutral, sentence(m.Offer.Blocked))))
		column.Add(offerPanel(m.Offer))
	case m.State == update.CheckFailed, m.State == update.NotBegun:
		_, todo := explain(m.Err)
		column.Add(widgets.NewPanel(iconLine(theme.IconNameInfo, widgets.Neutral, todo)))
		column.Add(detailsPanel(m.Err))
		if m.Current.String() != "" {
			column.Add(o.resting(m))
		}
	case m.State == update.Ready:
		o.addPlan(column, m)
	case m.State == update.Interrupted:
		column.Add(o.interrupted(m))
	default:
		o.addOutcome(column, m)
	}
	return inScroll(column)
}

// banner is the state in a sentence on a tint.
func (o *overview) banner(m Model) fyne.CanvasObject {
	tone, sentence := headline(m)
	label := widget.NewLabel(sentence)
	label.Wrapping = fyne.TextWrapWord
	label.TextStyle.Bold = true
	return widgets.NewBanner(container.NewBorder(nil, nil, container.NewVBox(lineIcon(toneIcons[tone], tone)), nil, label), tone)
}

var toneIcons = map[widgets.Tone]fyne.ThemeIconName{
	widgets.Neutral: theme.IconNameInfo,
	widgets.Notice:  theme.IconNameInfo,
	widgets.Good:    theme.IconNameConfirm,
	widgets.Warning: theme.IconNameWarning,
	widgets.Danger:  theme.IconNameError,
}

// resting is what a site without news shows.
func (o *overview) resting(m Model) fyne.CanvasObject {
	f := newFacts()
	f.add(lang.L("Installed"), versionText(m.Current))
	f.add(lang.L("Directory"), m.Dir)
	f.add(lang.L("Updates from"), m.Config.Source.URL)
	database := lang.L("none")
	if m.Config.Database.DSN != "" {
		database = m.Config.Database.DSN
	}
	f.add(lang.L("Database"), database)
	f.add(lang.L("Last check"), whenText(m.Checked))
	if n := countRestorable(m.History); n > 0 {
		f.addAction(lang.L("Restore points"), countText(int64(n)), lang.L("Show"), func() { o.page.tabs.Select(tabHistory) })
	}
	return f.panel(lang.L("This site"))
}

func countRestorable(history []update.Record) int {
	n := 0
	for _, r := range history {
		if r.CanRollBack {
			n++
		}
	}
	return n
}

// offerPanel is what is known of a release before its package is there.
func offerPanel(o *update.Offer) fyne.CanvasObject {
	f := newFacts()
	f.add(lang.L("Release"), lang.L("{{.Version}} of {{.Date}}", vars{"Version": o.Target, "Date": dateText(o.Released)}))
	f.add(lang.L("Download"), downloadText(o.Strategy.Bytes, o.Strategy.FullBytes, string(o.Strategy.Kind)))
	if o.Strategy.Reason != "" {
		f.add(lang.L("Why this way"), sentence(o.Strategy.Reason))
	}
	if len(o.Strategy.Hops) > 1 {
		path := ""
		for i, v := range o.Strategy.Hops {
			if i > 0 {
				path += " → "
			}
			path += v.String()
		}
		f.add(lang.L("On the way"), path)
	}
	if len(o.Notes) > 0 {
		f.add(lang.L("Notes"), lang.N("of {{.N}} releases, in the next tab", len(o.Notes), vars{"N": len(o.Notes)}))
	}
	return f.panel(lang.L("On offer"))
}

// kindTexts names the kinds of package.
var kindTexts = map[string]string{
	"delta": text("{{.Size}} of differences"),
	"patch": text("{{.Size}} patch"),
	"chain": text("{{.Size}} in several patches"),
	"full":  text("{{.Size}}, the full package"),
}

// downloadText says what is downloaded and what that saves.
func downloadText(bytes, full int64, kind string) string {
	key, ok := kindTexts[kind]
	if !ok {
		key = kindTexts["full"]
	}
	s := lang.L(key, vars{"Size": bytesText(bytes)})
	if saved := savedPercent(bytes, full); kind != "full" && saved > 0 {
		s += lang.L("   (full package {{.Size}}, {{.Saved}} % saved)", vars{"Size": bytesText(full), "Saved": saved})
	}
	return s
}

// addPlan adds what an update will do. What stands in its way comes first.
func (o *overview) addPlan(column *fyne.Container, m Model) {
	p := m.Plan
	c := p.Files.Counts()
	f := newFacts()
	f.add(lang.L("Download"), downloadText(p.Strategy.Bytes, p.Strategy.FullBytes, string(p.Strategy.Kind))+lang.L("   already here"))
	f.add(lang.L("Needs"), lang.L("{{.Need}} of disk   ({{.Free}} free)", vars{"Need": bytesText(p.DiskBytes), "Free": bytesText(p.FreeBytes)}))
	f.addAction(lang.L("Files"), lang.L("{{.Changed}} changed · {{.New}} new · {{.Removed}} removed",
		vars{"Changed": countText(int64(c.Changed)), "New": countText(int64(c.New)), "Removed": countText(int64(c.Removed))}),
		lang.L("Show"), func() { o.page.tabs.Select(tabFiles) })
	if p.Schema != nil {
		f.addAction(lang.L("Database"), databaseText(p.Schema), lang.L("Show"), func() { o.page.tabs.Select(tabDatabase) })
	} else {
		f.add(lang.L("Database"), lang.L("is not touched"))
	}
	f.add(lang.L("Takes"), lang.L("about {{.Takes}}, of which visitors may notice {{.Down}}", vars{"Takes": spanText(p.Takes), "Down": spanText(p.Downtime)}))
	blocked := len(p.Blocked()) > 0 || m.Err != nil
	if blocked {
		column.Add(o.checklist(m))
	}
	column.Add(f.panel(lang.L("What will happen")))
	if w := o.warnings(m); w != nil {
		column.Add(w)
	}
	if !blocked {
		column.Add(o.checklist(m))
	}
	column.Add(trustPanel(p.Trust))
}

// databaseText sums a schema plan up.
func databaseText(p *schema.Plan) string {
	if p.Empty() {
		return lang.L("nothing to do")
	}
	keeps := 0
	for _, s := range p.Steps {
		if s.KeepsData {
			keeps++
		}
	}
	s := statementsText(len(p.Steps))
	if keeps > 0 {
		s += " · " + lang.N("{{.N}} keep old data", keeps, vars{"N": keeps})
	}
	return s
}

// warnings lead to the place where each is decided.
func (o *overview) warnings(m Model) fyne.CanvasObject {
	rows := container.New(layout.NewCustomPaddedVBoxLayout(4))
	add := func(sentence, button string, tab int, then func()) {
		lead := widgets.NewAction(button, widget.MediumImportance, func() {
			o.page.tabs.Select(tab)
			if then != nil {
				then()
			}
		})
		rows.Add(container.NewBorder(nil, nil, nil, container.NewVBox(lead), iconLine(theme.IconNameWarning, widgets.Warning, sentence)))
	}
	if open := m.Undecided(); len(open) > 0 {
		add(lang.N("{{.N}} files were edited on this site and differ from the new release.", len(open), vars{"N": len(open)}),
			lang.L("Decide"), tabFiles, func() { o.page.files.selectPath(open[0].Path) })
	} else if n := m.Plan.Files.Counts().Edited; n > 0 {
		add(lang.N("{{.N}} files were edited on this site; it is decided what happens to them.", n, vars{"N": n}),
			lang.L("Show"), tabFiles, func() { o.page.files.filterEdited() })
	}
	if p := m.Plan.Schema; p != nil {
		for i, s := range p.Steps {
			if s.Risk == schema.KeepsData || s.Risk == schema.CantUndo {
				add(riskSentence(s), lang.L("Show"), tabDatabase, func() { o.page.database.selectStep(i) })
			}
		}
		if len(p.Renames) > 0 {
			add(lang.N("{{.N}} changes look like a rename.", len(p.Renames), vars{"N": len(p.Renames)}), lang.L("Decide"), tabDatabase, o.page.database.showRenames)
		}
		for _, w := range p.Warnings {
			add(sentence(w), lang.L("Show"), tabDatabase, o.page.database.showRest)
		}
		for _, c := range p.Conflicts {
			add(say(c.Object+": "+c.Reason), lang.L("Show"), tabDatabase, o.page.database.showRest)
		}
	}
	if len(rows.Objects) == 0 {
		return nil
	}
	return titled(lang.L("Worth knowing"), rows)
}

// riskSentence says in a line what a risky step means.
func riskSentence(s schema.Step) string {
	v := vars{"Object": say(s.Object), "Change": say(s.Change)}
	if s.Risk == schema.CantUndo {
		return lang.L("{{.Object}}: {{.Change}}. Not all of it can be undone.", v)
	}
	return lang.L("{{.Object}}: {{.Change}}. The old data is kept for rolling back.", v)
}

// checkLooks holds the icon and tone of each outcome of a check.
var checkLooks = map[update.CheckLevel]struct {
	icon fyne.ThemeIconName
	tone widgets.Tone
}{
	update.CheckOK:   {theme.IconNameConfirm, widgets.Good},
	update.CheckWarn: {theme.IconNameWarning, widgets.Warning},
	update.CheckStop: {theme.IconNameCancel, widgets.Danger},
}

// checklist is the preflight, worst first, each with what mends it.
func (o *overview) checklist(m Model) fyne.CanvasObject {
	rows := tight()
	for _, level := range []update.CheckLevel{update.CheckStop, update.CheckWarn, update.CheckOK} {
		for _, c := range m.Plan.Checks {
			if c.Level == level {
				rows.Add(checkRow(c))
			}
		}
	}
	again := widgets.NewAction(lang.L("Check again"), widget.MediumImportance, o.page.site.replan)
	if m.Doing == ReplanningNow {
		again.Text = lang.L("Checking…")
		again.Disable()
	}
	content := container.NewBorder(nil, container.NewHBox(layout.NewSpacer(), again), nil, nil, rows)
	if m.Err != nil {
		what, todo := explain(m.Err)
		rows.Add(iconLine(theme.IconNameError, widgets.Danger, what))
		rows.Add(indented(quiet(todo), quiet(say(m.Err.Error()))))
	}
	return titled(lang.L("Before it starts"), content)
}

func checkRow(c update.Check) fyne.CanvasObject {
	look := checkLooks[c.Level]
	line := iconLine(look.icon, look.tone, sentence(c.Text))
	if c.Hint == "" && len(c.Rows) == 0 {
		return line
	}
	var below []fyne.CanvasObject
	if c.Hint != "" {
		below = append(below, quiet(sentence(c.Hint)))
	}
	for _, row := range c.Rows {
		l := widget.NewLabel(row)
		l.TextStyle.Monospace = true
		l.Truncation = fyne.TextTruncateEllipsis
		below = append(below, l)
	}
	return tight(line, indented(below...))
}

// quiet is a paragraph that stands back behind the line above it.
func quiet(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	l.Importance = widget.LowImportance
	l.Selectable = true
	return l
}

// indented stands below the text of an [iconLine].
func indented(lines ...fyne.CanvasObject) fyne.CanvasObject {
	indent := &minimum{size: fyne.NewSize(24, 0)}
	indent.ExtendBaseWidget(indent)
	return container.NewBorder(nil, nil, indent, nil, tight(lines...))
}

// trustLooks holds the icon and tone of each level of trust.
var trustLooks = map[update.TrustLevel]struct {
	icon fyne.ThemeIconName
	tone widgets.Tone
}{
	update.Trusted:      {theme.IconNameConfirm, widgets.Good},
	update.NotFresh:     {theme.IconNameWarning, widgets.Warning},
	update.NotTrusted:   {theme.IconNameError, widgets.Danger},
	update.UnsignedOpen: {theme.IconNameError, widgets.Danger},
}

// trustPanel says who signed, and until when that counts.
func trustPanel(t update.Trust) fyne.CanvasObject {
	look := trustLooks[t.Level]
	return widgets.NewPanel(iconLine(look.icon, look.tone, trustText(t)))
}

func trustText(t update.Trust) string {
	v := vars{"Signer": t.Signer, "Date": dateText(t.Expires)}
	s := ""
	switch t.Level {
	case update.Trusted:
		s = lang.L("Signed by {{.Signer}}.", v)
		if !t.Expires.IsZero() {
			s = lang.L("Signed by {{.Signer}}; the list of releases is good until {{.Date}}.", v)
		}
	case update.NotFresh:
		s = lang.L("Signed by {{.Signer}}, but nothing proves that this is the newest release.", v)
	case update.UnsignedOpen:
		s = lang.L("Not signed. The settings of this site allow that.")
	default:
		s = lang.L("Not trusted.")
	}
	if t.Detail != "" && t.Level != update.Trusted {
		s += " " + sentence(t.Detail)
	}
	return s
}

// interrupted is what is known of a run that was cut off.
func (o *overview) interrupted(m Model) fyne.CanvasObject {
	r := m.Run
	f := newFacts()
	f.add(lang.L("Started"), whenText(r.Started))
	f.add(lang.L("Stopped at"), stageName(r.Stage))
	f.add(lang.L("The site is"), lang.L("between {{.From}} and {{.To}}, with everything kept to finish or to go back", vars{"From": r.From, "To": r.To}))
	recommended := lang.L("Roll back to {{.Version}}", vars{"Version": r.From})
	switch {
	case r.Recommended == update.Forward:
		recommended = lang.L("Finish the update to {{.Version}}", vars{"Version": r.To})
	case r.RollingBack:
		recommended = lang.L("Finish going back to {{.Version}}", vars{"Version": r.From})
	}
	f.add(lang.L("Recommended"), recommended)
	if r.Reason != "" {
		f.add(lang.L("Because"), sentence(r.Reason))
	}
	return f.panel(lang.L("What was found"))
}

// addOutcome adds how a run ended.
func (o *overview) addOutcome(column *fyne.Container, m Model) {
	r := m.Result
	if r == nil {
		if m.Err != nil {
			column.Add(detailsPanel(m.Err))
		}
		return
	}
	f := newFacts()
	f.add(lang.L("The site now"), siteStateText(r, m.Config))
	f.add(lang.L("Took"), lang.L("{{.Span}}, of which the files were between two releases for {{.Window}}",
		vars{"Span": spanText(r.Ended.Sub(r.Started)), "Window": spanText(r.Window)}))
	if m.State != update.Done {
		_, todo := explainKind(r.Kind)
		f.add(lang.L("What you can do"), todo)
	}
	column.Add(f.panel(lang.L("Where you are")))
	if len(r.Warnings) > 0 {
		rows := tight()
		for _, w := range r.Warnings {
			rows.Add(iconLine(theme.IconNameWarning, widgets.Warning, sentence(w)))
		}
		column.Add(titled(lang.L("Worth knowing"), rows))
	}
	if m.State == update.Done && r.Site == update.SiteNew && restorable(m.History, r.ID) {
		column.Add(widgets.NewPanel(iconLine(theme.IconNameInfo, widgets.Neutral,
			lang.L("You can roll back at any time until you discard the restore point, here or in History."))))
	}
	switch {
	case m.Err != nil:
		column.Add(detailsPanel(m.Err))
	case r.Message != "":
		column.Add(detailsText(say(r.Message)))
	}
	if len(m.Progress.Log) > 0 {
		column.Add(logPanel(m.Progress.Log))
	}
}
