//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// withBoth calls do with the descriptors of both directories, again when a signal
// interrupts it.
func withBoth(from, to *handle, do func(a, b int) error) error {
	a, err := from.fd()
	if err != nil {
		return err
	}
	b, err := to.fd()
	if err != nil {
		return err
	}
	for {
		if err := do(a, b); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// openAt opens a file for reading, and no link. [os.Root] would try to have the
// runtime wait for the file, which no file on a disk can be waited for: five system
// calls more for each. The time at which the file was last read stays, where the system
// can do that and the file is one's own: what only looks changes nothing, and the disk
// need not note it for thousands of files.
func openAt(h *handle, name string) (*os.File, error) {
	dir, err := h.fd()
	if err != nil {
		return nil, err
	}
	flags := unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC | unnoticed
	for {
		fd, err := unix.Openat(dir, name, flags, 0)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case errors.Is(err, unix.ELOOP):
			return nil, ErrChanged // a link since it was looked at
		case errors.Is(err, unix.EPERM) && flags&unnoticed != 0:
			flags &^= unnoticed // somebody else's: open(2)
		case !errors.Is(err, unix.EINTR):
			return nil, err
		}
	}
}
