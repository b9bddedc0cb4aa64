package app

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/app/words"
	"moult/core/files"
	"moult/core/release"
	"moult/widgets"
)

// The filter chips of the files, in their order.
const (
	chipNew = iota
	chipChanged
	chipRemoved
	chipEdited
	chips
)

// filesView is the tab with every file that changes.
type filesView struct {
	page   *page
	chips  *widgets.Chips
	search *widgets.Field
	tree   *widgets.FileTree
	detail *fileDetail
	split  *container.Split
	full   *fyne.Container
	none   *widget.Label // in place of the tree where nothing is found
	empty  *fyne.Container
	body   *fyne.Container
	notes  *widget.Label
	object fyne.CanvasObject

	plan     *files.Plan // that is shown
	entries  []files.Entry
	items    []widgets.FileItem
	folded   map[string]bool
	selected release.Path // the file on the right
	turn     int          // of the layouts; an older one that comes late is dropped
	laid     int          // the turn whose rows the tree shows
}

func newFilesView(p *page) *filesView {
	v := &filesView{page: p, folded: map[string]bool{}}
	v.chips = widgets.NewChips(lang.L("New"), lang.L("Changed"), lang.L("Removed"), lang.L("Edited here"))
	v.chips.OnChanged = func([]bool) { v.layout() }
	v.search = widgets.NewField(false)
	v.search.SetPlaceHolder(lang.L("Search for a path"))
	v.search.OnChanged = func(string) { v.layout() }
	v.tree = widgets.NewFileTree()
	v.tree.OnFold = func(path string) {
		v.folded = with(v.folded, path, !v.folded[path])
		v.layout()
	}
	v.tree.OnFile = func(path string) {
		// The line may be one of the plan before, until the new layout is there.
		if i := v.index(release.Path(path)); i >= 0 {
			v.selected = v.entries[i].Path
			v.detail.show(p.site.model, v.entries[i])
		}
	}
	v.detail = newFileDetail(p)
	v.notes = widget.NewLabel("")
	v.notes.Wrapping = fyne.TextWrapWord
	v.notes.Importance = widget.LowImportance
	v.none = widget.NewLabel(lang.L("No path of this update matches."))
	v.none.Wrapping = fyne.TextWrapWord
	v.none.Importance = widget.LowImportance
	v.none.Hide()
	v.split = container.NewHSplit(container.NewBorder(nil, v.notes, nil, nil, container.NewStack(v.tree, v.none)), v.detail.object)
	v.split.Offset = 0.4
	v.full = above(container.NewBorder(nil, nil, nil, v.chips, v.search), v.split)
	v.empty = container.NewStack()
	v.body = container.NewStack(v.full, v.empty)
	v.object = v.body
	return v
}

// render shows the files of a model's plan.
func (v *filesView) render(m Model) {
	if m.Plan == nil || m.Plan.Files == nil {
		v.plan, v.entries, v.items, v.selected = nil, nil, nil, ""
		v.turn++
		v.tree.Unselect()
		v.full.Hide()
		v.empty.Objects = []fyne.CanvasObject{nothingToReview(v.page, m, lang.L("No files to show"), lang.L("Review an update to see every file that it changes, with the difference."))}
		v.empty.Show()
		return
	}
	v.full.Show()
	v.empty.Hide()
	fresh := v.plan != m.Plan.Files
	v.plan = m.Plan.Files
	if fresh {
		v.entries = shownEntries(m.Plan.Files)
		c := m.Plan.Files.Counts()
		for i, n := range []int{c.New, c.Changed, c.Removed, c.Edited} {
			v.chips.SetName(i, lang.L(chipNames[i])+" "+countText(int64(n)))
		}
		notes := make([]string, len(m.Plan.Files.Notes))
		for i, n := range m.Plan.Files.Notes {
			notes[i] = sentence(n)
		}
		setLabel(v.notes, strings.Join(notes, "\n"))
		v.notes.Hidden = v.notes.Text == ""
	}
	v.items = fileItems(m, v.entries)
	switch {
	case fresh:
		v.layout()
	case v.laid == v.turn: // a layout that is under way brings the items along
		v.tree.SetItems(v.items)
	}
	if i := v.index(v.selected); i >= 0 {
		v.detail.show(m, v.entries[i])
	} else {
		v.detail.clear()
	}
}

