package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/core/fetch"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
	"moult/widgets"
)

// The steps of the path to a new site.
const (
	askFolder = iota
	askAddress
	askPublisher
	askDatabase
	showFound
)

// stock is how a site that has just been added compares with its release.
type stock struct {
	edited, missing int   // shipped files
	err             error // why that could not be found out
}

// takeStock compares the files of a site with what its release has shipped. That
// the comparison fails is no reason not to add the site.
func takeStock(ctx context.Context, e Engine) stock {
	v, err := e.Verify(ctx, nil)
	if err != nil {
		return stock{err: err}
	}
	var s stock
	for _, d := range v.Files {
		if d.Missing {
			s.missing++
		} else {
			s.edited++
		}
	}
	return s
}

// text says what was found.
func (s stock) text() string {
	switch {
	case s.err != nil:
		return lang.L("could not be compared: {{.Error}}", vars{"Error": say(s.err.Error())})
	case s.edited == 0 && s.missing == 0:
		return lang.L("none: every file is as it was shipped")
	case s.missing == 0:
		return filesText(s.edited)
	}
	return lang.L("{{.Edited}}, and {{.Missing}} missing", vars{"Edited": filesText(s.edited), "Missing": filesText(s.missing)})
}

// adoption is the guided path: folder, address, the publisher's fingerprint to
// compare, database, and what was found.
type adoption struct {
	app       *App
	step      int
	modal     *modal
	body      *fyne.Container
	where     *widget.Label // which step of how many
	said      *widget.Label // what is wrong or under way
	leave     *widgets.Action
	back, on  *widgets.Action
	dir       string // absolute, once the first step is left
	folder    *widgets.Field
	address   *widgets.Field
	compared  *widgets.Check
	version   *widgets.Field
	dsn       *widgets.Field
	password  *widgets.Field
	publisher Publisher
	engine    Engine
	stock     stock // how the site compares with its release
	busy      bool
	closed    bool
}

// addSite opens the guided path.
func (a *App) addSite() {
	if a.modal != nil || a.closing {
		return
	}
	p := &adoption{app: a, body: container.NewStack(), where: widget.NewLabel(""), said: widget.NewLabel("")}
	p.where.Importance = widget.LowImportance
	p.where.SizeName = theme.SizeNameCaptionText
	p.said.Wrapping = fyne.TextWrapWord
	field := func(hint string) *widgets.Field {
		f := widgets.NewField(false)
		f.SetPlaceHolder(hint)
		f.OnSubmitted = func(string) { p.next() }
		f.OnChanged = func(string) { p.allow() }
		return f
	}
	p.folder = field("/srv/www/site")
	p.address = field("https://updates.example.org/product/")
	p.version = field(lang.L("leave empty to have it found out"))
	p.dsn = field(lang.L("user@tcp(127.0.0.1:3306)/name, or empty for none"))
	p.password = field(lang.L("kept in the keyring of this computer"))
	p.password.Password = true
	p.compared = widgets.NewCheck(lang.L("I have compared it, and it is the same."), func(bool) { p.allow() })
	p.leave = widgets.NewAction(lang.L("Cancel"), widget.MediumImportance, p.cancel)
	p.back = widgets.NewAction(lang.L("Back"), widget.MediumImportance, func() { p.goTo(p.step - 1) })
	p.on = widgets.NewAction(lang.L("Next"), widget.HighImportance, p.next)
	tall := &minimum{size: fyne.NewSize(540, 220)}
	tall.ExtendBaseWidget(tall)
	content := container.NewStack(tall, container.NewBorder(p.where, p.said, nil, nil, p.body))
	p.modal = a.openModal(lang.L("Add a site"), content, 0, p.leave, p.back, p.on)
	p.goTo(askFolder)
}

func (p *adoption) cancel() {
	p.closed = true
	p.modal.close()
	if p.step == showFound && p.engine != nil {
		p.finish()
	}
}

// explainStep is a step's text above its fields.
func explainStep(sentence string, fields ...fyne.CanvasObject) fyne.CanvasObject {
	label := widget.NewLabel(sentence)
	label.Wrapping = fyne.TextWrapWord
	return container.NewVBox(append([]fyne.CanvasObject{label}, fields...)...)
}

func named(name string, field fyne.CanvasObject) fyne.CanvasObject {
	return container.NewVBox(widget.NewLabelWithStyle(name, fyne.TextAlignLeading, fyne.TextStyle{Bold: true}), field)
}

