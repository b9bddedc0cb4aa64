package app

import (
	"context"
	"errors"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/widgets"
)

// dialogWidth is how wide the text of a dialog is, in pixels at scale 1.
const dialogWidth = 480

// modal is a dialog over the window. Unlike Fyne's own it focuses its safe
// button, takes Escape as the safe answer wherever the focus is, and the window's
// shortcuts are off while it is open.
type modal struct {
	app    *App
	popup  *widget.PopUp
	below  *modal         // the dialog that this one was opened from, nil: none
	before fyne.Focusable // had the focus when the dialog was opened; nil: nothing
	home   fyne.Focusable // has it at first
	onEsc  func()
	scroll *container.Scroll // what Page Down scrolls; nil: nothing
	secret bool              // it asks for a password
}

// openModal shows a dialog with a title, some content and buttons, of which the
// one at index safe is what Escape does.
func (a *App) openModal(title string, content fyne.CanvasObject, safe int, actions ...*widgets.Action) *modal {
	m := &modal{app: a, below: a.modal, before: a.window.Canvas().Focused()}
	m.scroll, _ = content.(*container.Scroll)
	row := container.NewHBox(layout.NewSpacer())
	for _, b := range actions {
		row.Add(b)
	}
	head := widget.NewLabelWithStyle(title, fyne.TextAlignLeading, fyne.TextStyle{Bold: true})
	head.SizeName = theme.SizeNameSubHeadingText
	head.Wrapping = fyne.TextWrapWord
	wide := &minimum{size: fyne.NewSize(dialogWidth, 0)}
	wide.ExtendBaseWidget(wide)
	body := container.NewBorder(head, container.NewPadded(row), nil, nil, container.NewStack(wide, content))
	m.popup = widget.NewModalPopUp(container.NewPadded(body), a.window.Canvas())
	m.onEsc = func() {
		if safe < len(actions) && !actions[safe].Disabled() {
			actions[safe].OnTapped()
		}
	}
	a.modal = m
	m.popup.Show()
	// Wrapped texts know their height only once they have a width.
	m.popup.Resize(m.popup.MinSize())
	if safe < len(actions) {
		m.home = actions[safe]
		a.window.Canvas().Focus(m.home)
	}
	return m
}

// dismiss does what Escape does.
func (m *modal) dismiss() { m.onEsc() }

// close takes the dialog away and gives the focus back.
func (m *modal) close() {
	if m.app.modal != m {
		return
	}
	m.app.modal = m.below
	m.popup.Hide()
	switch {
	case m.before != nil:
		m.app.window.Canvas().Focus(m.before)
	case m.below != nil && m.below.home != nil:
		m.app.window.Canvas().Focus(m.below.home)
	}
}

// question asks before something is done.
type question struct {
	title, text string
	keep, yes   string // the buttons: the safe one and the other
	risky       bool
	do          func()
	details     fyne.CanvasObject // below the text; nil: none
}

func (a *App) ask(q question) {
	if a.modal != nil {
		return
	}
	label := widget.NewLabel(q.text)
	label.Wrapping = fyne.TextWrapWord
	content := fyne.CanvasObject(label)
	if q.details != nil {
		content = container.NewVBox(label, q.details)
	}
	var m *modal
	importance := widget.HighImportance
	if q.risky {
		importance = widget.DangerImportance
	}
	keep := widgets.NewAction(q.keep, widget.MediumImportance, func() { m.close() })
	yes := widgets.NewAction(q.yes, importance, func() {
		m.close()
		q.do()
	})
	m = a.openModal(q.title, content, 0, keep, yes)
}

// tell shows something to read.
func (a *App) tell(title, text string) {
	label := widget.NewLabel(text)
	label.Wrapping = fyne.TextWrapWord
	a.showContent(title, label)
}

// showContent shows anything with a button to close it.
func (a *App) showContent(title string, content fyne.CanvasObject) {
	if a.modal != nil {
		return
	}
	var m *modal
	m = a.openModal(title, content, 0, widgets.NewAction(lang.L("Close"), widget.MediumImportance, func() { m.close() }))
}

// showError tells that something failed, in a sentence, with the error itself
// below to read and to copy; the copy is in English, for whoever helps.
func (a *App) showError(sentence string, err error) {
	if a.deps.Logger != nil {
		a.deps.Logger.Error(sentence, "err", err)
	}
	if a.modal != nil {
		return
	}
	label := widget.NewLabel(sentence)
	label.Wrapping = fyne.TextWrapWord
	details := widget.NewLabel(say(err.Error()))
	details.Wrapping = fyne.TextWrapBreak
	details.TextStyle.Monospace = true
	scroll := container.NewVScroll(details)
	scroll.SetMinSize(fyne.NewSize(dialogWidth, 80))
	var m *modal
	ok := widgets.NewAction(lang.L("Close"), widget.MediumImportance, func() { m.close() })
	cp := widgets.NewAction(lang.L("Copy"), widget.LowImportance, func() { a.fyne.Clipboard().SetContent(sentence + "\n" + err.Error()) })
	m = a.openModal(lang.L("That did not work"), container.NewVBox(label, scroll), 1, cp, ok)
}

