package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// LogList shows the lines of a log and follows its end, unless it was scrolled
// away from there.
type LogList struct {
	widget.BaseWidget
	// Reads puts a line into words as it comes into sight; nil: it is shown as it is.
	Reads func(line string) string
	lines []string
	list  *widget.List
}

var _ fyne.Widget = (*LogList)(nil)

// NewLogList makes an empty log.
func NewLogList() *LogList {
	l := &LogList{}
	l.list = widget.NewList(
		func() int { return len(l.lines) },
		func() fyne.CanvasObject {
			line := widget.NewLabel("00:00:00 line")
			line.TextStyle.Monospace = true
			line.SizeName = "helperText"
			line.Truncation = fyne.TextTruncateEllipsis
			return line
		},
		func(id widget.ListItemID, o fyne.CanvasObject) {
			if id >= len(l.lines) {
				return
			}
			line := l.lines[id]
			if l.Reads != nil {
				line = l.Reads(line)
			}
			setText(o.(*widget.Label), line)
		})
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
	line := l.list.MinSize().Height
	end := float32(len(l.lines)) * line
	return l.list.Size().Height == 0 || l.list.GetScrollOffset()+l.list.Size().Height >= end-2*line
}

// Lines returns what is shown.
func (l *LogList) Lines() []string { return l.lines }

// CreateRenderer implements [fyne.Widget].
func (l *LogList) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.list) }
