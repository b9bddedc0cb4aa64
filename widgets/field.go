package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Field is an entry that passes Escape on, which Fyne's entry swallows.
type Field struct {
	widget.Entry
	sight
}

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
	if f.MultiLine && e.Name != fyne.KeyEscape || !passOn(f, e) {
		f.Entry.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable].
func (f *Field) FocusGained() {
	f.Entry.FocusGained()
	f.bring(f)
}
