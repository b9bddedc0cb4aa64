package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Chips is a row of buttons of which any number can be on. None on means all.
type Chips struct {
	widget.BaseWidget
	// OnChanged is called with what is on after a chip was used.
	OnChanged func(on []bool)

	buttons []*Action
	on      []bool
	row     *fyne.Container
}

var _ fyne.Widget = (*Chips)(nil)

// NewChips makes chips that are all off.
func NewChips(names ...string) *Chips {
	c := &Chips{on: make([]bool, len(names)), row: container.NewHBox()}
	for i, name := range names {
		b := NewAction(name, widget.MediumImportance, func() { c.toggle(i) })
		c.buttons = append(c.buttons, b)
		c.row.Add(b)
	}
	c.ExtendBaseWidget(c)
	return c
}

// Set turns on the given chips and all others off, without a call of OnChanged.
func (c *Chips) Set(on ...int) {
	clear(c.on)
	for _, i := range on {
		c.on[i] = true
	}
	c.paint()
}

// SetName changes what a chip says.
func (c *Chips) SetName(index int, name string) {
	if c.buttons[index].Text != name {
		c.buttons[index].SetText(name)
		c.row.Refresh()
	}
}

// On returns which chips are on.
func (c *Chips) On() []bool { return c.on }

func (c *Chips) toggle(i int) {
	c.on[i] = !c.on[i]
	c.paint()
	if c.OnChanged != nil {
		c.OnChanged(c.on)
	}
}

func (c *Chips) paint() {
	for i, b := range c.buttons {
		want := widget.MediumImportance
		if c.on[i] {
			want = widget.HighImportance
		}
		if b.Importance != want {
			b.Importance = want
			b.Refresh()
		}
	}
}

// CreateRenderer implements [fyne.Widget].
func (c *Chips) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(c.row)
}
