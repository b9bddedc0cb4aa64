package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// passedOn are the keys that mean the same wherever the focus is: to leave, and to
// read on.
var passedOn = []fyne.KeyName{fyne.KeyEscape, fyne.KeyPageUp, fyne.KeyPageDown}

// passOn does what a key does where nothing has the focus, and reports whether it is
// one of those. Fyne gives a key to what has the focus and to nobody else, so that
// every widget here that takes the focus passes them on.
func passOn(from fyne.CanvasObject, e *fyne.KeyEvent) bool {
	if !slices.Contains(passedOn, e.Name) {
		return false
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(from); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(e)
	}
	return true
}

// Select is a drop-down list that passes Escape on.
type Select struct {
	widget.Select
	sight
}

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
	if !passOn(s, e) {
		s.Select.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable].
func (s *Select) FocusGained() {
	s.Select.FocusGained()
	s.bring(s)
}

// Check is a box to tick that passes Escape on.
type Check struct {
	widget.Check
	sight
}

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
	if !passOn(c, e) {
		c.Check.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable].
func (c *Check) FocusGained() {
	c.Check.FocusGained()
	c.bring(c)
}
