package files

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"moult/core/release"
)

func TestReadingIsNotNoted(t *testing.T) {
	dir := t.TempDir()
	once := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	read := func(name string) int64 {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		return info.Sys().(*syscall.Stat_t).Atim.Sec
	}
	for _, name := range []string{"mine", "control"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o644))
		must(t, os.Chtimes(filepath.Join(dir, name), once, time.Now()))
	}
	if _, err := os.ReadFile(filepath.Join(dir, "control")); err != nil {
		t.Fatal(err)
	}
	if read("control") == once.Unix() {
		t.Skip("this disk notes no reading")
	}
	tree := treeOf(t, dir)
	if _, err := stateOf(tree, "mine"); err != nil {
		t.Fatal(err)
	}
	if got := read("mine"); got != once.Unix() {
		t.Errorf("the file was last read at %d, want %d", got, once.Unix())
	}
}

// TestFilesOfOthersAreRead reads as a user who may read a file and does not own it.
func TestFilesOfOthersAreRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else for a moment")
	}
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "theirs"), []byte("text"), 0o644))
	h, name, err := treeOf(t, dir).parent("theirs")
	must(t, err)
	fd, err := h.fd()
	must(t, err)

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if _, err := unix.SetfsuidRetUid(nobody); err != nil {
		t.Fatal(err)
	}
	defer unix.SetfsuidRetUid(0)
	if fd, err := unix.Openat(fd, name, unix.O_RDONLY|unix.O_NOATIME, 0); !errors.Is(err, unix.EPERM) {
		unix.Close(fd)
		t.Skipf("this disk lets everybody read unnoted: %v", err)
	}
	f, err := openAt(h, name)
	must(t, err)
	defer f.Close()
	sum, _, err := hashOf(f, 4)
	if err != nil || sum != release.DigestOf([]byte("text")) {
		t.Errorf("got %s, %v", sum, err)
	}
}

// treeOf opens a tree on a directory.
func treeOf(t *testing.T, dir string) *tree {
	t.Helper()
	root, err := os.OpenRoot(dir)
	must(t, err)
	tree := newTree(root)
	t.Cleanup(func() {
		tree.close()
		root.Close()
	})
	return tree
}
