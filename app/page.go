package app

import (
	"fmt"
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/release"
	"moult/core/update"
	"moult/widgets"
)

// The tabs of a site, in their order.
const (
	tabOverview = iota
	tabNotes
	tabFiles
	tabDatabase
	tabHistory
)

// page is the right side of the window for one site: a header with what can be
// done now, and the tabs.
type page struct {
	app  *App
	site *session

	name, dir, line, why *widget.Label
	unsigned             *widgets.Panel
	buttons              []*widgets.Action
	offered              []Button
	buttonRow            *fyne.Container
	more                 *widgets.Action
	tabs                 *widgets.Tabs
	head                 *fyne.Container
	object               fyne.CanvasObject

	overview *overview
	notes    *notesView
	files    *filesView
	database *databaseView
	history  *historyView

	shown   Model // what was rendered last
	painted bool
}

// maxButtons is how many buttons a state has at most.
const maxButtons = 3

func newPage(a *App, s *session) *page {
	p := &page{app: a, site: s}
	p.name = widget.NewLabel("")
	p.name.SizeName = theme.SizeNameHeadingText
	p.name.TextStyle.Bold = true
	p.name.Truncation = fyne.TextTruncateEllipsis
	p.dir = widget.NewLabel("")
	p.dir.Importance = widget.LowImportance
	p.dir.Truncation = fyne.TextTruncateEllipsis
	p.line = widget.NewLabel("")
	p.why = widget.NewLabel("")
	p.why.Importance = widget.LowImportance
	p.why.Wrapping = fyne.TextWrapWord
	p.why.Alignment = fyne.TextAlignTrailing

	p.buttonRow = container.NewHBox()
	for i := range maxButtons {
		b := widgets.NewAction("", widget.MediumImportance, func() { p.press(i) })
		p.buttons = append(p.buttons, b)
	}
	// The recommended action stands on the right, next to the edge.
	for i := maxButtons - 1; i >= 0; i-- {
		p.buttonRow.Add(p.buttons[i])
	}
	p.more = widgets.NewIconAction("", theme.MoreHorizontalIcon(), widget.MediumImportance, p.showMore)
	p.buttonRow.Add(p.more)

	warning := widget.NewLabel(lang.L("This site installs releases that nobody signed. Whoever can change what the server sends can change your site."))
	warning.Wrapping = fyne.TextWrapWord
	warning.Importance = widget.DangerImportance
	p.unsigned = widgets.NewBanner(warning, widgets.Danger)

	p.overview = newOverview(p)
	p.notes = newNotesView(p)
	p.files = newFilesView(p)
	p.database = newDatabaseView(p)
	p.history = newHistoryView(p)
	p.tabs = widgets.NewTabs(
		widgets.Tab{Name: lang.L("Overview"), Page: p.overview.object},
		widgets.Tab{Name: lang.L("Notes"), Page: p.notes.object},
		widgets.Tab{Name: lang.L("Files"), Page: p.files.object},
		widgets.Tab{Name: lang.L("Database"), Page: p.database.object},
		widgets.Tab{Name: lang.L("History"), Page: p.history.object})

	p.head = container.NewVBox(
		tight(container.NewBorder(nil, nil, nil, container.NewVBox(p.buttonRow), p.name),
			container.NewBorder(nil, nil, p.line, nil, p.why), p.dir),
		p.unsigned)
	p.object = above(p.head, p.tabs)
	return p
}

// render shows a model. It draws only what differs from what is shown.
func (p *page) render(m Model) {
	before := p.shown
	first := !p.painted
	p.shown, p.painted = m, true
	p.renderHead(m)
	p.unfocusRisky()
	if !first && onlyProgress(before, m) {
		p.overview.progress(m)
		return
	}
	setShown(p.unsigned, m.Unsigned())
	p.overview.render(m)
	if first || before.Offer != m.Offer || before.Plan != m.Plan || before.State != m.State {
		p.notes.render(m)
	}
	p.files.render(m)
	p.database.render(m)
	p.history.render(m)
	p.renderTabs(m)
	if before.State != m.State && !first && before.Doing != CheckingQuietly {
		p.tabs.Select(tabOverview)
		p.focusSafe()
	}
}

