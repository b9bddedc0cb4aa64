package files

import (
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// room is what a file system has left for whoever runs Moult.
type room struct {
	bytes    int64
	files    int64 // how many more files; -1 where that has no limit
	readOnly bool
	quota    bool // a quota leaves less than the disk does
}

// roomOf asks the file system of a directory, and the quota of whoever runs Moult
// and of their group there.
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
	r.limit(quotaOf(f, userQuota, os.Geteuid()))
	r.limit(quotaOf(f, groupQuota, os.Getegid()))
	return r, nil
}

// limit lowers what is left to what a quota leaves.
func (r *room) limit(q dqblk, limited bool) {
	if !limited {
		return
	}
	const block = 1024 // what limits are counted in: quotactl(2)
	if q.blockLimit > 0 {
		if left := int64(min(q.blockLimit, math.MaxInt64/block))*block - int64(q.space); left < r.bytes {
			r.bytes, r.quota = max(left, 0), true
		}
	}
	if q.inodeLimit > 0 {
		if left := int64(q.inodeLimit) - int64(q.inodes); r.files < 0 || left < r.files {
			r.files, r.quota = max(left, 0), true
		}
	}
}

// dqblk is struct if_dqblk of linux/quota.h. Only hard limits count: a soft one may be
// passed for some days.
type dqblk struct {
	blockLimit, blockSoft, space  uint64
	inodeLimit, inodeSoft, inodes uint64
	blockTime, inodeTime          uint64
	valid                         uint32
}

// The kinds of quota, as linux/quota.h numbers them.
const (
	userQuota  = 0
	groupQuota = 1
)

// quotaOf asks for a quota where a file is, by quotactl_fd(2) of Linux 5.14. Where
// none is kept, or it can't be asked for, there is none that is known of; a write that
// it refuses is undone like any other.
func quotaOf(f *os.File, kind, id int) (q dqblk, limited bool) {
	const getQuota = 0x800007 // Q_GETQUOTA of linux/quota.h
	_, _, errno := unix.Syscall6(unix.SYS_QUOTACTL_FD, f.Fd(), uintptr(getQuota<<8|kind), uintptr(id), uintptr(unsafe.Pointer(&q)), 0, 0)
	return q, errno == 0
}

// immutable reports whether a file or directory carries the flag that even root
// can't write past: chattr +i or +a (linux/fs.h).
func immutable(f *os.File) bool {
	const immutableFlag, appendFlag = 0x10, 0x20
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&(immutableFlag|appendFlag) != 0
}
