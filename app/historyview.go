package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"moult/app/words"
	"moult/core/update"
	"moult/widgets"
)

// historyView is the tab with every update of a site, newest first.
type historyView struct {
	page    *page
	list    *widgets.List
	rows    []update.Record
	allowed bool // buttons may be pressed
	empty   fyne.CanvasObject
	object  fyne.CanvasObject
}

func newHistoryView(p *page) *historyView {
	v := &historyView{page: p}
	v.list = widgets.NewList(
		func() int { return len(v.rows) },
		func() fyne.CanvasObject { return newRecordLine(v) },
		func(id int, o fyne.CanvasObject) {
			if id < len(v.rows) {
				o.(*recordLine).show(v.rows[id], v.allowed)
			}
		},
		func(id int) { v.list.Unselect(id) })
	v.empty = emptyState(lang.L("No updates yet"), lang.L("Every update of this site will be listed here, with its restore point."), nil)
	v.object = container.NewStack(v.list, v.empty)
	return v
}

// render shows the history of a model.
func (v *historyView) render(m Model) {
	v.rows = m.History
	v.allowed = (m.Doing == None || m.Doing == CheckingQuietly) && m.State != update.Interrupted
	setShown(v.list, len(v.rows) > 0)
	setShown(v.empty, len(v.rows) == 0)
	v.list.Refresh()
}

// recordLine is one update: from where to where, when, how it ended, and what
// can still be done with its restore point.
type recordLine struct {
	widget.BaseWidget
	view          *historyView
	record        update.Record
	title, below  *widget.Label
	badge         *widgets.Badge
	back, discard *widgets.Action
	log           *widgets.Action
}

func newRecordLine(v *historyView) *recordLine {
	l := &recordLine{view: v, title: widget.NewLabel("1.0.0 → 1.0.1"), below: widget.NewLabel("2026-01-01"), badge: widgets.NewBadge("done", widgets.Good)}
	l.title.TextStyle.Bold = true
	l.below.Importance = widget.LowImportance
	l.below.Truncation = fyne.TextTruncateEllipsis
	l.back = widgets.NewAction(lang.L("Roll back…"), widget.MediumImportance, func() { v.page.confirmRollBack(l.record) })
	l.discard = widgets.NewAction(lang.L("Discard…"), widget.LowImportance, func() { v.confirmDiscard(l.record) })
	l.log = widgets.NewAction(lang.L("Details"), widget.LowImportance, func() { v.details(l.record) })
	l.ExtendBaseWidget(l)
	return l
}

// resultLooks holds the badge of each way a run can end.
var resultLooks = map[update.State]struct {
	word string // a key of the translations
	tone widgets.Tone
}{
	update.Done:           {text("done"), widgets.Good},
	update.RolledBack:     {text("undone"), widgets.Warning},
	update.NeedsAttention: {text("needs attention"), widgets.Danger},
	update.Interrupted:    {text("interrupted"), widgets.Danger},
}

