package app

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"

	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
	"moult/resources"
	"moult/widgets"
)

// scene is a state of the window that the gallery shows and that layout is
// checked in.
type scene struct {
	name  string
	model func() Model
	then  func(*bench) // what a person does next; nil: nothing
}

func base() Model {
	e := wiki()
	return Model{Dir: e.dir, Config: e.config, Current: e.current, Checked: e.Checked(), History: e.history, State: update.Idle}
}

func found() Model {
	m := base()
	m.State, m.Offer = update.Found, wikiOffer()
	return m
}

func ready() Model {
	m := found()
	m.State, m.Plan = update.Ready, wikiPlan(update.Choices{})
	return m
}

func readyDecided() Model {
	m := found()
	m.Choices = update.Choices{Files: map[release.Path]files.Choice{"config/wiki.php": files.ChoiceMerge, "templates/footer.html": files.ChoiceKeep}, Renames: map[string]bool{"table pages, column author→writer": true}}
	m.State, m.Plan = update.Ready, wikiPlan(m.Choices)
	return m
}

func running(a Activity, upTo int, item string) Model {
	m := ready()
	m.State, m.Doing = busyStates[a], a
	t := newTracker(stagesOf(a), at("2026-11-21T10:00:00Z"))
	now := at("2026-11-21T10:00:00Z")
	steps := stagesOf(a)
	for i := range upTo {
		now = now.Add(400 * time.Millisecond)
		t.report(update.Event{Time: now, Stage: steps[i], Status: update.StepDone})
	}
	done, total, unit := int64(2), int64(38), update.Files
	if a == PreparingNow {
		done, total, unit = 90_000, 1_812_443, update.Bytes
	}
	for i := range 8 {
		now = now.Add(250 * time.Millisecond)
		t.report(update.Event{Time: now, Stage: steps[upTo], Status: update.StepRunning, Item: item, Done: done * int64(i+1), Total: total, Unit: unit, Interruptible: true})
	}
	m.Progress = t.snapshot()
	return m
}

func outcome(state update.State, is update.SiteState, kind update.Kind, message string) Model {
	m := base()
	m.State = state
	m.Result = &update.Result{ID: "20261121-1000", From: version("1.4.2"), To: version("1.5.0"), Started: at("2026-11-21T10:00:00Z"), Ended: at("2026-11-21T10:00:07Z"),
		State: state, Site: is, Kind: kind, Message: message, Window: 8 * time.Millisecond}
	if is == update.SiteNew {
		m.Current = version("1.5.0")
		m.Result.Warnings = []string{"The health check can't tell whether the site works (https://wiki.example.org/: 302 Found). Look at it; you can roll back."}
	}
	if state == update.Done {
		m.History = append([]update.Record{{Result: *m.Result, CanRollBack: true, DiskBytes: 3_400_000}}, m.History...)
	}
	if kind != "" {
		m.Err = &update.Error{Kind: kind, Stage: update.StageExpand, Err: errors.New(message)}
	}
	m.Progress.Log = []string{"10:00:01 reserved the site", "10:00:02 added table page_tables", "10:00:03 " + message}
	return m
}

