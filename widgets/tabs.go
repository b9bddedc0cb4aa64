package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Tabs shows one of several pages, chosen by a row of heads above. Unlike Fyne's
// own tabs, the heads can be reached and used with the keyboard, and carry a
// count and a sign for what wants attention.
type Tabs struct {
	widget.BaseWidget
	// OnSelected is called after another page is shown.
	OnSelected func(index int)

	heads    []*tabHead
	pages    []fyne.CanvasObject
	row      *fyne.Container
	stack    *fyne.Container
	selected int
}

var _ fyne.Widget = (*Tabs)(nil)

// Tab is one page of [Tabs] and its name.
type Tab struct {
	Name string
	Page fyne.CanvasObject
}

// NewTabs makes tabs that show the first page.
func NewTabs(tabs ...Tab) *Tabs {
	t := &Tabs{row: container.New(layout.NewCustomPaddedHBoxLayout(0)), stack: container.NewStack()}
	for i, tab := range tabs {
		head := newTabHead(t, i, tab.Name)
		t.heads = append(t.heads, head)
		t.row.Add(head)
		t.pages = append(t.pages, tab.Page)
		t.stack.Add(tab.Page)
		if i > 0 {
			tab.Page.Hide()
		}
	}
	t.heads[0].selected = true
	t.ExtendBaseWidget(t)
	return t
}

// Select shows a page. What is out of range is ignored.
func (t *Tabs) Select(index int) {
	if index < 0 || index >= len(t.pages) || index == t.selected {
		return
	}
	t.pages[t.selected].Hide()
	t.heads[t.selected].mark(false)
	t.selected = index
	t.pages[index].Show()
	t.heads[index].mark(true)
	if t.OnSelected != nil {
		t.OnSelected(index)
	}
}

// Selected returns the index of the page that is shown.
func (t *Tabs) Selected() int { return t.selected }

// SetNote puts a count beside the name of a tab, in a tone that says whether
// something there wants attention. An empty note takes it away.
func (t *Tabs) SetNote(index int, note string, tone Tone) {
	h := t.heads[index]
	if h.note == note && h.tone == tone {
		return
	}
	h.note, h.tone = note, tone
	h.Refresh()
	t.row.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (t *Tabs) CreateRenderer() fyne.WidgetRenderer {
	scroll := container.NewHScroll(t.row)
	heads := container.NewVBox(scroll, widget.NewSeparator())
	// The heads come first in the order of the Tab key, too.
	return widget.NewSimpleRenderer(container.New(layout.NewBorderLayout(heads, nil, nil, nil), heads, container.NewPadded(t.stack)))
}

// tabHead is the part of a tab that is tapped.
type tabHead struct {
	widget.BaseWidget
	tabs     *Tabs
	index    int
	name     string
	note     string
	tone     Tone
	selected bool
	focused  bool
	hovered  bool
}

var (
	_ fyne.Tappable     = (*tabHead)(nil)
	_ fyne.Focusable    = (*tabHead)(nil)
	_ desktop.Hoverable = (*tabHead)(nil)
)

func newTabHead(t *Tabs, index int, name string) *tabHead {
	h := &tabHead{tabs: t, index: index, name: name}
	h.ExtendBaseWidget(h)
	return h
}

func (h *tabHead) mark(selected bool) {
	h.selected = selected
	h.Refresh()
}

// Tapped implements [fyne.Tappable].
func (h *tabHead) Tapped(*fyne.PointEvent) { h.tabs.Select(h.index) }

// FocusGained implements [fyne.Focusable].
func (h *tabHead) FocusGained() { h.focused = true; h.Refresh() }

// FocusLost implements [fyne.Focusable].
func (h *tabHead) FocusLost() { h.focused = false; h.Refresh() }

// TypedRune implements [fyne.Focusable].
func (h *tabHead) TypedRune(rune) {}

// TypedKey implements [fyne.Focusable]: space and return show the page, the
// arrows the neighbouring ones.
func (h *tabHead) TypedKey(e *fyne.KeyEvent) {
	if passOn(h, e) {
		return
	}
	next := h.index
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
	case fyne.KeyLeft:
		next--
	case fyne.KeyRight:
		next++
	default:
		return
	}
	if next < 0 || next >= len(h.tabs.heads) {
		return
	}
	h.tabs.Select(next)
	if c := fyne.CurrentApp().Driver().CanvasForObject(h); c != nil && next != h.index {
		c.Focus(h.tabs.heads[next])
	}
}