// goTo shows a step.
func (p *adoption) goTo(step int) {
	p.step = step
	p.where.SetText(lang.L("Step {{.Step}} of {{.Steps}}", vars{"Step": step + 1, "Steps": showFound + 1}))
	p.tell("", widget.MediumImportance)
	var content fyne.CanvasObject
	var focus fyne.Focusable = p.on
	switch step {
	case askFolder:
		browse := widgets.NewAction(lang.L("Browse…"), widget.MediumImportance, p.browse)
		content = explainStep(lang.L("Where are the files of the site? Moult keeps what it needs in a directory .moult inside it."),
			named(lang.L("Directory"), container.NewBorder(nil, nil, nil, browse, p.folder)))
		focus = p.folder
	case askAddress:
		content = explainStep(lang.L("Where does its publisher offer new releases? It is an address or a folder."),
			named(lang.L("Update address"), p.address))
		focus = p.address
	case askPublisher:
		content = p.publisherStep()
	case askDatabase:
		content = explainStep(lang.L("Does the site have a database? Moult shows every statement before it runs, and the password never stands in a file of the site."),
			named(lang.L("Database"), p.dsn), named(lang.L("Password"), p.password))
		focus = p.dsn
	case showFound:
		content = p.foundStep()
	}
	p.body.Objects = []fyne.CanvasObject{content}
	p.body.Refresh()
	p.allow()
	p.app.window.Canvas().Focus(focus)
}

func (p *adoption) publisherStep() fyne.CanvasObject {
	print := widget.NewLabelWithStyle(grouped(p.publisher.Fingerprint), fyne.TextAlignLeading, fyne.TextStyle{Monospace: true})
	print.Wrapping = fyne.TextWrapWord
	cp := widgets.NewAction(lang.L("Copy"), widget.LowImportance, func() { p.app.fyne.Clipboard().SetContent(p.publisher.Fingerprint) })
	return explainStep(lang.L("From now on only the holder of these keys can change your site. Compare this fingerprint with one that you have from the publisher by another way, as from the manual or the website."),
		widgets.NewPanel(container.NewBorder(nil, nil, nil, container.NewVBox(cp), print)), p.compared, named(lang.L("Installed version"), p.version))
}

