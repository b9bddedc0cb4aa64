package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"moult/core/files"
	"moult/core/publish"
	"moult/core/site"
	"moult/core/update"
	"moult/widgets"
)

func TestAnUpdateFromCheckToRollBack(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	b.mustSay(t, "1.4.2 installed")
	b.tap(t, "Check for updates")
	b.mustSay(t, "1.5.0 is available.")
	b.mustSay(t, "97 % saved")
	b.tap(t, "Review update")
	b.mustSay(t, "1.5.0 is nearly ready")
	b.mustSay(t, "2 edited files wait for your decision.")
	b.tap(t, "Decide")
	if got := b.page().tabs.Selected(); got != tabFiles {
		t.Fatalf("Decide leads to tab %d, want the files", got)
	}
	b.page().files.detail.choice.SetSelected("Merge both")
	b.idle(t)
	b.page().files.selectPath("templates/footer.html")
	b.idle(t)
	b.page().files.detail.choice.SetSelected("Keep mine")
	b.idle(t)
	if got := b.model().Plan.Files.Undecided(); len(got) != 0 {
		t.Fatalf("the plan still lacks a decision for %v", got)
	}
	b.tap(t, "Update to 1.5.0")
	b.mustSay(t, "Updated: the site runs 1.5.0.")
	b.mustSay(t, "Files and database are those of 1.5.0. That was verified.")
	if v := e.Current().String(); v != "1.5.0" {
		t.Fatalf("the site runs %s", v)
	}
	b.tap(t, "Roll back…")
	b.mustSay(t, "Roll back to 1.4.2?")
	b.tap(t, "Roll back")
	b.mustSay(t, "Rolled back: the site runs 1.4.2 again.")
	if e.overlap {
		t.Error("two workers were in one engine at once")
	}
}

func TestAFailureSaysWhatStateTheSiteIsIn(t *testing.T) {
	e := wiki()
	e.plan = func(update.Choices) *update.Plan { return readyDecided().Plan }
	e.applyErr = &update.Error{Kind: update.KindMigration, Stage: update.StageExpand, Err: errors.New("ALTER TABLE revisions: error 1205")}
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.tap(t, "Update to 1.5.0")
	b.mustSay(t, "The update was undone. A change of the schema failed.")
	b.mustSay(t, "Files and database are those of 1.4.2. That was verified.")
	b.mustSay(t, "[Try again]")
	b.mustSay(t, "[Copy report]")
}

func TestACheckThatFailsIsNotUpToDate(t *testing.T) {
	e := wiki()
	e.checkErr = &update.Error{Kind: update.KindDownload, Stage: update.StageCheck, Err: errors.New("no such host")}
	e.offer = nil
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.mustSay(t, "Could not find out whether there is an update.")
	b.mustSay(t, "could not check")
	for _, s := range b.texts() {
		if contains(s, "up to date") {
			t.Errorf("a failed check says %q", s)
		}
	}
}

func TestAnInterruptedRunIsFoundAtTheStart(t *testing.T) {
	e := wiki()
	e.run = &update.Run{ID: "x", From: version("1.4.2"), To: version("1.5.0"), Stage: update.StageFiles, CanFinish: true, Recommended: update.Undo}
	b := newBench(t, e)
	b.mustSay(t, "The update from 1.4.2 to 1.5.0 was interrupted.")
	b.tap(t, "Roll back to 1.4.2")
	b.mustSay(t, "Files and database are those of 1.4.2.")
}

func TestAnInterruptedRollBackIsCalledOne(t *testing.T) {
	e := wiki()
	e.run = &update.Run{ID: "x", From: version("1.4.2"), To: version("1.5.0"), Stage: update.StageFiles, RollingBack: true, Recommended: update.Undo}
	b := newBench(t, e)
	b.mustSay(t, "Going back from 1.5.0 to 1.4.2 was interrupted.")
	b.page().tabs.Select(tabOverview)
	if said := slices.DeleteFunc(b.texts(), func(s string) bool { return s != "Finish going back to 1.4.2" }); len(said) != 1 {
		t.Errorf("what is recommended is %q", said)
	}
	b.tap(t, "Finish going back to 1.4.2")
	b.mustSay(t, "Rolled back: the site runs 1.4.2 again.")
}