// onlyProgress reports whether two models differ in their progress alone. Plans
// and the like are compared by where they are: they never change, and one of
// 100 000 files takes long to compare.
func onlyProgress(a, b Model) bool {
	return a.Dir == b.Dir && a.Current == b.Current && a.Checked.Equal(b.Checked) &&
		a.State == b.State && a.Doing == b.Doing && a.Stopping == b.Stopping && a.Stale == b.Stale &&
		a.Offer == b.Offer && a.Plan == b.Plan && a.Result == b.Result && a.Run == b.Run &&
		a.Err == b.Err && a.Broken == b.Broken &&
		len(a.History) == len(b.History) && (len(a.History) == 0 || &a.History[0] == &b.History[0]) &&
		reflect.DeepEqual(a.Config, b.Config) && reflect.DeepEqual(a.Choices, b.Choices)
}

func (p *page) renderHead(m Model) {
	setLabel(p.name, rowOf(m).name)
	setLabel(p.dir, m.Dir)
	setLabel(p.line, versionLine(m))
	p.offered = buttons(m)
	why := ""
	for i, b := range p.buttons {
		if i >= len(p.offered) {
			b.Hide()
			continue
		}
		o := p.offered[i]
		importance := widget.MediumImportance
		switch {
		case o.Danger:
			importance = widget.DangerImportance
		case i == 0 && o.Action != Stop:
			importance = widget.HighImportance
		}
		b.Set(o.Label, importance, o.Why == "")
		if why == "" {
			why = o.Why
		}
	}
	setLabel(p.why, why)
	p.buttonRow.Refresh()
	p.head.Refresh()
}

// versionLine says what is installed and what is on offer.
func versionLine(m Model) string {
	switch {
	case m.Broken != nil || m.Doing == OpeningSite:
		return rowOf(m).word
	case !m.Target().IsZero() && m.State != update.NotInstallable:
		v := vars{"From": versionText(m.Current), "To": m.Target(), "Date": ""}
		if m.Offer != nil {
			v["Date"] = dateText(m.Offer.Released)
		}
		return lang.L("{{.From}}  →  {{.To}}   released {{.Date}}", v)
	case m.Checked.IsZero():
		return lang.L("{{.Version}} installed   never checked", vars{"Version": versionText(m.Current)})
	}
	return lang.L("{{.Version}} installed   checked {{.When}}", vars{"Version": versionText(m.Current), "When": whenText(m.Checked)})
}

func (p *page) renderTabs(m Model) {
	files, database := "", ""
	fileTone, databaseTone := widgets.Neutral, widgets.Neutral
	if m.Plan != nil {
		c := m.Plan.Files.Counts()
		files = countText(int64(c.New + c.Changed + c.Removed))
		if open := len(m.Undecided()); open > 0 {
			fileTone = widgets.Warning
			files = fmt.Sprintf("%s · %d !", files, open)
		}
		if m.Plan.Schema != nil {
			database = countText(int64(len(m.Plan.Schema.Steps)))
			if n := attention(m.Plan.Schema); n > 0 {
				databaseTone = widgets.Warning
				database = fmt.Sprintf("%s · %d !", database, n)
			}
		}
	}
	p.tabs.SetNote(tabFiles, files, fileTone)
	p.tabs.SetNote(tabDatabase, database, databaseTone)
	history := ""
	if len(m.History) > 0 {
		history = countText(int64(len(m.History)))
	}
	p.tabs.SetNote(tabHistory, history, widgets.Neutral)
}

// focusSafe gives the focus to the first button that does no harm.
func (p *page) focusSafe() {
	if p.app.modal != nil || p.app.current != p.site {
		return
	}
	for i, o := range p.offered {
		if o.Safe && o.Why == "" && i < len(p.buttons) {
			p.app.window.Canvas().Focus(p.buttons[i])
			return
		}
	}
	p.app.window.Canvas().Unfocus()
}

// unfocusRisky takes the focus from a button that has become one that does
// harm, as when Cancel turns into Stop and roll back under somebody's fingers.
func (p *page) unfocusRisky() {
	c := p.app.window.Canvas()
	for i, b := range p.buttons {
		if c.Focused() == b && (i >= len(p.offered) || !p.offered[i].Safe) && p.app.modal == nil {
			c.Unfocus()
		}
	}
}