// grouped writes a fingerprint in groups of four, which are easier to compare.
func grouped(fingerprint string) string {
	var b strings.Builder
	for i, r := range fingerprint {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (p *adoption) foundStep() fyne.CanvasObject {
	c := p.engine.Config()
	f := newFacts()
	f.add(lang.L("Name"), c.Name)
	f.add(lang.L("Installed"), versionText(p.engine.Current()))
	f.add(lang.L("Edited here"), p.stock.text())
	f.add(lang.L("Updates from"), c.Source.URL)
	if c.Database.DSN != "" {
		f.add(lang.L("Database"), c.Database.DSN)
	}
	return explainStep(lang.L("The site is in Moult's care. Nothing of it was changed."), f.rows)
}

// allow enables Next when the step can be left.
func (p *adoption) allow() {
	ok := !p.busy
	switch p.step {
	case askFolder:
		ok = ok && strings.TrimSpace(p.folder.Text) != ""
	case askAddress:
		ok = ok && strings.TrimSpace(p.address.Text) != ""
	case askPublisher:
		ok = ok && p.compared.Checked
	}
	label := lang.L("Next")
	switch p.step {
	case askDatabase:
		label = lang.L("Add the site")
	case showFound:
		label = lang.L("Check for updates")
		// The site is in Moult's care by now, and closing the dialog keeps it there.
		p.leave.Set(lang.L("Close"), widget.MediumImportance, true)
	}
	p.on.Set(label, widget.HighImportance, ok)
	if p.step > askFolder && p.step < showFound {
		p.back.Set(lang.L("Back"), widget.MediumImportance, !p.busy)
	} else {
		p.back.Hide()
	}
}

func (p *adoption) tell(sentence string, importance widget.Importance) {
	p.said.Importance = importance
	p.said.SetText(sentence)
}

// next leaves the step, on a worker where that takes time.
func (p *adoption) next() {
	if p.on.Disabled() {
		return
	}
	switch p.step {
	case askFolder:
		dir, err := filepath.Abs(strings.TrimSpace(p.folder.Text))
		if err != nil {
			p.tell(say(err.Error()), widget.DangerImportance)
			return
		}
		p.dir = dir
		p.work(lang.L("Looking…"), func() (func(), error) { return p.lookAtFolder(dir) })
	case askAddress:
		address := strings.TrimSpace(p.address.Text)
		p.work(lang.L("Asking the publisher…"), func() (func(), error) { return p.askPublisher(address) })
	case askPublisher:
		p.goTo(askDatabase)
	case askDatabase:
		dir := p.dir
		what, err := p.adoption()
		if err != nil {
			p.tell(say(err.Error()), widget.DangerImportance)
			return
		}
		p.work(lang.L("Taking stock of the site…"), func() (func(), error) { return p.adopt(dir, what) })
	case showFound:
		p.modal.close()
		p.finish().check()
	}
}

// work runs a job whose result is what to do next on Fyne's thread.
func (p *adoption) work(sentence string, job func() (func(), error)) {
	p.busy = true
	p.tell(sentence, widget.LowImportance)
	p.allow()
	threads := p.app.threads
	threads.run(func() {
		then, err := job()
		threads.do(func() {
			p.busy = false
			if err != nil && p.closed {
				return
			}
			if err != nil {
				p.tell(sentenceOf(err), widget.DangerImportance)
				p.allow()
				return
			}
			then()
		})
	})
}

// sentenceOf is an error in words, with the error itself.
func sentenceOf(err error) string {
	if update.KindOf(err) == "" {
		return say(err.Error())
	}
	what, todo := explain(err)
	return what + " " + todo + "\n" + say(err.Error())
}

// lookAtFolder opens a directory that is a site already, and goes on with one that isn't.
func (p *adoption) lookAtFolder(dir string) (func(), error) {
	engine, err := p.app.deps.Open(dir, p.app.askPassword)
	switch {
	case err == nil:
		stock := takeStock(p.app.threads.ctx, engine)
		return func() { p.found(engine, stock) }, nil
	case errors.Is(err, site.ErrNotSite):
		return func() {
			if !p.closed {
				p.goTo(askAddress)
			}
		}, nil
	}
	return nil, err
}

func (p *adoption) askPublisher(address string) (func(), error) {
	address, err := addressOf(address)
	if err != nil {
		return nil, err
	}
	publisher, err := p.app.deps.Publisher(p.app.threads.ctx, address)
	if err != nil {
		return nil, err
	}
	return func() {
		if p.closed {
			return
		}
		p.publisher = publisher
		p.compared.SetChecked(false)
		p.goTo(askPublisher)
	}, nil
}

// addressOf turns a folder on this machine into the address that it has.
func addressOf(typed string) (string, error) {
	if info, err := os.Stat(typed); err == nil && info.IsDir() && filepath.IsAbs(typed) {
		return fetch.FileURL(typed)
	}
	return typed, nil
}

// adoption collects what was typed.
func (p *adoption) adoption() (Adoption, error) {
	what := Adoption{Name: p.publisher.Product, Address: p.publisher.Address, Root: p.publisher.Root, DSN: strings.TrimSpace(p.dsn.Text), Password: p.password.Text}
	if what.Name == "" {
		what.Name = filepath.Base(p.dir)
	}
	if typed := strings.TrimSpace(p.version.Text); typed != "" {
		v, err := release.ParseVersion(typed)
		if err != nil {
			return Adoption{}, fmt.Errorf("%s: %w", lang.L("Installed version"), err)
		}
		what.Version = v
	}
	return what, nil
}

func (p *adoption) adopt(dir string, what Adoption) (func(), error) {
	engine, err := p.app.deps.Adopt(p.app.threads.ctx, dir, what, p.app.askPassword)
	if err != nil {
		return nil, err
	}
	stock := takeStock(p.app.threads.ctx, engine)
	return func() { p.found(engine, stock) }, nil
}

// found ends the path with a site that is in Moult's care. If the dialog was
// closed meanwhile, the site is put into the list all the same.
func (p *adoption) found(e Engine, s stock) {
	p.engine, p.stock = e, s
	if p.closed {
		p.finish()
		return
	}
	p.goTo(showFound)
}

// finish puts the site into the list, unless it is there, and shows it.
func (p *adoption) finish() *session {
	a := p.app
	i := slices.IndexFunc(a.sites, func(s *session) bool { return s.model.Dir == p.dir })
	if i < 0 {
		s := a.add(newSession(a.threads, a.deps, p.dir, a.askPassword))
		s.adopt(p.engine)
		a.listed.change(a.deps.Sites.Add, p.dir)
		i = len(a.sites) - 1
	} else if err := p.engine.Close(); err != nil {
		a.sites[i].log.Error("close site", "err", err)
	}
	p.engine = nil
	a.list.choose(i)
	return a.sites[i]
}

// browse lets a directory be chosen.
func (p *adoption) browse() {
	p.app.choose(choice{title: lang.L("Directory of the site"), yes: lang.L("Choose"), dir: strings.TrimSpace(p.folder.Text), do: func(dir string) {
		p.folder.SetText(dir)
		p.app.window.Canvas().Focus(p.folder)
	}})
}
