package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// plain are file systems whose directories hold the very inode numbers that a look at
// the files would give, by their magic of linux/magic.h: ext2 to ext4, xfs, btrfs, f2fs
// and tmpfs. Those of overlays and of networks don't always.
var plain = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC}

// one is eachByName with one call for a whole directory, where its file system can be
// trusted with what it tells.
func (l *listing) one(t *tree, rel string) ([]node, []string, error) {
	at := path.Join(l.top, rel)
	h, name, err := t.parent(at)
	if missing(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	above, err := h.fd()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	fd, err := again(func() (int, error) {
		return unix.Openat(above, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	if st.Dev != l.device.Load() {
		var system unix.Statfs_t
		if unix.Fstatfs(fd, &system) != nil || !slices.Contains(plain, int64(system.Type)) {
			return l.eachByName(t, rel)
		}
		l.device.Store(st.Dev)
	}
	nodes := []node{{path: rel, inode: st.Ino, dir: true, device: st.Dev, mode: st.Mode, owner: int(st.Uid), group: int(st.Gid)}}
	nodes, dirs, known, err := entries(fd, rel, nodes)
	if missing(err) {
		return nil, nil, nil // removed since it was opened
	}
	if err == nil && !known {
		return l.eachByName(t, rel)
	}
	if err == nil {
		err = l.count(len(nodes) - 1 + len(dirs))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", at, err)
	}
	return nodes, dirs, nil
}

// entries adds the files in an open directory to nodes, and returns the paths of the
// directories in it. Known is false where it does not tell what they are.
func entries(fd int, rel string, nodes []node) (all []node, dirs []string, known bool, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := again(func() (int, error) { return unix.Getdents(fd, buf[:]) })
		if err != nil || n == 0 {
			return nodes, dirs, true, err
		}
		for b := buf[:n]; len(b) > 0; {
			var e dirent
			e, b = parseDirent(b)
			switch sub := path.Join(rel, string(e.name)); {
			case string(e.name) == "." || string(e.name) == "..":
			case e.kind == unix.DT_UNKNOWN:
				return nil, nil, false, nil
			case e.kind == unix.DT_DIR:
				dirs = append(dirs, sub)
			default:
				nodes = append(nodes, node{path: sub, inode: e.inode})
			}
		}
	}
}

// dirent is an entry as getdents64(2) gives it.
type dirent struct {
	inode uint64
	kind  byte
	name  []byte
}

// parseDirent reads the first entry and returns what follows it: the inode in eight
// bytes, an offset in eight, the length in two, the kind in one, the name up to a zero.
func parseDirent(b []byte) (dirent, []byte) {
	const head = 8 + 8 + 2 + 1
	length := binary.NativeEndian.Uint16(b[16:])
	name, _, _ := bytes.Cut(b[head:length], []byte{0})
	return dirent{inode: binary.NativeEndian.Uint64(b), kind: b[18], name: name}, b[length:]
}

// again repeats a call that a signal interrupts.
func again(do func() (int, error)) (int, error) {
	for {
		if n, err := do(); !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
