package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// StepStatus is how far a step is.
type StepStatus int

// The statuses of a step.
const (
	StepPending StepStatus = iota
	StepRunning
	StepDone
	StepSkipped
	StepFailed
	StepUndone
)

// stepLooks holds for each status its icon and tone.
var stepLooks = [...]struct {
	icon fyne.ThemeIconName
	tone Tone
}{
	StepPending: {theme.IconNameRadioButton, Neutral},
	StepRunning: {theme.IconNameMediaPlay, Notice},
	StepDone:    {theme.IconNameConfirm, Good},
	StepSkipped: {theme.IconNameContentRemove, Neutral},
	StepFailed:  {theme.IconNameError, Danger},
	StepUndone:  {theme.IconNameContentUndo, Warning},
}

// Step is one line of a [StepList].
type Step struct {
	Name   string
	Status StepStatus
	Word   string // the status in words, always shown beside the icon
	Detail string // "1.2 of 1.8 MB", "" when there is nothing to count
}

// StepList shows all steps of something long, each with its status.
type StepList struct {
	widget.BaseWidget
	box  *fyne.Container
	rows []*stepRow
}

var _ fyne.Widget = (*StepList)(nil)

// NewStepList makes an empty list.
func NewStepList() *StepList {
	l := &StepList{box: container.New(layout.NewCustomPaddedVBoxLayout(-6))}
	l.ExtendBaseWidget(l)
	return l
}

// Set shows steps, in their order. Lines that do not change are not drawn again.
func (l *StepList) Set(steps []Step) {
	for len(l.rows) < len(steps) {
		row := newStepRow()
		l.rows = append(l.rows, row)
		l.box.Add(row.object)
	}
	for i, row := range l.rows {
		if i >= len(steps) {
			row.object.Hide()
			continue
		}
		row.object.Show()
		row.set(steps[i])
	}
}

// CreateRenderer implements [fyne.Widget].
func (l *StepList) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.box) }

type stepRow struct {
	shown        Step
	drawn        bool
	icon         *widget.Icon
	name, detail *widget.Label
	word         *widget.Label
	right        *fyne.Container
	object       *fyne.Container
}

func newStepRow() *stepRow {
	r := &stepRow{icon: widget.NewIcon(nil), name: widget.NewLabel(""), detail: widget.NewLabel(""), word: widget.NewLabel("")}
	r.detail.Importance = widget.LowImportance
	r.detail.Alignment = fyne.TextAlignTrailing
	r.name.Truncation = fyne.TextTruncateEllipsis
	r.word.Alignment = fyne.TextAlignTrailing
	r.right = container.NewHBox(r.detail, r.word)
	r.object = container.NewBorder(nil, nil, r.icon, r.right, r.name)
	return r
}

func (r *stepRow) set(s Step) {
	if r.drawn && r.shown == s {
		return
	}
	r.shown, r.drawn = s, true
	look := stepLooks[s.Status]
	r.icon.SetResource(toned(look.icon, look.tone))
	r.name.TextStyle.Bold = s.Status == StepRunning || s.Status == StepFailed
	r.name.Importance = widget.MediumImportance
	if s.Status == StepPending || s.Status == StepSkipped {
		r.name.Importance = widget.LowImportance
	}
	r.name.SetText(s.Name)
	r.word.Importance = look.tone.Importance()
	r.word.SetText(s.Word)
	r.detail.SetText(s.Detail)
	r.detail.Hidden = s.Detail == ""
	r.right.Refresh()
	r.object.Refresh()
}

// toned returns a theme icon in the colour of a tone.
func toned(name fyne.ThemeIconName, tone Tone) fyne.Resource {
	icon := theme.Icon(name)
	switch tone {
	case Notice:
		return theme.NewPrimaryThemedResource(icon)
	case Good:
		return theme.NewSuccessThemedResource(icon)
	case Warning:
		return theme.NewWarningThemedResource(icon)
	case Danger:
		return theme.NewErrorThemedResource(icon)
	}
	return theme.NewColoredResource(icon, theme.ColorNamePlaceHolder)
}

// Icon makes an icon of the theme in the colour of a tone.
func Icon(name fyne.ThemeIconName, tone Tone) *widget.Icon { return widget.NewIcon(toned(name, tone)) }

// TonedIcon returns the resource of an icon in the colour of a tone.
func TonedIcon(name fyne.ThemeIconName, tone Tone) fyne.Resource { return toned(name, tone) }
