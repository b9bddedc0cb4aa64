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

func TestDemoRunsItsOwnServerAndOpensAgain(t *testing.T) {
	embedded.ForTest(t) // skips where there is no server program
	dir := t.TempDir()
	ctx := context.Background()
	d, err := demo.Build(ctx, dir, demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := demo.Snap(ctx, d.Sites[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if d, err = demo.Build(ctx, dir, demo.Options{}); err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	again, err := demo.Snap(ctx, d.Sites[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Same(again); err != nil {
		t.Error(err)
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
