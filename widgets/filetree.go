package widgets

import (
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// FileTree shows files in their directories. Only the lines in sight exist as
// objects, so that its cost does not depend on the number of files. It shows
// what [Layout] made; opening and closing a directory is a new layout.
type FileTree struct {
	widget.BaseWidget
	// OnFile is called with the path of the file that was selected.
	OnFile func(path string)
	// OnFold is called with the path of a directory that is to be opened or closed.
	OnFold func(path string)

	items  []FileItem
	rows   FileRows
	list   *List
	chosen string // the path of the file that is selected, "": none
	quiet  bool   // the selection follows its file, and nobody has made one
}

var _ fyne.Widget = (*FileTree)(nil)

// NewFileTree makes an empty tree.
func NewFileTree() *FileTree {
	t := &FileTree{}
	t.list = NewList(
		func() int { return len(t.rows) },
		func() fyne.CanvasObject { return newFileLine() },
		func(id int, o fyne.CanvasObject) {
			if id < len(t.rows) && t.rows[id].Item < len(t.items) {
				o.(*fileLine).show(&t.rows[id], t.items)
			}
		}, t.onSelected)
	t.list.HideSeparators = true
	t.ExtendBaseWidget(t)
	return t
}

// Set shows rows, which [Layout] made of items. The file that was selected stays
// so, wherever its line is now.
func (t *FileTree) Set(items []FileItem, rows FileRows) {
	t.items, t.rows = items, rows
	t.quiet = true
	t.list.UnselectAll()
	if i := t.line(t.chosen); i >= 0 {
		t.list.Select(i)
	}
	t.quiet = false
	t.list.Refresh()
}

// line returns the index of the line of a file, -1 if it isn't shown.
func (t *FileTree) line(path string) int {
	if path == "" {
		return -1
	}
	return slices.IndexFunc(t.rows, func(r FileRow) bool { return r.Item >= 0 && r.Path == path })
}

// SetItems replaces the items behind the rows that are shown, as when only what
// they say has changed. They are the same files in the same order; other files
// need a new layout.
func (t *FileTree) SetItems(items []FileItem) {
	t.items = items
	t.list.Refresh()
}

// Len returns the number of lines.
func (t *FileTree) Len() int { return len(t.rows) }

// Select selects the file with this path, if its line is there, and brings it
// into the middle of what is in sight.
func (t *FileTree) Select(path string) {
	if i := t.line(path); i >= 0 {
		t.list.Reveal(i)
	}
}

// Unselect leaves no file selected.
func (t *FileTree) Unselect() {
	t.chosen = ""
	t.list.UnselectAll()
}

// List returns the part of the tree that takes the focus.
func (t *FileTree) List() fyne.Focusable { return t.list }

// ScrollBy moves the view, as a wheel does. Benchmarks use it.
func (t *FileTree) ScrollBy(y float32) { t.list.ScrollToOffset(t.list.GetScrollOffset() + y) }

func (t *FileTree) onSelected(id int) {
	if id >= len(t.rows) || t.quiet {
		return
	}
	row := t.rows[id]
	if row.Item < 0 {
		t.list.Unselect(id)
		if t.OnFold != nil {
			t.OnFold(row.Path)
		}
		return
	}
	t.chosen = row.Path
	if t.OnFile != nil {
		t.OnFile(row.Path)
	}
}

// CreateRenderer implements [fyne.Widget].
func (t *FileTree) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(t.list) }

// fileLine is a line of the tree: a sign, a name, and on the right a detail.
type fileLine struct {
	widget.BaseWidget
	sign, name, detail string
	depth              int
	tone               Tone
	dir, open, alert   bool
}

var _ fyne.Widget = (*fileLine)(nil)

func newFileLine() *fileLine {
	l := &fileLine{name: "name"}
	l.ExtendBaseWidget(l)
	return l
}