var scenes = []scene{
	{"idle", base, nil},
	{"checking", func() Model { m := base(); m.State, m.Doing = update.Checking, CheckingNow; return m }, nil},
	{"up-to-date", func() Model {
		m := base()
		m.State, m.Offer = update.UpToDate, shop().offer
		return m
	}, nil},
	{"found", found, nil},
	{"check-failed", func() Model {
		m := base()
		m.State = update.CheckFailed
		m.Err = &update.Error{Kind: update.KindDownload, Stage: update.StageCheck, Err: errors.New("get https://updates.example.org/duckpond/timestamp.json: dial tcp: lookup updates.example.org: no such host")}
		return m
	}, nil},
	{"prepare-failed", func() Model {
		m := found()
		m.State = update.NotBegun
		m.Err = &update.Error{Kind: update.KindHash, Stage: update.StageDownload, Err: errors.New("download patch-from-1.4.2.tar.zst: the hash is not that of the manifest")}
		return m
	}, nil},
	{"not-installable", func() Model {
		m := found()
		m.State = update.NotInstallable
		m.Offer.Blocked = "1.5.0 needs Moult 0.9.0 or newer; this is 0.8.2."
		return m
	}, nil},
	{"preparing", func() Model { return running(PreparingNow, 0, "releases/1.5.0/patch-1.4.2.tar.zst") }, nil},
	{"ready", ready, nil},
	{"ready-decided", readyDecided, nil},
	{"ready-notes", ready, func(b *bench) { b.page().tabs.Select(tabNotes) }},
	{"ready-files", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.selectPath("config/wiki.php")
	}},
	{"ready-database", ready, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.selectStep(4)
	}},
	{"running", func() Model {
		return running(Updating, 3, "app/pages/Page07.php")
	}, nil},
	{"stopping", func() Model { m := running(Updating, 4, "app/pages/Page07.php"); m.Stopping = true; return m }, nil},
	{"rolling-back", func() Model { return running(RollingBack, 2, "app/pages/Page07.php") }, nil},
	{"done", func() Model { return outcome(update.Done, update.SiteNew, "", "") }, nil},
	{"rolled-back", func() Model {
		return outcome(update.RolledBack, update.SiteOld, update.KindMigration, "ALTER TABLE `revisions`: error 1205: lock wait timeout exceeded")
	}, nil},
	{"needs-attention", func() Model {
		return outcome(update.NeedsAttention, update.SiteMixed, update.KindRollbackFailed, "rename app/pages/Page07.php: input/output error")
	}, nil},
	{"interrupted", func() Model {
		m := base()
		m.State = update.Interrupted
		m.Run = &update.Run{ID: "20261121-1000", From: version("1.4.2"), To: version("1.5.0"), Started: at("2026-11-21T10:00:00Z"), Stage: update.StageFiles, CanFinish: true, Recommended: update.Undo, Reason: "It stopped between two releases; going back is the safe way."}
		return m
	}, nil},
	{"history", func() Model { return outcome(update.Done, update.SiteNew, "", "") }, func(b *bench) { b.page().tabs.Select(tabHistory) }},
	{"unsigned", func() Model {
		m := found()
		m.Config.Source.Unsigned = "allow"
		m.Offer.Trust = update.Trust{Level: update.UnsignedOpen}
		return m
	}, nil},
	{"broken", func() Model {
		m := Model{Dir: "/srv/www/duckpond", State: update.Idle, Broken: &update.Error{Kind: update.KindMalformed, Stage: update.StageCheck, Err: errors.New("site.toml:3: source.url: is missing")}}
		return m
	}, nil},
	{"settings", base, func(b *bench) { b.page().openSettings() }},
	{"settings-fault", base, func(b *bench) {
		b.page().openSettings()
		for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
			if f, ok := o.(*widgets.Field); ok && f.PlaceHolder == lang.L("as 02:00-05:00; empty: at any time") {
				f.SetText("at night")
			}
			if s, ok := o.(*container.Scroll); ok {
				defer s.ScrollToBottom()
			}
		}
	}},
	{"add-site", base, func(b *bench) {
		b.app.addSite()
	}},
	{"add-site-fingerprint", base, func(b *bench) {
		b.app.deps.Open = func(string, AskPassword) (Engine, error) { return nil, site.ErrNotSite }
		b.app.deps.Publisher = func(_ context.Context, address string) (Publisher, error) {
			return Publisher{Address: address, Root: []byte("root"), Fingerprint: digest("root").Hex(), Product: "Duckpond wiki"}, nil
		}
		b.app.addSite()
		for _, typed := range []string{"/srv/www/new", "https://updates.example.org/duckpond/"} {
			b.app.window.Canvas().Focused().(*widgets.Field).SetText(typed)
			b.app.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
			for b.app.threads.active.Load() > 0 || b.pump() {
			}
		}
	}},
	{"add-site-found", base, func(b *bench) {
		other := shop()
		other.edited = []files.Difference{{Path: "config/shop.php"}, {Path: "index.php"}, {Path: "robots.txt", Missing: true}}
		b.app.deps.Open = func(string, AskPassword) (Engine, error) { return other, nil }
		b.app.addSite()
		b.app.window.Canvas().Focused().(*widgets.Field).SetText("/srv/www/forum")
		b.app.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		for b.app.threads.active.Load() > 0 || b.pump() {
		}
	}},
	{"choose-folder", base, func(b *bench) {
		dir := filepath.Join(os.TempDir(), "moult-gallery", "www")
		for _, name := range []string{"duckpond", "forum", "shop"} {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				panic(err)
			}
		}
		b.app.choose(choice{title: lang.L("Directory of the site"), yes: lang.L("Choose"), dir: dir, do: func(string) {}})
	}},
	{"save", base, func(b *bench) { b.page().saveDiagnostics() }},
	{"more", found, func(b *bench) { b.page().showMore() }},
	{"skipped", func() Model { m := base(); m.Skipped = version("1.5.0"); return m }, nil},
	{"keys", base, func(b *bench) { b.app.showKeys() }},
	{"ask-quit", func() Model { return running(Updating, 3, "x") }, func(b *bench) { b.app.quit() }},
	{"ask-roll-back", func() Model { return outcome(update.Done, update.SiteNew, "", "") }, func(b *bench) { b.page().press(1) }},
}

