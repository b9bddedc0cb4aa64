package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// Panel is a ground with a border behind one object, as a group of lines that
// belong together. Its colours are names, so that they follow the theme.
type Panel struct {
	widget.BaseWidget
	content        fyne.CanvasObject
	ground, border fyne.ThemeColorName
	margin, radius float32
}

var _ fyne.Widget = (*Panel)(nil)

// NewPanel makes a panel with rounded corners around content.
func NewPanel(content fyne.CanvasObject) *Panel {
	p := &Panel{content: content, ground: resources.ColorPanel, border: resources.ColorPanelBorder, margin: 8, radius: 8}
	p.ExtendBaseWidget(p)
	return p
}

// NewBanner makes a panel in the tint of a tone.
func NewBanner(content fyne.CanvasObject, tone Tone) *Panel {
	p := NewPanel(content)
	p.ground, p.border = tone.Tint(), tone.Tint()
	return p
}

// NewGround puts a plain colour behind content, without margin or corners.
func NewGround(content fyne.CanvasObject, ground fyne.ThemeColorName) *Panel {
	p := NewPanel(content)
	p.ground, p.border, p.margin, p.radius = ground, ground, 0, 0
	return p
}

// SetTone changes the tint of a banner.
func (p *Panel) SetTone(tone Tone) {
	p.ground, p.border = tone.Tint(), tone.Tint()
	p.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (p *Panel) CreateRenderer() fyne.WidgetRenderer {
	r := &panelRenderer{panel: p, ground: canvas.NewRectangle(nil)}
	r.paint()
	return r
}

type panelRenderer struct {
	panel  *Panel
	ground *canvas.Rectangle
}

func (r *panelRenderer) Destroy() {}

func (r *panelRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.panel.content}
}

func (r *panelRenderer) MinSize() fyne.Size {
	return r.panel.content.MinSize().AddWidthHeight(2*r.panel.margin, 2*r.panel.margin)
}

func (r *panelRenderer) Layout(s fyne.Size) {
	m := r.panel.margin
	r.ground.Resize(s)
	r.panel.content.Move(fyne.NewPos(m, m))
	r.panel.content.Resize(s.SubtractWidthHeight(2*m, 2*m))
}

func (r *panelRenderer) paint() {
	r.ground.FillColor = colour(r.panel, r.panel.ground)
	r.ground.StrokeColor = colour(r.panel, r.panel.border)
	if r.panel.radius > 0 {
		r.ground.StrokeWidth = r.panel.Theme().Size(theme.SizeNameSeparatorThickness)
	}
	r.ground.CornerRadius = r.panel.radius
}

func (r *panelRenderer) Refresh() {
	r.paint()
	r.ground.Refresh()
	canvas.Refresh(r.panel.content)
}
