package widgets

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
)

// start makes an application with Moult's light theme.
func start(t testing.TB) {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(resources.Theme{Variant: resources.Light})
}

// window shows an object.
func window(t testing.TB, o fyne.CanvasObject, w, h float32) fyne.Window {
	t.Helper()
	win := test.NewTempWindow(t, o)
	win.Resize(fyne.NewSize(w, h))
	return win
}

func sampleTabs() *Tabs {
	return NewTabs(Tab{"One", widget.NewLabel("first")}, Tab{"Two", widget.NewLabel("second")}, Tab{"Three", widget.NewLabel("third")})
}

func TestTabsShowOnePage(t *testing.T) {
	start(t)
	tabs := sampleTabs()
	window(t, tabs, 400, 200)
	var selected []int
	tabs.OnSelected = func(i int) { selected = append(selected, i) }
	test.Tap(tabs.heads[2])
	tabs.Select(2)
	tabs.Select(7)
	for i, p := range tabs.pages {
		if p.Visible() != (i == 2) {
			t.Errorf("page %d is visible: %v", i, p.Visible())
		}
	}
	if fmt.Sprint(selected) != "[2]" {
		t.Errorf("told of %v", selected)
	}
}

func TestTabsAreUsedByTheKeyboard(t *testing.T) {
	start(t)
	tabs := sampleTabs()
	win := window(t, tabs, 400, 200)
	win.Canvas().Focus(tabs.heads[0])
	for _, key := range []fyne.KeyName{fyne.KeyRight, fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft} {
		win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: key})
	}
	if tabs.Selected() != 1 || win.Canvas().Focused() != tabs.heads[1] {
		t.Errorf("selected %d, focus on %v", tabs.Selected(), win.Canvas().Focused())
	}
}

func TestChipsToggle(t *testing.T) {
	start(t)
	c := NewChips("a", "b")
	var got []bool
	c.OnChanged = func(on []bool) { got = append([]bool(nil), on...) }
	test.Tap(c.buttons[1])
	if fmt.Sprint(got) != "[false true]" {
		t.Errorf("on: %v", got)
	}
	test.Tap(c.buttons[1])
	if fmt.Sprint(got) != "[false false]" {
		t.Errorf("off: %v", got)
	}
}

func TestActionIsPressedByReturnAndNotWhenDisabled(t *testing.T) {
	start(t)
	pressed := 0
	a := NewAction("do", widget.MediumImportance, func() { pressed++ })
	a.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	a.Disable()
	a.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if pressed != 1 {
		t.Errorf("pressed %d times, want once", pressed)
	}
}

func TestLogFollowsItsEndUnlessScrolledAway(t *testing.T) {
	start(t)
	l := NewLogList()
	window(t, l, 300, 200)
	lines := make([]string, 0, 1000)
	grow := func(n int) {
		for range n {
			lines = append(lines, fmt.Sprint("line ", len(lines)))
		}
		l.Set(lines)
	}
	grow(500)
	if !l.AtEnd() {
		t.Error("a fresh log does not show its end")
	}
	l.list.ScrollToTop()
	grow(100)
	if l.AtEnd() || l.list.GetScrollOffset() != 0 {
		t.Error("a log that was scrolled away jumps to its end")
	}
	l.list.ScrollToOffset(l.list.GetScrollOffset() + 550*l.list.pitch()) // of 600
	if l.AtEnd() {
		t.Error("a log does not know that it was scrolled away from its end")
	}
	l.list.ScrollToBottom()
	grow(100)
	if !l.AtEnd() {
		t.Error("a log at its end does not follow it")
	}
}

func TestALogThatIsOpenedLaterShowsItsEnd(t *testing.T) {
	start(t)
	l := NewLogList()
	l.Set([]string{"one", "two"})
	window(t, l, 300, 200)
	if l.list.GetScrollOffset() != 0 {
		t.Errorf("two lines are scrolled away by %v", l.list.GetScrollOffset())
	}
}

func TestASelectedLineStaysInSight(t *testing.T) {
	start(t)
	l := NewList(func() int { return 100 }, func() fyne.CanvasObject { return widget.NewLabel("line") }, func(int, fyne.CanvasObject) {}, func(int) {})
	w := window(t, l, 300, 400)
	l.Reveal(50)
	inSight := func() bool {
		y := 50*l.pitch() - l.GetScrollOffset()
		return y >= 0 && y+l.CreateItem().MinSize().Height <= l.Size().Height+1
	}
	if !inSight() {
		t.Fatal("it was not brought into sight")
	}
	w.Resize(fyne.NewSize(300, 120))
	if !inSight() {
		t.Error("it was lost as the list became lower")
	}
}

