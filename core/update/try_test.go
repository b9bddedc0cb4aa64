package update_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/site"
	"moult/core/update"
)

// TestSettingsAreTriedBeforeTheyAreSaved asks each test button of the settings for
// what is right and for what is wrong.
func TestSettingsAreTriedBeforeTheyAreSaved(t *testing.T) {
	w := newWorld(t, true, v1, v2)
	e := w.engine()
	cfg := e.Site().Config
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }))
	defer server.Close()
	cfg.Health.URL = server.URL

	said, err := e.TrySource(t.Context(), cfg)
	if err != nil || !strings.HasPrefix(said, "1.1.0 of ") {
		t.Errorf("source: %q, %v", said, err)
	}
	said, err = e.TryDatabase(t.Context(), cfg)
	if err != nil || !strings.HasSuffix(said, ", tables: 2.") {
		t.Errorf("database: %q, %v", said, err)
	}
	said, err = e.TryHealth(t.Context(), cfg)
	if err != nil || said != "The site answers 200 OK." {
		t.Errorf("health: %q, %v", said, err)
	}

	wrong := cfg
	wrong.Source.URL = "file://" + filepath.ToSlash(filepath.Join(t.TempDir(), "nowhere")) + "/"
	if _, err := e.TrySource(t.Context(), wrong); update.KindOf(err) != update.KindHTTP {
		t.Errorf("source that isn't there: kind %q, %v", update.KindOf(err), err)
	}
	wrong.Database = site.Database{DSN: "nobody@tcp(127.0.0.1:9)/nothing"}
	if _, err := e.TryDatabase(t.Context(), wrong); update.KindOf(err) != update.KindDatabase || !strings.Contains(err.Error(), "127.0.0.1:9") {
		t.Errorf("database that isn't there: kind %q, %v", update.KindOf(err), err)
	}
	code = http.StatusInternalServerError
	if _, err := e.TryHealth(t.Context(), cfg); update.KindOf(err) != update.KindUnhealthy || !strings.Contains(err.Error(), "500") {
		t.Errorf("broken site: kind %q, %v", update.KindOf(err), err)
	}

	none := cfg
	none.Database, none.Health = site.Database{}, site.Health{}
	if said, err = e.TryDatabase(t.Context(), none); err != nil || said != "This site has no database." {
		t.Errorf("no database: %q, %v", said, err)
	}
	if said, err = e.TryHealth(t.Context(), none); err != nil || said != "This site has no health check." {
		t.Errorf("no health check: %q, %v", said, err)
	}
}

func TestAPublisherIsMetByItsAddress(t *testing.T) {
	w := newWorld(t, false, v1)
	met, err := update.MeetPublisher(t.Context(), w.url)
	must(t, err)
	root := get(os.ReadFile(filepath.Join(w.repo, "root.json")))(t)
	read, err := update.ReadPublisher(root)
	must(t, err)
	if met.Name != "Testers" || met.Fingerprint == "" || met.Fingerprint != read.Fingerprint || string(met.Root) != string(root) {
		t.Errorf("met %q, %q", met.Name, met.Fingerprint)
	}
	empty := httptest.NewServer(http.NotFoundHandler())
	defer empty.Close()
	if _, err := update.MeetPublisher(t.Context(), empty.URL); update.KindOf(err) != update.KindHTTP || !strings.Contains(err.Error(), "has no root.json") {
		t.Errorf("a server without a publisher: %v", err)
	}
	if _, err := update.ReadPublisher([]byte("{}")); err == nil {
		t.Error("an empty document is taken for a publisher")
	}
}

// TestTheVersionsOfAFileAndTheLogAreThereAfterAnUpdate reads what review and
// history show.
func TestTheVersionsOfAFileAndTheLogAreThereAfterAnUpdate(t *testing.T) {
	w := newWorld(t, false, v1, v2)
	writeTree(t, w.dir, map[string]string{"config/default.conf": "colour = red\nsize = 10\nshape = round\n"})
	e := w.engine()
	p := w.plan(e, update.Choices{OnEdited: "merge"})
	for _, when := range []string{"planned", "applied"} {
		v, err := e.Contents(p, "config/default.conf")
		must(t, err)
		if got, want := string(v.Shipped), v1.files["config/default.conf"]; got != want {
			t.Errorf("%s: shipped %q, want %q", when, got, want)
		}
		if got := string(v.Here); got != "colour = red\nsize = 10\nshape = round\n" {
			t.Errorf("%s: here %q", when, got)
		}
		if got, want := string(v.Merged), "colour = red\nsize = 10\nshape = square\n"; got != want {
			t.Errorf("%s: merged %q, want %q", when, got, want)
		}
		if when == "planned" {
			_, err := e.Apply(t.Context(), p, nil)
			must(t, err)
		}
	}
	f, err := e.Log(p.ID)
	must(t, err)
	defer f.Close()
	if text := string(get(io.ReadAll(f))(t)); !strings.Contains(text, `"stage":"commit"`) {
		t.Errorf("the log doesn't tell of the commit:\n%s", text)
	}
	if _, err := e.Log("none"); update.KindOf(err) != update.KindPath {
		t.Errorf("the log of an update that never was: %v", err)
	}
}