var chipNames = [chips]string{text("New"), text("Changed"), text("Removed"), text("Edited here")}

// shownEntries leaves out what stays as it is and what only makes directories.
func shownEntries(p *files.Plan) []files.Entry {
	shown := make([]files.Entry, 0, len(p.Entries))
	for _, e := range p.Entries {
		if e.Change != files.Same && e.Change != files.Mkdir && e.Change != files.Rmdir || e.Note != "" {
			shown = append(shown, e)
		}
	}
	slices.SortFunc(shown, func(a, b files.Entry) int { return strings.Compare(string(a.Path), string(b.Path)) })
	return shown
}

// changeLooks holds the sign and tone of each change.
var changeLooks = map[files.Change]struct {
	sign string
	tone widgets.Tone
}{
	files.Add:     {"+", widgets.Good},
	files.Replace: {"~", widgets.Notice},
	files.Delete:  {"-", widgets.Danger},
	files.Keep:    {"=", widgets.Neutral},
	files.Same:    {"=", widgets.Neutral},
	files.Mkdir:   {"+", widgets.Good},
	files.Rmdir:   {"-", widgets.Danger},
}

// fileItems turns entries into lines of the tree.
func fileItems(m Model, entries []files.Entry) []widgets.FileItem {
	items := make([]widgets.FileItem, len(entries))
	for i, e := range entries {
		look := changeLooks[e.Change]
		items[i] = widgets.FileItem{Path: string(e.Path), Sign: look.sign, Tone: look.tone, Detail: sizeChange(e)}
		if e.Edited && (e.Change == files.Replace || e.Change == files.Add) && m.Choice(e) == files.ChoiceAsk {
			items[i].Alert = true
		}
	}
	return items
}

// sizeChange says by how much a file grows or shrinks.
func sizeChange(e files.Entry) string {
	switch {
	case !e.New.Exists():
		return bytesText(e.Here.Size)
	case !e.Here.Exists():
		return bytesText(e.New.Size)
	case e.New.Size >= e.Here.Size:
		return "+" + bytesText(e.New.Size-e.Here.Size)
	}
	return "−" + bytesText(e.Here.Size-e.New.Size)
}

// layout arranges the tree anew on a worker, by what is filtered, searched and folded.
func (v *filesView) layout() {
	v.turn++
	turn, entries, items, folded := v.turn, v.entries, v.items, v.folded
	on := slices.Clone(v.chips.On())
	find := strings.ToLower(strings.TrimSpace(v.search.Text))
	v.page.site.threads.run(func() {
		rows := widgets.Layout(items, matcher(entries, on, find), folded)
		v.page.site.threads.do(func() {
			if turn == v.turn {
				v.laid = turn
				v.tree.Set(v.items, rows)
				setShown(v.none, len(rows) == 0)
				setShown(v.tree, len(rows) > 0)
			}
		})
	})
}

// matcher returns which entries the chips and the search let through.
func matcher(entries []files.Entry, on []bool, find string) func(int) bool {
	if !slices.Contains(on, true) && find == "" {
		return nil
	}
	all := !slices.Contains(on, true)
	return func(i int) bool {
		e := &entries[i]
		if find != "" && !containsFold(string(e.Path), find) {
			return false
		}
		return all || on[chipNew] && e.Change == files.Add || on[chipChanged] && e.Change == files.Replace ||
			on[chipRemoved] && e.Change == files.Delete || on[chipEdited] && e.Edited
	}
}

// containsFold reports whether s contains find, which is in lower case, without
// regard to the case of s.
func containsFold(s, find string) bool {
	if strings.Contains(s, find) {
		return true
	}
	return strings.Contains(strings.ToLower(s), find)
}

func (v *filesView) index(p release.Path) int {
	if p == "" {
		return -1
	}
	i, found := slices.BinarySearchFunc(v.entries, p, func(e files.Entry, p release.Path) int { return strings.Compare(string(e.Path), string(p)) })
	if !found {
		return -1
	}
	return i
}

// selectPath shows one file and takes away filters that would hide it.
func (v *filesView) selectPath(p release.Path) {
	i := v.index(p)
	if i < 0 {
		return
	}
	v.selected = p
	v.detail.show(v.page.site.model, v.entries[i])
	v.tree.Select(string(p))
}

