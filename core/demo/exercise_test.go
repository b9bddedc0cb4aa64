package demo_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/database/embedded"
	"moult/core/demo"
)

func TestExerciseComesBackToWhereItBegan(t *testing.T) {
	d, err := demo.Build(context.Background(), t.TempDir(), demo.Options{DSN: embedded.ForTest(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var said strings.Builder
	err = d.Exercise(context.Background(), nil, func(format string, args ...any) {
		fmt.Fprintf(&said, format+"\n", args...)
	})
	t.Log(said.String())
	if err != nil {
		t.Fatal(err)
	}
}

// TestDemoRunsItsOwnServerAndOpensAgain opens a demo where it was made, and after it
// was moved to where each start of the server has another socket.
func TestDemoRunsItsOwnServerAndOpensAgain(t *testing.T) {
	embedded.ForTest(t) // skips where there is no server program
	dir := t.TempDir()
	ctx := context.Background()
	d, err := demo.Build(ctx, dir, demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first := snap(t, d.Sites[0])
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "me@home")
	for i, now := range []string{dir, moved, moved} {
		if i == 1 {
			if err := os.Rename(dir, now); err != nil {
				t.Fatal(err)
			}
		}
		if d, err = demo.Build(ctx, now, demo.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := first.Same(snap(t, d.Sites[0])); err != nil {
			t.Errorf("in %s: %v", now, err)
		}
		if now == moved {
			if err := d.Exercise(ctx, nil, t.Logf); err != nil {
				t.Errorf("in %s: %v", now, err)
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := demo.Build(ctx, moved, demo.Options{DSN: embedded.ForTest(t)}); err == nil || !strings.Contains(err.Error(), "are on its own server") {
		t.Errorf("with another server: %v", err)
	}
}

func TestServerThatIsOfNoUseIsRefusedFirst(t *testing.T) {
	for dsn, want := range map[string]string{
		"root:secret@tcp(127.0.0.1:1)/":     "name one without",
		"mysql://root:secret@127.0.0.1:1/x": "name one without",
		"mysql://root@127.0.0.1:1/x":        "refused",
		"root@tcp(127.0.0.1:1)/":            "refused",
	} {
		dir := t.TempDir()
		_, err := demo.Build(context.Background(), dir, demo.Options{DSN: dsn})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "publisher")); err == nil {
			t.Errorf("%s: the demo was begun", dsn)
		}
	}
}

func TestSnapshotSeesEveryKindOfChange(t *testing.T) {
	ctx := context.Background()
	d, err := demo.Build(ctx, t.TempDir(), demo.Options{DSN: embedded.ForTest(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	site := d.Sites[1]
	before, err := demo.Snap(ctx, site)
	if err != nil {
		t.Fatal(err)
	}
	db, err := embedded.Connect(d.DSN(site))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sql := func(stmt string) func() error {
		return func() error { _, err := db.Exec(stmt); return err }
	}
	version := filepath.Join(site, "VERSION")
	for _, c := range []struct {
		name       string
		do, undo   func() error
		complaints string
	}{
		{"contents", func() error { return os.WriteFile(version, []byte("9\n"), 0o644) }, func() error { return os.WriteFile(version, []byte("2.0.1\n"), 0o644) }, "files differ"},
		{"mode", func() error { return os.Chmod(version, 0o600) }, func() error { return os.Chmod(version, 0o644) }, "files differ"},
		{"row", sql("UPDATE articles SET price = price + 1 WHERE id = 1"), sql("UPDATE articles SET price = price - 1 WHERE id = 1"), "rows of table articles"},
		{"column", sql("ALTER TABLE orders ADD note INT"), sql("ALTER TABLE orders DROP note"), "schema differs"},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		changed, err := demo.Snap(ctx, site)
		if err != nil {
			t.Fatal(err)
		}
		if err := before.Same(changed); err == nil || !strings.Contains(err.Error(), c.complaints) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.complaints)
		}
		if err := c.undo(); err != nil {
			t.Fatal(err)
		}
		restored, err := demo.Snap(ctx, site)
		if err != nil {
			t.Fatal(err)
		}
		if err := before.Same(restored); err != nil {
			t.Errorf("%s: after undoing it: %v", c.name, err)
		}
	}
}
