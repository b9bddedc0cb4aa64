package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// room is what a file system has left for whoever runs Moult.
type room struct {
	bytes    int64
	files    int64 // how many more files; -1 where that has no limit
	readOnly bool
	quota    bool // a quota leaves less than the disk does, where that can be told apart
}

// roomOf asks the file system of a directory.
func roomOf(dir *os.Root) (room, error) {
	f, err := dir.Open(".")
	if err != nil {
		return room{}, err
	}
	defer f.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return room{}, err
	}
	return room{bytes: int64(st.Bavail) * int64(st.Bsize), files: int64(st.Ffree), readOnly: st.Flags&unix.MNT_RDONLY != 0}, nil
}

// immutable reports whether a file carries the flag chflags uchg or schg.
func immutable(f *os.File) bool {
	var st unix.Stat_t
	const userImmutable, systemImmutable = 0x2, 0x20000 // sys/stat.h
	return unix.Fstat(int(f.Fd()), &st) == nil && st.Flags&(userImmutable|systemImmutable) != 0
}
