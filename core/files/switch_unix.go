//go:build unix

package files

import (
	"errors"

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