// press does what the button at an index offers.
func (p *page) press(i int) {
	if i < len(p.offered) && p.offered[i].Why == "" {
		p.do(p.offered[i].Action)
	}
}

// do carries out an action, after a question where it deserves one.
func (p *page) do(a Action) {
	s, m := p.site, p.site.model
	switch a {
	case Reopen:
		s.reopen()
	case Check:
		p.check()
	case Review:
		s.review()
	case Update:
		p.confirmUpdate(m)
	case Stop:
		s.cancel()
	case RollBackLast:
		if m.Result != nil {
			p.confirmRollBack(update.Record{Result: *m.Result})
		}
	case RecoverUndo:
		s.recover(update.Undo)
	case RecoverForward:
		s.recover(update.Forward)
	case Dismiss:
		s.send(dismissed{})
	case CopyReport:
		p.app.fyne.Clipboard().SetContent(report(m, p.app.deps.Version))
		p.app.tell(lang.L("Copied"), lang.L("The report is in the clipboard. It holds no passwords."))
	case SaveDiagnostics:
		p.saveDiagnostics()
	}
}

// check asks for updates, after a question if that throws decisions away.
func (p *page) check() {
	if m := p.site.model; m.State != update.Ready || len(m.Choices.Files)+len(m.Choices.Renames) == 0 || p.site.busy() {
		p.site.check()
		return
	}
	p.app.ask(question{
		title: lang.L("Check again without your decisions?"),
		text:  lang.L("A check begins from the start. The plan goes, and with it what you have decided about edited files and renames."),
		keep:  lang.L("Keep them"),
		yes:   lang.L("Check again"),
		risky: true,
		do:    p.site.check,
	})
}

// confirmUpdate starts the update, after a question if something of it can't be
// undone or its origin is in doubt.
func (p *page) confirmUpdate(m Model) {
	worries := worries(m.Plan)
	if len(worries) == 0 {
		p.site.apply()
		return
	}
	list := container.NewVBox()
	for _, w := range worries {
		list.Add(iconLine(theme.IconNameWarning, widgets.Warning, w))
	}
	p.app.ask(question{
		title:   lang.L("Update {{.Name}} to {{.Version}}?", vars{"Name": m.Name(), "Version": m.Plan.To}),
		text:    lang.L("Before you start:"),
		details: list,
		keep:    lang.L("Not now"),
		yes:     lang.L("Update to {{.Version}}", vars{"Version": m.Plan.To}),
		risky:   true,
		do:      p.site.apply,
	})
}

func (p *page) confirmRollBack(r update.Record) {
	p.app.ask(question{
		title: lang.L("Roll back to {{.Version}}?", vars{"Version": r.From}),
		text: lang.L("Files, database and the data that was set aside become what they were before the update of {{.When}}. Later updates are undone first. What the site has written into columns that go away is kept aside too.",
			vars{"When": whenText(r.Started)}),
		keep: lang.L("Keep {{.Version}}", vars{"Version": versionText(p.site.model.Current)}),
		yes:  lang.L("Roll back"),
		do:   func() { p.site.rollBack(r.ID) },
	})
}

// showMore opens the menu of what is not needed every day.
func (p *page) showMore() {
	popup := widget.NewPopUpMenu(p.moreMenu(), p.app.window.Canvas())
	at := p.app.fyne.Driver().AbsolutePositionForObject(p.more).AddXY(0, p.more.Size().Height)
	popup.ShowAtPosition(at.SubtractXY(popup.MinSize().Width-p.more.Size().Width, 0))
}

func (p *page) moreMenu() *fyne.Menu {
	m := p.site.model
	item := func(label string, enabled bool, do func()) *fyne.MenuItem {
		i := fyne.NewMenuItem(label, do)
		i.Disabled = !enabled
		return i
	}
	rest := !p.site.busy() && p.site.engine != nil
	return fyne.NewMenu("",
		item(lang.L("Check for updates"), rest && m.State != update.Interrupted && m.State != update.NeedsAttention, p.check),
		p.skipItem(m, rest),
		item(lang.L("Settings…"), rest, p.openSettings),
		item(lang.L("Copy report"), true, func() { p.do(CopyReport) }),
		item(lang.L("Save diagnostics…"), rest, func() { p.do(SaveDiagnostics) }),
		fyne.NewMenuItemSeparator(),
		item(lang.L("Take off the list…"), !p.site.busy(), p.confirmRemove))
}

