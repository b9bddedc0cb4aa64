package demo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"moult/core/database/embedded"
	"moult/core/demo"
	"moult/core/files"
	"moult/core/publish"
	"moult/core/release"
	"moult/core/update"
)

// TestRoundcubeForwardAndBack updates a real product between two releases that
// Debian ships, five years of development apart, with its real schemas: every
// table changes its character set and row format, tables are added, columns widened.
// `make roundcube` fetches the two packages.
func TestRoundcubeForwardAndBack(t *testing.T) {
	cache := filepath.Join("..", "..", ".cache", "roundcube")
	older, newer := roundcube(t, cache, "old"), roundcube(t, cache, "new")
	dsn := embedded.ForTest(t)
	ctx := context.Background()

	repo := filepath.Join(t.TempDir(), "repo")
	if err := publish.Init(repo, publish.InitOptions{Product: "Roundcube"}); err != nil {
		t.Fatal(err)
	}
	newer.PatchFrom, newer.Delta = []release.Version{older.Version}, true
	for _, r := range []publish.Release{older, newer} {
		if err := publish.Add(ctx, repo, r); err != nil {
			t.Fatal(err)
		}
	}

	dir := filepath.Join(t.TempDir(), "webmail")
	if err := os.CopyFS(dir, os.DirFS(older.Tree)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.inc.php"), []byte("<?php $config['des_key'] = 'mine';\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	fillRoundcube(t, dsn, older.Schema)
	root, err := os.ReadFile(filepath.Join(repo, "root.json"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := update.Init(ctx, dir, update.InitOptions{Name: "Webmail", URL: demo.FileURL(repo), RootJSON: root, DSN: dsn}, update.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if e.Current().Compare(older.Version) != 0 {
		t.Errorf("the site was recognised as %s, want %s", e.Current(), older.Version)
	}
	before := snap(t, dir)

	offer, err := e.Check(ctx, update.Choices{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	choices := update.Choices{OnEdited: files.ChoiceKeep}
	plan, err := e.Prepare(ctx, offer, choices, nil)
	if err != nil {
		t.Fatal(err)
	}
	n := plan.Files.Counts()
	t.Logf("%s → %s by %s: %d bytes instead of %d; %d files changed, %d new, %d removed; %d statements, %s",
		plan.From, plan.To, plan.Strategy.Kind, plan.Strategy.Bytes, plan.Strategy.FullBytes, n.Changed, n.New, n.Removed, len(plan.Schema.Steps), plan.Proof.Reason)
	result, err := e.Apply(ctx, plan, nil)
	if err != nil {
		t.Fatalf("%v\n%+v", err, result)
	}
	t.Logf("updated in %s, the files were between two releases for %s", result.Ended.Sub(result.Started), result.Window)

	v, err := e.Verify(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Same() {
		t.Errorf("after the update the site differs from %s: %v %v", newer.Version, v.Files, v.Schema)
	}
	after := snap(t, dir)
	if _, ok := after.Rows["collected_addresses"]; !ok {
		t.Errorf("the new table is missing: %v", after.Rows)
	}

	if _, err := e.RollBack(ctx, plan.ID, nil); err != nil {
		t.Fatal(err)
	}
	if err := before.Same(snap(t, dir)); err != nil {
		t.Errorf("after the roll back: %v", err)
	}
}

// roundcube describes one of the two releases in the cache.
func roundcube(t *testing.T, cache, name string) publish.Release {
	t.Helper()
	if why, err := os.ReadFile(filepath.Join(cache, "unavailable")); err == nil {
		t.Skipf("Debian's packages of Roundcube are not here: %s", why)
	}
	number, err := os.ReadFile(filepath.Join(cache, name, "version"))
	if err != nil {
		t.Skip("Debian's packages of Roundcube are not here; `make roundcube` fetches them")
	}
	// As in 1.6.18+dfsg-0+deb13u1.
	upstream, _, _ := strings.Cut(strings.TrimSpace(string(number)), "+")
	v, err := release.ParseVersion(upstream)
	if err != nil {
		t.Fatal(err)
	}
	return publish.Release{Version: v, Tree: filepath.Join(cache, name, "tree"), Schema: filepath.Join(cache, name, "schema.sql")}
}

// fillRoundcube loads the schema as it is and puts rows into every table that has
// something to lose: letters of several scripts, quotes, NULL, binary data.
func fillRoundcube(t *testing.T, dsn, schemaFile string) {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MultiStatements = true
	db, err := embedded.Connect(cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(stmt string, args ...any) {
		t.Helper()
		if _, err := db.Exec(stmt, args...); err != nil {
			t.Fatalf("%s: %v", stmt, err)
		}
	}
	exec(string(text))
	names := []string{"Ärpel", "鸭子", "Утка", "O'Quack", `back\slash`, "plain"}
	for i := range 60 {
		name := fmt.Sprintf("%s %d", names[i%len(names)], i)
		exec("INSERT INTO users (username, mail_host, created, language, preferences) VALUES (?, 'localhost', '2021-02-03 04:05:06', 'de_DE', ?)", name, strings.Repeat("a:1:{s:4:\"skin\";}", i))
		exec("INSERT INTO identities (user_id, name, email, signature) VALUES (?, ?, ?, ?)", i+1, name, fmt.Sprintf("u%d@example.org", i), "-- \n"+name)
		exec("INSERT INTO contactgroups (user_id, name) VALUES (?, ?)", i+1, names[i%len(names)])
		for n := range 5 {
			exec("INSERT INTO contacts (user_id, name, email, vcard, words) VALUES (?, ?, ?, ?, NULL)", i+1, names[n], fmt.Sprintf("c%d@example.org", n), "BEGIN:VCARD\r\nFN:"+names[n])
			exec("INSERT INTO contactgroupmembers (contactgroup_id, contact_id) VALUES (?, ?)", i+1, i*5+n+1)
		}
		exec("INSERT INTO dictionary (user_id, language, data) VALUES (?, 'en_US', ?)", i+1, name)
		exec("INSERT INTO session (sess_id, ip, vars) VALUES (?, '::1', ?)", fmt.Sprintf("s%d", i), "dGVzdA==")
		exec("INSERT INTO cache (user_id, cache_key, data) VALUES (?, 'key', ?)", i+1, name)
	}
}

func snap(t *testing.T, dir string) *demo.Snapshot {
	t.Helper()
	s, err := demo.Snap(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
