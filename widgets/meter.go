package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// meterHeight is the thickness of a meter in pixels at scale 1.
const meterHeight = 6

// Meter is a thin progress bar without text.
type Meter struct {
	widget.BaseWidget
	fraction float64
	tone     Tone
}

var _ fyne.Widget = (*Meter)(nil)

// NewMeter makes an empty meter.
func NewMeter() *Meter {
	m := &Meter{tone: Notice}
	m.ExtendBaseWidget(m)
	return m
}

// Set fills the meter up to a fraction between 0 and 1; what is outside is cut.
func (m *Meter) Set(fraction float64, tone Tone) {
	fraction = min(max(fraction, 0), 1)
	if m.fraction == fraction && m.tone == tone {
		return
	}
	m.fraction, m.tone = fraction, tone
	m.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (m *Meter) CreateRenderer() fyne.WidgetRenderer {
	r := &meterRenderer{meter: m, track: canvas.NewRectangle(nil), fill: canvas.NewRectangle(nil)}
	r.track.CornerRadius, r.fill.CornerRadius = meterHeight/2, meterHeight/2
	r.paint()
	return r
}

type meterRenderer struct {
	meter       *Meter
	track, fill *canvas.Rectangle
}

func (r *meterRenderer) Destroy() {}

func (r *meterRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.fill}
}

func (r *meterRenderer) MinSize() fyne.Size { return fyne.NewSize(40, meterHeight) }

func (r *meterRenderer) Layout(s fyne.Size) {
	y := (s.Height - meterHeight) / 2
	r.track.Move(fyne.NewPos(0, y))
	r.track.Resize(fyne.NewSize(s.Width, meterHeight))
	r.fill.Move(fyne.NewPos(0, y))
	r.fill.Resize(fyne.NewSize(s.Width*float32(r.meter.fraction), meterHeight))
}

func (r *meterRenderer) paint() {
	r.track.FillColor = colour(r.meter, resources.ColorTrack)
	r.fill.FillColor = colour(r.meter, r.meter.tone.Color())
	if r.meter.tone == Neutral {
		r.fill.FillColor = colour(r.meter, theme.ColorNameDisabled)
	}
}

func (r *meterRenderer) Refresh() {
	r.paint()
	r.Layout(r.meter.Size())
	r.track.Refresh()
	r.fill.Refresh()
}