func TestARollBackThatFailsIsNoFailedUpdate(t *testing.T) {
	stuck := ended{result: &update.Result{State: update.NeedsAttention, Kind: update.KindIO}, err: failed(update.KindIO)}
	newBench(t, wiki())
	for activity, want := range map[Activity]string{Updating: "The update failed", RollingBack: "Rolling back failed"} {
		if _, said := headline(reduce(reduce(base(), begun{activity}), stuck)); !contains(said, want) {
			t.Errorf("activity %d ends with %q, want %q", activity, said, want)
		}
	}
}

func TestRollBackFromTheHistory(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	b.page().tabs.Select(tabHistory)
	b.idle(t)
	failures := func() int {
		return len(slices.DeleteFunc(b.texts(), func(s string) bool { return s != "undone" }))
	}
	before := failures()
	b.tap(t, "Roll back…")
	b.tap(t, "Roll back")
	if v := e.Current().String(); v != "1.4.1" {
		t.Errorf("the site runs %s, want 1.4.1", v)
	}
	b.page().tabs.Select(tabHistory)
	b.idle(t)
	b.mustSay(t, "rolled back")
	if n := failures(); n != before {
		t.Errorf("going back on request looks like a failure in the history: %d are undone, %d were", n, before)
	}
}

func TestDiscardAsksAndKeepsTheSafeAnswerInFocus(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	b.page().tabs.Select(tabHistory)
	b.tap(t, "Discard…")
	focused, ok := b.app.window.Canvas().Focused().(*widgets.Action)
	if !ok || focused.Text != "Keep it" {
		t.Fatalf("the focus is on %v, want the safe answer", b.app.window.Canvas().Focused())
	}
	focused.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	b.idle(t)
	if b.app.modal != nil || !e.history[0].CanRollBack {
		t.Error("Escape is not the safe answer")
	}
	b.tap(t, "Discard…")
	b.tap(t, "Discard")
	if e.history[0].CanRollBack {
		t.Error("the restore point is still there")
	}
}

func TestDiscardTellsOfOlderRestorePoints(t *testing.T) {
	e := wiki()
	point := func(id string, from, to string, size int64, there bool) update.Record {
		return update.Record{Result: update.Result{ID: id, From: version(from), To: version(to), State: update.Done, Site: update.SiteNew}, CanRollBack: there, DiskBytes: size}
	}
	e.history = []update.Record{point("d", "1.4.1", "1.4.2", 1e6, true), point("c", "1.4.0", "1.4.1", 2e6, true), point("b", "1.3.0", "1.4.0", 4e6, false), point("a", "1.2.0", "1.3.0", 8e6, true)}
	b := newBench(t, e)
	for i, want := range []string{"This frees 11 MB.", "This frees 10 MB.", "", "This frees 8.0 MB."} {
		if want == "" {
			continue
		}
		b.page().history.confirmDiscard(b.model().History[i])
		b.mustSay(t, want)
		told := slices.ContainsFunc(b.texts(), func(s string) bool { return contains(s, "older restore point") })
		if told != (i < 3) {
			t.Errorf("for %s older restore points are told of: %v", e.history[i].ID, told)
		}
		b.tap(t, "Keep it")
	}
	b.page().history.confirmDiscard(b.model().History[1])
	b.mustSay(t, "1 older restore point goes with it")
	b.tap(t, "Discard")
	if got := len(b.page().history.olderThan(b.model().History[0])); got != 0 {
		t.Errorf("%d older restore points are left in the list", got)
	}
}

func TestARestorePointThatCanNotBeDiscardedSaysWhy(t *testing.T) {
	e := wiki()
	e.keepErr = errors.New("unlinkat backup: permission denied")
	b := newBench(t, e)
	b.page().tabs.Select(tabHistory)
	b.tap(t, "Discard…")
	b.tap(t, "Discard")
	b.mustSay(t, "The restore point could not be discarded.")
	b.mustSay(t, "permission denied")
}

func TestDetailsOfAnUpdateShowItsLog(t *testing.T) {
	b := newBench(t, wiki())
	b.page().tabs.Select(tabHistory)
	b.tap(t, "Details")
	b.mustSay(t, "switch files  files=37")
	b.mustSay(t, "Files and database are those of 1.4.2.")
	b.tap(t, "Close")
}

