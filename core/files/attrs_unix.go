//go:build unix

package files

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// chownAsAllowed gives an open file its owner and group. Who may not give a file
// away keeps it; [Preflight] has said so.
func chownAsAllowed(fd, uid, gid int) error {
	if uid < 0 && gid < 0 {
		return nil
	}
	err := unix.Fchown(fd, uid, gid)
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	if err := unix.Fchown(fd, -1, gid); !errors.Is(err, unix.EPERM) {
		return err
	}
	return nil
}

// identOf returns what tells a file from all others as long as nobody writes to it.
func identOf(info fs.FileInfo) ident {
	id := ident{Size: info.Size(), Time: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Inode = uint64(st.Ino)
	}
	if info.IsDir() {
		id.Size, id.Time = 0, 0 // change whenever something in it does
	}
	return id
}

// deviceOf returns the device that a file is on.
func deviceOf(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Dev)
	}
	return 0
}

// ownerOf returns a file's owner, -1 when the system doesn't tell.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// groupOf returns a file's group, -1 when the system doesn't tell.
func groupOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid)
	}
	return -1
}

// isOwnedBy reports whether a file has an owner and a group; -1 stands for any.
func isOwnedBy(info fs.FileInfo, uid, gid int) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && (uid < 0 || int(st.Uid) == uid) && (gid < 0 || int(st.Gid) == gid)
}

// namesOf returns how many names a file has.
func namesOf(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
