package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// List is Fyne's list, but keeps the selected line in sight when it gets another
// height, as when a text beside it needs one more line.
type List struct {
	widget.List
	sight
	selected int // -1: none
}

var _ fyne.Widget = (*List)(nil)

// NewList makes a list. onSelected is called with the line that was selected.
func NewList(length func() int, create func() fyne.CanvasObject, update func(int, fyne.CanvasObject), onSelected func(int)) *List {
	l := &List{selected: -1}
	l.Length, l.CreateItem, l.UpdateItem = length, create, update
	l.OnSelected = func(id widget.ListItemID) {
		l.selected = id
		onSelected(id)
	}
	l.OnUnselected = func(id widget.ListItemID) {
		if l.selected == id {
			l.selected = -1
		}
	}
	l.ExtendBaseWidget(l)
	return l
}

// Resize implements [fyne.CanvasObject].
func (l *List) Resize(s fyne.Size) {
	before := l.Size().Height
	l.List.Resize(s)
	if l.selected >= 0 && s.Height != before {
		l.ScrollTo(l.selected)
	}
}

// TypedKey implements [fyne.Focusable]. It passes Escape on.
func (l *List) TypedKey(e *fyne.KeyEvent) {
	if !passOn(l, e) {
		l.List.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable].
func (l *List) FocusGained() {
	l.List.FocusGained()
	l.bring(l)
}

// Reveal selects a line and brings it into the middle of what is in sight.
func (l *List) Reveal(line int) {
	l.Select(line)
	if height := l.Size().Height; height > 0 {
		l.ScrollToOffset((float32(line)+0.5)*l.pitch() - height/2)
	}
}

// pitch is the distance from one line of a list to the next. The list's own least
// size doesn't tell, as it is never less than that of a scroll bar.
func (l *List) pitch() float32 {
	return l.CreateItem().MinSize().Height + l.Theme().Size(theme.SizeNamePadding)
}