func TestStoppingAnUpdateRollsBack(t *testing.T) {
	e := wiki()
	e.plan = func(update.Choices) *update.Plan { return readyDecided().Plan }
	e.gate, e.begun = make(chan struct{}), make(chan struct{})
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.page().press(0)
	<-e.begun
	b.until(t, "progress", func() bool { return touched(b.model().Progress) })
	if got := b.page().buttons[0].Text; got != "Stop and roll back" {
		t.Errorf("the button says %q", got)
	}
	if b.app.window.Canvas().Focused() == b.page().buttons[0] {
		t.Error("the focus stays on a button that has come to do harm")
	}
	if !contains(b.app.window.Title(), "%") {
		t.Errorf("the title %q has no percentage", b.app.window.Title())
	}
	b.page().press(0)
	b.idle(t)
	b.mustSay(t, "Cancelled.")
	if b.model().State != update.RolledBack {
		t.Errorf("state %q", b.model().State)
	}
}

func TestClosingDuringAnUpdateAsksFirst(t *testing.T) {
	e := wiki()
	e.plan = func(update.Choices) *update.Plan { return readyDecided().Plan }
	e.gate, e.begun = make(chan struct{}), make(chan struct{})
	b := newBench(t, e)
	closed := false
	b.app.window.SetOnClosed(func() { closed = true })
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.page().press(0)
	<-e.begun
	b.app.quit()
	for b.pump() {
	}
	if closed {
		t.Fatal("the window closed over a running update")
	}
	b.app.modal.dismiss()
	if b.app.closing || b.model().Doing != Updating {
		t.Fatal("the safe answer did not keep the update running")
	}
	b.app.quit()
	b.app.leave()
	b.until(t, "the window to close", func() bool { return closed })
	if n := b.app.threads.active.Load(); n != 0 {
		t.Errorf("%d workers are left", n)
	}
}

func TestSeveralSitesAreCheckedAtOnce(t *testing.T) {
	b := newBench(t, wiki(), shop())
	b.tap(t, "Check all")
	b.mustSay(t, "1.4.2 · update available")
	b.mustSay(t, "2.0.1 · up to date")
}

func TestCheckingAllLeavesPlansAndOutcomesAlone(t *testing.T) {
	failed, reviewed := wiki(), wiki()
	failed.applyErr = &update.Error{Kind: update.KindHook, Stage: update.StageBefore, Err: errors.New("exit status 1")}
	failed.dir, reviewed.dir = "/srv/failed", "/srv/reviewed"
	b := newBench(t, failed, reviewed, shop())
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.decide(t)
	b.page().site.apply()
	b.idle(t)
	b.app.list.choose(1)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.decide(t)
	b.tap(t, "Check all")
	for i, want := range []update.State{update.RolledBack, update.Ready, update.UpToDate} {
		if got := b.app.sites[i].model.State; got != want {
			t.Errorf("%s is %q after the check, want %q", b.app.sites[i].model.Dir, got, want)
		}
	}
}

func TestCheckingAgainAsksBeforeDecisionsAreLost(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.page().check()
	b.idle(t)
	if b.model().State != update.Found {
		t.Errorf("without decisions the state is %q, want found at once", b.model().State)
	}
	b.tap(t, "Review update")
	b.decide(t)
	b.page().check()
	b.idle(t)
	b.tap(t, "Keep them")
	if b.model().State != update.Ready || len(b.model().Undecided()) > 0 {
		t.Errorf("the decisions are lost: the state is %q", b.model().State)
	}
	b.page().check()
	b.idle(t)
	b.tap(t, "Check again")
	if b.model().State != update.Found {
		t.Errorf("the state is %q, want found", b.model().State)
	}
}

// TestSitesThatOthersListStayListed has another process add a site while the
// window is open, and then the window take another off.
func TestSitesThatOthersListStayListed(t *testing.T) {
	b := newBench(t, wiki(), shop())
	if err := b.sites.Add("/srv/www/forum"); err != nil {
		t.Fatal(err)
	}
	gone := b.app.current
	b.app.remove(gone)
	b.idle(t)
	if slices.Contains(b.sites.dirs, gone.model.Dir) || !slices.Contains(b.sites.dirs, "/srv/www/forum") || len(b.sites.dirs) != 2 {
		t.Errorf("the list is %q", b.sites.dirs)
	}
}

func TestTheListIsChangedInOrder(t *testing.T) {
	b := newBench(t)
	slow := make(chan struct{})
	b.app.listed.change(func(dir string) error { <-slow; return b.sites.Add(dir) }, "/srv/a")
	b.app.listed.change(b.sites.Remove, "/srv/a")
	b.app.listed.change(b.sites.Add, "/srv/b")
	close(slow)
	b.idle(t)
	if !slices.Equal(b.sites.dirs, []string{"/srv/b"}) {
		t.Errorf("the list is %q", b.sites.dirs)
	}
}

