package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/widgets"
)

// facts is a two-column list of names and what they are.
type facts struct{ rows *fyne.Container }

func newFacts() *facts { return &facts{rows: tight()} }

// factName is the width of the left column in pixels at scale 1.
const factName = 130

// add adds a line.
func (f *facts) add(name, value string) { f.row(name, value, nil) }

// addAction adds a line with a button that leads to more.
func (f *facts) addAction(name, value, button string, do func()) {
	f.row(name, value, container.NewVBox(widgets.NewAction(button, widget.LowImportance, do)))
}

func (f *facts) row(name, value string, right fyne.CanvasObject) {
	left := widget.NewLabel(name)
	left.Importance = widget.LowImportance
	left.Wrapping = fyne.TextWrapWord
	text := widget.NewLabel(value)
	text.Wrapping = fyne.TextWrapWord
	column := &minimum{size: fyne.NewSize(factName, 0)}
	column.ExtendBaseWidget(column)
	f.rows.Add(container.NewBorder(nil, nil, container.NewStack(column, left), right, text))
}

// inScroll is a margin around what is scrolled, with room for the bar on the right.
func inScroll(content fyne.CanvasObject) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(4, 4, 4, 8), content)
}

// panel returns the lines under a title.
func (f *facts) panel(title string) fyne.CanvasObject { return titled(title, f.rows) }

// titled is a panel with a title.
func titled(title string, content fyne.CanvasObject) fyne.CanvasObject {
	head := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	head.SizeName = theme.SizeNameSubHeadingText
	return widgets.NewPanel(container.NewBorder(head, nil, nil, nil, content))
}

// detailsPanel holds an error in full, folded.
func detailsPanel(err error) fyne.CanvasObject { return detailsText(say(err.Error())) }

func detailsText(text string) fyne.CanvasObject {
	label := widget.NewLabel(text)
	label.Wrapping = fyne.TextWrapWord
	label.Selectable = true
	label.TextStyle.Monospace = true
	return widgets.NewPanel(newFold(lang.L("Details"), label))
}

// logPanel holds a log, folded.
func logPanel(lines []string) fyne.CanvasObject {
	log := widgets.NewLogList()
	log.Reads = readLine
	log.Set(lines)
	tall := &minimum{size: fyne.NewSize(0, 200)}
	tall.ExtendBaseWidget(tall)
	return widgets.NewPanel(newFold(lang.L("Log"), container.NewStack(tall, log)))
}

// newFold is something that is opened and closed by a button above it.
func newFold(title string, content fyne.CanvasObject) fyne.CanvasObject {
	content.Hide()
	head := widgets.NewAction(title, widget.LowImportance, nil)
	head.Icon = theme.MenuExpandIcon()
	head.Alignment = widget.ButtonAlignLeading
	box := container.NewBorder(head, nil, nil, nil, content)
	head.OnTapped = func() {
		if content.Visible() {
			content.Hide()
			head.SetIcon(theme.MenuExpandIcon())
		} else {
			content.Show()
			head.SetIcon(theme.MenuDropDownIcon())
		}
		box.Refresh()
	}
	return box
}
