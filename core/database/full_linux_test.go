package database

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"moult/core/database/embedded"
)

// smallDisk mounts a file system of its own, which takes root.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small file system can't be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDiskLeavesTheOldTableAndALaterRunSucceeds(t *testing.T) {
	notShort(t)
	disk := smallDisk(t, "120m")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// The server's own file grows by 64 MiB otherwise, more than this disk ever has.
	server, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(disk, "db"), Fast: true,
		Args: []string{"--tmpdir=" + t.TempDir(), "--innodb-autoextend-increment=1"}})
	if errors.Is(err, embedded.ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	if err := server.CreateDatabase(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	dsn, err := ParseDSN(server.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	app, err := embedded.Connect(server.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	s := &site{t: t, dsn: dsn, app: app}
	s.exec("CREATE TABLE big (id int NOT NULL PRIMARY KEY, a int NOT NULL, v varchar(500) NOT NULL)",
		"INSERT INTO big SELECT seq, seq, REPEAT('x', 400) FROM seq_1_to_50000", "ANALYZE TABLE big")
	s.DB = s.open()
	before := s.sums()
	p := s.plan("CREATE TABLE big (id int NOT NULL PRIMARY KEY, a bigint NOT NULL, v varchar(500) NOT NULL)")
	// All but some megabytes are taken: too few for a copy of the table, and enough
	// for what the server writes by itself meanwhile.
	free, err := freeBytes(disk)
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, free-12<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if proved, reason, err := s.Cost(t.Context(), p, s.introspect()); err != nil || !proved {
		t.Fatalf("proved %v, %s, %v", proved, reason, err)
	}
	if found := s.findings(s.DB, p); !hasFinding(found, "database room", levelBlock) {
		t.Errorf("the preflight does not see that room is short: %+v", found)
	}
	err = there(t.Context(), s.DB, p, nil)
	var failure *StepError
	if !errors.As(err, &failure) {
		t.Fatalf("%v; want a failed step", err)
	}
	t.Logf("the server says: %v", err)
	s.undo(p)
	s.sameSums(before, "after a full disk")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.run(p)
	s.undo(p)
	s.sameSums(before, "after a run with room")
}
