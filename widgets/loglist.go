package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// LogList shows the lines of a log and follows its end, unless it was scrolled
// away from there.
type LogList struct {
	widget.BaseWidget
	// Reads puts a line into words as it comes into sight; nil: it is shown as it is.
	Reads func(line string) string
	lines []string
	list  *List
}

var _ fyne.Widget = (*LogList)(nil)

// logTrim is what is taken from the margins above and below a line of a log, which
// are those of a paragraph.
const logTrim = 8

// NewLogList makes an empty log.
func NewLogList() *LogList {
	l := &LogList{}
	l.list = NewList(
		func() int { return len(l.lines) },
		func() fyne.CanvasObject {
			line := widget.NewLabel("00:00:00 line")
			line.TextStyle.Monospace = true
			line.SizeName = resources.SizeLog
			line.Truncation = fyne.TextTruncateEllipsis
			return container.New(layout.NewCustomPaddedLayout(-logTrim, -logTrim, 0, 0), line)
		},
		func(id int, o fyne.CanvasObject) {
			if id >= len(l.lines) {
				return
			}
			line := l.lines[id]
			if l.Reads != nil {
				line = l.Reads(line)
			}
			setText(o.(*fyne.Container).Objects[0].(*widget.Label), line)
		}, func(int) {})
	l.list.HideSeparators = true
	l.ExtendBaseWidget(l)
	return l
}

// Set shows lines. The slice is kept; its elements must not change later.
func (l *LogList) Set(lines []string) {
	if len(lines) == len(l.lines) && (len(lines) == 0 || &lines[0] == &l.lines[0]) {
		return
	}
	follow := l.AtEnd()
	l.lines = lines
	l.list.Refresh()
	if follow {
		l.list.ScrollToBottom()
	}
}

// AtEnd reports whether the last line is in sight, or the log has not been laid out.
func (l *LogList) AtEnd() bool {
	line := l.list.pitch()
	end := float32(len(l.lines)) * line
	return l.list.Size().Height == 0 || l.list.GetScrollOffset()+l.list.Size().Height >= end-2*line
}

// Resize implements [fyne.CanvasObject].
func (l *LogList) Resize(s fyne.Size) {
	follow := l.AtEnd()
	l.BaseWidget.Resize(s)
	if follow {
		l.list.ScrollToBottom()
	}
}

func (l *LogList) within(scroll *container.Scroll) { l.list.within(scroll) }

// Lines returns what is shown.
func (l *LogList) Lines() []string { return l.lines }

// CreateRenderer implements [fyne.Widget].
func (l *LogList) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.list) }