// showKeys lists the shortcuts.
func (a *App) showKeys() {
	rows := container.New(layout.NewFormLayout())
	for _, s := range shortcuts {
		key := widget.NewLabelWithStyle(modifierName(fyne.KeyModifierShortcutDefault)+"+"+string(s.key), fyne.TextAlignLeading, fyne.TextStyle{Monospace: true})
		rows.Add(key)
		rows.Add(widget.NewLabel(lang.L(s.what)))
	}
	rest := widget.NewLabel(lang.L("Tab goes on to the next thing, Space and Enter press it, Page Down reads on, Escape is the safe answer."))
	rest.Wrapping = fyne.TextWrapWord
	scroll := container.NewVScroll(container.NewVBox(rest, rows))
	scroll.SetMinSize(fyne.NewSize(dialogWidth, 300))
	a.showContent(lang.L("Keyboard"), scroll)
}

// modifierName is what the key is called that goes with a shortcut.
func modifierName(m fyne.KeyModifier) string {
	if m == fyne.KeyModifierSuper { // as on a Mac, where it is Command
		return "Cmd"
	}
	return "Ctrl"
}

// showAbout says which Moult this is.
func (a *App) showAbout() {
	version := a.deps.Version
	if version == "" {
		version = lang.L("development build")
	}
	a.tell(lang.L("About Moult"), lang.L("Moult {{.Version}} keeps self-hosted sites up to date, and can always go back.", vars{"Version": version}))
}

// emptyState says what is not there and what to do about it.
func emptyState(title, sentence string, action fyne.CanvasObject) fyne.CanvasObject {
	head := widget.NewLabelWithStyle(title, fyne.TextAlignCenter, fyne.TextStyle{Bold: true})
	head.SizeName = theme.SizeNameSubHeadingText
	text := widget.NewLabelWithStyle(sentence, fyne.TextAlignCenter, fyne.TextStyle{})
	text.Wrapping = fyne.TextWrapWord
	text.Importance = widget.LowImportance
	column := container.NewVBox(head, text)
	if action != nil {
		column.Add(container.NewCenter(action))
	}
	return container.NewVBox(layout.NewSpacer(), column, layout.NewSpacer(), layout.NewSpacer())
}

// nothingToReview is the empty state of a tab that shows an update: with the button
// that leads on, where there is one.
func nothingToReview(p *page, m Model, title, sentence string) fyne.CanvasObject {
	for _, b := range buttons(m) {
		if (b.Action == Check || b.Action == Review) && b.Why == "" {
			return emptyState(title, sentence, widgets.NewAction(b.Label, widget.MediumImportance, func() { p.do(b.Action) }))
		}
	}
	return emptyState(title, sentence, nil)
}

// askPassword asks for a password and waits for the answer, over a dialog that is
// open, as when its settings are tried. It is called on a worker.
func (a *App) askPassword(ctx context.Context, prompt string) (string, error) {
	type answer struct {
		password string
		err      error
	}
	answers := make(chan answer, 1)
	var m *modal // belongs to Fyne's thread
	a.threads.do(func() {
		if a.modal != nil && a.modal.secret {
			answers <- answer{err: errors.New(lang.L("the password could not be asked for, because another question is open"))}
			return
		}
		entry := widgets.NewField(false)
		entry.Password = true
		give := func() {
			m.close()
			answers <- answer{password: entry.Text}
		}
		refuse := func() {
			m.close()
			answers <- answer{err: errors.New(lang.L("no password was given"))}
		}
		entry.OnSubmitted = func(string) { give() }
		label := widget.NewLabel(say(prompt))
		label.Wrapping = fyne.TextWrapWord
		m = a.openModal(lang.L("Password"), container.NewVBox(label, entry), 0,
			widgets.NewAction(lang.L("Cancel"), widget.MediumImportance, refuse),
			widgets.NewAction(lang.L("Continue"), widget.HighImportance, give))
		m.secret = true
		a.window.Canvas().Focus(entry)
	})
	select {
	case got := <-answers:
		return got.password, got.err
	case <-ctx.Done():
		a.threads.do(func() {
			if m != nil {
				m.close()
			}
		})
		return "", context.Cause(ctx)
	}
}