// filterEdited shows only the files that were edited here.
func (v *filesView) filterEdited() {
	v.chips.Set(chipEdited)
	v.layout()
}

// fileDetail is the right side: one file, what happens to it, its differences,
// and the choice for one that was edited here.
type fileDetail struct {
	page   *page
	title  *widget.Label
	badges *fyne.Container
	note   *widget.Label
	choice *widget.RadioGroup
	sides  *widgets.Select
	diff   *widgets.DiffView
	plain  *widget.Label
	body   *fyne.Container
	head   *fyne.Container
	top    *fyne.Container
	full   *fyne.Container
	object fyne.CanvasObject

	entry   files.Entry
	choices []files.Choice // in the order of the radio group
	texts   files.Versions
	plan    any
	turn    int
	quiet   bool // the radio group is being set, not used
	reading bool // texts are those of another file still
}

// The sides of the comparison of a file.
const (
	sideResult = iota // here against what it will be
	sideMine          // as shipped against here
	sideTheirs        // as shipped against new
	sideMerged        // here against both merged
)

func newFileDetail(p *page) *fileDetail {
	d := &fileDetail{page: p, title: widget.NewLabel(""), note: widget.NewLabel(""), badges: container.NewHBox(), diff: widgets.NewDiffView(), plain: widget.NewLabel("")}
	d.title.TextStyle.Bold = true
	d.title.Wrapping = fyne.TextWrapBreak
	d.note.Wrapping = fyne.TextWrapWord
	d.note.Importance = widget.LowImportance
	d.plain.Wrapping = fyne.TextWrapWord
	d.choice = widget.NewRadioGroup(nil, d.chose)
	d.choice.Required = true
	d.sides = widgets.NewSelect(nil, func(string) {
		if !d.quiet {
			d.compare()
		}
	})
	d.head = container.New(layout.NewCustomPaddedVBoxLayout(0), d.title, d.badges, d.note)
	d.body = container.NewStack(d.diff, container.NewVScroll(d.plain))
	d.top = container.NewVBox(d.head, d.choice, d.sides)
	d.full = above(d.top, d.body)
	d.object = d.full
	d.clear()
	return d
}

// clear shows that no file is selected.
func (d *fileDetail) clear() {
	d.entry = files.Entry{}
	d.plan = nil
	d.turn++
	setLabel(d.title, lang.L("Select a file to see what changes in it."))
	d.title.TextStyle.Bold = false
	d.badges.Hide()
	d.note.Hide()
	d.choice.Hide()
	d.sides.Hide()
	d.say("")
	d.relayout()
}

// say shows a sentence in place of a diff.
func (d *fileDetail) say(sentence string) {
	d.diff.Hide()
	d.body.Objects[1].Show()
	setLabel(d.plain, sentence)
}

// show shows one entry of the plan.
func (d *fileDetail) show(m Model, e files.Entry) {
	again := d.entry == e && d.plan == any(m.Plan)
	d.entry, d.plan = e, m.Plan
	d.title.TextStyle.Bold = true
	setLabel(d.title, string(e.Path))
	d.badges.Objects = []fyne.CanvasObject{spaced(widgets.NewBadge(lang.L(words.Change(e.Change)), changeLooks[e.Change].tone))}
	if e.Edited {
		d.badges.Add(widgets.NewBadge(lang.L("edited here"), widgets.Warning))
	}
	d.badges.Show()
	setLabel(d.note, sentence(e.Note))
	d.note.Hidden = e.Note == ""
	d.offer(m, e)
	d.relayout()
	if again {
		return
	}
	d.quiet = true
	d.sides.SetSelectedIndex(sideResult)
	d.quiet = false
	d.load(m, e)
}

// relayout makes room for what is shown and hidden above the diff.
func (d *fileDetail) relayout() {
	d.head.Refresh()
	d.top.Refresh()
	d.full.Refresh()
}

// spaced puts a margin before the first badge, in line with labels.
func spaced(o fyne.CanvasObject) fyne.CanvasObject {
	gap := &minimum{size: fyne.NewSize(theme.InnerPadding()-theme.Padding(), 0)}
	gap.ExtendBaseWidget(gap)
	return container.NewHBox(gap, o)
}

