package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
	"golang.org/x/text/width"
)

// maxColumns is where a line of code is cut: every cell in sight is three
// objects of the canvas, and nobody reads a line longer than this.
const maxColumns = 400

// ink is a style of a cell that looks its colours up when it is drawn, so that
// it follows the theme. An empty name leaves the colour as it is.
type ink struct {
	text, ground fyne.ThemeColorName
	wide         fyne.ThemeColorName // of letters of two cells; "": as of all
	style        fyne.TextStyle
}

var _ widget.TextGridStyle = ink{}

// Style implements [widget.TextGridStyle].
func (i ink) Style() fyne.TextStyle { return i.style }

// TextColor implements [widget.TextGridStyle].
func (i ink) TextColor() color.Color { return named(i.text) }

// BackgroundColor implements [widget.TextGridStyle].
func (i ink) BackgroundColor() color.Color { return named(i.ground) }

// bare is the style of a letter of two cells. A grid draws one cell after the other,
// and the ground of the second would cover half of the letter, so that it has none
// and tells by its colour what the ground tells elsewhere.
func (i ink) bare() ink {
	if i.wide != "" {
		i.text = i.wide
	}
	i.ground = ""
	return i
}

func named(name fyne.ThemeColorName) color.Color {
	if name == "" {
		return nil
	}
	return theme.Color(name)
}

// appendCells adds text to a row of cells. A wide letter, as a Chinese one, takes
// two cells and a tab goes on to the next multiple of four; beyond maxColumns
// the text is cut with an ellipsis. styleAt gives the style of the n-th rune of text.
func appendCells(cells []widget.TextGridCell, text string, styleAt func(rune int) ink) []widget.TextGridCell {
	const tab = 4
	start := len(cells)
	n := 0
	for _, r := range text {
		style := styleAt(n)
		n++
		if len(cells) >= maxColumns {
			return append(cells, widget.TextGridCell{Rune: '…', Style: style})
		}
		switch {
		case r == '\t':
			for next := true; next || (len(cells)-start)%tab != 0; next = false {
				cells = append(cells, widget.TextGridCell{Rune: ' ', Style: style})
			}
			continue
		case r < ' ' || r == 0x7f:
			r = '·'
		}
		if isWide(r) {
			cells = append(cells, widget.TextGridCell{Rune: r, Style: style.bare()}, widget.TextGridCell{Rune: ' ', Style: style.bare()})
			continue
		}
		cells = append(cells, widget.TextGridCell{Rune: r, Style: style})
	}
	return cells
}

// isWide reports whether a letter takes two cells.
func isWide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}
