package publish_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"moult/core/publish"
)

// looking are the commands that only read a repository.
func looking(t testing.TB, repo string) map[string]func() error {
	return map[string]func() error{
		"verify": func() error { _, err := publish.Verify(t.Context(), repo, day); return err },
		"carry": func() error {
			_, err := publish.Carry(t.Context(), repo, io.Discard, publish.CarryOptions{})
			return err
		},
		"keys":  func() error { _, err := publish.PackageKeys(repo); return err },
		"fleet": func() error { _, _, err := publish.MeasureFleet(repo, "stable"); return err },
	}
}

func TestLookingNeedsNoLockAndChangesNothing(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	lock := flock.New(filepath.Join(repo, "metadata", ".lock"))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	must(t, os.WriteFile(filepath.Join(repo, "targets", ".new-1"), nil, 0o644)) // of the command at work
	before := strings.Join(digests(t, repo), "\n")
	for name, command := range looking(t, repo) {
		if err := command(); err != nil {
			t.Errorf("%s while another command is at work: %v", name, err)
		}
	}
	if after := strings.Join(digests(t, repo), "\n"); after != before {
		t.Errorf("it was %s, it is %s", before, after)
	}
	for name, command := range signing(t, repo, publish.DefaultKeys(repo)) {
		if err := command(); err == nil || !strings.Contains(err.Error(), "another publish command is at work") {
			t.Errorf("%s: got %v, want to be kept out", name, err)
		}
	}
	must(t, lock.Close())
	must(t, os.Remove(filepath.Join(repo, "metadata", ".lock")))
	must(t, os.Mkdir(filepath.Join(repo, "metadata", ".lock"), 0o755)) // as if nothing could be written there
	for name, command := range looking(t, repo) {
		if err := command(); err != nil {
			t.Errorf("%s where nothing can be written: %v", name, err)
		}
	}
	for name, command := range signing(t, repo, publish.DefaultKeys(repo)) {
		if err := command(); err == nil || strings.Contains(err.Error(), "another publish command") || !strings.Contains(err.Error(), "lock it") {
			t.Errorf("%s: got %v, want what failed", name, err)
		}
	}
}

func TestPathsMayLookLikePatterns(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "rel[1]")
	must(t, publish.Init(repo, publish.InitOptions{Date: day}))
	must(t, publish.Add(t.Context(), repo, small(t, "1.0.0")))
	left := filepath.Join(repo, "metadata", ".new-1")
	must(t, os.WriteFile(left, nil, 0o644))
	_, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day)
	must(t, err)
	if _, err := os.Stat(left); err == nil {
		t.Error("what a killed command left is still there")
	}
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
}
