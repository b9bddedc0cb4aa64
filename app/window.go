package app

import (
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"

	"moult/core/update"
	"moult/resources"
	"moult/widgets"
)

// ID is the application's identity towards the desktop. FyneApp.toml repeats it.
const ID = "org.moult.Moult"

// The size of the window when it is first opened, and the least it can have.
var (
	usualSize = fyne.NewSize(1100, 720)
	leastSize = fyne.NewSize(760, 520)
)

// App is the window and what it shows.
type App struct {
	fyne    fyne.App
	deps    Deps
	window  fyne.Window
	threads *threads

	sites   []*session
	pages   map[*session]*page
	current *session
	list    *siteList
	listed  *listed
	watch   *watch
	right   *fyne.Container // the page of the current site, or what stands for it
	front   bool            // the window is in front of others
	closing bool
	modal   *modal // the dialog that is open, nil: none
}

// New makes the window on a Fyne application. It is shown by [App.ShowAndRun].
func New(a fyne.App, d Deps) *App {
	gate := &gate{}
	app := build(a, d, gate.do)
	a.Lifecycle().SetOnStarted(func() {
		catchSignals(app)
		app.threads.every(watchInterval, app.watch.look)
	})
	a.Lifecycle().SetOnStopped(gate.close)
	return app
}

// build is New with another way to Fyne's thread, for tests.
func build(a fyne.App, d Deps, queue func(func())) *App {
	a.Settings().SetTheme(resources.Theme{Variant: resources.Variant(a.Preferences().String(prefTheme))})
	a.SetIcon(resources.Icon())
	app := &App{fyne: a, deps: d, threads: newThreads(queue), pages: map[*session]*page{}, right: container.NewStack()}
	app.window = a.NewWindow("Moult")
	app.window.SetMaster()
	app.window.SetPadded(false)
	app.list = newSiteList(app)
	app.listed = &listed{app: app}
	app.watch = newWatch(app)
	split := container.New(layout.NewBorderLayout(nil, nil, app.list.object, nil), app.list.object, container.NewPadded(app.right))
	floor := &minimum{size: leastSize}
	floor.ExtendBaseWidget(floor)
	app.window.SetContent(container.NewStack(floor, split))
	app.window.Resize(usualSize)
	app.window.CenterOnScreen()
	app.window.SetCloseIntercept(app.quit)
	app.window.SetMainMenu(app.menu())
	app.addShortcuts()
	app.front = true
	a.Lifecycle().SetOnEnteredForeground(func() { app.front = true })
	a.Lifecycle().SetOnExitedForeground(func() { app.front = false })
	app.loadSites()
	return app
}

// ShowAndRun shows the window and returns when it is closed and every worker has
// come to its end.
func (a *App) ShowAndRun() {
	a.window.ShowAndRun()
	a.threads.cancel()
	a.threads.workers.Wait()
	for _, s := range a.sites {
		s.close()
	}
}

// gate is the way to Fyne's thread. It shuts when the application stops, because
// Fyne panics if something is queued while it closes its queue.
type gate struct {
	mu   sync.RWMutex
	shut bool
}

func (g *gate) do(f func()) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if !g.shut {
		fyne.Do(f)
	}
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// catchSignals makes a signal to end do what closing the window does. Fyne's own
// handler would stop at once, workers or not.
func catchSignals(a *App) {
	signals := make(chan os.Signal, 1)
	signal.Reset(os.Interrupt, syscall.SIGTERM)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		for range signals {
			a.threads.do(a.leave)
		}
	}()
}

// minimum is an object that can't become smaller than a size.
type minimum struct {
	widget.BaseWidget
	size fyne.Size
}

func (m *minimum) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}

// MinSize implements [fyne.Widget].
func (m *minimum) MinSize() fyne.Size { return m.size }

// loadSites reads the list of sites and opens them.
func (a *App) loadSites() {
	a.threads.run(func() {
		dirs, err := a.deps.Sites.Load()
		a.threads.do(func() {
			if err != nil {
				a.showError(lang.L("The list of sites can't be read."), err)
			}
			for _, dir := range dirs {
				a.add(newSession(a.threads, a.deps, dir, a.askPassword)).open()
			}
			want := slices.IndexFunc(a.sites, func(s *session) bool { return s.model.Dir == a.deps.Select })
			if len(a.sites) == 0 {
				a.showEmpty()
				return
			}
			a.list.choose(max(want, 0))
		})
	})
}

// add puts a session into the list.
func (a *App) add(s *session) *session {
	s.changed = func(before, after Model) { a.changed(s, before, after) }
	a.sites = append(a.sites, s)
	a.list.refresh()
	return s
}

// show makes a site the current one.
func (a *App) show(s *session) {
	if a.current == s {
		return
	}
	a.current = s
	p := a.pages[s]
	if p == nil {
		p = newPage(a, s)
		a.pages[s] = p
	}
	a.right.Objects = []fyne.CanvasObject{p.object}
	a.right.Refresh()
	p.render(s.model)
	a.title(s.model)
}

