package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"moult/core/update"
	"moult/widgets"
)

// byTab returns everything that Tab reaches, in its order.
func (b *bench) byTab(t testing.TB) []fyne.Focusable {
	t.Helper()
	c := b.app.window.Canvas()
	c.Unfocus()
	var reached []fyne.Focusable
	for range 1000 {
		c.(test.WindowlessCanvas).FocusNext()
		f := c.Focused()
		if f == nil || len(reached) > 0 && f == reached[0] {
			return reached
		}
		reached = append(reached, f)
	}
	t.Fatal("Tab never comes back to where it began")
	return nil
}

// top is what keys can reach: the dialog or the menu that is open, or else the window.
func (b *bench) top() fyne.CanvasObject {
	if top := b.app.window.Canvas().Overlays().Top(); top != nil {
		return top
	}
	return b.app.window.Content()
}

// reachedOtherwise are parts of widgets that are tapped and that keys reach by the
// widget: a line by its list and an item by its menu. What is left is for the mouse
// only: marking text to copy it, for which there are buttons too, the eye of a
// password, the bar beside what Page Down scrolls, and the ground of a menu.
var reachedOtherwise = []string{"*widget.listItem", "*widget.menuItem", "*widget.focusSelectable", "*widget.passwordRevealer", "*widget.scrollBarArea", "*widget.PopUp", "*widget.OverlayContainer"}

// TestTabReachesEverything looks in every state for what can be tapped, and asks
// whether the keyboard gets there too.
func TestTabReachesEverything(t *testing.T) {
	b := newBench(t, wiki(), shop())
	controls := 0
	for _, sc := range scenes {
		b.show(t, sc)
		b.settle()
		reached := map[any]bool{}
		for _, f := range b.byTab(t) {
			reached[f] = true
		}
		b.walk(b.top(), func(o fyne.CanvasObject) {
			_, tappable := o.(fyne.Tappable)
			off, can := o.(fyne.Disableable)
			if !tappable || can && off.Disabled() {
				return
			}
			if kind := fmt.Sprintf("%T", o); !reached[o] && !slices.Contains(reachedOtherwise, kind) {
				t.Errorf("%s: Tab does not reach a %s at %v", sc.name, kind, b.app.fyne.Driver().AbsolutePositionForObject(o))
			}
			controls++
		})
		b.closeAll()
	}
	if controls < 500 {
		t.Errorf("%d controls were found in %d states; the test looks in the wrong place", controls, len(scenes))
	}
}

// closeAll takes dialogs and menus away.
func (b *bench) closeAll() {
	for b.app.modal != nil {
		b.app.modal.close()
	}
	overlays := b.app.window.Canvas().Overlays()
	for overlays.Top() != nil {
		overlays.Remove(overlays.Top())
	}
}

// TestTheKeyboardBringsThingsIntoSight goes through every state by Tab in the least
// window: what gets the focus can be seen.
func TestTheKeyboardBringsThingsIntoSight(t *testing.T) {
	b := newBench(t, wiki(), shop())
	b.app.window.Resize(leastSize)
	scrolled := 0
	for _, sc := range scenes {
		b.show(t, sc)
		b.settle()
		for _, f := range b.byTab(t) {
			o := f.(fyne.CanvasObject)
			if fmt.Sprintf("%T", f) == "*widget.focusSelectable" {
				continue // text that the mouse can mark; Page Down brings it into sight
			}
			b.app.window.Canvas().Focus(f)
			at := b.app.fyne.Driver().AbsolutePositionForObject(o)
			if at.Y < 0 || at.Y+min(o.Size().Height, 40) > leastSize.Height+1 {
				t.Errorf("%s: a %T is at %v and can't be seen", sc.name, f, at)
			}
		}
		if p := b.page(); p != nil && p.overview.scroll.Offset.Y > 0 {
			scrolled++
		}
		b.closeAll()
	}
	if scrolled == 0 {
		t.Error("nothing had to be scrolled; the window is too high for this test")
	}
}

func TestPageDownReadsOn(t *testing.T) {
	b := newBench(t, wiki())
	b.app.window.Resize(leastSize)
	m := ready()
	m.Plan.Notes[0].Markdown = strings.Repeat("One more line of news.\n\n", 100)
	b.show(t, scene{"notes", func() Model { return m }, func(b *bench) { b.page().tabs.Select(tabNotes) }})
	b.app.window.Canvas().(test.WindowlessCanvas).FocusNext()
	for _, c := range []struct {
		key   fyne.KeyName
		moved bool
	}{{fyne.KeyPageDown, true}, {fyne.KeyPageUp, false}} {
		b.key(t, c.key)
		if moved := b.page().notes.scroll.Offset.Y > 0; moved != c.moved {
			t.Errorf("after %s the notes are at %v", c.key, b.page().notes.scroll.Offset)
		}
	}
}