// TestASelectedFileStaysSelected filters a tree: the selection is that of a file,
// not that of a line.
func TestASelectedFileStaysSelected(t *testing.T) {
	start(t)
	items := []FileItem{{Path: "a.php"}, {Path: "b.php"}, {Path: "c.php"}}
	tree := NewFileTree()
	window(t, tree, 300, 200)
	tree.Set(items, Layout(items, nil, nil))
	opened := 0
	tree.OnFile = func(string) { opened++ }
	tree.Select(items[2].Path)
	tree.Set(items, Layout(items, func(i int) bool { return i > 0 }, nil))
	if tree.list.selected != 1 || opened != 1 {
		t.Errorf("line %d is selected after %d openings, want 1 and 1", tree.list.selected, opened)
	}
	tree.Set(items, Layout(items, func(i int) bool { return i < 2 }, nil))
	if tree.list.selected != -1 {
		t.Errorf("line %d is selected, but its file is filtered out", tree.list.selected)
	}
	tree.Set(items, Layout(items, nil, nil))
	if tree.list.selected != 2 || opened != 1 {
		t.Errorf("line %d is selected after %d openings, want 2 and 1", tree.list.selected, opened)
	}
}

func TestFileTreeTellsFilesFromDirectories(t *testing.T) {
	start(t)
	items := tree("app/a.php", "app/b.php", "c.php")
	ft := NewFileTree()
	window(t, ft, 300, 200)
	ft.Set(items, Layout(items, nil, nil))
	var file, fold []string
	ft.OnFile = func(p string) { file = append(file, p) }
	ft.OnFold = func(p string) { fold = append(fold, p) }
	for i := range ft.rows {
		ft.list.Select(i)
	}
	if fmt.Sprint(file) != "[app/a.php app/b.php c.php]" || fmt.Sprint(fold) != "[app]" {
		t.Errorf("files %v, folds %v", file, fold)
	}
}

// TestFileTreeOutlivesRowsOfOtherItems gives it fewer files than its rows are of.
func TestFileTreeOutlivesRowsOfOtherItems(t *testing.T) {
	start(t)
	items := tree("a.php", "b.php", "c.php")
	ft := NewFileTree()
	window(t, ft, 300, 200)
	ft.Set(items, Layout(items, nil, nil))
	opened := ""
	ft.OnFile = func(p string) { opened = p }
	ft.SetItems(items[:1])
	ft.list.Select(2)
	if opened != "c.php" {
		t.Errorf("the line of c.php opens %q", opened)
	}
}

func BenchmarkScroll100000Files(b *testing.B) {
	start(b)
	items := manyItems(100_000)
	ft := NewFileTree()
	window(b, ft, 400, 700)
	ft.Set(items, Layout(items, nil, nil))
	for b.Loop() {
		ft.ScrollBy(400)
	}
}

// goldens are the widgets that are compared with a picture.
var goldens = map[string]struct {
	w, h float32
	make func() fyne.CanvasObject
}{
	"steps": {420, 160, func() fyne.CanvasObject {
		steps := NewStepList()
		steps.Set([]Step{
			{Name: "Download", Status: StepDone, Word: "done", Detail: "1.8 of 1.8 MB"},
			{Name: "Switch the files", Status: StepRunning, Word: "running", Detail: "12 of 37 files"},
			{Name: "Convert data", Status: StepPending, Word: "waiting"},
			{Name: "Health check", Status: StepFailed, Word: "failed"},
		})
		return steps
	}},
	"tabs": {420, 90, func() fyne.CanvasObject {
		tabs := sampleTabs()
		tabs.SetNote(1, "38 · 2 !", Warning)
		return tabs
	}},
	"diff": {420, 110, func() fyne.CanvasObject {
		diff := NewDiffView()
		diff.Set(DiffRows(Diff("one\nthe old pond\nthree\n", "one\nthe new pond\nthree\nfour\n", 3)))
		return diff
	}},
	"sql": {460, 60, func() fyne.CanvasObject {
		sql := NewSQLView()
		sql.Set(Highlight("ALTER TABLE `users`\n  ADD COLUMN `theme` varchar(16) DEFAULT 'light' -- new"))
		return sql
	}},
	"files": {300, 150, func() fyne.CanvasObject {
		items := tree("app/pages/Page.php", "config/wiki.php", "index.php")
		items[1].Alert = true
		for i := range items {
			items[i].Sign, items[i].Tone, items[i].Detail = "~", Notice, "+96 B"
		}
		files := NewFileTree()
		files.Set(items, Layout(items, nil, nil))
		return files
	}},
	"badges": {340, 40, func() fyne.CanvasObject {
		return container.NewHBox(NewBadge("safe", Good), NewBadge("slow", Warning), NewBadge("cannot be undone", Danger), NewDot())
	}},
}

func TestGoldenImages(t *testing.T) {
	for name, g := range goldens {
		t.Run(name, func(t *testing.T) {
			start(t)
			win := window(t, g.make(), g.w, g.h)
			test.AssertImageMatches(t, name+".png", win.Canvas().Capture())
		})
	}
}
