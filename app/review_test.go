package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"moult/core/files"
	"moult/core/site"
	"moult/core/update"
	"moult/widgets"
)

// TestEveryWarningLeadsToItsPlace presses each button of the warnings and looks
// where it leads.
func TestEveryWarningLeadsToItsPlace(t *testing.T) {
	b := newBench(t, wiki())
	sc := scene{"ready", ready, nil}
	for _, c := range []struct {
		warning string
		tab     int
		shows   string
	}{
		{"2 files were edited on this site and differ", tabFiles, "config/wiki.php"},
		{"table users: set column fax aside", tabDatabase, "table users: set column fax aside"},
		{"1 change looks like a rename.", tabDatabase, "[It is a rename]"},
		{"The view v_contacts stays and seems to use", tabDatabase, "Warning"},
	} {
		b.show(t, sc)
		b.page().tabs.Select(tabOverview)
		b.settle()
		test.Tap(b.besides(t, c.warning))
		b.idle(t)
		if got := b.page().tabs.Selected(); got != c.tab {
			t.Errorf("%q leads to tab %d, want %d", c.warning, got, c.tab)
		}
		b.mustSay(t, c.shows)
	}
}

// besides returns the button in the line of a sentence.
func (b *bench) besides(t testing.TB, sentence string) *widgets.Action {
	t.Helper()
	y, found := float32(0), false
	at := b.app.fyne.Driver().AbsolutePositionForObject
	var actions []*widgets.Action
	b.walk(b.app.window.Content(), func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widget.Label:
			if contains(o.Text, sentence) {
				y, found = at(o).Y, true
			}
		case *widgets.Action:
			actions = append(actions, o)
		}
	})
	if !found {
		t.Fatalf("nothing says %q", sentence)
	}
	return slices.MinFunc(actions, func(p, q *widgets.Action) int {
		return int(max(at(p).Y-y, y-at(p).Y)) - int(max(at(q).Y-y, y-at(q).Y))
	})
}

func TestTheChecksAreMadeAgain(t *testing.T) {
	e := wiki()
	full := true
	plan := e.plan
	e.plan = func(c update.Choices) *update.Plan {
		p := plan(c)
		if full {
			p.Checks = append(p.Checks, update.Check{Code: "disk", Level: update.CheckStop, Text: "The update needs 12 MB on the disk; 3 MB are free.", Hint: "Free some room on the disk"})
		}
		return p
	}
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.mustSay(t, "Free some room on the disk.")
	full = false
	b.tap(t, "Check again")
	for _, s := range b.texts() {
		if contains(s, "Free some room") {
			t.Errorf("the window still says %q", s)
		}
	}
}

func TestStatementsAreCopiedAndSaved(t *testing.T) {
	b := newBench(t, wiki())
	b.show(t, scene{"ready", ready, func(b *bench) { b.page().tabs.Select(tabDatabase) }})
	b.tap(t, "Copy all")
	copied := b.app.fyne.Clipboard().Content()
	for _, s := range b.model().Plan.Schema.Steps {
		if !strings.Contains(copied, s.SQL) {
			t.Errorf("the clipboard lacks %s", s.SQL)
		}
	}
	b.tap(t, "Save as .sql…")
	if got := filepath.Base(b.field(t).Text); got != "1.4.2-1.5.0.sql" {
		t.Errorf("the file is called %s", got)
	}
	file := filepath.Join(t.TempDir(), "update.sql")
	b.field(t).SetText(file)
	b.key(t, fyne.KeyReturn)
	if saved, err := os.ReadFile(file); err != nil || string(saved) != copied {
		t.Errorf("saved %d bytes, %v; want the %d that are copied", len(saved), err, len(copied))
	}
}

func TestTheReportIsCopied(t *testing.T) {
	b := newBench(t, wiki())
	b.show(t, scene{"attention", func() Model {
		return outcome(update.NeedsAttention, update.SiteMixed, update.KindRollbackFailed, "rename index.php: input/output error")
	}, nil})
	b.tap(t, "Copy report")
	if got := b.app.fyne.Clipboard().Content(); !contains(got, "rename index.php: input/output error") || !contains(got, "Duckpond wiki") {
		t.Errorf("the clipboard holds %q", got)
	}
	b.mustSay(t, "It holds no passwords.")
}

// TestTheEndIsToldWhenNobodyLooks ends an update with the window in front and behind.
func TestTheEndIsToldWhenNobodyLooks(t *testing.T) {
	for _, front := range []bool{false, true} {
		e := wiki()
		e.plan = func(update.Choices) *update.Plan { return readyDecided().Plan }
		b := newBench(t, e)
		b.tap(t, "Check for updates")
		b.tap(t, "Review update")
		b.app.front = front
		run := func() {
			b.page().press(0)
			b.idle(t)
		}
		if front {
			test.AssertNotificationSent(t, nil, run)
		} else {
			test.AssertNotificationSent(t, fyne.NewNotification("Duckpond wiki", "Updated: the site runs 1.5.0."), run)
		}
	}
}

