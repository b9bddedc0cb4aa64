package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/update"
	"moult/widgets"
)

// runningView shows what runs: all steps, how far it is, and the log.
type runningView struct {
	banner   *widgets.Panel
	sentence *widget.Label
	progress *widgets.ByteProgress
	steps    *widgets.StepList
	stepBox  fyne.CanvasObject
	log      *widgets.LogList
	logFold  *widgets.Action
	logBox   fyne.CanvasObject
	object   *container.Scroll
}

func newRunningView() *runningView {
	v := &runningView{sentence: widget.NewLabel(""), progress: widgets.NewByteProgress(), steps: widgets.NewStepList(), log: widgets.NewLogList()}
	v.sentence.Wrapping = fyne.TextWrapWord
	v.sentence.TextStyle.Bold = true
	v.log.Reads = readLine
	tall := &minimum{size: fyne.NewSize(0, 180)}
	tall.ExtendBaseWidget(tall)
	v.logBox = widgets.NewPanel(container.NewStack(tall, v.log))
	v.logBox.Hide()
	v.logFold = widgets.NewAction(lang.L("Show the log"), widget.LowImportance, v.toggleLog)
	v.logFold.Icon = theme.MenuExpandIcon()
	v.logFold.Alignment = widget.ButtonAlignLeading
	v.stepBox = widgets.NewPanel(v.steps)
	// The way to the log stands where it is seen in the least window.
	v.banner = widgets.NewBanner(container.NewBorder(nil, nil, nil, container.NewVBox(v.logFold), v.sentence), widgets.Notice)
	column := container.New(layout.NewCustomPaddedVBoxLayout(10),
		v.banner, widgets.NewPanel(v.progress), v.logBox, v.stepBox)
	v.object = container.NewVScroll(inScroll(column))
	widgets.InSight(v.object, column)
	return v
}

// toggleLog opens or closes the log.
func (v *runningView) toggleLog() {
	if v.logBox.Visible() {
		v.logBox.Hide()
		v.logFold.Icon = theme.MenuExpandIcon()
		v.logFold.SetText(lang.L("Show the log"))
		return
	}
	v.logBox.Show()
	v.logFold.Icon = theme.MenuDropDownIcon()
	v.logFold.SetText(lang.L("Hide the log"))
}

// render shows a model that runs.
func (v *runningView) render(m Model) {
	tone, sentence := headline(m)
	if v.sentence.Text != sentence {
		v.sentence.SetText(sentence)
		v.banner.SetTone(tone)
	}
	p := m.Progress
	v.progress.Set(p.Fraction, percentText(p.Fraction)+"   "+doneText(p), leftText(p), oneLine(say(p.Item)))
	v.steps.Set(stepLines(p))
	setShown(v.stepBox, len(p.Steps) > 0)
	v.log.Set(p.Log)
}

// stepLines turns the steps of a snapshot into lines.
func stepLines(p Progress) []widgets.Step {
	lines := make([]widgets.Step, len(p.Steps))
	for i, s := range p.Steps {
		look := stepLooks[s.Status]
		lines[i] = widgets.Step{Name: stageName(s.Stage), Status: look.status, Word: lang.L(look.word)}
		if s.Total > 0 && s.Status != update.StepPending {
			lines[i].Detail = amountText(s.Done, s.Total, s.Unit)
		}
	}
	return lines
}

// amountText says how much of something is done.
func amountText(done, total int64, unit update.Unit) string {
	v := vars{"Done": countText(done), "Total": countText(total)}
	switch unit {
	case update.Bytes:
		v["Done"], v["Total"] = bytesText(done), bytesText(total)
		return lang.L("{{.Done}} of {{.Total}}", v)
	case update.Statements:
		return lang.N("{{.Done}} of {{.Total}} statements", int(total), v)
	}
	return lang.N("{{.Done}} of {{.Total}} files", int(total), v)
}

// doneText says how far the step in hand is, and how fast.
func doneText(p Progress) string {
	if p.Step < 0 || p.Step >= len(p.Steps) {
		return ""
	}
	s := p.Steps[p.Step]
	out := stageName(s.Stage)
	if s.Total > 0 {
		out += "   " + amountText(s.Done, s.Total, s.Unit)
	}
	switch {
	case p.Rate <= 0:
	case s.Unit == update.Bytes:
		out += "   " + lang.L("{{.Rate}} per second", vars{"Rate": bytesText(int64(p.Rate))})
	case s.Unit == update.Files && p.Rate >= 10:
		out += "   " + lang.L("{{.Rate}} per second", vars{"Rate": filesText(int(p.Rate))})
	}
	return out
}

// leftText says how long it has taken and how long the step in hand will take.
func leftText(p Progress) string {
	if p.Seq == 0 {
		return ""
	}
	if p.Left > 0 {
		return lang.L("about {{.Left}} left", vars{"Left": spanText(p.Left)})
	}
	return spanText(p.Elapsed)
}
