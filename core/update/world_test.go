package update_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"moult/core/database"
	"moult/core/database/embedded"
	"moult/core/fetch"
	"moult/core/files"
	"moult/core/publish"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/site"
	"moult/core/update"
)

func TestMain(m *testing.M) { os.Exit(embedded.Main(m)) }

// ballast is unchanged and does not compress, so that the smallest package is not
// the full one.
var ballast = func() string {
	b := make([]byte, 64<<10)
	rand.NewChaCha8([32]byte{}).Read(b)
	return string(b)
}()

// edition is one release of the product that these tests publish.
type edition struct {
	version string
	files   map[string]string
	schema  string
	scripts map[string]string
	rollout int // per cent; 0: all
}

var (
	v1 = edition{
		version: "1.0.0",
		files: map[string]string{
			"index.php":            "<?php echo 'one';\n",
			"lib/core.php":         "<?php // core 1\n",
			"lib/gone.php":         "<?php // only in one\n",
			"lib/deep/a/b/c.php":   "<?php // deep\n",
			"config/default.conf":  "colour = blue\nsize = 10\nshape = round\n",
			"assets/logo.bin":      "\x00\x01one",
			"assets/unchanged.css": "body {}\n",
			"assets/ballast.bin":   ballast,
		},
		schema: `CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) NOT NULL, fax VARCHAR(20)) ENGINE=InnoDB;
CREATE TABLE old_log (id INT NOT NULL PRIMARY KEY, line TEXT) ENGINE=InnoDB;`,
	}
	v2 = edition{
		version: "1.1.0",
		files: map[string]string{
			"index.php":            "<?php echo 'two';\n",
			"lib/core.php":         "<?php // core 2\n",
			"lib/fresh/new.php":    "<?php // new in two\n",
			"lib/deep/a/b/c.php":   "<?php // deep 2\n",
			"config/default.conf":  "colour = blue\nsize = 10\nshape = square\n",
			"assets/logo.bin":      "\x00\x02two",
			"assets/unchanged.css": "body {}\n",
			"assets/ballast.bin":   ballast,
		},
		schema: `CREATE TABLE users (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(100) NOT NULL DEFAULT '', KEY name (name)) ENGINE=InnoDB;
CREATE TABLE tags (id INT NOT NULL PRIMARY KEY, label VARCHAR(30) NOT NULL) ENGINE=InnoDB;`,
		scripts: map[string]string{
			"01-emails.sql":      "UPDATE users SET email = CONCAT(name, '@example.org');\n",
			"01-emails.undo.sql": "UPDATE users SET email = '';\n",
		},
	}
)

// world is a publisher and one site.
type world struct {
	t    *testing.T
	repo string
	dir  string // of the site
	dsn  database.DSN
	text string // the DSN as the driver reads it
	url  string
	keys string // "": where Init puts them
}

// newWorld publishes editions and makes a site of the first one. With a database
// the test is skipped where no server can be started.
func newWorld(t *testing.T, withDatabase bool, editions ...edition) *world {
	t.Helper()
	base := t.TempDir()
	w := &world{t: t, repo: filepath.Join(base, "repo"), dir: filepath.Join(base, "site")}
	must(t, publish.Init(w.repo, publish.InitOptions{Product: "Testers"}))
	for i, e := range editions {
		w.publish(e, editions[:i])
	}
	w.url = get(fetch.FileURL(w.repo))(t)
	writeTree(t, w.dir, editions[0].files)
	io := update.InitOptions{URL: w.url, RootJSON: get(os.ReadFile(filepath.Join(w.repo, "root.json")))(t), Name: "test"}
	if withDatabase {
		w.text = embedded.ForTest(t)
		w.dsn = get(database.ParseDSN(w.text))(t)
		w.exec(editions[0].schema)
		w.exec(`INSERT INTO users (name, fax) VALUES ('ann', '1-11'), ('bob', NULL), ('cid', '3-33'); INSERT INTO old_log VALUES (1, 'first'), (2, NULL);`)
		io.DSN = w.text
		if secret := get(mysql.ParseDSN(w.text))(t).Passwd; secret != "" {
			password := filepath.Join(base, "password")
			must(t, os.WriteFile(password, []byte(secret+"\n"), 0o600))
			io.PasswordFrom = "file:" + password
		}
	}
	e, err := update.Init(t.Context(), w.dir, io, update.Options{}, nil)
	must(t, err)
	must(t, e.Close())
	return w
}

