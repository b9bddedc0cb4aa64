package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// ByteProgress is a meter with what is done on its left and what is left to do
// on its right, under it the thing in hand.
type ByteProgress struct {
	widget.BaseWidget
	meter             *Meter
	done, left, thing *widget.Label
}

var _ fyne.Widget = (*ByteProgress)(nil)

// NewByteProgress makes an empty one.
func NewByteProgress() *ByteProgress {
	p := &ByteProgress{meter: NewMeter(), done: widget.NewLabel(""), left: widget.NewLabel(""), thing: widget.NewLabel("")}
	p.left.Alignment = fyne.TextAlignTrailing
	p.thing.Importance = widget.LowImportance
	p.thing.Truncation = fyne.TextTruncateEllipsis
	p.done.Truncation = fyne.TextTruncateEllipsis
	p.ExtendBaseWidget(p)
	return p
}

// Set shows a fraction between 0 and 1, how much is done in words, how much is
// left in words, and the file, statement or address in hand.
func (p *ByteProgress) Set(fraction float64, done, left, thing string) {
	p.meter.Set(fraction, Notice)
	setText(p.done, done)
	setText(p.left, left)
	setText(p.thing, thing)
}

// CreateRenderer implements [fyne.Widget].
func (p *ByteProgress) CreateRenderer() fyne.WidgetRenderer {
	inset := p.Theme().Size(theme.SizeNameInnerPadding) // of a label's text
	return widget.NewSimpleRenderer(container.New(layout.NewCustomPaddedVBoxLayout(0),
		container.NewBorder(nil, nil, nil, p.left, p.done), container.New(layout.NewCustomPaddedLayout(0, 0, inset, inset), p.meter), p.thing))
}

// setText spares a label the work of being drawn again with the same text.
func setText(l *widget.Label, text string) {
	if l.Text != text {
		l.SetText(text)
	}
}
