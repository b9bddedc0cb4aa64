package app

import (
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"moult/core/files"
	"moult/resources"
	"moult/widgets"
)

// loop is Fyne's thread in tests: what is queued runs when the test pumps it, on
// the test's own goroutine.
type loop struct {
	mu    sync.Mutex
	queue []func()
	wake  chan struct{}
}

func newLoop() *loop { return &loop{wake: make(chan struct{}, 1)} }

func (l *loop) do(f func()) {
	l.mu.Lock()
	l.queue = append(l.queue, f)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// pump runs what is queued and reports whether there was anything.
func (l *loop) pump() bool {
	l.mu.Lock()
	queue := l.queue
	l.queue = nil
	l.mu.Unlock()
	for _, f := range queue {
		f()
	}
	return len(queue) > 0
}

// until pumps until a condition holds.
func (l *loop) until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		for l.pump() {
		}
		if cond() {
			return
		}
		select {
		case <-l.wake:
		case <-time.After(time.Millisecond):
		case <-deadline:
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// bench is a window on fake sites.
type bench struct {
	*loop
	app   *App
	sites *givenSites
}

// newBench opens a window on engines, one for each site.
func newBench(t testing.TB, engines ...*fakeEngine) *bench {
	t.Helper()
	a := test.NewTempApp(t)
	if err := resources.UseLanguage(speak); err != nil {
		t.Fatal(err)
	}
	b := &bench{loop: newLoop(), sites: &givenSites{}}
	byDir := map[string]*fakeEngine{}
	for _, e := range engines {
		b.sites.dirs = append(b.sites.dirs, e.dir)
		byDir[e.dir] = e
	}
	b.app = build(a, Deps{
		Sites: b.sites,
		Open: func(dir string, _ AskPassword) (Engine, error) {
			e := byDir[dir]
			if e.openErr != nil {
				return nil, e.openErr
			}
			return e, nil
		},
	}, b.do)
	b.app.window.Resize(usualSize)
	b.idle(t)
	return b
}

// idle pumps until no worker runs and nothing is queued.
func (b *bench) idle(t testing.TB) {
	t.Helper()
	b.until(t, "the workers", func() bool { return b.app.threads.active.Load() == 0 && !b.pump() && b.app.threads.active.Load() == 0 })
}

// page returns the page of the current site.
func (b *bench) page() *page { return b.app.pages[b.app.current] }

// model returns the model of the current site.
func (b *bench) model() Model { return b.app.current.model }

func contains(s, part string) bool { return strings.Contains(s, part) }

// tap presses the visible button with this label, in the dialog that is open or
// else in the window.
func (b *bench) tap(t testing.TB, label string) {
	t.Helper()
	var root fyne.CanvasObject = b.app.window.Content()
	if top := b.app.window.Canvas().Overlays().Top(); top != nil {
		root = top
	}
	for _, o := range test.LaidOutObjects(root) {
		switch w := o.(type) {
		case *widgets.Action:
			if w.Text == label && w.Visible() {
				if w.Disabled() {
					t.Fatalf("the button %q is disabled", label)
				}
				test.Tap(w)
				b.idle(t)
				return
			}
		case *widget.Button:
			if w.Text == label && w.Visible() && !w.Disabled() {
				test.Tap(w)
				b.idle(t)
				return
			}
		}
	}
	t.Fatalf("there is no button %q; there is:\n%s", label, strings.Join(b.texts(), "\n"))
}

// texts returns every text that is in sight.
func (b *bench) texts() []string {
	var out []string
	for _, root := range append(b.app.window.Canvas().Overlays().List(), b.app.window.Content()) {
		for _, o := range test.LaidOutObjects(root) {
			switch w := o.(type) {
			case *widget.Label:
				out = append(out, w.Text)
			case *widget.Button:
				out = append(out, "["+w.Text+"]")
			case *widgets.Action:
				out = append(out, "["+w.Text+"]")
			case *widgets.Badge:
				out = append(out, w.Text())
			}
		}
	}
	return out
}

func (b *bench) mustSay(t testing.TB, want string) {
	t.Helper()
	for _, s := range b.texts() {
		if contains(s, want) {
			return
		}
	}
	t.Errorf("nothing in sight says %q; there is:\n%s", want, strings.Join(b.texts(), "\n"))
}

// typeInto types into the field that has the focus.
func (b *bench) typeInto(t testing.TB, text string) {
	t.Helper()
	f, ok := b.app.window.Canvas().Focused().(*widgets.Field)
	if !ok {
		t.Fatalf("the focus is on %T, want a field", b.app.window.Canvas().Focused())
	}
	f.SetText(text)
}

func (b *bench) button(t testing.TB, label string) *widgets.Action {
	t.Helper()
	for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
		if w, ok := o.(*widgets.Action); ok && w.Text == label {
			return w
		}
	}
	t.Fatalf("there is no button %q", label)
	return nil
}

// decide answers for every edited file of the plan.
func (b *bench) decide(t testing.TB) {
	t.Helper()
	for _, e := range b.model().Undecided() {
		b.app.current.choose(e.Path, files.ChoiceKeep)
		b.idle(t)
	}
}

// field returns the field that has the focus.
func (b *bench) field(t testing.TB) *widgets.Field {
	t.Helper()
	f, ok := b.app.window.Canvas().Focused().(*widgets.Field)
	if !ok {
		t.Fatalf("the focus is on %T, want a field", b.app.window.Canvas().Focused())
	}
	return f
}

func (b *bench) key(t testing.TB, name fyne.KeyName) {
	t.Helper()
	b.app.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: name})
	b.idle(t)
}

// walk calls f with an object and everything that is drawn in it, but for code.
func (b *bench) walk(o fyne.CanvasObject, f func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	f(o)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			b.walk(child, f)
		}
	case *widget.TextGrid:
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			b.walk(child, f)
		}
	}
}

// speak is the language that benches are built in.
var speak = resources.English
