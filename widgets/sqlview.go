package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"

	"moult/resources"
)

// SQLView shows SQL in colours.
type SQLView struct {
	widget.BaseWidget
	grid *widget.TextGrid
}

var _ fyne.Widget = (*SQLView)(nil)

// NewSQLView makes an empty view that scrolls.
func NewSQLView() *SQLView {
	v := &SQLView{grid: widget.NewTextGrid()}
	v.grid.Scroll = fyne.ScrollBoth
	v.ExtendBaseWidget(v)
	return v
}

// Set shows rows that [Highlight] made, from the first one.
func (v *SQLView) Set(rows []widget.TextGridRow) {
	v.grid.Rows = rows
	v.grid.Refresh()
	if v.Size().Height > 0 {
		v.grid.ScrollToTop()
	}
}

// Text returns what is shown as text.
func (v *SQLView) Text() string { return v.grid.Text() }

// CreateRenderer implements [fyne.Widget].
func (v *SQLView) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(v.grid) }

// sqlInks holds the colours of the kinds of token. A kind that is not here has
// the colour of its category, and else that of a name.
var sqlInks = map[chroma.TokenType]ink{
	chroma.Keyword:               {text: resources.ColorKeyword, style: fyne.TextStyle{Bold: true}},
	chroma.NameBuiltin:           {text: resources.ColorKeyword},
	chroma.LiteralString:         {text: resources.ColorString},
	chroma.LiteralStringName:     {text: resources.ColorName},
	chroma.LiteralStringBacktick: {text: resources.ColorName},
	chroma.LiteralNumber:         {text: resources.ColorNumber},
	chroma.Comment:               {text: resources.ColorComment, style: fyne.TextStyle{Italic: true}},
}

var plainSQL = ink{text: resources.ColorName}

func inkOf(t chroma.TokenType) ink {
	for _, kind := range []chroma.TokenType{t, t.SubCategory(), t.Category()} {
		if i, ok := sqlInks[kind]; ok {
			return i
		}
	}
	return plainSQL
}

// Highlight turns SQL into coloured rows. It may run on any goroutine. SQL that
// the highlighter can't read comes out plain.
func Highlight(sql string) []widget.TextGridRow {
	tokens, err := chroma.Tokenise(lexers.Get("mysql"), nil, sql)
	if err != nil {
		tokens = []chroma.Token{{Type: chroma.Text, Value: sql}}
	}
	rows := []widget.TextGridRow{{}}
	for _, token := range tokens {
		style := inkOf(token.Type)
		for i, part := range strings.Split(token.Value, "\n") {
			if i > 0 {
				rows = append(rows, widget.TextGridRow{})
			}
			last := &rows[len(rows)-1]
			last.Cells = appendCells(last.Cells, part, func(int) ink { return style })
		}
	}
	if last := len(rows) - 1; last > 0 && len(rows[last].Cells) == 0 {
		rows = rows[:last]
	}
	return rows
}
