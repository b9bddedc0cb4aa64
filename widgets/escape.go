package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// escape does what Escape does where nothing has the focus. Fyne gives a key to
// what has the focus and to nobody else, so that every widget here that takes the
// focus hands Escape on.
func escape(from fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(from); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
}

// Select is a drop-down list that hands Escape on.
type Select struct{ widget.Select }

var _ fyne.Focusable = (*Select)(nil)

// NewSelect makes one of which nothing is chosen yet.
func NewSelect(options []string, changed func(string)) *Select {
	s := &Select{}
	s.Options, s.OnChanged = options, changed
	s.ExtendBaseWidget(s)
	return s
}

// TypedKey implements [fyne.Focusable].
func (s *Select) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		escape(s, e)
		return
	}
	s.Select.TypedKey(e)
}

// Check is a box to tick that hands Escape on.
type Check struct{ widget.Check }

var _ fyne.Focusable = (*Check)(nil)

// NewCheck makes an empty box.
func NewCheck(text string, changed func(bool)) *Check {
	c := &Check{}
	c.Text, c.OnChanged = text, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements [fyne.Focusable].
func (c *Check) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		escape(c, e)
		return
	}
	c.Check.TypedKey(e)
}