func (w *world) publish(e edition, older []edition) {
	w.t.Helper()
	src := filepath.Join(filepath.Dir(w.repo), "src-"+e.version)
	writeTree(w.t, filepath.Join(src, "tree"), e.files)
	writeTree(w.t, src, map[string]string{"schema.sql": e.schema, "notes.md": "# " + e.version + "\n\nNotes.\n"})
	r := publish.Release{
		Version: get(release.ParseVersion(e.version))(w.t), Tree: filepath.Join(src, "tree"), Schema: filepath.Join(src, "schema.sql"),
		Notes: filepath.Join(src, "notes.md"), Channel: "stable", Date: time.Now(), Rollout: e.rollout, Keys: publish.KeySource{Place: w.keys},
	}
	if len(e.scripts) > 0 {
		r.Scripts = filepath.Join(src, "scripts")
		writeTree(w.t, r.Scripts, e.scripts)
	}
	for _, o := range older {
		r.PatchFrom = append(r.PatchFrom, get(release.ParseVersion(o.version))(w.t))
		r.Delta = true
	}
	must(w.t, publish.Add(w.t.Context(), w.repo, r))
}

// tamper changes the published files whose names contain part, as an attacker on
// the server would.
func (w *world) tamper(part string, change func([]byte) []byte) {
	w.t.Helper()
	n := 0
	must(w.t, filepath.WalkDir(filepath.Join(w.repo, "targets"), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.Contains(entry.Name(), part) {
			return err
		}
		n++
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(name, change(text), 0o644)
	}))
	if n == 0 {
		w.t.Fatalf("no published file is called %s", part)
	}
}

// engine opens the site.
func (w *world) engine() *update.Engine {
	w.t.Helper()
	e, err := update.Open(w.dir, update.Options{})
	must(w.t, err)
	w.t.Cleanup(func() { e.Close() })
	return e
}

// plan checks and prepares with the given choices.
func (w *world) plan(e *update.Engine, c update.Choices) *update.Plan {
	w.t.Helper()
	o, err := e.Check(w.t.Context(), c, nil)
	must(w.t, err)
	p, err := e.Prepare(w.t.Context(), o, c, nil)
	must(w.t, err)
	return p
}

// configure changes site.toml.
func (w *world) configure(change func(*site.Config)) {
	w.t.Helper()
	s, err := site.Open(w.dir)
	must(w.t, err)
	defer s.Close()
	cfg := s.Config
	change(&cfg)
	must(w.t, s.SaveConfig(cfg))
}

// state is everything that has to be old or new, as one comparable text.
func (w *world) state() string {
	w.t.Helper()
	var b strings.Builder
	root, err := os.OpenRoot(w.dir)
	must(w.t, err)
	defer root.Close()
	tree, err := files.TreeDigest(w.t.Context(), root, func(p string) bool { return p == site.Home })
	must(w.t, err)
	fmt.Fprintln(&b, "version", w.engine().Current())
	fmt.Fprintln(&b, "tree", tree)
	if w.text == "" {
		return b.String()
	}
	db, err := database.Open(w.t.Context(), w.dsn)
	must(w.t, err)
	defer db.Close()
	live, err := db.Introspect(w.t.Context())
	must(w.t, err)
	b.WriteString(schema.Emit(live, db.Flavor()))
	sums, err := db.Checksum(w.t.Context())
	must(w.t, err)
	for _, table := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintln(&b, table, sums[table])
	}
	return b.String()
}

// exec runs statements on the site's database as its application would.
func (w *world) exec(statements string) {
	w.t.Helper()
	pool := w.pool()
	for _, s := range strings.Split(statements, ";") {
		if strings.TrimSpace(s) == "" {
			continue
		}
		if _, err := pool.ExecContext(context.Background(), s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

// pool connects to the site's database as its application would.
func (w *world) pool() *sql.DB {
	w.t.Helper()
	pool := get(sql.Open("mysql", w.text))(w.t)
	w.t.Cleanup(func() { pool.Close() })
	return pool
}

func writeTree(t *testing.T, dir string, tree map[string]string) {
	t.Helper()
	for name, text := range tree {
		full := filepath.Join(dir, filepath.FromSlash(name))
		must(t, os.MkdirAll(filepath.Dir(full), 0o755))
		must(t, os.WriteFile(full, []byte(text), 0o644))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// get unwraps a value that may not fail: get(f())(t).
func get[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}