// TestSettingsAreTriedAndSaved types a password, tries all that can be tried, and saves.
func TestSettingsAreTriedAndSaved(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	kept := ""
	b.app.current.deps.KeepPassword = func(dsn, password string) (string, error) {
		kept = dsn + " " + password
		return "keyring:moult", nil
	}
	b.page().openSettings()
	tried := 0
	for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
		if a, ok := o.(*widgets.Action); ok && a.Text == lang.L("Try it") {
			test.Tap(a)
			b.idle(t)
			tried++
		}
		if f, ok := o.(*widgets.Field); ok && f.Password {
			f.SetText("quack")
		}
	}
	if tried != 3 {
		t.Errorf("%d things can be tried, want the server, the database and the health check", tried)
	}
	b.mustSay(t, "1.5.0 of 12 November 2026 is offered.")
	b.mustSay(t, "Connected to mariadb 10.11.6, tables: 14.")
	b.mustSay(t, "The site answers 200 OK.")
	b.tap(t, "Save")
	if kept != "wiki@tcp(127.0.0.1:3306)/wiki quack" {
		t.Errorf("the keyring was given %q", kept)
	}
	if got := b.model().Config.Database; got.PasswordFrom != "keyring:moult" || contains(got.DSN, "quack") {
		t.Errorf("the settings hold %+v", got)
	}
	if e.Config().Database.PasswordFrom != "keyring:moult" {
		t.Error("the settings were not saved")
	}
}

// TestAPasswordIsAskedForOverTheSettings tries a database whose password is to be
// asked for each time: the question stands over the form, and the form is there
// again after it.
func TestAPasswordIsAskedForOverTheSettings(t *testing.T) {
	e := wiki()
	b := newBench(t, e)
	e.ask = b.app.askPassword
	b.page().openSettings()
	form := b.app.modal
	tries := slices.DeleteFunc(test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()), func(o fyne.CanvasObject) bool {
		a, ok := o.(*widgets.Action)
		return !ok || a.Text != lang.L("Try it")
	})
	test.Tap(tries[1].(*widgets.Action))
	b.until(t, "the question", func() bool { return b.app.modal != form })
	question, refused := b.app.modal, make(chan error, 1)
	go func() {
		_, err := b.app.askPassword(t.Context(), "Another password")
		refused <- err
	}()
	b.until(t, "the refusal of a second one", func() bool { return len(refused) > 0 })
	if b.app.modal != question || <-refused == nil {
		t.Error("a second password was asked for over the first")
	}
	b.typeInto(t, "quack")
	b.tap(t, "Continue")
	if b.app.modal != form {
		t.Fatal("the form is not there after the question")
	}
	b.mustSay(t, "Connected to mariadb 10.11.6, tables: 14.")
}

// TestASideIsChosenWhileAFileIsRead chooses what to compare before the file's
// versions are there.
func TestASideIsChosenWhileAFileIsRead(t *testing.T) {
	b := newBench(t, wiki())
	b.show(t, scene{"mine", ready, func(b *bench) {
		b.page().tabs.Select(tabFiles)
		b.page().files.selectPath("config/wiki.php")
		b.page().files.detail.sides.SetSelectedIndex(sideMine)
	}})
	if got := b.page().files.detail.diff; !got.Visible() || !contains(got.Text(), "Our pond") || contains(got.Text(), "tables") {
		t.Errorf("the comparison shows %q", got.Text())
	}
}

// TestEmptyTabsSayWhatToDo looks at the tabs of a site without a plan.
func TestEmptyTabsSayWhatToDo(t *testing.T) {
	without := base()
	without.Config.Database = site.Database{}
	b := newBench(t, wiki())
	for _, c := range []struct {
		name  string
		model Model
		tab   int
		says  string
	}{
		{"notes", base(), tabNotes, "No notes"},
		{"files", base(), tabFiles, "No files to show"},
		{"files of an offer", found(), tabFiles, "[Review update]"},
		{"database", base(), tabDatabase, "No statements to show"},
		{"no database", without, tabDatabase, "No database"},
	} {
		b.show(t, scene{c.name, func() Model { return c.model }, func(b *bench) { b.page().tabs.Select(c.tab) }})
		b.mustSay(t, c.says)
	}
}

// TestAPlanOfFewerFilesCanBeRenderedTwice has a decision come while the tree is
// still laid out for a plan that lacks files of the plan before.
func TestAPlanOfFewerFilesCanBeRenderedTwice(t *testing.T) {
	e := wiki()
	plan := e.plan
	e.plan = func(c update.Choices) *update.Plan {
		p := plan(c)
		if c.Files["templates/footer.html"] != files.ChoiceAsk {
			few := *p.Files
			few.Entries = slices.DeleteFunc(slices.Clone(few.Entries), func(e files.Entry) bool { return !e.Edited })
			p.Files = &few
		}
		return p
	}
	b := newBench(t, e)
	b.tap(t, "Check for updates")
	b.tap(t, "Review update")
	b.page().tabs.Select(tabFiles)
	b.idle(t)
	b.app.current.choose("templates/footer.html", files.ChoiceNew)
	b.app.current.choose("config/wiki.php", files.ChoiceMerge)
	b.idle(t)
	if n := b.page().files.tree.Len(); n != 4 {
		t.Errorf("the tree has %d lines, want 2 files in 2 directories", n)
	}
}
