package update_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// TestOnlyAProvedHarmOfTheUpdateIsAReasonToGoBack answers the health check in one
// way while the old release is there and in others while the new one is.
func TestOnlyAProvedHarmOfTheUpdateIsAReasonToGoBack(t *testing.T) {
	const attempts = 3
	steady := func(code int) func(int) int { return func(int) int { return code } }
	for _, c := range []struct {
		name   string
		before int
		after  func(asked int) int // asked: how often before; 0: the connection is cut
		kind   update.Kind         // "": the update stays
		warns  bool
	}{
		{"good, good", 200, steady(200), "", false},
		{"good, broken", 200, steady(500), update.KindUnhealthy, false},
		{"good, moved elsewhere", 200, steady(302), update.KindUnhealthy, false},
		{"good, slow to start", 200, func(asked int) int { return []int{0, 500, 200}[asked] }, "", false},
		{"good, busy", 200, steady(503), "", true},
		{"good, no answer", 200, steady(0), "", true},
		{"broken, broken", 500, steady(500), "", true},
		{"broken, good", 500, steady(200), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, false, v1, v2)
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				code := c.before
				if _, err := os.Lstat(filepath.Join(w.dir, "lib/fresh/new.php")); err == nil {
					code = c.after(int(asked.Add(1) - 1))
				}
				if code == 0 {
					panic(http.ErrAbortHandler)
				}
				rw.WriteHeader(code)
			}))
			defer server.Close()
			w.configure(func(cfg *site.Config) {
				cfg.Health = site.Health{URL: server.URL, Attempts: attempts, Interval: site.Duration(time.Millisecond)}
			})
			old, e := w.state(), w.engine()
			res, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), nil)
			if got := update.KindOf(err); err != nil && got != c.kind || err == nil && c.kind != "" {
				t.Fatalf("kind %q (%v), want %q", got, err, c.kind)
			}
			if is := w.state() == old; is != (c.kind != "") {
				t.Errorf("the site is the old one: %v", is)
			}
			if warned := strings.Contains(strings.Join(res.Warnings, "\n"), "can't tell whether the site works"); warned != c.warns {
				t.Errorf("warned: %v (%q), want %v", warned, res.Warnings, c.warns)
			}
			if res.Unsure != c.warns {
				t.Errorf("unsure: %v, want %v", res.Unsure, c.warns)
			}
			if n := int(asked.Load()); n > attempts {
				t.Errorf("the new release was asked %d times, want %d at most", n, attempts)
			}
		})
	}
}

func TestAHookIsHeardAndEndedWithAllThatItStarted(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	w.configure(func(cfg *site.Config) {
		cfg.Hooks.Before = []string{"echo stopping the workers; (sleep 60; touch survived) & sleep 60"}
		cfg.Hooks.Timeout = site.Duration(300 * time.Millisecond)
	})
	old, e := w.state(), w.engine()
	heard := false
	started := time.Now()
	_, err := e.Apply(t.Context(), w.plan(e, update.Choices{}), func(ev update.Event) {
		heard = heard || ev.Stage == update.StageBefore && ev.Log == "stopping the workers"
	})
	if update.KindOf(err) != update.KindHook || !strings.Contains(err.Error(), "not done after 300ms") {
		t.Fatalf("got %v, want a hook that was not done in time", err)
	}
	if !heard {
		t.Error("the hook's output was not reported")
	}
	if time.Since(started) > 30*time.Second {
		t.Error("the update waited for what the hook had left running")
	}
	if w.state() != old {
		t.Error("the failed hook has changed the site")
	}
}

// TestRecoveryEndsMaintenanceAndCallsTheHooks stops an update between its hooks.
func TestRecoveryEndsMaintenanceAndCallsTheHooks(t *testing.T) {
	for _, way := range []update.Direction{update.Undo, update.Forward} {
		t.Run(string(way), func(t *testing.T) {
			w := newWorld(t, false, v1, v2)
			called := filepath.Join(t.TempDir(), "called")
			w.configure(func(cfg *site.Config) {
				cfg.Maintenance.File = release.Path("maintenance.flag")
				cfg.Hooks.After = []string{"echo called >> " + called}
			})
			flag := filepath.Join(w.dir, "maintenance.flag")
			e := w.engine()
			p := w.plan(e, update.Choices{})
			func() {
				defer func() {
					if _, ok := recover().(crash); !ok {
						t.Error("the run was not stopped")
					}
				}()
				_, err := e.Apply(t.Context(), p, func(ev update.Event) {
					if ev.Stage == update.StageCheckResult {
						panic(crash{})
					}
				})
				t.Errorf("the run has ended: %v", err)
			}()
			if _, err := os.Lstat(flag); err != nil {
				t.Fatalf("the flag was not up when the run stopped: %v", err)
			}
			_, err := e.Recover(t.Context(), way, nil)
			must(t, err)
			if _, err := os.Lstat(flag); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the site is still in maintenance: %v", err)
			}
			if _, err := os.Lstat(called); err != nil {
				t.Errorf("the hook was not called: %v", err)
			}
		})
	}
}

// TestAWebServerThatHandsOutTheRestorePointsStopsTheUpdate serves a site below a
// path, with and without Moult's directory.
func TestAWebServerThatHandsOutTheRestorePointsStopsTheUpdate(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve func(dir string) http.Handler
		want  update.CheckLevel
	}{
		{"all of it", func(dir string) http.Handler { return http.StripPrefix("/wiki", http.FileServer(http.Dir(dir))) }, update.CheckStop},
		{"a page for everything", func(string) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.Write([]byte("Welcome")) })
		}, update.CheckOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, false, v1, v2)
			server := httptest.NewServer(c.serve(w.dir))
			defer server.Close()
			w.configure(func(cfg *site.Config) { cfg.Health.URL = server.URL + "/wiki/lib/core.php?deep=1" })
			e := w.engine()
			p := w.plan(e, update.Choices{})
			i := slices.IndexFunc(p.Checks, func(c update.Check) bool { return c.Code == "exposed" })
			if i < 0 || p.Checks[i].Level != c.want {
				t.Fatalf("the checklist is %+v, want the line %q at level %q", p.Checks, "exposed", c.want)
			}
			_, err := e.Apply(t.Context(), p, nil)
			if stopped := update.KindOf(err) == update.KindBlocked; stopped != (c.want == update.CheckStop) {
				t.Errorf("stopped: %v (%v)", stopped, err)
			}
		})
	}
}
