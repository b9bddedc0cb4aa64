package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// Tone is how much a piece of text wants to be noticed. It is never the only
// sign: a word stands beside every colour.
type Tone int

// The tones, quietest first.
const (
	Neutral Tone = iota
	Notice
	Good
	Warning
	Danger
)

// tones holds for each tone its text colour, its tint and the importance that
// gives a Fyne label the same colour.
var tones = [...]struct {
	text, tint fyne.ThemeColorName
	importance widget.Importance
}{
	Neutral: {theme.ColorNamePlaceHolder, resources.ColorNeutralTint, widget.LowImportance},
	Notice:  {theme.ColorNamePrimary, resources.ColorNoticeTint, widget.HighImportance},
	Good:    {theme.ColorNameSuccess, resources.ColorGoodTint, widget.SuccessImportance},
	Warning: {theme.ColorNameWarning, resources.ColorWarningTint, widget.WarningImportance},
	Danger:  {theme.ColorNameError, resources.ColorDangerTint, widget.DangerImportance},
}

// Color returns the name of the colour for text of this tone.
func (t Tone) Color() fyne.ThemeColorName { return tones[t].text }

// Tint returns the name of the colour behind text of this tone.
func (t Tone) Tint() fyne.ThemeColorName { return tones[t].tint }

// Importance returns what gives a label this tone.
func (t Tone) Importance() widget.Importance { return tones[t].importance }

// colour looks a colour up as w sees it, so that it follows the theme.
func colour(w fyne.Widget, name fyne.ThemeColorName) color.Color {
	th := fyne.CurrentApp().Settings().Theme()
	if themed, ok := w.(interface{ Theme() fyne.Theme }); ok {
		th = themed.Theme()
	}
	return th.Color(name, fyne.CurrentApp().Settings().ThemeVariant())
}
