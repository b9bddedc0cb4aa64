package update_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/publish"
	"moult/core/site"
	"moult/core/update"
)

// TestBadInputIsNamedAndChangesNothing gives the pipeline a server, a package, a
// configuration or a database that is not as it should be.
func TestBadInputIsNamedAndChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(*world)
		kind update.Kind
		says string // in the message
	}{
		{name: "no server", kind: update.KindDownload, says: "connection refused", harm: func(w *world) {
			w.configure(func(c *site.Config) { c.Source.URL = "http://127.0.0.1:1/repo/" })
		}},
		{name: "no such address", kind: update.KindHTTP, says: "404", harm: func(w *world) {
			must(w.t, os.Rename(w.repo, w.repo+"-gone"))
		}},
		{name: "server error", kind: update.KindHTTP, says: "500", harm: func(w *world) {
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }))
			w.t.Cleanup(srv.Close)
			w.configure(func(c *site.Config) { c.Source.URL = srv.URL + "/" })
		}},
		{name: "metadata of another publisher", kind: update.KindUntrusted, says: "not trustworthy", harm: func(w *world) {
			must(w.t, os.RemoveAll(w.repo))
			must(w.t, publish.Init(w.repo, publish.InitOptions{Product: "Impostor", Keys: w.repo + "-other-keys"}))
			w.keys = w.repo + "-other-keys"
			w.publish(v2, nil)
		}},
		{name: "manifest changed after signing", kind: update.KindHash, says: "manifest.json", harm: func(w *world) {
			w.tamper("manifest.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), "1.1.0", "9.9.9", 1)) })
			// A check keeps the manifest that it has verified, and would not ask again.
			must(w.t, os.RemoveAll(filepath.Join(w.dir, site.Home, "trust", "targets")))
		}},
		{name: "package changed after signing", kind: update.KindHash, says: "delta-from-1.0.0", harm: func(w *world) {
			w.tamper("delta-from-1.0.0", func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}},
		{name: "package cut short", kind: update.KindDownload, says: "delta-from-1.0.0", harm: func(w *world) {
			w.tamper("delta-from-1.0.0", func(b []byte) []byte { return b[:len(b)/2] })
		}},
		{name: "no database", kind: update.KindDatabase, says: "127.0.0.1:1", harm: func(w *world) {
			w.configure(func(c *site.Config) { c.Database = site.Database{DSN: "wiki@tcp(127.0.0.1:1)/wiki"} })
		}},
		{name: "a password that is nowhere", kind: update.KindPassword, says: "MOULT_TEST_NO_SUCH_VARIABLE", harm: func(w *world) {
			w.configure(func(c *site.Config) {
				c.Database = site.Database{DSN: "wiki@tcp(127.0.0.1:1)/wiki", PasswordFrom: "env:MOULT_TEST_NO_SUCH_VARIABLE"}
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, false, v1, v2)
			was := w.state()
			c.harm(w)
			e := w.engine()
			offer, err := e.Check(t.Context(), update.Choices{}, nil)
			if err == nil {
				_, err = e.Prepare(t.Context(), offer, update.Choices{}, nil)
			}
			if update.KindOf(err) != c.kind {
				t.Fatalf("kind %q (%v), want %q", update.KindOf(err), err, c.kind)
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the message %q doesn't name %q", err, c.says)
			}
			if w.state() != was {
				t.Error("the site has changed")
			}
			if left := get(e.Site().Updates())(t); len(left) != 0 {
				t.Errorf("the plan that came to nothing left %v behind", left)
			}
		})
	}
}

// TestMetadataThatNobodyRenewedIsAmberAndNotRed looks at a repository long after its
// publisher has last signed it.
func TestMetadataThatNobodyRenewedIsAmberAndNotRed(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e, err := update.Open(w.dir, update.Options{Now: func() time.Time { return time.Now().AddDate(0, 2, 0) }})
	must(t, err)
	defer e.Close()
	o, err := e.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if o.Trust.Level != update.NotFresh || !strings.Contains(o.Trust.Detail, "expired") {
		t.Errorf("trust is %+v", o.Trust)
	}
}

// TestARepositoryOnAMediumProvesItsOriginButNotThatItIsTheNewest takes a site under care
// from a folder whose metadata has expired, as on a medium that was carried there.
func TestARepositoryOnAMediumProvesItsOriginButNotThatItIsTheNewest(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	dir := filepath.Join(t.TempDir(), "site")
	writeTree(t, dir, v1.files)
	later := update.Options{Now: func() time.Time { return time.Now().AddDate(0, 2, 0) }}
	e, err := update.Init(t.Context(), dir, update.InitOptions{URL: w.url, RootJSON: get(os.ReadFile(filepath.Join(w.repo, "root.json")))(t)}, later, nil)
	must(t, err)
	defer e.Close()
	o, err := e.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if o.Trust.Level != update.NotFresh || o.UpToDate() {
		t.Errorf("trust is %+v, up to date %v", o.Trust, o.UpToDate())
	}
	p, err := e.Prepare(t.Context(), o, update.Choices{}, nil)
	must(t, err)
	_, err = e.Apply(t.Context(), p, nil)
	must(t, err)
}

func TestABrokenConfigurationNamesItsLine(t *testing.T) {
	w := newWorld(t, false, v1)
	file := filepath.Join(w.dir, site.Home, "site.toml")
	text := get(os.ReadFile(file))(t)
	must(t, os.WriteFile(file, append(text, "\n[files]\non_edeted = \"ask\"\n"...), 0o600))
	_, err := update.Open(w.dir, update.Options{})
	if update.KindOf(err) != update.KindMalformed || !strings.Contains(err.Error(), "site.toml:") {
		t.Errorf("want the file and the line, got %v", err)
	}
}

func TestADirectoryWithoutMoultIsNoSite(t *testing.T) {
	_, err := update.Open(t.TempDir(), update.Options{})
	if !errors.Is(err, site.ErrNotSite) || update.KindOf(err) != update.KindPath {
		t.Errorf("got %v", err)
	}
}

func TestInitThatFailsLeavesNothingBehind(t *testing.T) {
	w := newWorld(t, false, v1)
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"something.else": "x"})
	_, err := update.Init(t.Context(), dir, update.InitOptions{URL: w.url, RootJSON: get(os.ReadFile(filepath.Join(w.repo, "root.json")))(t)}, update.Options{}, nil)
	if update.KindOf(err) != update.KindUnknown {
		t.Fatalf("want advice to name the version, got %v", err)
	}
	if _, err := os.Lstat(filepath.Join(dir, site.Home)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", site.Home, err)
	}
}

