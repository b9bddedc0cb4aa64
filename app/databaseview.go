package app

import (
	"io"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/app/words"
	"moult/core/schema"
	"moult/core/update"
	"moult/widgets"
)

// databaseView is the tab with every statement.
type databaseView struct {
	page   *page
	list   *widgets.List
	lines  []stepLine
	proof  *widget.Label
	detail *stepDetail
	split  *container.Split
	empty  *fyne.Container
	object fyne.CanvasObject

	plan *update.Plan
}

// stepLine is a line of the list: a statement, or what the plan leaves alone. Texts
// of core are put into the window's language when the line is shown, because a
// large plan has thousands of lines and shows twenty.
type stepLine struct {
	title  string
	below  [2]string // what is done and what it costs; the second may be empty
	badge  string
	tone   widgets.Tone
	step   int // index of the step, -1: not a step
	head   bool
	left   *schema.Left
	rename *schema.Rename
}

func newDatabaseView(p *page) *databaseView {
	v := &databaseView{page: p, detail: newStepDetail(p)}
	v.list = widgets.NewList(
		func() int { return len(v.lines) },
		func() fyne.CanvasObject { return newStepItem() },
		func(id int, o fyne.CanvasObject) {
			if id < len(v.lines) {
				o.(*stepItem).show(v.lines[id])
			}
		}, v.selected)
	v.proof = widget.NewLabel("")
	v.proof.Wrapping = fyne.TextWrapWord
	copyAll := widgets.NewAction(lang.L("Copy all"), widget.MediumImportance, func() { p.app.fyne.Clipboard().SetContent(planSQL(v.plan)) })
	save := widgets.NewAction(lang.L("Save as .sql…"), widget.MediumImportance, v.save)
	left := container.NewBorder(v.proof, container.NewHBox(copyAll, save), nil, nil, v.list)
	v.split = container.NewHSplit(left, v.detail.object)
	v.split.Offset = 0.42
	v.empty = container.NewStack()
	v.object = container.NewStack(v.split, v.empty)
	return v
}

// render shows the schema plan of a model.
func (v *databaseView) render(m Model) {
	if m.Plan != nil && v.plan == m.Plan && v.detail.model.Doing == m.Doing && !m.Stale {
		return
	}
	var lines []stepLine
	if m.Plan != nil && m.Plan.Schema != nil {
		lines = planLines(m.Plan.Schema)
	}
	if len(lines) == 0 {
		v.plan, v.lines = nil, nil
		v.split.Hide()
		v.empty.Objects = []fyne.CanvasObject{v.nothing(m)}
		v.empty.Show()
		return
	}
	v.split.Show()
	v.empty.Hide()
	fresh := v.plan != m.Plan
	v.plan, v.detail.model = m.Plan, m
	proof, tone := proofText(m.Plan.Proof)
	v.proof.Importance = tone.Importance()
	v.proof.SetText(proof)
	v.lines = lines
	v.list.Refresh()
	if fresh {
		v.list.UnselectAll()
		v.selectStep(0)
	}
}

// nothing says why there are no statements.
func (v *databaseView) nothing(m Model) fyne.CanvasObject {
	switch {
	case m.Broken == nil && m.Doing != OpeningSite && m.Config.Database.DSN == "":
		return emptyState(lang.L("No database"), lang.L("This site has none, so that an update changes files only. Where there is one, enter it in the settings."), nil)
	case m.Plan != nil:
		return emptyState(lang.L("Nothing to do"), lang.L("This update leaves the database as it is."), nil)
	}
	return nothingToReview(v.page, m, lang.L("No statements to show"), lang.L("Review an update to see every statement that it runs, what it costs and the way back."))
}

// proofText says whether the plan was tried on an empty clone.
func proofText(p update.Proof) (string, widgets.Tone) {
	if p.Proved {
		return lang.L("Proved: the statements and their way back were tried on an empty copy of the database."), widgets.Good
	}
	s := lang.L("Not proved on a copy of the database.")
	if p.Reason != "" {
		s += " " + sentence(p.Reason)
	}
	return s, widgets.Warning
}

