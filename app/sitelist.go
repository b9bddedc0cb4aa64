package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/update"
	"moult/resources"
	"moult/widgets"
)

// siteListWidth is the width of the list in pixels at scale 1.
const siteListWidth = 200

// siteRow is what the list shows of a site.
type siteRow struct {
	name, version, word string
	tone                widgets.Tone
}

// rowOf returns the row of a site: name, version, and its state as a colour and a word.
func rowOf(m Model) siteRow {
	r := siteRow{name: m.Name(), version: versionText(m.Current)}
	if m.Config.Name == "" {
		r.name = shortDir(m.Dir)
	}
	switch {
	case m.Broken != nil:
		r.version, r.word, r.tone = "", lang.L("can't be opened"), widgets.Danger
	case m.Doing == OpeningSite:
		r.version, r.word = "", lang.L("opening…")
	case m.State == update.Idle && !m.Checked.IsZero() && !m.Skips():
		r.word = lang.L("checked {{.When}}", vars{"When": dateText(m.Checked)})
	case m.Skips():
		r.word = lang.L("{{.Version}} skipped", vars{"Version": m.Skipped})
	default:
		look := stateLooks[m.State]
		r.word, r.tone = lang.L(look.word), look.tone
	}
	return r
}

// stateLooks holds the word and the tone of each state. Up to date, check failed
// and not installable never look alike.
var stateLooks = map[update.State]struct {
	word string // a key of the translations
	tone widgets.Tone
}{
	update.Idle:           {text("not checked yet"), widgets.Neutral},
	update.Checking:       {text("checking…"), widgets.Notice},
	update.UpToDate:       {text("up to date"), widgets.Good},
	update.Found:          {text("update available"), widgets.Notice},
	update.CheckFailed:    {text("could not check"), widgets.Warning},
	update.NotInstallable: {text("can't be installed"), widgets.Warning},
	update.Preparing:      {text("preparing…"), widgets.Notice},
	update.NotBegun:       {text("could not begin"), widgets.Warning},
	update.Ready:          {text("ready to update"), widgets.Notice},
	update.Running:        {text("working…"), widgets.Notice},
	update.Done:           {text("done"), widgets.Good},
	update.RolledBack:     {text("rolled back"), widgets.Warning},
	update.NeedsAttention: {text("needs attention"), widgets.Danger},
	update.Interrupted:    {text("interrupted"), widgets.Danger},
}

// siteList is the left side of the window.
type siteList struct {
	app    *App
	rows   []siteRow
	list   *widgets.List
	all    *widgets.Action
	object fyne.CanvasObject
}

func newSiteList(a *App) *siteList {
	l := &siteList{app: a}
	l.list = widgets.NewList(
		func() int { return len(l.rows) },
		func() fyne.CanvasObject { return newSiteLine() },
		func(id int, o fyne.CanvasObject) {
			if id < len(l.rows) {
				o.(*siteLine).show(l.rows[id])
			}
		},
		func(id int) {
			if id < len(a.sites) {
				a.show(a.sites[id])
			}
		})
	title := widget.NewLabelWithStyle(lang.L("Sites"), fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	l.all = widgets.NewIconAction(lang.L("Check all"), theme.ViewRefreshIcon(), widget.LowImportance, a.checkAll)
	add := widgets.NewIconAction(lang.L("Add site…"), theme.ContentAddIcon(), widget.LowImportance, a.addSite)
	l.all.Alignment, add.Alignment = widget.ButtonAlignLeading, widget.ButtonAlignLeading
	wide := &minimum{size: fyne.NewSize(siteListWidth, 0)}
	wide.ExtendBaseWidget(wide)
	column := container.NewBorder(container.NewPadded(title), container.NewPadded(container.NewVBox(l.all, add)), nil, nil, l.list)
	l.object = container.NewBorder(nil, nil, nil, widget.NewSeparator(), widgets.NewGround(container.NewStack(wide, column), resources.ColorSidebar))
	l.refresh()
	return l
}

// refresh shows the sites as they are.
func (l *siteList) refresh() {
	l.rows = l.rows[:0]
	for _, s := range l.app.sites {
		l.rows = append(l.rows, rowOf(s.model))
	}
	l.all.Hidden = len(l.rows) < 2
	l.all.Refresh()
	l.list.Refresh()
}

// choose selects a site and shows it.
func (l *siteList) choose(i int) {
	l.list.UnselectAll()
	l.list.Select(i)
}

// siteLine is a line of the list: the name, and under it the version and the
// state as a dot and a word.
type siteLine struct {
	widget.BaseWidget
	name *widget.Label
	dot  *widgets.Dot
	word *widget.Label
}

func newSiteLine() *siteLine {
	l := &siteLine{name: widget.NewLabel("Name"), dot: widgets.NewDot(), word: widget.NewLabel("1.0.0 · word")}
	l.name.Truncation = fyne.TextTruncateEllipsis
	l.name.TextStyle.Bold = true
	l.word.Truncation = fyne.TextTruncateEllipsis
	l.word.SizeName = theme.SizeNameCaptionText
	l.ExtendBaseWidget(l)
	return l
}

func (l *siteLine) show(r siteRow) {
	l.name.SetText(r.name)
	l.dot.Set(r.tone)
	l.word.Importance = r.tone.Importance()
	word := r.word
	if r.version != "" {
		word = r.version + " · " + word
	}
	l.word.SetText(word)
}

// CreateRenderer implements [fyne.Widget].
func (l *siteLine) CreateRenderer() fyne.WidgetRenderer {
	text := container.New(layout.NewCustomPaddedVBoxLayout(-14), l.name, l.word)
	return widget.NewSimpleRenderer(container.NewBorder(nil, nil, container.New(layout.NewCustomPaddedLayout(0, 0, 8, 2), l.dot), nil, text))
}
