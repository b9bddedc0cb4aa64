package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// dotSize is the diameter of a dot in pixels at scale 1.
const dotSize = 10

// Dot is a coloured disc. A word that says the same belongs beside it.
type Dot struct {
	widget.BaseWidget
	tone Tone
}

var _ fyne.Widget = (*Dot)(nil)

// NewDot makes a neutral dot.
func NewDot() *Dot {
	d := &Dot{}
	d.ExtendBaseWidget(d)
	return d
}

// Set changes the tone.
func (d *Dot) Set(tone Tone) {
	if d.tone != tone {
		d.tone = tone
		d.Refresh()
	}
}

// CreateRenderer implements [fyne.Widget].
func (d *Dot) CreateRenderer() fyne.WidgetRenderer {
	r := &dotRenderer{dot: d, disc: canvas.NewCircle(nil)}
	r.disc.FillColor = colour(d, d.tone.Color())
	return r
}

type dotRenderer struct {
	dot  *Dot
	disc *canvas.Circle
}

func (r *dotRenderer) Destroy()                     {}
func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc} }
func (r *dotRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(dotSize) }

func (r *dotRenderer) Layout(s fyne.Size) {
	r.disc.Resize(fyne.NewSquareSize(dotSize))
	r.disc.Move(fyne.NewPos((s.Width-dotSize)/2, (s.Height-dotSize)/2))
}

func (r *dotRenderer) Refresh() {
	r.disc.FillColor = colour(r.dot, r.dot.tone.Color())
	r.disc.Refresh()
}
