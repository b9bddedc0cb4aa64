package database

import (
	"context"
	"errors"
	"fmt"
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

// smallSite is a site on a server whose data lie on a small disk.
func smallSite(t *testing.T, disk string, statements ...string) *site {
	t.Helper()
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
	s.exec(statements...)
	s.DB = s.open()
	return s
}

// fill takes all of a disk but some bytes, and returns the file that does.
func fill(t *testing.T, disk string, but uint64) string {
	t.Helper()
	free, err := freeBytes(disk)
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	// The server may take some of it meanwhile: then the disk is full as well.
	if err := os.WriteFile(filler, make([]byte, free-but), 0o600); err != nil && !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return filler
}

func TestUndoSucceedsOnADiskWithoutAByteFree(t *testing.T) {
	notShort(t)
	disk := smallDisk(t, "160m")
	s := smallSite(t, disk, shopOld...)
	before := s.sums()
	// The marks of so many statements fill more than the first page of their table.
	target := shopNew
	for i := range 150 {
		target += fmt.Sprintf("CREATE TABLE added_%d (id int NOT NULL PRIMARY KEY);\n", i)
	}
	p := s.plan(target)
	s.run(p)
	fill(t, disk, 0)
	s.undo(p)
	s.sameSums(before, "after undo on a full disk")
}

func TestFullDiskLeavesTheOldTableAndALaterRunSucceeds(t *testing.T) {
	notShort(t)
	disk := smallDisk(t, "120m")
	s := smallSite(t, disk,
		"CREATE TABLE big (id int NOT NULL PRIMARY KEY, a int NOT NULL, v varchar(500) NOT NULL)",
		"INSERT INTO big SELECT seq, seq, REPEAT('x', 400) FROM seq_1_to_50000", "ANALYZE TABLE big")
	before := s.sums()
	p := s.plan("CREATE TABLE big (id int NOT NULL PRIMARY KEY, a bigint NOT NULL, v varchar(500) NOT NULL)")
	// All but some megabytes are taken: too few for a copy of the table, and enough
	// for what the server writes by itself meanwhile.
	filler := fill(t, disk, 12<<20)
	if proved, reason, err := s.Cost(t.Context(), p, s.introspect()); err != nil || !proved {
		t.Fatalf("proved %v, %s, %v", proved, reason, err)
	}
	if found := s.findings(s.DB, p); !hasFinding(found, "database room", levelBlock) {
		t.Errorf("the preflight does not see that room is short: %+v", found)
	}
	err := there(t.Context(), s.DB, p, nil)
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