func TestASiteThatCanNotBeOpenedSaysWhy(t *testing.T) {
	e := wiki()
	e.openErr = &update.Error{Kind: update.KindMalformed, Stage: update.StageCheck, Err: errors.New("site.toml:3: source.url: is missing")}
	b := newBench(t, e)
	b.mustSay(t, "can't be opened")
	b.mustSay(t, "Something that Moult has to read is malformed.")
	e.openErr = nil
	b.tap(t, "Try again")
	b.mustSay(t, "1.4.2 installed")
}

func TestSettingsAreValidatedAsTheyAreTyped(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	f := newSettingsForm(b.page(), e.config)
	c, fault := f.read()
	if fault != nil || c.Name != "Duckpond wiki" {
		t.Fatalf("the form does not read back what it was given: %v, %v", c, fault)
	}
	f.values["keep.max_age"] = func() string { return "ninety days" }
	if _, fault := f.read(); fault == nil || fault.Key != "keep.max_age" {
		t.Errorf("fault %v", fault)
	}
	f.values["keep.max_age"] = func() string { return "90d" }
	f.values["unattended.hours"] = func() string { return "at night" }
	f.validate()
	if got := f.faults["unattended.hours"]; !got.Visible() || !contains(got.Text, "02:00-05:00") {
		t.Errorf("hours that are none are answered with %q", got.Text)
	}
	f.values["unattended.hours"] = func() string { return "22:30-05:00" }
	f.values["database.dsn"] = func() string { return "wiki:secret@tcp(127.0.0.1:3306)/wiki" }
	if _, fault := f.read(); fault == nil || !errors.Is(fault, site.ErrPasswordInDSN) {
		t.Errorf("a password in the DSN gives %v", fault)
	}
	f.validate()
	if got := f.faults["database.dsn"]; !got.Visible() || got.Text == "" {
		t.Error("the fault is not shown beside its field")
	}
}

func TestEverySettingSurvivesTheForm(t *testing.T) {
	full := site.Config{
		Name: "n", Requires: nil,
		Source:      site.Source{URL: "https://u/", Channel: "beta", Arch: "aarch64", Unsigned: "allow", Keys: []string{"k1", "k2"}},
		Database:    site.Database{DSN: "u@tcp(h:1)/d", PasswordFrom: "env:PW"},
		Hooks:       site.Hooks{Before: []string{"a", "b"}, After: []string{"c"}, Timeout: site.Duration(90e9)},
		Maintenance: site.Maintenance{File: "m.flag"},
		Health:      site.Health{URL: "http://h/", Expect: 204, Attempts: 3, Interval: site.Duration(5e9)},
		Files:       site.Files{OnEdited: "keep", Switch: "file"},
		Keep:        site.Keep{RestorePoints: 7, MaxAge: site.Duration(24 * 3600e9)},
		Unattended:  site.Unattended{Releases: "minor", Hours: "22:00-05:00"},
		State:       site.StateDir{Dir: "/mnt/state"},
	}
	e := wiki()
	e.config = full
	b := newBench(t, e)
	f := newSettingsForm(b.page(), full)
	got, fault := f.read()
	if fault != nil {
		t.Fatal(fault)
	}
	want, _ := full.Encode()
	have, _ := got.Encode()
	if string(want) != string(have) {
		t.Errorf("the form changed the settings:\n%s\nwant:\n%s", have, want)
	}
}

func TestAFolderThatIsASiteIsAddedAtOnce(t *testing.T) {
	other := shop()
	b := newBench(t, wiki())
	open := b.app.deps.Open
	b.app.deps.Open = func(dir string, ask AskPassword) (Engine, error) {
		if dir == other.dir {
			return other, nil
		}
		return open(dir, ask)
	}
	b.app.addSite()
	b.typeInto(t, other.dir)
	b.tap(t, "Next")
	b.mustSay(t, "The site is in Moult's care.")
	b.tap(t, "Check for updates")
	if len(b.app.sites) != 2 || b.model().Name() != "Pond shop" || b.model().State != update.UpToDate {
		t.Errorf("%d sites, on %q in state %q", len(b.app.sites), b.model().Name(), b.model().State)
	}
	if len(b.sites.dirs) != 2 {
		t.Errorf("the list was saved as %v", b.sites.dirs)
	}
}

func TestAddingASiteSaysWhatWasFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		edited []files.Difference
		err    error
		want   string
	}{
		{"as shipped", nil, nil, "none: every file is as it was shipped"},
		{"edited", []files.Difference{{Path: "a"}, {Path: "b"}}, nil, "2 files"},
		{"edited and missing", []files.Difference{{Path: "a"}, {Path: "b", Missing: true}, {Path: "c"}}, nil, "2 files, and 1 file missing"},
		{"not comparable", nil, errors.New("no list of files"), "could not be compared: no list of files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			other := shop()
			other.edited, other.verifyErr = c.edited, c.err
			b := newBench(t)
			b.app.deps.Open = func(string, AskPassword) (Engine, error) { return other, nil }
			b.app.addSite()
			b.typeInto(t, other.dir)
			b.tap(t, "Next")
			b.mustSay(t, "Edited here")
			b.mustSay(t, c.want)
			b.mustSay(t, "2.0.1")
			b.tap(t, "Close")
			if len(b.app.sites) != 1 {
				t.Errorf("%d sites are on the list", len(b.app.sites))
			}
		})
	}
}

// TestAFolderIsAnAddressOfAPublisher meets the publisher of a repository that lies
// in a folder of this machine.
func TestAFolderIsAnAddressOfAPublisher(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "duck pond")
	if err := publish.Init(repo, publish.InitOptions{Product: "Duckpond"}); err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.app.deps.Publisher = meetPublisher
	b.app.deps.Open = func(string, AskPassword) (Engine, error) { return nil, site.ErrNotSite }
	b.app.addSite()
	b.typeInto(t, t.TempDir())
	b.tap(t, "Next")
	b.typeInto(t, repo)
	b.tap(t, "Next")
	b.mustSay(t, "Compare this fingerprint")
}

func TestANewSiteNeedsAComparedFingerprint(t *testing.T) {
	fresh := wiki()
	b := newBench(t)
	b.mustSay(t, "No site yet")
	b.app.deps.Open = func(string, AskPassword) (Engine, error) {
		return nil, &update.Error{Kind: update.KindPath, Stage: update.StageCheck, Err: site.ErrNotSite}
	}
	b.app.deps.Publisher = func(_ context.Context, address string) (Publisher, error) {
		return Publisher{Address: address, Root: []byte("root"), Fingerprint: "0123456789abcdef", Product: "Duckpond wiki"}, nil
	}
	var got Adoption
	b.app.deps.Adopt = func(_ context.Context, dir string, a Adoption, _ AskPassword) (Engine, error) {
		got = a
		return fresh, nil
	}
	b.app.addSite()
	b.typeInto(t, fresh.dir)
	b.tap(t, "Next")
	b.typeInto(t, "https://updates.example.org/duckpond/")
	b.tap(t, "Next")
	b.mustSay(t, "0123 4567 89ab cdef")
	if next := b.button(t, "Next"); !next.Disabled() {
		t.Fatal("one can go on without comparing the fingerprint")
	}
	for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
		if c, ok := o.(*widgets.Check); ok {
			c.SetChecked(true)
		}
	}
	b.tap(t, "Next")
	b.typeInto(t, "wiki@tcp(127.0.0.1:3306)/wiki")
	b.tap(t, "Add the site")
	b.tap(t, "Check for updates")
	if string(got.Root) != "root" || got.DSN == "" || got.Name != "Duckpond wiki" {
		t.Errorf("adopted with %+v", got)
	}
	b.mustSay(t, "1.5.0 is available.")
}

func TestChoicesMadeWhileThePlanIsWorkedOutAreNotLost(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.app.current.choose("config/wiki.php", files.ChoiceMerge)
	b.app.current.choose("templates/footer.html", files.ChoiceBoth)
	b.idle(t)
	for path, want := range map[string]files.Choice{"config/wiki.php": files.ChoiceMerge, "templates/footer.html": files.ChoiceBoth} {
		for _, entry := range b.model().Plan.Files.Entries {
			if string(entry.Path) == path && entry.Choice != want {
				t.Errorf("%s: the plan has %q, want %q", path, entry.Choice, want)
			}
		}
	}
	if e.overlap {
		t.Error("two workers were in one engine at once")
	}
}
