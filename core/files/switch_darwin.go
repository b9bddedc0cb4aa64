package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// unnoticed: there is no flag for reading a file without noting when.
const unnoticed = 0

// exchangeAt swaps two names: renameatx_np(2) with RENAME_SWAP, APFS.
func exchangeAt(from *handle, old string, to *handle, new string) error {
	err := renameAt(from, old, to, new, unix.RENAME_SWAP)
	if errors.Is(err, unix.ENOTSUP) || errors.Is(err, unix.EINVAL) {
		return errNoExchange
	}
	return err
}

// moveAt renames, never over something.
func moveAt(from *handle, old string, to *handle, new string) error {
	err := renameAt(from, old, to, new, unix.RENAME_EXCL)
	if !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EINVAL) {
		return err
	}
	if _, err := to.root.Lstat(new); !missing(err) {
		return unix.EEXIST
	}
	return replaceAt(from, old, to, new)
}

// replaceAt renames over whatever has the new name.
func replaceAt(from *handle, old string, to *handle, new string) error {
	return withBoth(from, to, func(a, b int) error { return unix.Renameat(a, old, b, new) })
}

// linkAt gives a file a second name.
func linkAt(from *handle, old string, to *handle, new string) error {
	return withBoth(from, to, func(a, b int) error { return unix.Linkat(a, old, b, new, 0) })
}

func renameAt(from *handle, old string, to *handle, new string, flags uint32) error {
	return withBoth(from, to, func(a, b int) error { return unix.RenameatxNp(a, old, b, new, flags) })
}