// phaseTexts names the phases.
var phaseTexts = map[schema.Phase]struct{ name, meaning string }{
	schema.Expand:   {text("Before the files are switched"), text("the installed release keeps working on it")},
	schema.Contract: {text("After the files are switched"), text("what the new release does not need is set aside")},
	schema.Scripts:  {text("Data, last of all"), text("in one transaction")},
}

// riskLooks holds the badge of each risk.
var riskLooks = map[schema.Risk]struct {
	word string // a key of the translations
	tone widgets.Tone
}{
	schema.Safe:      {text("safe"), widgets.Good},
	schema.Slow:      {text("slow"), widgets.Warning},
	schema.KeepsData: {text("keeps old data"), widgets.Notice},
	schema.CantUndo:  {text("cannot be undone"), widgets.Danger},
}

// planLines lists the steps by phase, and after them what stays as it is.
func planLines(p *schema.Plan) []stepLine {
	var lines []stepLine
	phase := schema.Phase("")
	for i, s := range p.Steps {
		if s.Phase != phase {
			phase = s.Phase
			lines = append(lines, stepLine{title: lang.L(phaseTexts[phase].name), below: [2]string{lang.L(phaseTexts[phase].meaning)}, head: true, step: -1})
		}
		look := riskLooks[words.Risk(s)]
		lines = append(lines, stepLine{title: s.Object, below: [2]string{s.Change, costText(s)}, badge: lang.L(look.word), tone: look.tone, step: i})
	}
	rest := func(title, meaning string, left []schema.Left, badge string, tone widgets.Tone) {
		if len(left) == 0 {
			return
		}
		lines = append(lines, stepLine{title: title, below: [2]string{meaning}, head: true, step: -1})
		for i := range left {
			lines = append(lines, stepLine{title: left[i].Object, below: [2]string{left[i].Reason}, badge: badge, tone: tone, step: -1, left: &left[i]})
		}
	}
	if len(p.Renames) > 0 {
		lines = append(lines, stepLine{title: lang.L("Looks like a rename"), below: [2]string{lang.L("nothing is lost, whatever you answer")}, head: true, step: -1})
		for i := range p.Renames {
			r := &p.Renames[i]
			lines = append(lines, stepLine{title: r.Object, below: [2]string{r.From + " → " + r.To}, badge: lang.L("decide"), tone: widgets.Warning, step: -1, rename: r})
		}
	}
	warnings := make([]schema.Left, len(p.Warnings))
	for i, w := range p.Warnings {
		warnings[i] = schema.Left{Object: lang.L("Warning"), Reason: w}
	}
	rest(lang.L("Worth knowing"), lang.L("what the statements can't show"), warnings, lang.L("warning"), widgets.Warning)
	rest(lang.L("Changed on both sides"), lang.L("by you and by the release"), p.Conflicts, lang.L("conflict"), widgets.Warning)
	rest(lang.L("Yours, and stays"), lang.L("the product does not know it"), p.Kept, lang.L("stays"), widgets.Neutral)
	rest(lang.L("Drift"), lang.L("differs from the installed release, left as it is"), p.Drift, lang.L("drift"), widgets.Neutral)
	return lines
}

// costText says what a step costs.
func costText(s schema.Step) string {
	if cost := words.Cost(s); cost != "" {
		return cost
	}
	return "instant"
}

func (v *databaseView) selected(id int) {
	if id >= len(v.lines) {
		return
	}
	l := v.lines[id]
	switch {
	case l.head:
		v.list.Unselect(id)
	case l.step >= 0:
		v.detail.showStep(v.plan.Schema.Steps[l.step])
	case l.rename != nil:
		v.detail.showRename(*l.rename)
	default:
		v.detail.showLeft(*l.left)
	}
}

