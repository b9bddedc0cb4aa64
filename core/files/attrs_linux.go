package files

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	aclAccess  = "system.posix_acl_access"
	aclDefault = "system.posix_acl_default"
	selinux    = "security.selinux"
)

// kept reports whether an extended attribute goes over to the file that replaces
// one. Capabilities and signatures (security.capability, .ima, .evm) vouch for the
// old contents, so they don't.
func kept(name string) bool {
	return name == aclAccess || name == selinux || name == "security.SMACK64" || strings.HasPrefix(name, "user.")
}

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
	a.xattrs, err = readXattrs(int(f.Fd()), kept)
	return a, err
}

// inheritAttrs returns what a new file in a directory gets: the directory's owner
// and label, and its default access list.
func inheritAttrs(dir *os.File, mode fs.FileMode) (attrs, error) {
	a, err := readAttrs(dir)
	if err != nil {
		return attrs{}, err
	}
	a.mode = mode
	a.xattrs, err = readXattrs(int(dir.Fd()), func(name string) bool { return name == aclDefault || name == selinux })
	for i := range a.xattrs {
		if a.xattrs[i].name == aclDefault {
			a.xattrs[i].name = aclAccess
		}
	}
	return a, err
}

// inheritDirAttrs returns what a new directory gets that is made elsewhere and moved
// below dir: what the system would have handed on to it.
func inheritDirAttrs(dir *os.File) (attrs, error) {
	a, err := readAttrs(dir)
	if err != nil {
		return attrs{}, err
	}
	own, err := inheritAttrs(dir, a.mode)
	if err != nil {
		return attrs{}, err
	}
	handed, err := readXattrs(int(dir.Fd()), func(name string) bool { return name == aclDefault })
	own.xattrs = append(own.xattrs, handed...)
	return own, err
}

func readXattrs(fd int, want func(string) bool) ([]xattr, error) {
	n, err := unix.Flistxattr(fd, nil)
	if n == 0 || errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := make([]byte, n)
	if n, err = unix.Flistxattr(fd, names); err != nil {
		return nil, err
	}
	var list []xattr
	for name := range strings.SplitSeq(strings.TrimRight(string(names[:n]), "\x00"), "\x00") {
		if !want(name) {
			continue
		}
		value := make([]byte, 1<<16) // XATTR_SIZE_MAX of linux/limits.h
		n, err := unix.Fgetxattr(fd, name, value)
		if errors.Is(err, unix.ENODATA) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, xattr{name, value[:n]})
	}
	return list, nil
}

// applyAttrs gives an open file its attributes. Owner first, since changing it
// clears bits of the mode; the access list next; the mode last, since it sets the
// mask of the access list.
func applyAttrs(f *os.File, a attrs) error {
	fd := int(f.Fd())
	if err := chownAsAllowed(fd, a.uid, a.gid); err != nil {
		return err
	}
	for _, x := range a.xattrs {
		err := unix.Fsetxattr(fd, x.name, x.value, 0)
		// Labels may be the policy's alone to set; then the kernel's choice stays.
		if err != nil && !(strings.HasPrefix(x.name, "security.") && (errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EACCES))) {
			return err
		}
	}
	return unix.Fchmod(fd, uint32(a.mode.Perm()))
}

// readDirAttrs reads what a directory has besides its entries, with the access list
// that it hands on to what is made in it.
func readDirAttrs(dir *os.File) (attrs, error) {
	a, err := readAttrs(dir)
	if err != nil {
		return attrs{}, err
	}
	a.xattrs, err = readXattrs(int(dir.Fd()), func(name string) bool { return kept(name) || name == aclDefault })
	return a, err
}

// stampOf returns what changes whenever a file is written to.
func stampOf(info fs.FileInfo) (stamp, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{inode: int64(st.Ino), size: st.Size, mtime: st.Mtim.Nano(), ctime: st.Ctim.Nano()}, true
}
