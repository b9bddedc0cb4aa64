//go:build unix && !linux && !darwin

package files

import "golang.org/x/sys/unix"

// unnoticed: there is no flag for reading a file without noting when.
const unnoticed = 0

// exchangeAt: these systems have no call that swaps two names.
func exchangeAt(*handle, string, *handle, string) error { return errNoExchange }

// moveAt renames, never over something.
func moveAt(from *handle, old string, to *handle, new string) error {
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