func TestASiteInUseIsNotTouched(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	e := w.engine()
	p := w.plan(e, update.Choices{})
	lock := get(e.Site().Lock())(t)
	if _, err := e.Apply(t.Context(), p, nil); update.KindOf(err) != update.KindLocked {
		t.Errorf("applied on a locked site: %v", err)
	}
	must(t, lock.Release())
	_, err := e.Apply(t.Context(), p, nil)
	must(t, err)
}

// TestAServerThatHidesItsNewestReleaseIsSeen freezes the repository: the mirror goes on
// handing out yesterday's metadata after newer has been seen.
func TestAServerThatHidesItsNewestReleaseIsSeen(t *testing.T) {
	w := newWorld(t, false, v1)
	frozen := w.repo + "-frozen"
	must(t, os.CopyFS(frozen, os.DirFS(w.repo)))
	w.publish(v2, []edition{v1})
	e := w.engine()
	o, err := e.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if o.UpToDate() {
		t.Fatal("the new release is not offered")
	}
	w.configure(func(c *site.Config) { c.Source.URL = get(fetch.FileURL(frozen))(t) })
	if _, err := w.engine().Check(t.Context(), update.Choices{}, nil); update.KindOf(err) != update.KindUntrusted {
		t.Errorf("metadata that goes backwards was taken: %v", err)
	}
}
