package app

import (
	"io"
	"os"

	"fyne.io/fyne/v2/lang"
)

// saveDiagnostics asks for a file and has the engine write its bundle there.
func (p *page) saveDiagnostics() {
	engine, a := p.site.engine, p.app
	if engine == nil {
		return
	}
	a.choose(choice{title: lang.L("Save diagnostics"), yes: lang.L("Save"), file: "moult-diagnostics.zip", do: func(path string) {
		a.save(path, func(w io.Writer) error { return engine.Bundle(a.threads.ctx, w) }, func(err error) {
			if err != nil {
				a.showError(lang.L("The diagnostics could not be saved."), err)
				return
			}
			a.tell(lang.L("Saved"), lang.L("The diagnostics are in {{.Path}}. Passwords have been taken out.", vars{"Path": path}))
		})
	}})
}

// save writes a file on a worker that only this user can read, and then says what
// became of it.
func (a *App) save(path string, write func(io.Writer) error, then func(error)) {
	a.threads.run(func() {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil {
			err = write(f)
			if cerr := f.Close(); err == nil {
				err = cerr
			}
		}
		a.threads.do(func() { then(err) })
	})
}