func (l *recordLine) show(r update.Record, allowed bool) {
	l.record = r
	l.title.SetText(versionText(r.From) + "  →  " + versionText(r.To))
	below := lang.L("{{.When}}, took {{.Span}}", vars{"When": whenText(r.Started), "Span": spanText(r.Ended.Sub(r.Started))})
	if r.CanRollBack {
		below += " · " + lang.L("restore point of {{.Size}}", vars{"Size": bytesText(r.DiskBytes)})
	}
	l.below.SetText(below)
	look := resultLooks[r.State]
	word := lang.L(look.word)
	if words.WentBack(&r.Result) {
		word, look.tone = lang.L("rolled back"), widgets.Neutral
	}
	l.badge.Set(word, look.tone)
	l.back.Hidden, l.discard.Hidden = !r.CanRollBack, !r.CanRollBack
	for _, b := range []*widgets.Action{l.back, l.discard} {
		if allowed {
			b.Enable()
		} else {
			b.Disable()
		}
	}
	l.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (l *recordLine) CreateRenderer() fyne.WidgetRenderer {
	left := tight(container.NewHBox(l.title, container.NewCenter(l.badge)), l.below)
	right := container.NewHBox(l.log, l.discard, l.back)
	return widget.NewSimpleRenderer(container.NewBorder(nil, nil, nil, container.NewVBox(layout.NewSpacer(), right, layout.NewSpacer()), left))
}

func (v *historyView) confirmDiscard(r update.Record) {
	size, older := r.DiskBytes, v.olderThan(r)
	for _, o := range older {
		size += o.DiskBytes
	}
	text := lang.L("This frees {{.Size}}. The old files and the data that was set aside are deleted for good, and you can't go back to {{.Version}} any more.",
		vars{"Size": bytesText(size), "Version": r.From})
	if n := len(older); n > 0 {
		text += " " + lang.N("{{.N}} older restore points go with it, as the way to them leads through this one.", n, vars{"N": n})
	}
	v.page.app.ask(question{
		title: lang.L("Discard the restore point of {{.When}}?", vars{"When": whenText(r.Started)}),
		text:  text,
		keep:  lang.L("Keep it"),
		yes:   lang.L("Discard"),
		risky: true,
		do:    func() { v.discard(r.ID) },
	})
}

// olderThan lists the restore points before r. One is reached by way of all that
// are newer, so that they are discarded with it.
func (v *historyView) olderThan(r update.Record) []update.Record {
	i := slices.IndexFunc(v.rows, func(o update.Record) bool { return o.ID == r.ID })
	return slices.DeleteFunc(slices.Clone(v.rows[i+1:]), func(o update.Record) bool { return !o.CanRollBack })
}

func (v *historyView) discard(id string) {
	v.page.site.discard(id, func(err error) {
		if err != nil {
			v.page.app.showError(lang.L("The restore point could not be discarded."), err)
		}
	})
}

// details reads the log of an update on a worker, and then shows all that is
// recorded of it.
func (v *historyView) details(r update.Record) {
	engine, a := v.page.site.engine, v.page.app
	a.threads.run(func() {
		lines, err := readLog(engine, r.ID)
		if err != nil {
			lines = []string{say(err.Error())}
		}
		a.threads.do(func() { v.showDetails(r, lines) })
	})
}

// readLog returns the last lines of an update's log as the window shows them.
func readLog(e Engine, id string) ([]string, error) {
	f, err := e.Log(id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if len(lines) >= 2*maxLog {
			lines = slices.Clone(lines[maxLog:])
		}
		lines = append(lines, logLine(in.Bytes()))
	}
	return lines, in.Err()
}

// logLine turns a line of slog's JSON into one for people: the time, the message,
// and its values in the order of their keys. Anything else is shown as it is.
func logLine(b []byte) string {
	var entry map[string]any
	if err := json.Unmarshal(b, &entry); err != nil {
		return string(b)
	}
	when, _ := entry["time"].(string)
	if t, err := time.Parse(time.RFC3339Nano, when); err == nil {
		when = t.Local().Format(time.TimeOnly)
	}
	message, _ := entry["msg"].(string)
	line := when + " " + message
	for _, key := range slices.Sorted(maps.Keys(entry)) {
		switch key {
		case "time", "level", "msg", "site":
		default:
			line += fmt.Sprintf("  %s=%v", key, entry[key])
		}
	}
	return line
}

func (v *historyView) showDetails(r update.Record, lines []string) {
	f := newFacts()
	f.add(lang.L("Update"), r.ID)
	f.add(lang.L("Started"), whenText(r.Started))
	f.add(lang.L("Took"), spanText(r.Ended.Sub(r.Started)))
	f.add(lang.L("The site then"), siteStateText(&r.Result, v.page.site.model.Config))
	if r.Kind != "" {
		what, _ := explainKind(r.Kind)
		f.add(lang.L("Why"), what)
	}
	if r.Message != "" {
		f.add(lang.L("Details"), say(r.Message))
	}
	for _, w := range r.Warnings {
		f.add(lang.L("Warning"), sentence(w))
	}
	log := widgets.NewLogList()
	log.Reads = readLine
	log.Set(lines)
	scroll := container.NewVScroll(f.rows)
	scroll.SetMinSize(fyne.NewSize(dialogWidth, 180))
	tall := &minimum{size: fyne.NewSize(560, 140)}
	tall.ExtendBaseWidget(tall)
	v.page.app.showContent(versionText(r.From)+"  →  "+versionText(r.To),
		container.NewBorder(nil, container.NewStack(tall, log), nil, nil, scroll))
}
