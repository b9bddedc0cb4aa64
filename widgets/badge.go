package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Badge is a word on a tinted ground.
type Badge struct {
	widget.BaseWidget
	text string
	tone Tone
}

var _ fyne.Widget = (*Badge)(nil)

// NewBadge makes a badge.
func NewBadge(text string, tone Tone) *Badge {
	b := &Badge{text: text, tone: tone}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes what the badge says. An empty text hides it.
func (b *Badge) Set(text string, tone Tone) {
	b.text, b.tone = text, tone
	b.Hidden = text == ""
	b.Refresh()
}

// Text returns what the badge says.
func (b *Badge) Text() string { return b.text }

// CreateRenderer implements [fyne.Widget].
func (b *Badge) CreateRenderer() fyne.WidgetRenderer {
	r := &badgeRenderer{badge: b, ground: canvas.NewRectangle(nil), text: canvas.NewText("", nil)}
	r.text.TextStyle.Bold = true
	r.text.Alignment = fyne.TextAlignCenter
	r.Refresh()
	return r
}

type badgeRenderer struct {
	badge  *Badge
	ground *canvas.Rectangle
	text   *canvas.Text
}

func (r *badgeRenderer) Destroy() {}

func (r *badgeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.text}
}

// Margins around the word, in pixels at scale 1.
const badgeX, badgeY = 8, 2

func (r *badgeRenderer) MinSize() fyne.Size {
	return r.text.MinSize().AddWidthHeight(2*badgeX, 2*badgeY)
}

func (r *badgeRenderer) Layout(s fyne.Size) {
	need := r.MinSize()
	y := (s.Height - need.Height) / 2
	r.ground.Resize(fyne.NewSize(fyne.Min(s.Width, need.Width), need.Height))
	r.ground.Move(fyne.NewPos(0, y))
	r.text.Resize(r.text.MinSize())
	r.text.Move(fyne.NewPos(badgeX, y+badgeY))
}

func (r *badgeRenderer) Refresh() {
	r.text.Text = r.badge.text
	r.text.TextSize = r.badge.Theme().Size(theme.SizeNameCaptionText)
	r.text.Color = colour(r.badge, r.badge.tone.Color())
	r.ground.FillColor = colour(r.badge, r.badge.tone.Tint())
	r.ground.CornerRadius = r.text.TextSize / 2
	r.Layout(r.badge.Size())
	r.ground.Refresh()
	r.text.Refresh()
}