// offer shows the choices for a file that was edited here.
func (d *fileDetail) offer(m Model, e files.Entry) {
	open := e.Edited && (e.Change == files.Replace || e.Change == files.Add || e.Choice != files.ChoiceAsk)
	d.choice.Hidden, d.sides.Hidden = !open, !open
	if !open {
		return
	}
	d.choices = []files.Choice{files.ChoiceNew, files.ChoiceKeep, files.ChoiceBoth}
	if e.Merge {
		d.choices = append(d.choices, files.ChoiceMerge)
	}
	sides := []string{lang.L("Compare yours with the new one"), lang.L("What you changed"), lang.L("What the release changes")}
	if e.Merge {
		sides = append(sides, lang.L("Compare yours with both merged"))
	}
	options := make([]string, len(d.choices))
	selected := ""
	for i, c := range d.choices {
		options[i] = choiceText(c)
		if c == m.Choice(e) {
			selected = options[i]
		}
	}
	d.quiet = true
	d.choice.Options = options
	d.choice.SetSelected(selected)
	d.choice.Refresh()
	d.sides.SetOptions(sides)
	if d.sides.SelectedIndex() < 0 {
		d.sides.SetSelectedIndex(sideResult)
	}
	d.quiet = false
}

func (d *fileDetail) chose(option string) {
	if d.quiet {
		return
	}
	for _, c := range d.choices {
		if choiceText(c) == option {
			d.page.site.choose(d.entry.Path, c)
		}
	}
}

// load reads the versions of a file on a worker.
func (d *fileDetail) load(m Model, e files.Entry) {
	d.turn++
	turn := d.turn
	d.reading = true
	d.say(lang.L("Reading…"))
	engine, plan := d.page.site.engine, m.Plan
	d.page.site.threads.run(func() {
		texts, err := engine.Contents(plan, e.Path)
		d.page.site.threads.do(func() {
			if turn != d.turn {
				return
			}
			d.reading = false
			if err != nil {
				d.say(lang.L("This file can't be shown: {{.Error}}", vars{"Error": say(err.Error())}))
				return
			}
			d.texts = texts
			d.compare()
		})
	})
}

// compare shows the side that is chosen.
func (d *fileDetail) compare() {
	if d.reading {
		return // it is compared as soon as it is read
	}
	d.turn++
	turn, e, texts := d.turn, d.entry, d.texts
	before, after := texts.Here, texts.New
	switch d.sides.SelectedIndex() {
	case sideMine:
		before, after = texts.Shipped, texts.Here
	case sideTheirs:
		before, after = texts.Shipped, texts.New
	case sideMerged:
		before, after = texts.Here, texts.Merged
	}
	d.page.site.threads.run(func() {
		rows, sentence := difference(d.page.site.threads.ctx, before, after, e)
		d.page.site.threads.do(func() {
			if turn != d.turn {
				return
			}
			if sentence != "" {
				d.say(sentence)
				return
			}
			d.body.Objects[1].Hide()
			d.diff.Show()
			d.diff.Set(rows)
		})
	})
}

// contextLines is how many unchanged lines stand around a change.
const contextLines = 3

// difference compares two versions of a file, or says in a sentence why there is
// nothing to compare.
func difference(ctx context.Context, before, after []byte, e files.Entry) ([]widget.TextGridRow, string) {
	switch {
	case ctx.Err() != nil:
		return nil, ""
	case before == nil && after == nil:
		return nil, binaryText(e)
	case !isText(before) || !isText(after):
		return nil, binaryText(e)
	case string(before) == string(after):
		return nil, lang.L("The contents are the same.")
	}
	return widgets.DiffRows(widgets.Diff(string(before), string(after), contextLines)), ""
}

// isText reports whether a file can be shown as text: UTF-8 without the bytes
// that only binary files have.
func isText(b []byte) bool {
	return utf8.Valid(b) && !slices.Contains(b, 0)
}

// binaryText describes a file by size and hash.
func binaryText(e files.Entry) string {
	side := func(name string, s files.State) string {
		if !s.Exists() {
			return name + ": " + lang.L("not there")
		}
		return name + ": " + lang.L("{{.Size}} bytes, mode {{.Mode}}, SHA-256 {{.Hash}}",
			vars{"Size": countText(s.Size), "Mode": modeText(s.Mode), "Hash": s.SHA256.Hex()})
	}
	return lang.L("This file is not text, or too large to show.") + "\n\n" +
		side(lang.L("Here"), e.Here) + "\n\n" + side(lang.L("New"), e.New)
}
