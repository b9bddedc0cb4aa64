package app

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"moult/core/files"
	"moult/core/site"
	"moult/core/update"
	"moult/resources"
)

func failed(kind update.Kind) error {
	return &update.Error{Kind: kind, Stage: update.StageCheck, Err: errors.New("because")}
}

func TestReduceLeadsToTheStateOfEachOutcome(t *testing.T) {
	blocked := wikiOffer()
	blocked.Blocked = "too old"
	interrupted := &update.Run{ID: "x", From: version("1.4.2"), To: version("1.5.0")}
	done := &update.Result{State: update.Done, Site: update.SiteNew}
	for _, c := range []struct {
		name   string
		from   Model
		events []event
		want   update.State
	}{
		{"open", Model{}, []event{opened{}}, update.Idle},
		{"open after a crash", Model{}, []event{opened{run: interrupted}}, update.Interrupted},
		{"check", base(), []event{begun{CheckingNow}}, update.Checking},
		{"nothing new", base(), []event{begun{CheckingNow}, checked{offer: shop().offer}}, update.UpToDate},
		{"something new", base(), []event{begun{CheckingNow}, checked{offer: wikiOffer()}}, update.Found},
		{"something that can't be installed", base(), []event{begun{CheckingNow}, checked{offer: blocked}}, update.NotInstallable},
		{"no answer", base(), []event{begun{CheckingNow}, checked{err: failed(update.KindDownload)}}, update.CheckFailed},
		{"check cancelled", base(), []event{begun{CheckingNow}, checked{err: context.Canceled}}, update.Idle},
		{"prepare", found(), []event{begun{PreparingNow}}, update.Preparing},
		{"prepared", found(), []event{begun{PreparingNow}, prepared{plan: wikiPlan(update.Choices{})}}, update.Ready},
		{"prepare cancelled", found(), []event{begun{PreparingNow}, prepared{err: failed(update.KindCancelled)}}, update.Found},
		{"prepare failed", found(), []event{begun{PreparingNow}, prepared{err: failed(update.KindHash)}}, update.NotBegun},
		{"planning again", ready(), []event{begun{ReplanningNow}}, update.Ready},
		{"planning again failed", ready(), []event{begun{ReplanningNow}, prepared{err: failed(update.KindDatabase)}}, update.Ready},
		{"apply", ready(), []event{begun{Updating}}, update.Running},
		{"applied", ready(), []event{begun{Updating}, ended{result: done}}, update.Done},
		{"undone", ready(), []event{begun{Updating}, ended{result: &update.Result{State: update.RolledBack}, err: failed(update.KindMigration)}}, update.RolledBack},
		{"stuck", ready(), []event{begun{Updating}, ended{result: &update.Result{State: update.NeedsAttention}, err: failed(update.KindRollbackFailed), run: interrupted}}, update.NeedsAttention},
		{"never begun", ready(), []event{begun{Updating}, ended{err: failed(update.KindLocked)}}, update.NotBegun},
		{"stuck without a result", ready(), []event{begun{Updating}, ended{err: failed(update.KindIO), run: interrupted}}, update.Interrupted},
		{"read and put away", outcome(update.Done, update.SiteNew, "", ""), []event{dismissed{}}, update.Idle},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := c.from
			for _, e := range c.events {
				m = reduce(m, e)
			}
			if m.State != c.want {
				t.Errorf("state %q, want %q", m.State, c.want)
			}
		})
	}
}

func TestChoicesAreCopiedNotShared(t *testing.T) {
	m := reduce(ready(), chosen{"config/wiki.php", files.ChoiceKeep})
	given := m.Choices.Files
	m = reduce(m, chosen{"templates/footer.html", files.ChoiceNew})
	if len(given) != 1 || len(m.Choices.Files) != 2 {
		t.Errorf("a worker's copy of the choices has changed: %v, %v", given, m.Choices.Files)
	}
	if !m.Stale || len(m.Undecided()) != 0 {
		t.Errorf("stale %v, undecided %v", m.Stale, m.Undecided())
	}
}

func TestACheckForgetsTheLastPlan(t *testing.T) {
	m := reduce(readyDecided(), begun{CheckingNow})
	m = reduce(m, checked{offer: wikiOffer()})
	if m.Plan != nil || len(m.Choices.Files) != 0 {
		t.Errorf("plan %v and choices %v are left over", m.Plan, m.Choices)
	}
}

func labels(buttons []Button) []string {
	var out []string
	for _, b := range buttons {
		label := b.Label
		if b.Why != "" {
			label = "(" + label + ")"
		}
		out = append(out, label)
	}
	return out
}