// selectStep shows one statement.
func (v *databaseView) selectStep(step int) {
	v.selectLine(func(l stepLine) bool { return l.step == step })
}

// showRenames shows the first look-alike.
func (v *databaseView) showRenames() {
	v.selectLine(func(l stepLine) bool { return l.rename != nil })
}

// showRest shows the first object that is left as it is.
func (v *databaseView) showRest() {
	v.selectLine(func(l stepLine) bool { return l.left != nil })
}

func (v *databaseView) selectLine(is func(stepLine) bool) {
	for i, l := range v.lines {
		if is(l) {
			v.list.Reveal(i)
			return
		}
	}
	v.detail.clear()
}

// planSQL writes all statements, each under a comment that says what it is.
func planSQL(p *update.Plan) string {
	var b strings.Builder
	if p == nil || p.Schema == nil {
		return ""
	}
	for _, s := range p.Schema.Steps {
		b.WriteString("-- " + oneLine(s.Object) + ": " + oneLine(s.Change) + "\n" + strings.TrimRight(s.SQL, "; \n") + ";\n\n")
	}
	return b.String()
}

// save asks for a file and writes the statements there.
func (v *databaseView) save() {
	sql, a := planSQL(v.plan), v.page.app
	a.choose(choice{title: lang.L("Save the statements"), yes: lang.L("Save"), file: v.plan.From.String() + "-" + v.plan.To.String() + ".sql", do: func(path string) {
		a.save(path, func(w io.Writer) error {
			_, err := io.WriteString(w, sql)
			return err
		}, func(err error) {
			if err != nil {
				a.showError(lang.L("The statements could not be saved."), err)
			}
		})
	}})
}

// stepItem is a line of the list of statements.
type stepItem struct {
	widget.BaseWidget
	title *widget.Label
	below [2]*widget.Label
	under fyne.CanvasObject // what pushes the texts to the middle; a head stands above what it heads
	badge *widgets.Badge
	box   *fyne.Container
}

func newStepItem() *stepItem {
	i := &stepItem{title: widget.NewLabel("table name"), badge: widgets.NewBadge("safe", widgets.Good), under: layout.NewSpacer()}
	i.title.Truncation = fyne.TextTruncateEllipsis
	texts := []fyne.CanvasObject{i.title}
	for n := range i.below {
		l := widget.NewLabel("what is done")
		l.Truncation = fyne.TextTruncateEllipsis
		l.SizeName = theme.SizeNameCaptionText
		l.Importance = widget.LowImportance
		i.below[n] = l
		texts = append(texts, l)
	}
	lines := container.New(layout.NewCustomPaddedVBoxLayout(-13), texts...)
	// The scroll bar is drawn over the right edge of a list.
	badge := container.New(layout.NewCustomPaddedLayout(0, 0, 0, theme.InnerPadding()), container.NewCenter(i.badge))
	i.box = container.NewBorder(nil, nil, nil, badge, container.NewVBox(layout.NewSpacer(), lines, i.under))
	i.ExtendBaseWidget(i)
	return i
}

func (i *stepItem) show(l stepLine) {
	i.title.TextStyle.Bold = l.head
	i.title.SetText(say(l.title))
	for n, text := range l.below {
		i.below[n].SetText(say(text))
		i.below[n].Hidden = text == ""
	}
	setShown(i.under, !l.head)
	i.badge.Set(l.badge, l.tone)
	i.box.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (i *stepItem) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(i.box)
}

// stepDetail is the right side: one statement with everything about it.
type stepDetail struct {
	page   *page
	model  Model
	body   *fyne.Container
	object fyne.CanvasObject
}

func newStepDetail(p *page) *stepDetail {
	d := &stepDetail{page: p, body: container.NewStack()}
	d.object = d.body
	return d
}

func (d *stepDetail) clear() { d.set(widget.NewLabel("")) }

func (d *stepDetail) set(o fyne.CanvasObject) {
	d.body.Objects = []fyne.CanvasObject{o}
	d.body.Refresh()
}

