package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func leased(t *testing.T) (*Site, string) {
	t.Helper()
	s := newSite(t)
	s.Config.Maintenance.File = "maintenance.flag"
	return s, filepath.Join(s.Dir, "maintenance.flag")
}

func TestFlagSaysUntilWhenItIsGood(t *testing.T) {
	s, name := leased(t)
	l := s.Lease()
	now := time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)
	l.now = func() time.Time { return now }
	if err := l.Raise("u1"); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	until := now.Add(leaseTime)
	want := fmt.Sprintf("moult-maintenance u1\nuntil %s\nuntil-unix %d\n", until.Format(time.RFC3339), until.Unix())
	if string(b) != want {
		t.Errorf("the flag says %q, want %q", b, want)
	}
	for range 2 {
		if err := l.Lower(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the flag is still there: %v", err)
	}
}

func TestFlagOfADeadUpdaterIsLoweredByTheNext(t *testing.T) {
	s, name := leased(t)
	dead := s.Lease()
	if err := dead.write("u0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Lease().Lower(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the flag is still there: %v", err)
	}
}

func TestFlagOfTheAdminIsLeftAlone(t *testing.T) {
	s, name := leased(t)
	if err := os.WriteFile(name, []byte("back at noon"), 0o644); err != nil {
		t.Fatal(err)
	}
	l := s.Lease()
	if err := l.Raise("u1"); err != nil {
		t.Error(err)
	}
	if err := l.Lower(); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(name); err != nil || string(b) != "back at noon" {
		t.Errorf("the admin's flag is now %q, %v", b, err)
	}
}

func TestFlagLeavesNothingElseBehind(t *testing.T) {
	s, name := leased(t)
	l := s.Lease()
	// A writer that was killed has left its file beside the flag.
	if err := os.WriteFile(filepath.Join(s.Dir, ".moult-"+filepath.Base(name)+".tmp"), []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := l.Raise("u1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Lower(); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Name() != Home {
			t.Errorf("%s is left in the site", e.Name())
		}
	}
	if s := newSite(t); s.Lease() != nil {
		t.Error("a site that names no flag has one")
	}
}
