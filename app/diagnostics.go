package app

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
)

// saveDiagnostics asks for a file and has the engine write its bundle there.
func (p *page) saveDiagnostics() {
	engine, a := p.site.engine, p.app
	if engine == nil {
		return
	}
	d := dialog.NewFileSave(func(w fyne.URIWriteCloser, _ error) {
		if w == nil {
			return
		}
		a.threads.run(func() {
			err := engine.Bundle(a.threads.ctx, w)
			if cerr := w.Close(); err == nil {
				err = cerr
			}
			a.threads.do(func() {
				if err != nil {
					a.showError(lang.L("The diagnostics could not be saved."), err)
					return
				}
				a.tell(lang.L("Saved"), lang.L("The diagnostics are in {{.Path}}. Passwords have been taken out.", vars{"Path": w.URI().Path()}))
			})
		})
	}, a.window)
	d.SetFileName("moult-diagnostics.zip")
	d.Show()
}