// MouseIn implements [desktop.Hoverable].
func (h *tabHead) MouseIn(*desktop.MouseEvent) { h.hovered = true; h.Refresh() }

// MouseMoved implements [desktop.Hoverable].
func (h *tabHead) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements [desktop.Hoverable].
func (h *tabHead) MouseOut() { h.hovered = false; h.Refresh() }

// CreateRenderer implements [fyne.Widget].
func (h *tabHead) CreateRenderer() fyne.WidgetRenderer {
	r := &tabHeadRenderer{head: h, ground: canvas.NewRectangle(nil), line: canvas.NewRectangle(nil),
		name: canvas.NewText("", nil), note: canvas.NewText("", nil), tint: canvas.NewRectangle(nil)}
	r.paint()
	return r
}

type tabHeadRenderer struct {
	head               *tabHead
	ground, line, tint *canvas.Rectangle
	name, note         *canvas.Text
}

// Measures of a tab's head, in pixels at scale 1.
const (
	tabX     = 12
	tabY     = 7
	tabLine  = 3
	noteGap  = 6
	notePadX = 6
)

func (r *tabHeadRenderer) Destroy() {}

func (r *tabHeadRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.name, r.tint, r.note, r.line}
}

func (r *tabHeadRenderer) MinSize() fyne.Size {
	s := r.name.MinSize().AddWidthHeight(2*tabX, 2*tabY)
	if r.head.note != "" {
		s.Width += noteGap + 2*notePadX + r.note.MinSize().Width
	}
	return s
}

func (r *tabHeadRenderer) Layout(s fyne.Size) {
	r.ground.Resize(s)
	name := r.name.MinSize()
	r.name.Resize(name)
	r.name.Move(fyne.NewPos(tabX, (s.Height-name.Height)/2))
	note := r.note.MinSize()
	x := tabX + name.Width + noteGap
	r.tint.Move(fyne.NewPos(x, (s.Height-note.Height)/2-1))
	r.tint.Resize(fyne.NewSize(note.Width+2*notePadX, note.Height+2))
	r.note.Move(fyne.NewPos(x+notePadX, (s.Height-note.Height)/2))
	r.note.Resize(note)
	r.line.Move(fyne.NewPos(0, s.Height-tabLine))
	r.line.Resize(fyne.NewSize(s.Width, tabLine))
}

func (r *tabHeadRenderer) paint() {
	h := r.head
	th := h.Theme()
	r.name.Text, r.note.Text = h.name, h.note
	r.name.TextSize, r.note.TextSize = th.Size(theme.SizeNameText), th.Size(theme.SizeNameCaptionText)
	r.name.TextStyle.Bold = h.selected
	r.name.Color = colour(h, theme.ColorNamePlaceHolder)
	if h.selected {
		r.name.Color = colour(h, theme.ColorNameForeground)
	}
	r.note.Color = colour(h, h.tone.Color())
	r.tint.FillColor = colour(h, h.tone.Tint())
	r.tint.CornerRadius = r.note.TextSize / 2
	r.tint.Hidden, r.note.Hidden = h.note == "", h.note == ""
	r.line.FillColor = colour(h, theme.ColorNamePrimary)
	r.line.Hidden = !h.selected
	r.ground.Hidden = !h.focused && !h.hovered
	r.ground.FillColor = colour(h, theme.ColorNameHover)
	if h.focused {
		r.ground.FillColor = colour(h, theme.ColorNameFocus)
	}
	r.ground.CornerRadius = th.Size(theme.SizeNameInputRadius)
}

func (r *tabHeadRenderer) Refresh() {
	r.paint()
	r.Layout(r.head.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
}
