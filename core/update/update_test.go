package update_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

func TestUpdateAndRollBackGoThereAndReallyBack(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	old := w.state()
	p := w.plan(e, update.Choices{})
	if w.state() != old {
		t.Fatal("planning has changed the site")
	}
	res, err := e.Apply(t.Context(), p, nil)
	must(t, err)
	if res.State != update.Done || res.Site != update.SiteNew {
		t.Fatalf("state %q, site %q", res.State, res.Site)
	}
	for name, want := range v2.files {
		if got := string(get(os.ReadFile(filepath.Join(w.dir, name)))(t)); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(w.dir, "lib/gone.php")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("lib/gone.php is still there: %v", err)
	}
	if got := e.Current().String(); got != "1.1.0" {
		t.Errorf("the recorded version is %q", got)
	}
	v, err := e.Verify(t.Context(), nil)
	must(t, err)
	if !v.Same() {
		t.Errorf("after the update the site differs from its release: %+v", v)
	}
	fresh := w.state()
	if fresh == old {
		t.Fatal("the update has changed nothing")
	}
	res, err = e.RollBack(t.Context(), "", nil)
	must(t, err)
	if res.Site != update.SiteOld {
		t.Errorf("site %q after the roll back", res.Site)
	}
	if got := w.state(); got != old {
		t.Errorf("the roll back didn't bring the old site back:\n--- before\n%s--- after\n%s", old, got)
	}
	// The same update can start again at once, and arrives at the same place.
	_, err = e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	if got := w.state(); got != fresh {
		t.Errorf("the second time the update led elsewhere:\n--- first\n%s--- second\n%s", fresh, got)
	}
}

func TestAFileEditedHereIsAskedAboutAndKept(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e := w.engine()
	writeTree(t, w.dir, map[string]string{"index.php": "<?php echo 'mine';\n"})
	p := w.plan(e, update.Choices{})
	if open := p.Files.Undecided(); len(open) != 1 || open[0].Path != "index.php" {
		t.Fatalf("undecided are %v", open)
	}
	if _, err := e.Apply(t.Context(), p, nil); update.KindOf(err) != update.KindUndecided {
		t.Fatalf("applied with an open question: %v", err)
	}
	p, err := e.Replan(t.Context(), p, update.Choices{Files: map[release.Path]files.Choice{"index.php": files.ChoiceKeep}}, nil)
	must(t, err)
	_, err = e.Apply(t.Context(), p, nil)
	must(t, err)
	if got := string(get(os.ReadFile(filepath.Join(w.dir, "index.php")))(t)); got != "<?php echo 'mine';\n" {
		t.Errorf("the edited file holds %q", got)
	}
	v, err := e.Verify(t.Context(), nil)
	must(t, err)
	if len(v.Files) != 1 || v.Files[0].Path != "index.php" {
		t.Errorf("verify names %v, want the kept file alone", v.Files)
	}
}

func TestEveryStrategyLeadsToTheSameSite(t *testing.T) {
	want := ""
	for _, c := range []struct {
		kind    release.StrategyKind
		choices update.Choices
		harm    string // a binary file edited here makes the delta unusable
	}{
		{kind: release.Full, choices: update.Choices{Full: true}},
		{kind: release.DeltaPack},
		{kind: release.PatchPack, harm: "assets/logo.bin", choices: update.Choices{OnEdited: files.ChoiceNew}},
	} {
		w := newWorld(t, false, v1, v2)
		if c.harm != "" {
			writeTree(t, w.dir, map[string]string{c.harm: "\x00mine"})
		}
		e := w.engine()
		p := w.plan(e, c.choices)
		if p.Strategy.Kind != c.kind {
			t.Fatalf("the plan goes by %q (%s), want %q", p.Strategy.Kind, p.Strategy.Reason, c.kind)
		}
		_, err := e.Apply(t.Context(), p, nil)
		must(t, err)
		got := w.state()
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("by %s:\n%s--- want\n%s", c.kind, got, want)
		}
	}
}

func TestAStagedRolloutReachesTheSitesOfItsStageOnly(t *testing.T) {
	held := v2
	held.rollout = 1
	w := newWorld(t, false, v1, held)
	e := w.engine()
	st := get(e.Site().State())(t)
	st.ID = "a site of a later stage" // its place in the queue lies behind the first per cent
	must(t, e.Site().SetState(st))
	o, err := e.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if !o.UpToDate() {
		t.Errorf("1.1.0 is offered (%s) before its rollout has reached this site", o.Strategy.Reason)
	}
	o, err = e.Check(t.Context(), update.Choices{To: get(release.ParseVersion("1.1.0"))(t)}, nil)
	must(t, err)
	if o.UpToDate() {
		t.Error("a release that was asked for by name must not wait for its rollout")
	}
}