// showEmpty stands where a site would be.
func (a *App) showEmpty() {
	a.current = nil
	a.right.Objects = []fyne.CanvasObject{emptyState(
		lang.L("No site yet"),
		lang.L("A site is a directory with the files of a product, and usually a database. Add one to see whether there is an update for it."),
		widgets.NewAction(lang.L("Add site…"), widget.HighImportance, a.addSite))}
	a.right.Refresh()
}

// changed renders a site after an event.
func (a *App) changed(s *session, before, after Model) {
	if rowOf(before) != rowOf(after) {
		a.list.refresh()
	}
	if p := a.pages[s]; p != nil && a.current == s {
		p.render(after)
		a.title(after)
	}
	if before.Doing.changes() && !after.Doing.changes() {
		a.notify(after)
	}
}

// title puts the progress into the window's title.
func (a *App) title(m Model) {
	title := m.Name() + " – Moult"
	if m.State == update.Running || m.State == update.Preparing {
		title = percentText(m.Progress.Fraction) + " – " + title
	}
	if a.window.Title() != title {
		a.window.SetTitle(title)
	}
}

// notify tells the desktop how a run ended if nobody looks at the window.
func (a *App) notify(m Model) {
	if a.front {
		return
	}
	_, sentence := headline(m)
	note := fyne.NewNotification(m.Name(), sentence)
	a.threads.run(func() { a.fyne.SendNotification(note) })
}

// remove takes a site off the list. Its directory stays as it is.
func (a *App) remove(s *session) {
	if s.busy() || s.deferred(func() { a.remove(s) }) {
		return
	}
	s.close()
	delete(a.pages, s)
	a.watch.forget(s)
	a.sites = slices.DeleteFunc(a.sites, func(o *session) bool { return o == s })
	a.listed.change(a.deps.Sites.Remove, s.model.Dir)
	a.list.refresh()
	a.current = nil
	if len(a.sites) == 0 {
		a.showEmpty()
		return
	}
	a.list.choose(0)
}

// checkAll asks for updates of every site that is at rest. A plan that is being
// reviewed and an outcome that wants to be read stay.
func (a *App) checkAll() {
	for _, s := range a.sites {
		if s.model.AtRest() || s.model.Doing == CheckingQuietly {
			s.check()
		}
	}
}

// running returns the sites that something is being changed on.
func (a *App) running() []*session {
	return slices.DeleteFunc(slices.Clone(a.sites), func(s *session) bool { return !s.model.Doing.changes() })
}

// quit is what closing the window does: at once if nothing is being changed,
// after a question otherwise.
func (a *App) quit() {
	if a.closing {
		return
	}
	busy := a.running()
	if len(busy) == 0 {
		a.leave()
		return
	}
	a.ask(question{
		title: lang.L("An update is running"),
		text:  lang.L("{{.Name}} is being changed. Moult can stop at the next safe point, put everything back as it was and then close.", vars{"Name": busy[0].model.Name()}),
		keep:  lang.L("Keep running"),
		yes:   lang.L("Stop, roll back and close"),
		risky: true,
		do:    a.leave,
	})
}

// leave stops the workers, waits for them and closes the window.
func (a *App) leave() {
	if a.closing {
		return
	}
	a.closing = true
	if len(a.running()) > 0 {
		a.right.Objects = []fyne.CanvasObject{emptyState(lang.L("Closing…"), lang.L("Moult closes as soon as the site is in order."), nil)}
		a.right.Refresh()
	}
	a.threads.join(func() { a.window.Close() })
}

// menu is the main menu. Its Quit is guarded; Fyne's own would not be.
func (a *App) menu() *fyne.MainMenu {
	quit := fyne.NewMenuItem(lang.L("Quit"), a.quit)
	quit.IsQuit = true
	theme := func(v resources.Variant) func() {
		return func() {
			a.fyne.Preferences().SetString(prefTheme, string(v))
			a.fyne.Settings().SetTheme(resources.Theme{Variant: v})
		}
	}
	look := fyne.NewMenuItem(lang.L("Appearance"), nil)
	look.ChildMenu = fyne.NewMenu("",
		fyne.NewMenuItem(lang.L("As the system"), theme(resources.SystemVariant)),
		fyne.NewMenuItem(lang.L("Light"), theme(resources.Light)),
		fyne.NewMenuItem(lang.L("Dark"), theme(resources.Dark)))
	language := fyne.NewMenuItem(lang.L("Language"), nil)
	language.ChildMenu = fyne.NewMenu("",
		fyne.NewMenuItem(lang.L("As the system"), func() { a.speak(resources.SystemLanguage) }),
		fyne.NewMenuItem("English", func() { a.speak(resources.English) }),
		fyne.NewMenuItem("简体中文", func() { a.speak(resources.Chinese) }))
	checks := fyne.NewMenuItem(lang.L("Automatic checks"), nil)
	checks.ChildMenu = a.watch.menu()
	return fyne.NewMainMenu(
		fyne.NewMenu("Moult",
			fyne.NewMenuItem(lang.L("Add site…"), a.addSite),
			fyne.NewMenuItem(lang.L("Check all sites"), a.checkAll),
			checks,
			fyne.NewMenuItemSeparator(), look, language,
			fyne.NewMenuItemSeparator(), quit),
		fyne.NewMenu(lang.L("Help"),
			fyne.NewMenuItem(lang.L("Keyboard"), a.showKeys),
			fyne.NewMenuItem(lang.L("About Moult"), a.showAbout)))
}

