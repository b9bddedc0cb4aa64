package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Field is an entry that hands Escape on, which Fyne's entry swallows.
type Field struct{ widget.Entry }

var _ fyne.Focusable = (*Field)(nil)

// NewField makes an empty field, of several lines if lines is true. In such a
// field Tab goes on to the next widget, as everywhere.
func NewField(lines bool) *Field {
	f := &Field{}
	f.MultiLine = lines
	if lines {
		f.SetMinRowsVisible(3)
	}
	f.ExtendBaseWidget(f)
	return f
}

// AcceptsTab implements [fyne.Tabbable].
func (f *Field) AcceptsTab() bool { return false }

// TypedKey implements [fyne.Focusable].
func (f *Field) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		escape(f, e)
		return
	}
	f.Entry.TypedKey(e)
}
