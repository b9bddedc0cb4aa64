package demo_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"moult/core/database/embedded"
	"moult/core/demo"
)

func TestDirectoryOfSomethingElseIsLeftAlone(t *testing.T) {
	for _, name := range []string{"sites/default/settings.php", "complete", "demo.json", ".moult-demo/x"} {
		dir := t.TempDir()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := demo.Build(context.Background(), dir, demo.Options{}); !errors.Is(err, demo.ErrNotDemo) {
			t.Errorf("%s: got %v", name, err)
		}
		list, err := os.ReadDir(dir)
		if err != nil || len(list) != 1 {
			t.Errorf("%s: the directory now holds %v, %v", name, list, err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
}

func TestDemoThatWasCutOffIsMadeAnew(t *testing.T) {
	dir, dsn := t.TempDir(), embedded.ForTest(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cut := func(line string) {
		if strings.HasPrefix(line, "installing the shop") {
			cancel()
		}
	}
	if _, err := demo.Build(ctx, dir, demo.Options{DSN: dsn, Report: cut}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	d, err := demo.Build(context.Background(), dir, demo.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := demo.Snap(context.Background(), d.Sites[1]); err != nil {
		t.Error(err)
	}
	if _, err := demo.Build(context.Background(), dir, demo.Options{DSN: dsn}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("opened a second time: %v", err)
	}
}

// TestDatabasesOfOthersAreLeftAlone has the databases of a real shop, and of another
// demo, beside those that a demo makes.
func TestDatabasesOfOthersAreLeftAlone(t *testing.T) {
	cfg, err := mysql.ParseDSN(embedded.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	server := cfg.Clone()
	server.DBName = ""
	db, err := embedded.Connect(server.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	exec := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	cfg.DBName = cfg.DBName[:20]
	theirs := []string{cfg.DBName + "_shop", cfg.DBName + "_wiki"}
	for _, name := range theirs {
		exec("CREATE DATABASE " + name)
		t.Cleanup(func() { exec("DROP DATABASE " + name) })
		exec("CREATE TABLE " + name + ".orders (id INT)")
	}
	untouched := func() {
		t.Helper()
		for _, name := range theirs {
			exec("SELECT id FROM " + name + ".orders")
		}
	}

	d, err := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: cfg.FormatDSN()})
	if err != nil {
		t.Fatal(err)
	}
	_, again := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: cfg.FormatDSN()})
	if again == nil || !strings.Contains(again.Error(), cfg.DBName+"_moult_demo_wiki is there already") {
		t.Errorf("a second demo in the databases of the first: %v", again)
	}
	if _, err := demo.Snap(context.Background(), d.Sites[0]); err != nil {
		t.Errorf("the first demo after that: %v", err)
	}
	untouched()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	untouched()
	var left int
	if err := db.QueryRow("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE ?", cfg.DBName+"\\_moult\\_demo%").Scan(&left); err != nil || left != 0 {
		t.Errorf("the demo leaves %d databases behind, %v", left, err)
	}
}

func TestLongNameOfADatabaseIsShortened(t *testing.T) {
	cfg, err := mysql.ParseDSN(embedded.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg.DBName = strings.Repeat("ä", 60) // need not be there
	d, err := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: cfg.FormatDSN()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if dsn := d.DSN(d.Sites[1]); !strings.Contains(dsn, "_moult_demo_shop") {
		t.Errorf("the shop's database is in %s", dsn)
	}
}