// Keys of the preferences.
const (
	prefTheme    = "theme"
	prefLanguage = "language"
	prefChecks   = "checks"
)

// PreferredLanguage returns the language that the admin chose in the menu.
func PreferredLanguage(a fyne.App) resources.Language {
	return resources.Language(a.Preferences().String(prefLanguage))
}

// speak notes a language for the next start, because texts are looked up while
// the window is built.
func (a *App) speak(l resources.Language) {
	a.fyne.Preferences().SetString(prefLanguage, string(l))
	text := lang.L("Moult speaks this language from its next start.")
	if l == resources.Chinese && !resources.HasChinese() {
		text = lang.L("No font on this system can write Chinese. Install one, as fonts-noto-cjk, then start Moult again.")
	}
	a.tell(lang.L("Language"), text)
}

// shortcut is a key combination that works anywhere in the window.
type shortcut struct {
	key  fyne.KeyName
	what string // a key of the translations
	do   func(*App)
}

// shortcuts are all of them; each is pressed with Ctrl, on a Mac with Command.
var shortcuts = []shortcut{
	{fyne.KeyR, text("check this site for updates"), func(a *App) { a.onCurrent((*page).check) }},
	{fyne.KeyReturn, text("the recommended action of the site"), func(a *App) { a.onCurrent(func(p *page) { p.press(0) }) }},
	{fyne.Key1, text("Overview"), func(a *App) { a.onCurrent(func(p *page) { p.tabs.Select(tabOverview) }) }},
	{fyne.Key2, text("Notes"), func(a *App) { a.onCurrent(func(p *page) { p.tabs.Select(tabNotes) }) }},
	{fyne.Key3, text("Files"), func(a *App) { a.onCurrent(func(p *page) { p.tabs.Select(tabFiles) }) }},
	{fyne.Key4, text("Database"), func(a *App) { a.onCurrent(func(p *page) { p.tabs.Select(tabDatabase) }) }},
	{fyne.Key5, text("History"), func(a *App) { a.onCurrent(func(p *page) { p.tabs.Select(tabHistory) }) }},
	{fyne.KeyD, text("the next file that waits for a decision"), func(a *App) { a.onCurrent((*page).nextDecision) }},
	{fyne.KeyF, text("search the files"), func(a *App) { a.onCurrent((*page).searchFiles) }},
	{fyne.KeyB, text("roll the last update back"), func(a *App) { a.onCurrent((*page).rollBackLast) }},
	{fyne.KeyL, text("open or close the log"), func(a *App) { a.onCurrent(func(p *page) { p.toggleLog() }) }},
	{fyne.KeyComma, text("settings of the site"), func(a *App) { a.onCurrent(func(p *page) { p.openSettings() }) }},
	{fyne.KeyN, text("add a site"), (*App).addSite},
	{fyne.KeyQ, text("quit"), (*App).quit},
}

func (a *App) addShortcuts() {
	for _, s := range shortcuts {
		a.window.Canvas().AddShortcut(&desktop.CustomShortcut{KeyName: s.key, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) {
			if a.modal == nil && !a.closing {
				s.do(a)
			}
		})
	}
	a.window.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) {
		switch e.Name {
		case fyne.KeyEscape:
			if a.modal != nil {
				a.modal.dismiss()
			}
		case fyne.KeyPageUp:
			a.turnPage(-1)
		case fyne.KeyPageDown:
			a.turnPage(1)
		}
	})
}

// turnPage scrolls what is in front by nearly its height, up or down.
func (a *App) turnPage(direction float32) {
	var scroll *container.Scroll
	if a.modal != nil {
		scroll = a.modal.scroll
	} else if p := a.pages[a.current]; p != nil {
		scroll = p.scrolled()
	}
	if scroll != nil {
		scroll.ScrollToOffset(scroll.Offset.AddXY(0, direction*0.9*scroll.Size().Height))
	}
}

func (a *App) onCurrent(do func(*page)) {
	if p := a.pages[a.current]; p != nil {
		do(p)
	}
}

// shortDir shortens a directory to its last two names.
func shortDir(dir string) string {
	parent, name := filepath.Split(filepath.Clean(dir))
	return filepath.Join(filepath.Base(parent), name)
}