func TestApplyRefusesASiteThatChangedSinceThePlan(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	p := w.plan(e, update.Choices{})
	w.exec("ALTER TABLE users ADD COLUMN mine INT")
	w.exec("ALTER TABLE users MODIFY name VARCHAR(60) NOT NULL")
	was := w.state()
	if _, err := e.Apply(t.Context(), p, nil); update.KindOf(err) != update.KindBlocked {
		t.Fatalf("want a refusal, got %v", err)
	}
	if w.state() != was {
		t.Error("the refusal has changed the site")
	}
}

// TestAFailureAtAnyStageLeavesTheOldSite makes a hook, the health check or the
// disk fail, and looks at what is left.
func TestAFailureAtAnyStageLeavesTheOldSite(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*site.Config)
		kind update.Kind
	}{
		{"before hook", func(c *site.Config) { c.Hooks.Before = []string{"exit 3"} }, update.KindHook},
		{"after hook", func(c *site.Config) { c.Hooks.After = []string{"test ! -e lib/fresh/new.php"} }, update.KindHook},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, true, v1, v2)
			w.configure(func(cfg *site.Config) { cfg.Maintenance.File = "maintenance.flag"; c.set(cfg) })
			old := w.state()
			e := w.engine()
			res, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
			if update.KindOf(err) != c.kind {
				t.Fatalf("kind %q (%v), want %q", update.KindOf(err), err, c.kind)
			}
			if got := w.state(); got != old {
				t.Errorf("the site is not the old one:\n--- before\n%s--- after\n%s", old, got)
			}
			if _, err := os.Lstat(filepath.Join(w.dir, "maintenance.flag")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the site is still in maintenance: %v", err)
			}
			if res.State == update.Done {
				t.Errorf("the result says %q", res.State)
			}
		})
	}
}

// torture asks for the long form of the tests that stop a run at every point.
var torture = os.Getenv("MOULT_TORTURE") != ""

// crash is what the tests' reports panic with, in place of a process that ends.
type crash struct{ at string }

// TestACrashAtAnyEventEndsOldOrNew stops an update dead at each of its events, and
// ends it both ways. Staging is left out: it reports from several goroutines, and
// the site doesn't change before its end.
func TestACrashAtAnyEventEndsOldOrNew(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	old := w.state()
	e := w.engine()
	var events []string
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), func(ev update.Event) { events = append(events, name(ev)) })
	must(t, err)
	fresh := w.state()
	_, err = e.RollBack(t.Context(), "", nil)
	must(t, err)
	points := 0
	if len(events) < 20 {
		t.Fatalf("only %d events", len(events))
	}
	ways := []update.Direction{update.Undo, update.Forward}
	for i, at := range events {
		if strings.HasPrefix(at, string(update.StageReady)) {
			continue
		}
		for n, way := range ways {
			if !torture && n != i%2 {
				continue
			}
			if !crashAt(t, e, w.plan(e, update.Choices{}), i) {
				t.Fatalf("event %d (%s) did not come again", i, at)
			}
			found, err := e.Interrupted()
			must(t, err)
			want := map[update.Direction]string{update.Undo: old, update.Forward: fresh}[way]
			if found != nil {
				if _, err := e.Check(t.Context(), update.Choices{}, nil); err != nil {
					t.Errorf("crash at %s: a check must still work: %v", at, err)
				}
				_, err := e.Recover(t.Context(), way, nil)
				if err != nil {
					t.Fatalf("crash at %s, recover %s: %v", at, way, err)
				}
			} else if want = old; e.Current().String() == v2.version {
				want = fresh
			}
			if got := w.state(); got != want {
				t.Fatalf("crash at %s, recover %s gave:\n%s--- want\n%s", at, way, got, want)
			}
			if want == fresh {
				_, err := e.RollBack(t.Context(), "", nil)
				must(t, err)
				if got := w.state(); got != old {
					t.Fatalf("crash at %s, finished and rolled back:\n%s--- want\n%s", at, got, old)
				}
			}
			points++
		}
	}
	t.Logf("%d crashes, none ended between two releases", points)
}

func name(ev update.Event) string {
	return fmt.Sprintf("%s %s %d/%d", ev.Stage, ev.Status, ev.Done, ev.Total)
}

// crashAt applies p and dies at the n-th event.
func crashAt(t *testing.T, e *update.Engine, p *update.Plan, n int) (crashed bool) {
	t.Helper()
	return diesAt(t, n, func(report update.Report) { e.Apply(t.Context(), p, report) })
}

// diesAt panics out of a run at its n-th event, which leaves everything on disk as an
// ended process would.
func diesAt(t *testing.T, n int, run func(update.Report)) (died bool) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			if _, ours := r.(crash); !ours {
				panic(r)
			}
			died = true
		}
	}()
	i := 0
	run(func(ev update.Event) {
		if i++; i == n+1 {
			panic(crash{name(ev)})
		}
	})
	return false
}

