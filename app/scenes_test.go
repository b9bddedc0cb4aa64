package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"

	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/site"
	"moult/core/update"
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
	{"checking", func() Model {
		m := base()
		m.State, m.Doing = update.Checking, CheckingNow
		m.Progress = newTracker(stagesOf(CheckingNow), at("2026-11-21T10:00:00Z")).snapshot()
		return m
	}, nil},
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
	{"found-critical", func() Model {
		m := found()
		m.Offer.Critical = true
		m.Offer.Trust = update.Trust{Level: update.NotFresh, Signer: "Duckpond", Detail: "Packages are signed; nothing proves that the server shows the newest release."}
		return m
	}, nil},
	{"preparing", func() Model { return running(PreparingNow, 0, "releases/1.5.0/patch-1.4.2.tar.zst") }, nil},
	{"ready", ready, nil},
	{"ready-decided", readyDecided, nil},
	{"ready-end", ready, func(b *bench) { b.page().overview.scroll.ScrollToBottom() }},
	{"ready-blocked", blocked, nil},
	{"ready-blocked-end", blocked, func(b *bench) { b.page().overview.scroll.ScrollToBottom() }},
	{"ready-replan-failed", func() Model {
		m := ready()
		m.Err = &update.Error{Kind: update.KindDatabase, Stage: update.StagePlan, Err: errors.New("Access denied for user 'wiki'@'localhost'")}
		return m
	}, func(b *bench) { b.page().overview.scroll.ScrollToBottom() }},
	{"ready-no-database", noDatabase, nil},
	{"ready-no-database-tab", noDatabase, func(b *bench) { b.page().tabs.Select(tabDatabase) }},
	{"ready-no-statements", func() Model {
		m := ready()
		m.Plan.Schema = &schema.Plan{UpdateID: m.Plan.ID}
		return m
	}, func(b *bench) { b.page().tabs.Select(tabDatabase) }},
	{"ready-notes", ready, func(b *bench) { b.page().tabs.Select(tabNotes) }},
	{"ready-files", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.selectPath("config/wiki.php")
	}},
	{"ready-database", ready, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.selectStep(4)
	}},
	{"ready-mine", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.selectPath("config/wiki.php")
		b.page().files.detail.sides.SetSelectedIndex(sideMine)
	}},
	{"ready-binary", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.selectPath("assets/logo.png")
	}},
	{"ready-filtered", readyDecided, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.filterEdited()
	}},
	{"ready-nothing-found", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.search.SetText("thumbnails")
	}},
	{"ready-slow", ready, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.selectStep(2)
	}},
	{"ready-conflict", blocked, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.selectStep(1)
	}},
	{"ready-rename", ready, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.showRenames()
	}},
	{"ready-rest", ready, func(b *bench) {
		b.page().tabs.Select(tabDatabase)
		b.page().database.showRest()
		b.page().database.list.ScrollToBottom()
	}},
	{"empty-notes", base, func(b *bench) { b.page().tabs.Select(tabNotes) }},
	{"empty-files", base, func(b *bench) { b.page().tabs.Select(tabFiles) }},
	{"empty-database", base, func(b *bench) { b.page().tabs.Select(tabDatabase) }},
	{"empty-history", func() Model { m := base(); m.History = nil; return m }, func(b *bench) { b.page().tabs.Select(tabHistory) }},
	{"running", func() Model {
		return running(Updating, 4, "app/pages/Page07.php")
	}, nil},
	{"running-statement", func() Model {
		m := running(Updating, 3, "ALTER TABLE `revisions` MODIFY COLUMN `comment` varchar(500) NOT NULL DEFAULT ''")
		m.Progress.Interruptible = false
		return m
	}, nil},
	{"running-log", func() Model {
		m := running(Updating, 4, "app/pages/Page07.php")
		m.Progress.Log = []string{"10:00:01 reserved the site", "10:00:02 added table page_tables", "10:00:03 switched app/index.php"}
		return m
	}, func(b *bench) { b.page().toggleLog() }},
	{"stopping", func() Model { m := running(Updating, 4, "app/pages/Page07.php"); m.Stopping = true; return m }, nil},
	{"rolling-back", func() Model { return running(RollingBack, 4, "app/pages/Page07.php") }, nil},
	{"finishing", func() Model { return running(Finishing, 3, "app/pages/Page07.php") }, nil},
	{"done", func() Model { return outcome(update.Done, update.SiteNew, "", "") }, nil},
	{"rolled-back", func() Model {
		return outcome(update.RolledBack, update.SiteOld, update.KindMigration, "ALTER TABLE `revisions`: error 1205: lock wait timeout exceeded")
	}, nil},
	{"needs-attention", func() Model {
		return outcome(update.NeedsAttention, update.SiteMixed, update.KindRollbackFailed, "rename app/pages/Page07.php: input/output error")
	}, nil},
	{"needs-attention-details", func() Model {
		return outcome(update.NeedsAttention, update.SiteMixed, update.KindRollbackFailed, "rename app/pages/Page07.php: input/output error")
	}, func(b *bench) {
		for _, name := range []string{lang.L("Details"), lang.L("Log")} {
			b.pressIn(b.app.window.Content(), name)
		}
	}},
	{"interrupted", func() Model {
		m := base()
		m.State = update.Interrupted
		m.Run = &update.Run{ID: "20261121-1000", From: version("1.4.2"), To: version("1.5.0"), Started: at("2026-11-21T10:00:00Z"), Stage: update.StageFiles, CanFinish: true, Recommended: update.Undo, Reason: "It stopped between two releases; going back is the safe way."}
		return m
	}, nil},
	{"interrupted-back", func() Model {
		m := base()
		m.State = update.Interrupted
		m.Run = &update.Run{ID: "20261121-1000", From: version("1.4.2"), To: version("1.5.0"), Started: at("2026-11-21T10:00:00Z"), Stage: update.StageRollBack, RollingBack: true, Recommended: update.Undo, Reason: "It was going back to the old release when it stopped."}
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
	{"add-site-address", base, func(b *bench) { b.addSite("/srv/www/new") }},
	{"add-site-fingerprint", base, func(b *bench) { b.addSite("/srv/www/new", "https://updates.example.org/duckpond/") }},
	{"add-site-database", base, func(b *bench) {
		b.addSite("/srv/www/new", "https://updates.example.org/duckpond/")
		for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
			if c, ok := o.(*widgets.Check); ok {
				c.SetChecked(true)
			}
		}
		b.pressIn(b.app.window.Canvas().Overlays().Top(), lang.L("Next"))
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
	{"ask-update", func() Model {
		m := readyDecided()
		m.Plan.Schema.Steps[2].Risk = schema.CantUndo
		m.Plan.Trust = update.Trust{Level: update.NotFresh, Signer: "Duckpond"}
		m.Plan.Proof = update.Proof{Reason: "estimated, not tried: the user wiki may not create the database wiki_moult to try it in; GRANT ALL PRIVILEGES ON wiki_moult.* allows it"}
		return m
	}, func(b *bench) { b.page().press(0) }},
	{"ask-discard", base, func(b *bench) { b.page().history.confirmDiscard(b.model().History[0]) }},
	{"ask-check", readyDecided, func(b *bench) { b.page().check() }},
	{"ask-remove", base, func(b *bench) { b.page().confirmRemove() }},
	{"details", base, func(b *bench) { b.page().history.details(b.model().History[1]) }},
	{"told", base, func(b *bench) { b.page().do(CopyReport) }},
	{"error", base, func(b *bench) {
		b.app.showError(lang.L("The restore point could not be discarded."), &update.Error{Kind: update.KindBlocked, Stage: update.StagePreflight, Err: errors.New("The update needs 12 MB on the disk; 3 MB are free.")})
	}},
	{"ask-roll-back", func() Model { return outcome(update.Done, update.SiteNew, "", "") }, func(b *bench) { b.page().press(1) }},
	{"several", base, func(b *bench) {
		for i, name := range []string{"Forum", "Photo album", "Ticket desk", "Webmail", "Shop of the museum in the old town", "Intranet"} {
			s := newSession(b.app.threads, b.app.deps, "/srv/www/site"+string(rune('a'+i)), nil)
			s.model = []Model{found(), running(Updating, 4, ""), outcome(update.NeedsAttention, update.SiteMixed, update.KindRollbackFailed, "x"), base(), base(), base()}[i]
			s.model.Dir, s.model.Config.Name = "/srv/www/site"+string(rune('a'+i)), name
			s.model.State = []update.State{update.Found, update.Running, update.NeedsAttention, update.CheckFailed, update.UpToDate, update.Interrupted}[i]
			b.app.add(s)
		}
	}},
	{"no-site", base, func(b *bench) { b.app.showEmpty() }},
}

// blocked is a plan that can't be carried out yet.
func blocked() Model {
	m := readyDecided()
	m.Plan.Trust = update.Trust{Level: update.NotFresh, Signer: "Duckpond", Detail: "Packages are signed; nothing proves that the server shows the newest release."}
	m.Plan.Proof = update.Proof{Reason: "estimated, not tried: the user wiki may not create the database wiki_moult to try it in; GRANT ALL PRIVILEGES ON wiki_moult.* allows it"}
	m.Plan.Checks = append(m.Plan.Checks,
		update.Check{Code: "U1", Level: update.CheckStop, Text: "Rows of users with the same email would be refused by unique index uq_email.", Rows: []string{"id=17 email=ada@example.org", "id=4021 email=ada@example.org"}},
		update.Check{Code: "disk", Level: update.CheckStop, Text: "The update needs 12 MB on the disk; 3 MB are free.", Hint: "Free some room on the disk, or discard restore points."})
	m.Plan.Schema.Steps[1].Hazards = []schema.Hazard{{Code: "U1", Blocks: true, Text: "Rows of users with the same email would be refused by unique index uq_email."}}
	m.Plan.Schema.Conflicts = []schema.Left{{Object: "table pages, column title", Reason: "was changed on this site and is removed by the update"}}
	return m
}

// noDatabase is a plan for a site without one.
func noDatabase() Model {
	m := readyDecided()
	m.Config.Database.DSN = ""
	m.Plan.Schema = nil
	return m
}

// addSite goes on the guided path to a new site, typing into one step after the other.
func (b *bench) addSite(typed ...string) {
	b.app.deps.Open = func(string, AskPassword) (Engine, error) { return nil, site.ErrNotSite }
	b.app.deps.Publisher = func(_ context.Context, address string) (Publisher, error) {
		return Publisher{Address: address, Root: []byte("root"), Fingerprint: digest("root").Hex(), Product: "Duckpond wiki"}, nil
	}
	b.app.addSite()
	for _, text := range typed {
		b.app.window.Canvas().Focused().(*widgets.Field).SetText(text)
		b.app.window.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		for b.app.threads.active.Load() > 0 || b.pump() {
		}
	}
}

// pressIn presses the button with this label below an object.
func (b *bench) pressIn(root fyne.CanvasObject, label string) {
	for _, o := range test.LaidOutObjects(root) {
		if a, ok := o.(*widgets.Action); ok && a.Text == label && a.Visible() && !a.Disabled() {
			test.Tap(a)
			return
		}
	}
}
