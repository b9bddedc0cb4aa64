//go:build linux

package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"moult/core/database/embedded"
	"moult/core/demo"
)

// TestKillAnywhere kills the real program in the middle of complete updates of the
// sample wiki, just before calls that change a file or tell the server something,
// and ends each run with another start. The site, files and schema and rows, must be
// at the old or at the new release each time. Roll backs and recoveries are killed
// as well.
//
// A sample of points is taken; MOULT_TORTURE=N takes N times as many.
func TestKillAnywhere(t *testing.T) {
	k := newKillSite(t)
	points := 24 * torture()
	if testing.Short() {
		points = 6
	}
	update := []string{"update", k.dir, "--yes", "--on-edited", "keep", "--quiet"}
	rollback := []string{"rollback", k.dir, "--yes", "--quiet"}

	total := k.count(t, update)
	k.after = k.snap(t)
	back := k.count(t, rollback)
	k.mustBe(t, "after a roll back without a kill", k.before)
	t.Logf("an update makes %d changing calls, its roll back %d", total, back)

	kinds := map[string]int{}
	for i := range points {
		n := 1 + i*total/points
		what := k.kill(t, n, update)
		kinds[what]++
		// Every second run is finished if it can be, the others are undone.
		k.end(t, fmt.Sprintf("update killed at call %d of %d (%s)", n, total, what), i%2 == 1)
		k.reset(t, rollback)
	}
	for i := range points / 2 {
		k.run(t, update)
		n := 1 + i*2*back/points
		what := k.kill(t, n, rollback)
		kinds[what]++
		k.end(t, fmt.Sprintf("roll back killed at call %d of %d (%s)", n, back, what), false)
		k.reset(t, rollback)
	}
	t.Logf("killed at %d points: %v", points+points/2, kinds)
	if kinds["socket"] == 0 || kinds["file"] == 0 {
		t.Errorf("the points were not of both kinds, files and statements: %v", kinds)
	}
}

// TestKillDuringRecovery kills a run, then kills the recovery at several points,
// and lets the last one come to its end.
func TestKillDuringRecovery(t *testing.T) {
	k := newKillSite(t)
	update := []string{"update", k.dir, "--yes", "--on-edited", "keep", "--quiet"}
	rollback := []string{"rollback", k.dir, "--yes", "--quiet"}
	k.run(t, update)
	k.after = k.snap(t)
	k.run(t, rollback)
	for _, n := range []int{1, 2, 3, 5, 8, 13, 21, 34} {
		k.killBefore(t, fmt.Sprintf("renameat2:%d", 36+2*n), update)
		k.kill(t, n, []string{"recover", k.dir, "--undo", "--quiet"})
		k.end(t, fmt.Sprintf("recovery killed at call %d", n), false)
		k.reset(t, rollback)
	}
}

// torture is the factor by which more points are taken.
func torture() int {
	n, err := strconv.Atoi(os.Getenv("MOULT_TORTURE"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// killSite is a demo whose wiki is updated by processes that are killed.
type killSite struct {
	dir           string
	before, after *demo.Snapshot
}

func newKillSite(t *testing.T) *killSite {
	if _, err := exec.LookPath("killat"); err != nil {
		t.Fatal(err)
	}
	d, err := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: embedded.ForTest(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	k := &killSite{dir: d.Sites[0]}
	k.before = k.snap(t)
	return k
}

func (k *killSite) snap(t *testing.T) *demo.Snapshot {
	t.Helper()
	s, err := demo.Snap(context.Background(), k.dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs moult, which must succeed.
func (k *killSite) run(t *testing.T, args []string) {
	t.Helper()
	if out, err := exec.Command("moult", args...).CombinedOutput(); err != nil {
		t.Fatalf("moult %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

var endedAfter = regexp.MustCompile(`killat: ended after (\d+) calls, exit (\d+)`)

// count runs moult under the tracer to its end and returns how many changing calls
// it made.
func (k *killSite) count(t *testing.T, args []string) int {
	t.Helper()
	out := k.trace(t, "0", args)
	m := endedAfter.FindSubmatch(out)
	if m == nil || string(m[2]) != "0" {
		t.Fatalf("moult %s under the tracer:\n%s", strings.Join(args, " "), out)
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil || n < 50 {
		t.Fatalf("only %d changing calls were seen", n)
	}
	return n
}

// kill kills moult before its n-th changing call and returns what that would have
// changed: "file", "socket", or "nothing" if the run had ended before.
func (k *killSite) kill(t *testing.T, n int, args []string) string {
	t.Helper()
	return k.killBefore(t, strconv.Itoa(n), args)
}

func (k *killSite) killBefore(t *testing.T, point string, args []string) string {
	t.Helper()
	out := k.trace(t, point, args)
	switch {
	case bytes.Contains(out, []byte("socket:")):
		return "socket"
	case bytes.Contains(out, []byte("killat: killed before")):
		return "file"
	}
	return "nothing"
}

func (k *killSite) trace(t *testing.T, point string, args []string) []byte {
	t.Helper()
	cmd := exec.Command("killat", append([]string{point, "moult"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		if bytes.Contains(out, []byte("cannot trace")) {
			t.Skipf("this system does not let a process be traced: %s", out)
		}
		t.Fatalf("killat %s: %v\n%s", point, err, out)
	}
	return out
}

// end starts moult again, as an admin would, and checks what the site is then.
func (k *killSite) end(t *testing.T, what string, forward bool) {
	t.Helper()
	way := "--undo"
	if forward {
		way = "--forward"
	}
	out, err := exec.Command("moult", "recover", k.dir, way, "--quiet").CombinedOutput()
	if err != nil && forward { // nothing to go on with: it has to be undone
		out, err = exec.Command("moult", "recover", k.dir, "--undo", "--quiet").CombinedOutput()
	}
	if err != nil {
		k.keep(t)
		t.Fatalf("%s: recover: %v\n%s", what, err, out)
	}
	k.anHourLater(t)
	now := k.snap(t)
	if old, updated := now.Same(k.before), now.Same(k.after); old != nil && updated != nil {
		k.keep(t)
		t.Fatalf("%s: the site is neither old nor new.\nOld: %v\nNew: %v\n%s", what, old, updated, out)
	}
}

// anHourLater has Moult look at the site again after a while, as it does before
// the next update. A process that was killed while it tried out whether it may
// write to a directory leaves an empty file there, which is cleared away then.
func (k *killSite) anHourLater(t *testing.T) {
	t.Helper()
	left := false
	err := filepath.WalkDir(k.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(d.Name(), ".moult-probe-") {
			return err
		}
		left = true
		old := time.Now().Add(-time.Hour)
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
	if left {
		k.run(t, []string{"plan", k.dir, "--quiet"})
	}
}

// reset brings the site back to the old release for the next point.
func (k *killSite) reset(t *testing.T, rollback []string) {
	t.Helper()
	if k.snap(t).Same(k.before) != nil {
		k.run(t, rollback)
		k.mustBe(t, "after a roll back", k.before)
	}
}

func (k *killSite) mustBe(t *testing.T, when string, want *demo.Snapshot) {
	t.Helper()
	if err := want.Same(k.snap(t)); err != nil {
		t.Fatalf("%s: %v", when, err)
	}
}

// keep saves Moult's own directory of a site that failed, for a look.
func (k *killSite) keep(t *testing.T) {
	dir, err := os.MkdirTemp("", "moult-failed-")
	if err != nil {
		return
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(k.dir, ".moult"))); err == nil {
		t.Logf("the site's .moult is in %s", dir)
	}
}
