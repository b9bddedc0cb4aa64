package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Action is a button that return presses as well as space, as people expect of a
// button that has the focus, and that passes Escape on.
type Action struct {
	widget.Button
	sight
}

var _ fyne.Focusable = (*Action)(nil)

// NewAction makes a button.
func NewAction(text string, importance widget.Importance, tapped func()) *Action {
	a := &Action{}
	a.Text, a.Importance, a.OnTapped = text, importance, tapped
	a.ExtendBaseWidget(a)
	return a
}

// NewIconAction makes a button with an icon before its text, which may be empty.
func NewIconAction(text string, icon fyne.Resource, importance widget.Importance, tapped func()) *Action {
	a := NewAction(text, importance, tapped)
	a.Icon = icon
	return a
}

// Set changes what the button says, how it looks and whether it can be pressed,
// and shows it.
func (a *Action) Set(text string, importance widget.Importance, enabled bool) {
	if a.Text != text || a.Importance != importance {
		a.Text, a.Importance = text, importance
		a.Refresh()
	}
	if enabled == a.Disabled() {
		if enabled {
			a.Enable()
		} else {
			a.Disable()
		}
	}
	a.Show()
}

// TypedKey implements [fyne.Focusable].
func (a *Action) TypedKey(e *fyne.KeyEvent) {
	switch {
	case passOn(a, e):
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter:
		if !a.Disabled() && a.OnTapped != nil {
			a.OnTapped()
		}
	default:
		a.Button.TypedKey(e)
	}
}

// FocusGained implements [fyne.Focusable].
func (a *Action) FocusGained() {
	a.Button.FocusGained()
	a.bring(a)
}