func (l *fileLine) show(row *FileRow, items []FileItem) {
	l.name, l.depth, l.alert = row.Name, row.Depth, row.Alert
	if l.dir = row.Item < 0; l.dir {
		l.open, l.sign, l.detail = row.Open, "", strconv.Itoa(row.Files)
	} else {
		it := &items[row.Item]
		l.sign, l.tone, l.detail = it.Sign, it.Tone, it.Detail
	}
	l.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (l *fileLine) CreateRenderer() fyne.WidgetRenderer {
	r := &fileLineRenderer{line: l, fold: canvas.NewImageFromResource(nil), sign: canvas.NewText("", nil), name: canvas.NewText("", nil), detail: canvas.NewText("", nil)}
	r.sign.TextStyle = fyne.TextStyle{Monospace: true, Bold: true}
	r.paint()
	return r
}

type fileLineRenderer struct {
	line               *fileLine
	fold               *canvas.Image
	sign, name, detail *canvas.Text
}

// Measures of a line, in pixels at scale 1.
const (
	fileIndent = 14
	fileSign   = 18
	fileGap    = 8
	fileY      = 1
)

func (r *fileLineRenderer) Destroy() {}

func (r *fileLineRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.fold, r.sign, r.name, r.detail}
}

func (r *fileLineRenderer) MinSize() fyne.Size {
	return fyne.NewSize(120, r.name.MinSize().Height+2*fileY)
}

func (r *fileLineRenderer) Layout(s fyne.Size) {
	x := float32(min(r.line.depth, 12)) * fileIndent
	h := r.name.MinSize().Height
	y := (s.Height - h) / 2
	r.fold.Move(fyne.NewPos(x, (s.Height-fileSign)/2))
	r.fold.Resize(fyne.NewSquareSize(fileSign))
	r.sign.Move(fyne.NewPos(x+4, y))
	detail := r.detail.MinSize()
	r.detail.Resize(detail)
	r.detail.Move(fyne.NewPos(s.Width-detail.Width-fileGap, (s.Height-detail.Height)/2))
	x += fileSign + 2
	r.name.Move(fyne.NewPos(x, y))
	r.cut(s.Width - x - detail.Width - 2*fileGap)
}

// cut shortens the name in its middle until it fits, so that its extension stays in sight.
func (r *fileLineRenderer) cut(width float32) {
	r.name.Text = r.line.name
	need := r.name.MinSize().Width
	if need <= width || width <= 0 {
		return
	}
	runes := []rune(r.line.name)
	keep := max(int(float32(len(runes))*width/need)-2, 2)
	if keep < len(runes) {
		r.name.Text = string(runes[:keep/2+keep%2]) + "…" + string(runes[len(runes)-keep/2:])
	}
}

func (r *fileLineRenderer) paint() {
	l := r.line
	th := l.Theme()
	r.name.TextSize, r.sign.TextSize = th.Size(theme.SizeNameText), th.Size(theme.SizeNameText)
	r.detail.TextSize = th.Size(theme.SizeNameCaptionText)
	r.sign.Text, r.detail.Text = l.sign, l.detail
	r.sign.Color = colour(l, l.tone.Color())
	r.detail.Color = colour(l, theme.ColorNamePlaceHolder)
	r.name.Color = colour(l, theme.ColorNameForeground)
	r.name.TextStyle.Bold = l.alert && !l.dir
	if l.alert {
		r.name.Color = colour(l, theme.ColorNameWarning)
	}
	r.sign.Hidden, r.fold.Hidden = l.dir, !l.dir
	icon := theme.IconNameMenuExpand
	if l.open {
		icon = theme.IconNameArrowDropDown
	}
	r.fold.Resource = th.Icon(icon)
}

func (r *fileLineRenderer) Refresh() {
	r.paint()
	r.Layout(r.line.Size())
	r.fold.Refresh()
	r.sign.Refresh()
	r.name.Refresh()
	r.detail.Refresh()
}
