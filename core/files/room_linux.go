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
	r := room{bytes: int64(st.Bavail) * st.Bsize, files: int64(st.Ffree), readOnly: st.Flags&unix.ST_RDONLY != 0}
	if st.Files == 0 {
		r.files = -1 // btrfs and others make inodes as they are needed
	}
	return r, nil
}

// immutable reports whether a file or directory carries the flag that even root
// can't write past: chattr +i or +a (linux/fs.h).
func immutable(f *os.File) bool {
	const immutableFlag, appendFlag = 0x10, 0x20
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&(immutableFlag|appendFlag) != 0
}