// TestEscapeIsTheSafeAnswerEverywhere presses Escape on each kind of thing that can
// have the focus in a dialog. It closes the dialog and does nothing else.
func TestEscapeIsTheSafeAnswerEverywhere(t *testing.T) {
	b := newBench(t, wiki(), shop())
	dialogs := 0
	for _, sc := range scenes {
		b.show(t, sc)
		if b.app.modal == nil {
			b.closeAll()
			continue
		}
		dialogs++
		tried := map[string]bool{}
		for i := range len(b.byTab(t)) {
			f := b.byTab(t)[i]
			kind := fmt.Sprintf("%T", f)
			if tried[kind] {
				continue
			}
			tried[kind] = true
			before := b.model().State
			b.app.window.Canvas().Focus(f)
			open := b.app.modal
			f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
			b.idle(t)
			if b.app.modal == open {
				t.Errorf("%s: Escape does nothing on a %s", sc.name, kind)
			}
			if state := b.model().State; state != before || b.app.closing {
				t.Errorf("%s: Escape on a %s has led from %q to %q", sc.name, kind, before, state)
			}
			b.closeAll()
			b.show(t, sc)
		}
		b.closeAll()
	}
	if dialogs < 12 {
		t.Errorf("%d dialogs were tried", dialogs)
	}
}

// TestAStateBeginsWithTheFocusOnItsSafeButton enters each state as it comes about
// and looks where the focus is.
func TestAStateBeginsWithTheFocusOnItsSafeButton(t *testing.T) {
	want := map[update.State]string{
		update.UpToDate:       "Check again",
		update.Checking:       "Cancel",
		update.Found:          "Review update",
		update.CheckFailed:    "Try again",
		update.NotBegun:       "Try again",
		update.NotInstallable: "Check again",
		update.Preparing:      "Cancel",
		update.Ready:          "", // what comes next changes the site
		update.Running:        "",
		update.Done:           "Close",
		update.RolledBack:     "Try again",
		update.NeedsAttention: "Copy report",
		update.Interrupted:    "",
	}
	seen := map[update.State]bool{}
	for _, sc := range scenes {
		m := sc.model()
		if m.State == update.Idle || m.Broken != nil || sc.then != nil || seen[m.State] {
			continue
		}
		seen[m.State] = true
		b := newBench(t, wiki())
		b.show(t, sc)
		got := ""
		if a, ok := b.app.window.Canvas().Focused().(*widgets.Action); ok {
			got = a.Text
		}
		if got != want[m.State] {
			t.Errorf("%s: the focus is on %q, want %q", m.State, got, want[m.State])
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d states were entered, want %d", len(seen), len(want))
	}
}

func TestAnUpdateByTheKeyboardAlone(t *testing.T) {
	b := newBench(t, wiki())
	c := b.app.window.Canvas()
	key := func(name fyne.KeyName) {
		t.Helper()
		for _, s := range shortcuts {
			if s.key == name {
				s.do(b.app)
				b.idle(t)
				return
			}
		}
		t.Fatalf("nothing is bound to %s", name)
	}
	space := func() {
		t.Helper()
		f := c.Focused()
		if f == nil {
			t.Fatal("nothing has the focus")
		}
		f.TypedRune(' ')
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
		b.idle(t)
	}
	key(fyne.KeyR)
	space() // Review update has the focus
	for range 2 {
		b.settle()
		key(fyne.KeyD)
		space()
	}
	if open := b.model().Undecided(); len(open) != 0 {
		t.Fatalf("%d decisions are still open", len(open))
	}
	key(fyne.KeyReturn)
	b.mustSay(t, "Updated: the site runs 1.5.0.")
	b.page().press(1)
	b.idle(t)
	c.(test.WindowlessCanvas).FocusNext()
	space()
	b.mustSay(t, "Rolled back: the site runs 1.4.2 again.")
}

func TestShortcutsAreNamedAsOnTheKeyboard(t *testing.T) {
	for m, want := range map[fyne.KeyModifier]string{fyne.KeyModifierControl: "Ctrl", fyne.KeyModifierSuper: "Cmd"} {
		if got := modifierName(m); got != want {
			t.Errorf("modifier %d is called %q, want %q", m, got, want)
		}
	}
}
