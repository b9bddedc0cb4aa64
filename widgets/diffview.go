package widgets

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// DiffView shows a unified diff with the line numbers of both texts, changed
// lines on a tint and the words that differ on a stronger one.
type DiffView struct {
	widget.BaseWidget
	grid *widget.TextGrid
}

var _ fyne.Widget = (*DiffView)(nil)

// NewDiffView makes an empty view.
func NewDiffView() *DiffView {
	v := &DiffView{grid: widget.NewTextGrid()}
	v.grid.Scroll = fyne.ScrollBoth
	v.ExtendBaseWidget(v)
	return v
}

// diffLooks holds for each kind of line its sign and colours.
var diffLooks = [...]struct {
	sign               string
	ground, mark, wide fyne.ThemeColorName
}{
	DiffSame:    {sign: " "},
	DiffAdded:   {"+", resources.ColorAdded, resources.ColorAddedMark, theme.ColorNameSuccess},
	DiffRemoved: {"-", resources.ColorRemoved, resources.ColorRemovedMark, theme.ColorNameError},
	DiffGap:     {sign: " ", ground: theme.ColorNameHeaderBackground},
}

// DiffRows turns lines into what a view shows. It may run on any goroutine.
func DiffRows(lines []DiffLine) []widget.TextGridRow {
	digits := 3
	for _, l := range lines {
		digits = max(digits, len(fmt.Sprint(max(l.Old, l.New))))
	}
	rows := make([]widget.TextGridRow, len(lines))
	for i, l := range lines {
		rows[i] = diffRow(l, digits)
	}
	return rows
}

func diffRow(l DiffLine, digits int) widget.TextGridRow {
	look := diffLooks[l.Kind]
	gutter := ink{text: theme.ColorNamePlaceHolder, ground: look.ground}
	plain := ink{text: theme.ColorNameForeground, ground: look.ground, wide: look.wide}
	marked := ink{text: theme.ColorNameForeground, ground: look.mark, wide: look.wide, style: fyne.TextStyle{Bold: true}}

	head := fmt.Sprintf("%s %s %s ", number(l.Old, digits), number(l.New, digits), look.sign)
	if l.Kind == DiffGap {
		head = fmt.Sprintf("%s ⋯", number(0, digits))
	}
	cells := appendCells(nil, head, func(int) ink { return gutter })
	cells = appendCells(cells, l.Text, func(n int) ink {
		for _, m := range l.Marks {
			if m.From <= n && n < m.To {
				return marked
			}
		}
		return plain
	})
	if strings.ContainsFunc(l.Text, isWide) {
		plain = plain.bare() // or the ground of the row would cover them too
	}
	return widget.TextGridRow{Cells: cells, Style: plain}
}

// number writes a line number right-aligned, 0 as blanks.
func number(n, digits int) string {
	if n == 0 {
		return fmt.Sprintf("%*s", digits, "")
	}
	return fmt.Sprintf("%*d", digits, n)
}

// Set shows rows that [DiffRows] made, from the first one.
func (v *DiffView) Set(rows []widget.TextGridRow) {
	v.grid.Rows = rows
	v.grid.Refresh()
	if v.Size().Height > 0 {
		v.grid.ScrollToTop()
	}
}

// Rows returns how many rows are shown.
func (v *DiffView) Rows() int { return len(v.grid.Rows) }

// Text returns what is shown as text.
func (v *DiffView) Text() string { return v.grid.Text() }

// CreateRenderer implements [fyne.Widget].
func (v *DiffView) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(v.grid) }