// showStep shows a statement: what it is, its cost, its SQL, its way back.
func (d *stepDetail) showStep(s schema.Step) {
	look := riskLooks[words.Risk(s)]
	title := widget.NewLabelWithStyle(say(s.Object+": "+s.Change), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	title.Wrapping = fyne.TextWrapWord
	cost := widget.NewLabel(say(costText(s)))
	cost.Importance = widget.LowImportance
	cost.Wrapping = fyne.TextWrapWord
	head := container.NewVBox(tight(title, container.NewBorder(nil, nil, spaced(widgets.NewBadge(lang.L(look.word), look.tone)), nil, cost)))
	notes := tight()
	for _, n := range s.Notes {
		notes.Add(iconLine(theme.IconNameInfo, widgets.Neutral, sentence(n)))
	}
	for _, h := range s.Hazards {
		tone, icon := widgets.Warning, theme.IconNameWarning
		if h.Blocks {
			tone, icon = widgets.Danger, theme.IconNameCancel
		}
		notes.Add(iconLine(icon, tone, sentence(h.Text)))
	}
	head.Add(notes)
	back := joinSQL(s.Inverse)
	if back == "" {
		back = "-- " + lang.L("nothing to undo")
	}
	split := container.NewVSplit(
		d.sqlBox(lang.L("What is run"), s.SQL),
		d.sqlBox(lang.L("The way back"), back))
	// Where the window is low, notes and statements are scrolled together.
	scroll := container.NewVScroll(container.NewBorder(head, nil, nil, nil, split))
	widgets.InSight(scroll, scroll.Content)
	d.set(scroll)
}

// joinSQL writes statements one below the other.
func joinSQL(statements []schema.Statement) string {
	parts := make([]string, len(statements))
	for i, s := range statements {
		parts[i] = strings.TrimRight(s.SQL, "; \n") + ";"
	}
	return strings.Join(parts, "\n\n")
}

// sqlBox is coloured SQL under a title, with a button to copy it.
func (d *stepDetail) sqlBox(title, sql string) fyne.CanvasObject {
	view := widgets.NewSQLView()
	view.Set(widgets.Highlight(sql))
	head := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	cp := widgets.NewAction(lang.L("Copy"), widget.LowImportance, func() { d.page.app.fyne.Clipboard().SetContent(sql) })
	cp.Icon = theme.ContentCopyIcon()
	return container.NewBorder(container.NewBorder(nil, nil, head, cp), nil, nil, nil, widgets.NewPanel(view))
}

// showLeft shows an object that the plan leaves as it is.
func (d *stepDetail) showLeft(l schema.Left) {
	title := widget.NewLabelWithStyle(say(l.Object), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	title.Wrapping = fyne.TextWrapWord
	text := widget.NewLabel(sentence(l.Reason))
	text.Wrapping = fyne.TextWrapWord
	d.set(container.NewVBox(title, text))
}

// showRename asks whether a look-alike is a rename.
func (d *stepDetail) showRename(r schema.Rename) {
	title := widget.NewLabelWithStyle(say(r.Object), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	title.Wrapping = fyne.TextWrapWord
	text := widget.NewLabel(lang.L("{{.From}} goes away and {{.To}} is new, and they look alike. If it is the same thing under a new name, its data moves along. If you don't say so, the old one is kept aside and the new one begins empty: nothing is lost either way.",
		vars{"From": r.From, "To": r.To}))
	text.Wrapping = fyne.TextWrapWord
	key := r.Object + "→" + r.To
	yes := widgets.NewAction(lang.L("It is a rename"), widget.MediumImportance, func() { d.page.site.confirm(key, true) })
	no := widgets.NewAction(lang.L("They are different"), widget.MediumImportance, func() { d.page.site.confirm(key, false) })
	d.set(container.NewVBox(title, text, container.NewHBox(yes, no)))
}
