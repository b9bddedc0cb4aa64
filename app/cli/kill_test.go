//go:build linux

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"moult/app/cli"
	"moult/core/database/embedded"
	"moult/core/demo"
	"moult/core/update"
)

// scenarios are the updates that are killed. Each site has edited files, tables and
// indexes of its admin's, commands before and after, a maintenance flag and a health
// check; the release has statements of every phase and data scripts.
var scenarios = []scenario{
	{name: "delta"},
	{name: "patch", noDeltas: true},
	{name: "full", flags: []string{"--full"}},
	{name: "beside", flags: []string{"--on-edited", "both"}},
	{name: "unhealthy", unhealthy: true},
}

type scenario struct {
	name      string
	flags     []string // of the update, after --on-edited keep
	noDeltas  bool     // the publisher offers patches and full packages only
	unhealthy bool     // the new release fails its health check: the update is undone by itself
}

// TestKillAnywhere kills the real program in complete updates of the sample wiki and
// in their roll backs, before every call that changes a file and both before and
// after every message to a server, and then ends the run, forward or by undoing it.
// Every second of these recoveries is killed as well. Whatever was killed, files,
// schema and rows must be those of the old release or those of the new one.
//
// A sample of points is taken; MOULT_TORTURE=1 takes all, on two sites at a time.
func TestKillAnywhere(t *testing.T) {
	workers, every := 1, 200
	if os.Getenv("MOULT_TORTURE") != "" {
		workers, every = 2, 1
	}
	points, mixed := 0, 0
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			n, bad := torture(t, s, workers, every)
			points, mixed = points+n, mixed+bad
		})
	}
	t.Logf("%d points of the whole program, %d ended mixed", points, mixed)
}