func TestRollingBackAnOlderPointUndoesTheNewerFirst(t *testing.T) {
	v3 := v2
	v3.version = "1.2.0"
	v3.scripts = nil
	v3.files = map[string]string{"index.php": "<?php echo 'three';\n", "lib/core.php": "<?php // core 3\n"}
	w := newWorld(t, true, v1, v2, v3)
	e := w.engine()
	first := w.state()
	res1, err := e.Apply(t.Context(), w.plan(e, update.Choices{To: get(release.ParseVersion("1.1.0"))(t)}), nil)
	must(t, err)
	_, err = e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	if got := e.Current().String(); got != "1.2.0" {
		t.Fatalf("at %s", got)
	}
	_, err = e.RollBack(t.Context(), res1.ID, nil)
	must(t, err)
	if got := w.state(); got != first {
		t.Errorf("not back at the first release:\n%s--- want\n%s", got, first)
	}
	list, err := e.History()
	must(t, err)
	if len(list) != 2 || list[0].CanRollBack || list[1].CanRollBack {
		t.Errorf("history is %+v", list)
	}
}

func TestRestorePointsAreRetainedAsConfiguredAndDiscardingFreesThem(t *testing.T) {
	v3 := v2
	v3.version, v3.scripts = "1.2.0", nil
	v3.files = map[string]string{"index.php": "<?php echo 'three';\n"}
	w := newWorld(t, true, v1, v2, v3)
	w.configure(func(c *site.Config) { c.Keep.RestorePoints = 1 })
	e := w.engine()
	for _, to := range []string{"1.1.0", "1.2.0"} {
		_, err := e.Apply(t.Context(), w.plan(e, update.Choices{To: get(release.ParseVersion(to))(t)}), nil)
		must(t, err)
	}
	list, err := e.History()
	must(t, err)
	if len(list) != 2 || !list[0].CanRollBack || list[1].CanRollBack {
		t.Fatalf("want the newest point alone, got %+v", list)
	}
	must(t, e.Discard(t.Context(), list[0].ID))
	if _, err := e.RollBack(t.Context(), "", nil); update.KindOf(err) != update.KindNoBackup {
		t.Errorf("rolled back without a restore point: %v", err)
	}
	pool := w.pool()
	var left int
	must(t, pool.QueryRow("SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND (table_name LIKE '\\_moult\\_%' OR column_name LIKE '\\_moult\\_%') AND table_name <> '_moult_marks'").Scan(&left))
	if left != 0 {
		t.Errorf("%d columns are still set aside after discarding", left)
	}
}

func TestARollBackKeepsNothingThatNobodyHasWritten(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	res, err := e.RollBack(t.Context(), "", nil)
	must(t, err)
	pool := w.pool()
	count := func() (n int) {
		must(t, pool.QueryRow("SELECT (SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE '\\_moult\\_%')"+
			" + (SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name LIKE '\\_moult\\_%')").Scan(&n))
		return n
	}
	if res.SetAside != count() {
		t.Errorf("%d are said to be set aside, and %d are", res.SetAside, count())
	}
	must(t, e.Discard(t.Context(), res.ID))
	list, err := e.History()
	must(t, err)
	if n := count(); n != 0 || list[0].SetAside != 0 || list[0].CanRollBack {
		t.Errorf("%d are left after discarding, and the history says %+v", n, list[0])
	}
}

func TestTheBundleHoldsTheStoryAndNoSecret(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	w.configure(func(c *site.Config) { c.Hooks.Before = []string{"echo password=hunter2 token: abc123secret"} })
	e := w.engine()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
	must(t, err)
	text := unzipAll(t, e)
	for _, want := range []string{"site.toml", "journal", "log.jsonl", "1.1.0"} {
		if !strings.Contains(text, want) {
			t.Errorf("the bundle lacks %s", want)
		}
	}
	for _, secret := range []string{"hunter2", "abc123secret"} {
		if strings.Contains(text, secret) {
			t.Errorf("the bundle holds the secret %q", secret)
		}
	}
}

// unzipAll makes a bundle and returns the names and contents in it as one text.
func unzipAll(t *testing.T, e *update.Engine) string {
	t.Helper()
	var buf bytes.Buffer
	must(t, e.Bundle(t.Context(), &buf))
	z, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	must(t, err)
	var all strings.Builder
	for _, f := range z.File {
		r, err := f.Open()
		must(t, err)
		text, err := io.ReadAll(r)
		must(t, err)
		fmt.Fprintf(&all, "%s\n%s\n", f.Name, text)
	}
	return all.String()
}
