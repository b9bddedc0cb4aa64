package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"moult/core/release"
)

// TestScanRefusesWhatSitesWouldRefuse puts one thing that no package may hold into
// a tree, for each thing.
func TestScanRefusesWhatSitesWouldRefuse(t *testing.T) {
	write := func(name string, mode fs.FileMode) func(*os.Root) error {
		return func(r *os.Root) error {
			if err := r.WriteFile(name, []byte("x"), 0o644); err != nil {
				return err
			}
			return r.Chmod(name, mode)
		}
	}
	for _, c := range []struct {
		name, entry, reason string
		put                 func(*os.Root) error
	}{
		{"link", "link", "neither a file nor a directory", func(r *os.Root) error { return r.Symlink("index.php", "link") }},
		{"link to a directory", "link", "neither a file nor a directory", func(r *os.Root) error { return r.Symlink("dir", "link") }},
		{"set-user-ID", "su", "set-user-ID", write("su", 0o755|fs.ModeSetuid)},
		{"not readable", "none", "owner could not read", write("none", 0o200)},
		{"name that Windows can't have", "what?", "not portable", write("what?", 0o644)},
		{"short name", "GIT~1", "can stand for another file", write("GIT~1", 0o644)},
		{"once in capitals", "index.php", "is the same as", write("Index.php", 0o644)},
		{"Moult's directory", ".moult", "belongs to Moult itself", func(r *os.Root) error { return r.Mkdir(".moult", 0o755) }},
		{"description", PackageDir, "reserved for the description", func(r *os.Root) error { return r.Mkdir(PackageDir, 0o755) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("the tree can't be made on a file system that is not Linux's")
			}
			root := openRoot(t, t.TempDir())
			if err := errors.Join(root.Mkdir("dir", 0o755), root.WriteFile("index.php", []byte("x"), 0o644)); err != nil {
				t.Fatal(err)
			}
			if err := c.put(root); err != nil {
				t.Fatal(err)
			}
			_, _, err := Scan(context.Background(), root)
			var e *EntryError
			if os.Getuid() != 0 && errors.Is(err, fs.ErrPermission) && c.name == "not readable" {
				return // the system refuses first
			}
			if !errors.As(err, &e) || e.Name != c.entry || !strings.Contains(e.Error(), c.reason) {
				t.Errorf("error %v, want %q for %s", err, c.reason, c.entry)
			}
		})
	}
}

// TestScanAndExtractListAReleaseAlike packs a tree whose walk is not in order of paths.
func TestScanAndExtractListAReleaseAlike(t *testing.T) {
	root := openRoot(t, t.TempDir())
	if err := errors.Join(root.MkdirAll("lib/empty", 0o755), root.MkdirAll("lib.d", 0o755), root.WriteFile("lib/a.php", []byte("a"), 0o644), root.WriteFile("lib.php", []byte("b"), 0o644)); err != nil {
		t.Fatal(err)
	}
	files, dirs, err := Scan(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	tree := Tree{Files: files, Dirs: dirs, Open: func(p release.Path) (io.ReadCloser, error) { return root.Open(string(p)) }}
	packed := create(t, TarZstd, tree)
	contents, err := Extract(context.Background(), bytes.NewReader(packed), int64(len(packed)), openRoot(t, t.TempDir()), Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(files, contents.Files) {
		t.Errorf("scanned %v, extracted %v", files, contents.Files)
	}
	if len(files) != 2 || files[0].Path != "lib.php" || !slices.Equal(dirs, []release.Path{"lib.d", "lib/empty"}) {
		t.Errorf("scanned %v and %v", files, dirs)
	}
}