// torture takes every n-th point of a scenario and returns how many there were, and how
// many of them left a site that was neither old nor new. A site that failed is not
// killed again.
func torture(t *testing.T, s scenario, workers, every int) (points, mixed int) {
	started := time.Now()
	var sites []*killSite
	for range workers {
		sites = append(sites, newKillSite(t, s))
	}
	left := sites[0].measure(t, every)
	if end, limited := t.Deadline(); limited {
		left.until = end.Add(-30 * time.Second)
	}
	updates, rollbacks := len(left.updates), len(left.rollbacks)
	var wg sync.WaitGroup
	for _, k := range sites {
		wg.Go(func() {
			if err := k.work(left); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kinds := map[string]int{}
	for _, k := range sites {
		for kind, n := range k.killed {
			points += n
			kinds[kind] += n
		}
		if k.mixed {
			mixed++
		}
	}
	t.Logf("%d calls of an update were chosen and %d of its roll back; killed at %d points in %s: %v",
		updates, rollbacks, points, time.Since(started).Round(time.Second), kinds)
	if n := len(left.updates) + len(left.rollbacks); n > 0 {
		t.Logf("%d points are left", n)
	}
	if kinds["update, file"] == 0 || kinds["update, server"] == 0 {
		t.Error("the points were not of both kinds, files and statements")
	}
	return points, mixed
}

// killPoints are the calls before which a scenario has still to be killed.
type killPoints struct {
	sync.Mutex
	updates, rollbacks []int
	until              time.Time // zero: as long as it takes
}

// next takes a point, if possible one that fits the release of the site.
func (p *killPoints) next(updated bool) (n int, rollback, ok bool) {
	p.Lock()
	defer p.Unlock()
	if !p.until.IsZero() && time.Now().After(p.until) {
		return 0, false, false
	}
	from := &p.updates
	if rollback = updated && len(p.rollbacks) > 0 || len(p.updates) == 0; rollback {
		from = &p.rollbacks
	}
	if len(*from) == 0 {
		return 0, false, false
	}
	n, *from = (*from)[0], (*from)[1:]
	return n, rollback, true
}

// killSite is a demo whose wiki is updated by processes that are killed.
type killSite struct {
	dir, dsn         string
	update, rollback []string
	before, after    *demo.Snapshot // after is nil where no update can succeed
	updated          bool           // the site was at the new release when it was last looked at
	mixed            bool           // it was neither
	killed           map[string]int // points so far by what was killed
	looks            int            // how often it was looked at
	random           *rand.Rand
}

func newKillSite(t *testing.T, s scenario) *killSite {
	if _, err := exec.LookPath("killat"); err != nil {
		t.Fatal(err)
	}
	d, err := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: embedded.ForTest(t), NoDeltas: s.noDeltas})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	k := &killSite{dir: d.Sites[0], dsn: d.DSN(d.Sites[0]), killed: map[string]int{}, random: rand.New(rand.NewPCG(1, 2))}
	k.update = append([]string{"update", k.dir, "--yes", "--on-edited", "keep", "--quiet"}, s.flags...)
	k.rollback = []string{"rollback", k.dir, "--yes", "--quiet"}
	k.configure(t, s)
	if k.before, err = demo.Snap(t.Context(), k.dir); err != nil {
		t.Fatal(err)
	}
	out, code := k.moult(k.update...)
	if s.unhealthy {
		if code != 1 {
			t.Fatalf("an update to a release that doesn't work exits with %d\n%s", code, out)
		}
		return k
	}
	if code != 0 {
		t.Fatalf("update: exit %d\n%s", code, out)
	}
	if k.after, err = demo.Snap(t.Context(), k.dir); err != nil {
		t.Fatal(err)
	}
	if k.before.Same(k.after) == nil {
		t.Fatal("the update has changed nothing")
	}
	k.updated = true
	return k
}

// configure gives the site all that runs beside files and statements.
func (k *killSite) configure(t *testing.T, s scenario) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		version, err := os.ReadFile(filepath.Join(k.dir, "VERSION"))
		if s.unhealthy && (err != nil || strings.TrimSpace(string(version)) != "1.4.2") {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(web.Close)
	log := filepath.Join(t.TempDir(), "hooks.log")
	f, err := os.OpenFile(filepath.Join(k.dir, ".moult", "site.toml"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, `
[hooks]
before = ['echo before >> %[1]s']
after = ['echo after >> %[1]s']

[maintenance]
file = 'maintenance.flag'

[health]
url = '%[2]s'
attempts = 2
interval = '1ms'
`, log, web.URL)
	t.Cleanup(func() {
		text, _ := os.ReadFile(log)
		if !bytes.Contains(text, []byte("before\n")) || !bytes.Contains(text, []byte("after\n")) {
			t.Errorf("the site's commands were not run: %q", text)
		}
	})
}

var endedAfter = regexp.MustCompile(`killat: ended after (\d+) calls, exit (\d+)`)

// measure counts the calls of an update and of its roll back and returns every n-th
// of each.
func (k *killSite) measure(t *testing.T, every int) *killPoints {
	count := func(args []string) (points []int) {
		out := k.trace("0", args)
		if bytes.Contains(out, []byte("cannot trace")) {
			t.Skipf("this system does not let a process be traced: %s", out)
		}
		m := endedAfter.FindSubmatch(out)
		if m == nil {
			t.Fatalf("moult %s under the tracer:\n%s", strings.Join(args, " "), out)
		}
		n, err := strconv.Atoi(string(m[2]))
		if wants := k.after == nil; err != nil || wants != (n != 0) {
			t.Fatalf("moult %s under the tracer:\n%s", strings.Join(args, " "), out)
		}
		if n, err = strconv.Atoi(string(m[1])); err != nil || n < 50 {
			t.Fatalf("only %d changing calls were seen", n)
		}
		for i := 1 + every/2; i <= n; i += every {
			points = append(points, i)
		}
		return points
	}
	p := new(killPoints)
	if k.updated {
		p.rollbacks = count(k.rollback)
	}
	p.updates = count(k.update)
	return p
}

// work kills the program at points until none is left or a site is mixed.
func (k *killSite) work(left *killPoints) error {
	for {
		n, rollback, ok := left.next(k.updated)
		if !ok {
			return nil
		}
		point := strconv.Itoa(n)
		target, err := k.point(point, rollback)
		if err == nil && target == "server" {
			_, err = k.point(point+"+", rollback)
		}
		if err != nil {
			return err
		}
	}
}

// point kills an update or a roll back at one point, ends what was left behind, and
// checks what the site is then. It returns what was killed: "file", "server", or ""
// for a run that had ended before.
func (k *killSite) point(point string, rollback bool) (target string, err error) {
	name, args, other := "update", k.update, k.rollback
	if rollback {
		name, args, other = "rollback", k.rollback, k.update
	}
	if k.updated != rollback {
		if out, code := k.moult(other...); code != 0 {
			return "", fmt.Errorf("%s: exit %d\n%s", other[0], code, out)
		}
	}
	out := k.trace(point, args)
	if target, err = killedAt(out); err != nil {
		return "", err
	}
	story := fmt.Sprintf("%s %s", name, bytes.TrimSpace(out))
	if target != "" {
		k.killed[name+", "+target]++
	}
	if err := k.end(&story); err != nil {
		return "", fmt.Errorf("%s\n%w\n%s", story, err, k.keep())
	}
	return target, nil
}

// killedAt reads what the tracer says of a run.
func killedAt(out []byte) (target string, err error) {
	switch {
	case bytes.Contains(out, []byte(" socket:[")):
		return "server", nil
	case bytes.Contains(out, []byte("killat: killed ")):
		return "file", nil
	case endedAfter.Match(out):
		return "", nil
	}
	return "", fmt.Errorf("the tracer: %s", out)
}

// end starts moult again, as an admin would, after having killed that as well every
// second time, until no run is open. The site must be old or new then.
func (k *killSite) end(story *string) error {
	if k.random.IntN(2) == 0 {
		run, err := k.interrupted()
		if run == nil {
			return errors.Join(err, k.look())
		}
		way := k.direction(run)
		out := k.trace(strconv.Itoa(1+k.random.IntN(150)), []string{"recover", k.dir, way, "--quiet"})
		*story += fmt.Sprintf("\nrecover %s %s", way, bytes.TrimSpace(out))
		target, err := killedAt(out)
		if err != nil {
			return err
		}
		if target != "" {
			k.killed["recover, "+target]++
		}
	}
	run, err := k.interrupted()
	if run == nil {
		return errors.Join(err, k.look())
	}
	way := k.direction(run)
	out, code := k.moult("recover", k.dir, way, "--quiet")
	*story += fmt.Sprintf("\nrecover %s: exit %d %s", way, code, out)
	if fails := k.after == nil && way == "--forward"; fails != (code != 0) {
		return errors.New("what was offered has not happened")
	}
	if run, err := k.interrupted(); run != nil || err != nil {
		return errors.Join(err, errors.New("the run has not ended"))
	}
	return k.look()
}

// interrupted returns the run that waits for its end, if there is one.
func (k *killSite) interrupted() (*update.Run, error) {
	e, err := update.Open(k.dir, update.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Interrupted()
}

// direction is one of the ways that a run can be ended.
func (k *killSite) direction(run *update.Run) string {
	if run.CanFinish && k.random.IntN(2) == 0 {
		return "--forward"
	}
	return "--undo"
}

// look compares the site with the old and with the new release.
func (k *killSite) look() error {
	if err := k.anHourLater(); err != nil {
		return err
	}
	now, err := demo.Snap(context.Background(), k.dir)
	if err != nil {
		return err
	}
	old := now.Same(k.before)
	k.updated = old != nil
	if k.updated && k.after == nil {
		k.mixed = true
		return fmt.Errorf("the site is not the old one: %w", old)
	}
	if k.updated {
		if updated := now.Same(k.after); updated != nil {
			k.mixed = true
			return fmt.Errorf("the site is neither old nor new\nold: %w\nnew: %w", old, updated)
		}
	}
	if k.looks++; k.looks%10 != 0 {
		return nil
	}
	return k.forget(now)
}

// forget has the thousandth point cost no more than the first: it discards what roll
// backs have set aside and removes their records, and has the server write its tables
// anew. Columns that are kept aside, and those that InnoDB has dropped in an instant,
// take their share of the 65 535 bytes that a row may hold.
func (k *killSite) forget(now *demo.Snapshot) error {
	e, err := update.Open(k.dir, update.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	history, err := e.History()
	if err != nil {
		return err
	}
	for _, r := range history {
		if r.CanRollBack {
			continue
		}
		if err := e.Discard(context.Background(), r.ID); err != nil {
			return err
		}
		if err := os.RemoveAll(filepath.Join(k.dir, ".moult", "updates", r.ID)); err != nil {
			return err
		}
	}
	db, err := embedded.Connect(k.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for table := range now.Rows {
		if _, err := db.Exec("ALTER TABLE `" + table + "` FORCE"); err != nil {
			return fmt.Errorf("write table %s anew: %w", table, err)
		}
	}
	return nil
}

// anHourLater has Moult look at the site again after a while, as it does before
// the next update. A process that was killed while it tried out whether it may
// write to a directory leaves an empty file there, which is cleared away then.
func (k *killSite) anHourLater() error {
	left := false
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(d.Name(), ".moult-probe-") {
			return err
		}
		left = true
		old := time.Now().Add(-time.Hour)
		return os.Chtimes(path, old, old)
	})
	if err != nil || !left {
		return err
	}
	if out, code := k.moult("plan", k.dir, "--quiet"); code != 0 {
		return fmt.Errorf("plan: exit %d\n%s", code, out)
	}
	return nil
}

// moult runs a command in this process.
func (k *killSite) moult(args ...string) (out string, code int) {
	var b bytes.Buffer
	p := &cli.Program{Stdin: strings.NewReader(""), Stdout: &b, Stderr: &b, Version: "1.0.0"}
	code = p.Run(args)
	return b.String(), code
}

// trace runs moult in a process of its own that is killed at the point.
func (k *killSite) trace(point string, args []string) []byte {
	out, err := exec.Command("killat", append([]string{point, "moult"}, args...)...).CombinedOutput()
	if err != nil {
		out = fmt.Appendf(out, "\n%v", err)
	}
	return out
}

// keep saves Moult's own directory of a site that failed, for a look.
func (k *killSite) keep() string {
	dir, err := os.MkdirTemp("", "moult-failed-")
	if err == nil {
		err = os.CopyFS(dir, os.DirFS(filepath.Join(k.dir, ".moult")))
	}
	if err != nil {
		return fmt.Sprintf("the site's .moult could not be kept: %v", err)
	}
	entries, _ := os.ReadDir(k.dir)
	return fmt.Sprintf("the site's .moult is in %s, beside it are %v", dir, entries)
}