func TestButtonsFollowTheState(t *testing.T) {
	if err := resources.UseLanguage(resources.English); err != nil {
		t.Fatal(err)
	}
	stuck := running(Updating, 3, "ALTER TABLE")
	stuck.Progress.Interruptible = false
	begun := Model{State: update.Running, Doing: Updating}
	want := map[string]string{
		"idle": "[Check for updates]", "checking": "[Cancel]", "up-to-date": "[Check again]", "found": "[Review update]",
		"check-failed": "[Try again Copy report]", "not-installable": "[Check again]", "preparing": "[Cancel]",
		"ready": "[(Update to 1.5.0)]", "ready-decided": "[Update to 1.5.0]",
		"running": "[Stop and roll back]", "stopping": "[(Stop and roll back)]", "rolling-back": "[(Stop)]", "finishing": "[Stop and roll back]",
		"done":        "[Close Roll back…]",
		"rolled-back": "[Try again Copy report Save diagnostics…]", "needs-attention": "[Roll back again Copy report Save diagnostics…]",
		"interrupted": "[Roll back to 1.4.2 Finish the update to 1.5.0]", "broken": "[Try again]",
	}
	seen := 0
	for _, sc := range scenes {
		w, ok := want[sc.name]
		if !ok {
			continue
		}
		seen++
		if got := fmt.Sprint(labels(buttons(sc.model()))); got != w {
			t.Errorf("%s: buttons %s, want %s", sc.name, got, w)
		}
	}
	if seen != len(want) {
		t.Errorf("%d of %d states were tried", seen, len(want))
	}
	if got := fmt.Sprint(labels(buttons(stuck))); got != "[(Stop and roll back)]" {
		t.Errorf("during a statement that can't be interrupted: %s", got)
	}
	if got := fmt.Sprint(labels(buttons(begun))); got != "[Cancel]" {
		t.Errorf("before anything has changed: %s", got)
	}
}

func TestTheThreeOutcomesOfACheckDoNotLookAlike(t *testing.T) {
	if err := resources.UseLanguage(resources.English); err != nil {
		t.Fatal(err)
	}
	words, tones := map[string]string{}, map[string]string{}
	for _, name := range []string{"up-to-date", "check-failed", "not-installable"} {
		for _, sc := range scenes {
			if sc.name != name {
				continue
			}
			m := sc.model()
			row := rowOf(m)
			_, sentence := headline(m)
			if other, twice := words[row.word]; twice {
				t.Errorf("%s and %s have the same word %q", name, other, row.word)
			}
			if other, twice := tones[sentence]; twice {
				t.Errorf("%s and %s have the same sentence", name, other)
			}
			words[row.word], tones[sentence] = name, name
		}
	}
	if len(words) != 3 {
		t.Errorf("%d words for three outcomes", len(words))
	}
}

func TestReportHoldsWhatIsNeededAndNoSecret(t *testing.T) {
	m := outcome(update.RolledBack, update.SiteOld, update.KindMigration, "ALTER TABLE revisions: lock wait timeout")
	m.Config.Database.DSN = "wiki@tcp(127.0.0.1:3306)/wiki"
	r := report(m, "0.9.0")
	for _, want := range []string{"Duckpond wiki", "0.9.0", "lock wait timeout", "old release", "10:00:02"} {
		if !contains(r, want) {
			t.Errorf("the report lacks %q:\n%s", want, r)
		}
	}
	if contains(r, "127.0.0.1") {
		t.Errorf("the report says where the database is:\n%s", r)
	}
}

func TestWorriesAreAskedAboutBeforeAnUpdate(t *testing.T) {
	if err := resources.UseLanguage(resources.English); err != nil {
		t.Fatal(err)
	}
	p := wikiPlan(update.Choices{})
	if w := worries(p); len(w) != 0 {
		t.Errorf("a plan that can be undone and is trusted worries: %v", w)
	}
	p.Schema.Steps[2].Risk = "can't undo"
	p.Trust.Level = update.NotFresh
	if w := worries(p); len(w) != 2 {
		t.Errorf("worries: %v", w)
	}
}

func TestASiteWithoutADatabaseIsToldOfItsFilesOnly(t *testing.T) {
	r := &update.Result{From: version("1.4.2"), To: version("1.5.0"), Site: update.SiteNew}
	if got, want := siteStateText(r, site.Config{}), "The files are those of 1.5.0. That was verified."; got != want {
		t.Errorf("it is told %q", got)
	}
	r.Site = update.SiteOld
	c := site.Config{Database: site.Database{DSN: "wiki@/wiki"}}
	if got, want := siteStateText(r, c), "Files and database are those of 1.4.2. That was verified."; got != want {
		t.Errorf("it is told %q", got)
	}
}
