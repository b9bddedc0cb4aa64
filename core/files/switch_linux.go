package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// unnoticed is the flag for reading a file without noting when: open(2).
const unnoticed = unix.O_NOATIME

// exchangeAt swaps two names: renameat2(2) with RENAME_EXCHANGE, Linux 3.15.
func exchangeAt(from *handle, old string, to *handle, new string) error {
	err := renameAt(from, old, to, new, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return errNoExchange
	}
	return err
}

// moveAt renames, never over something. File systems that don't know
// RENAME_NOREPLACE (renameat2(2): EINVAL) get a look before the leap instead.
func moveAt(from *handle, old string, to *handle, new string) error {
	err := renameAt(from, old, to, new, unix.RENAME_NOREPLACE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	if _, err := to.root.Lstat(new); !missing(err) {
		return unix.EEXIST
	}
	return replaceAt(from, old, to, new)
}

// replaceAt renames over whatever has the new name.
func replaceAt(from *handle, old string, to *handle, new string) error {
	return renameAt(from, old, to, new, 0)
}

// linkAt gives a file a second name.
func linkAt(from *handle, old string, to *handle, new string) error {
	return withBoth(from, to, func(a, b int) error { return unix.Linkat(a, old, b, new, 0) })
}

func renameAt(from *handle, old string, to *handle, new string, flags uint) error {
	return withBoth(from, to, func(a, b int) error { return unix.Renameat2(a, old, b, new, flags) })
}
