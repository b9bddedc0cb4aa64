package patch_test

import (
	"archive/zip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/archive"
	"moult/core/patch"
	"moult/core/release"
	"moult/core/site"
)

// makePackage writes a zip with the files.
func makePackage(t *testing.T, files map[string]string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "patch.zip")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	for path, text := range files {
		entry, err := w.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func makeDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.php"), []byte("one"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func read(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "index.php"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// cutOff applies a patch and makes it look like one whose process was killed.
func cutOff(t *testing.T, dir string) {
	t.Helper()
	if _, err := patch.Apply(context.Background(), dir, makePackage(t, map[string]string{"index.php": "two"}), patch.Options{Backup: true}); err != nil {
		t.Fatal(err)
	}
	results, err := filepath.Glob(filepath.Join(dir, site.Home, "updates", "*", "result.json"))
	if err != nil || len(results) != 1 {
		t.Fatal(results, err)
	}
	if err := os.Remove(results[0]); err != nil {
		t.Fatal(err)
	}
}

func TestPatchThatWasCutOffIsUndoneFirst(t *testing.T) {
	ctx, dir := context.Background(), makeDir(t)
	cutOff(t, dir)
	r, err := patch.Apply(ctx, dir, makePackage(t, map[string]string{"index.php": "three"}), patch.Options{Backup: true})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Restored || read(t, dir) != "three" {
		t.Errorf("restored %v, index.php is %q", r.Restored, read(t, dir))
	}
	if _, err := patch.Undo(ctx, dir); err != nil {
		t.Fatal(err)
	}
	if read(t, dir) != "one" {
		t.Errorf("after the undo index.php is %q, want what was there before both patches", read(t, dir))
	}
}

func TestPatchThatWasCutOffIsUndoneFirstWithoutABackupToo(t *testing.T) {
	ctx, dir := context.Background(), makeDir(t)
	cutOff(t, dir)
	r, err := patch.Apply(ctx, dir, makePackage(t, map[string]string{"other.php": "three"}), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Restored || read(t, dir) != "one" {
		t.Errorf("restored %v, index.php is %q", r.Restored, read(t, dir))
	}
}

func TestUndoTakesBackAPatchThatWasCutOff(t *testing.T) {
	dir := makeDir(t)
	cutOff(t, dir)
	if _, err := patch.Undo(context.Background(), dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, site.Home)); read(t, dir) != "one" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("index.php is %q; .moult: %v", read(t, dir), err)
	}
}

func TestWhatIsInTheWayIsSaidOnce(t *testing.T) {
	dir := makeDir(t)
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	_, err := patch.Apply(context.Background(), dir, makePackage(t, map[string]string{"lib/a.php": "two"}), patch.Options{})
	if !errors.Is(err, patch.ErrInTheWay) || strings.Count(err.Error(), "symbolic link to") != 1 {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, site.Home)); err == nil {
		t.Error("something of Moult's is left in the directory")
	}
}

func TestHostilePackageLeavesTheDirectoryAlone(t *testing.T) {
	dir := makeDir(t)
	_, err := patch.Apply(context.Background(), dir, makePackage(t, map[string]string{"index.php": "two", "../outside.php": "!"}), patch.Options{})
	if !errors.Is(err, archive.ErrRefused) {
		t.Errorf("got %v, want a refused archive", err)
	}
	if _, err := os.Stat(filepath.Join(dir, site.Home)); read(t, dir) != "one" || err == nil {
		t.Error("the directory was changed")
	}
}

func TestUndoLeavesNothingButWhatTheAdminSet(t *testing.T) {
	for name, files := range map[string]site.Files{"nothing": {}, "an own path": {Own: []release.Path{"upload"}}} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := context.Background(), makeDir(t)
			admins := len(files.Own) > 0
			if admins {
				s, err := site.Init(dir, site.Config{Name: "wiki", Files: files}, site.State{})
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := patch.Apply(ctx, dir, makePackage(t, map[string]string{"index.php": "two"}), patch.Options{Backup: true}); err != nil {
				t.Fatal(err)
			}
			if _, err := patch.Undo(ctx, dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(dir, site.Home)); errors.Is(err, fs.ErrNotExist) == admins {
				t.Errorf(".moult: %v", err)
			}
		})
	}
}

func TestUndoLeavesNothingInADirectoryThatWasRenamed(t *testing.T) {
	ctx, dir := context.Background(), makeDir(t)
	if _, err := patch.Apply(ctx, dir, makePackage(t, map[string]string{"index.php": "two"}), patch.Options{Backup: true}); err != nil {
		t.Fatal(err)
	}
	renamed := filepath.Join(t.TempDir(), "renamed")
	if err := os.Rename(dir, renamed); err != nil {
		t.Fatal(err)
	}
	if _, err := patch.Undo(ctx, renamed); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(renamed, site.Home)); read(t, renamed) != "one" || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("index.php is %q; .moult: %v", read(t, renamed), err)
	}
}

func TestManagedSiteIsRefused(t *testing.T) {
	dir := makeDir(t)
	s, err := site.Init(dir, site.Config{Name: "wiki", Source: site.Source{URL: "https://updates.example.org/"}}, site.State{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	pkg := makePackage(t, map[string]string{"index.php": "two"})
	if _, err := patch.Apply(context.Background(), dir, pkg, patch.Options{}); !errors.Is(err, patch.ErrManaged) {
		t.Errorf("apply: got %v", err)
	}
	if _, err := patch.Undo(context.Background(), dir); !errors.Is(err, patch.ErrManaged) {
		t.Errorf("undo: got %v", err)
	}
	s, err = site.Open(dir)
	if err != nil || read(t, dir) != "one" {
		t.Fatalf("the site was touched: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestPatchKeepsTheWayBackThatItCouldNotGo has the place for what is removed lead out of
// the site, where neither the patch nor its undo goes.
func TestPatchKeepsTheWayBackThatItCouldNotGo(t *testing.T) {
	ctx, dir, elsewhere := context.Background(), makeDir(t), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	gone := filepath.Join(dir, "gone.php")
	must(os.WriteFile(gone, []byte("one"), 0o644))
	var kept string
	lead := func(done, total int64) {
		if done < total {
			return
		}
		updates, err := filepath.Glob(filepath.Join(dir, site.Home, "updates", "*"))
		must(err)
		kept = filepath.Join(updates[0], "old")
		must(os.Remove(kept))
		must(os.Symlink(elsewhere, kept))
	}
	ops := release.Operations{ReplaceFiles: []release.Path{"index.php"}, DeleteFiles: []release.Path{"gone.php"}}
	_, err := patch.Apply(ctx, dir, makePackage(t, map[string]string{"index.php": "two"}), patch.Options{Operations: &ops, Report: lead})
	if !errors.Is(err, patch.ErrUnfinished) {
		t.Fatalf("the error is %v, want one that is ErrUnfinished", err)
	}
	if _, err := patch.Undo(ctx, dir); err == nil {
		t.Fatal("it was undone through a link")
	}
	must(os.Remove(kept))
	if _, err := patch.Undo(ctx, dir); err != nil {
		t.Fatalf("the way back is gone: %v", err)
	}
	text, err := os.ReadFile(gone)
	if read(t, dir) != "one" || err != nil || string(text) != "one" {
		t.Errorf("index.php is %q, gone.php %q, %v", read(t, dir), text, err)
	}
	if _, err := os.Stat(filepath.Join(dir, site.Home)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf(".moult: %v", err)
	}
}