// skipItem is the line of the menu that skips the version on offer, or takes
// that back.
func (p *page) skipItem(m Model, rest bool) *fyne.MenuItem {
	label, skip := lang.L("Skip this version"), m.Target()
	if m.State == update.Found && skips(m, skip) {
		label, skip = lang.L("Don't skip this version any more"), release.Version{}
	}
	i := fyne.NewMenuItem(label, func() { p.skip(skip) })
	i.Disabled = !rest || m.State != update.Found
	return i
}

func (p *page) skip(v release.Version) {
	p.site.skip(v, func(err error) {
		if err != nil {
			p.app.showError(lang.L("The version could not be skipped."), err)
		}
	})
}

func (p *page) confirmRemove() {
	p.app.ask(question{
		title: lang.L("Take {{.Name}} off the list?", vars{"Name": p.site.model.Name()}),
		text:  lang.L("The site itself stays as it is, with its restore points. You can add it again at any time."),
		keep:  lang.L("Keep it"),
		yes:   lang.L("Take off the list"),
		do:    func() { p.app.remove(p.site) },
	})
}

// nextDecision shows the next file that waits for a decision, with the focus on
// the first answer.
func (p *page) nextDecision() {
	open := p.site.model.Undecided()
	if len(open) == 0 {
		return
	}
	p.tabs.Select(tabFiles)
	p.files.selectPath(open[0].Path)
	c := p.app.window.Canvas()
	c.Focus(p.files.tree.List())
	// The answers have no handle of their own; they come next after the list.
	if c, ok := c.(interface{ FocusNext() }); ok {
		c.FocusNext()
	}
}

// searchFiles puts the focus where a path is searched for.
func (p *page) searchFiles() {
	if p.site.model.Plan == nil {
		return
	}
	p.tabs.Select(tabFiles)
	p.app.window.Canvas().Focus(p.files.search)
}

// rollBackLast asks whether to go back by the newest restore point.
func (p *page) rollBackLast() {
	m := p.site.model
	if p.site.busy() || m.State == update.Interrupted {
		return
	}
	for _, r := range m.History {
		if r.CanRollBack {
			p.confirmRollBack(r)
			return
		}
	}
}

// scrolled is what Page Down scrolls on the tab that is shown, nil: nothing.
func (p *page) scrolled() *container.Scroll {
	switch p.tabs.Selected() {
	case tabOverview:
		return p.overview.scrolled()
	case tabNotes:
		return p.notes.scroll
	}
	return nil
}

// toggleLog opens or closes the log of what runs.
func (p *page) toggleLog() {
	p.tabs.Select(tabOverview)
	p.overview.toggleLog()
}

// setShown shows or hides an object.
func setShown(o fyne.CanvasObject, shown bool) {
	if shown {
		o.Show()
	} else {
		o.Hide()
	}
}

// setLabel spares a label the work of being drawn again with the same text.
func setLabel(l *widget.Label, text string) {
	if l.Text != text {
		l.SetText(text)
	}
}

// iconLine is a sentence with an icon before it.
func iconLine(icon fyne.ThemeIconName, tone widgets.Tone, sentence string) fyne.CanvasObject {
	label := widget.NewLabel(sentence)
	label.Wrapping = fyne.TextWrapWord
	return container.NewBorder(nil, nil, container.NewVBox(lineIcon(icon, tone)), nil, label)
}

// lineIcon is an icon as high as a line of text.
func lineIcon(icon fyne.ThemeIconName, tone widgets.Tone) fyne.CanvasObject {
	box := &minimum{size: fyne.NewSize(24, widget.NewLabel("").MinSize().Height)}
	box.ExtendBaseWidget(box)
	return container.NewStack(box, container.NewCenter(widgets.Icon(icon, tone)))
}

// above puts one object above another that fills the rest. Unlike in a border
// container the upper one is also the first for the Tab key.
func above(top, rest fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewBorderLayout(top, nil, nil, nil), top, rest)
}

// tight stacks labels as lines of one paragraph. Each label comes with a margin
// of its own, which is more than the distance of lines.
func tight(lines ...fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedVBoxLayout(-10), lines...)
}
