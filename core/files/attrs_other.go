//go:build unix && !linux

package files

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// readAttrs reads what a file has besides its contents.
func readAttrs(f *os.File) (attrs, error) {
	info, err := f.Stat()
	if err != nil {
		return attrs{}, unwrapPath(err)
	}
	a := attrs{mode: info.Mode().Perm(), uid: -1, gid: -1}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		a.uid, a.gid = int(st.Uid), int(st.Gid)
	}
	return a, nil
}

// inheritAttrs returns what a new file in a directory gets: the directory's owner.
func inheritAttrs(dir *os.File, mode fs.FileMode) (attrs, error) {
	a, err := readAttrs(dir)
	a.mode = mode
	return a, err
}

// applyAttrs gives an open file its attributes: owner first, since changing it
// clears bits of the mode.
func applyAttrs(f *os.File, a attrs) error {
	fd := int(f.Fd())
	if err := chownAsAllowed(fd, a.uid, a.gid); err != nil {
		return err
	}
	return unix.Fchmod(fd, uint32(a.mode.Perm()))
}

// readDirAttrs reads what a directory has besides its entries.
func readDirAttrs(dir *os.File) (attrs, error) { return readAttrs(dir) }

// stampOf: where the time of change is found differs between these systems, so every
// file is read.
func stampOf(fs.FileInfo) (stamp, bool) { return stamp{}, false }

// inheritDirAttrs returns what a new directory gets that is made elsewhere and moved
// below dir.
func inheritDirAttrs(dir *os.File) (attrs, error) { return readAttrs(dir) }