// show puts a scene into a window.
func (b *bench) show(t testing.TB, sc scene) {
	t.Helper()
	s := b.app.current
	before := s.model
	s.model = sc.model()
	b.app.changed(s, before, s.model)
	b.idle(t)
	if sc.then != nil {
		sc.then(b)
		b.idle(t)
	}
}

// TestGallery renders every state into PNG files when MOULT_GALLERY names a
// directory. MOULT_GALLERY_SIZE, MOULT_GALLERY_LANG and MOULT_GALLERY_ONLY
// narrow it down.
func TestGallery(t *testing.T) {
	dir := os.Getenv("MOULT_GALLERY")
	if dir == "" {
		t.Skip("MOULT_GALLERY names no directory to render into")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	size := usualSize
	if os.Getenv("MOULT_GALLERY_SIZE") == "small" {
		size = leastSize
	}
	for _, language := range []resources.Language{resources.English, resources.Chinese} {
		if want := os.Getenv("MOULT_GALLERY_LANG"); want != "" && want != string(language) {
			continue
		}
		for _, variant := range []resources.Variant{resources.Light, resources.Dark} {
			for _, sc := range scenes {
				if only := os.Getenv("MOULT_GALLERY_ONLY"); only != "" && only != sc.name {
					continue
				}
				name := fmt.Sprintf("%s-%s-%s.png", sc.name, variant, language)
				t.Run(name, func(t *testing.T) {
					speak = language
					defer func() { speak = resources.English }()
					b := newBench(t, wiki(), shop())
					b.app.fyne.Settings().SetTheme(resources.Theme{Variant: variant})
					b.app.window.Resize(size)
					b.show(t, sc)
					b.capture(t, filepath.Join(dir, name))
				})
			}
		}
	}
}

// settle lays everything out again, as the real driver does when the least size
// of something has changed; the test driver doesn't.
func (b *bench) settle() {
	c := b.app.window.Canvas()
	size := c.Size()
	b.app.window.Resize(size.AddWidthHeight(1, 1))
	b.app.window.Resize(size)
}

func (b *bench) capture(t testing.TB, file string) {
	t.Helper()
	b.settle()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, b.app.window.Canvas().Capture()); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
