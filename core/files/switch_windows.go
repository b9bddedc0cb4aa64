package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// exchangeAt: Windows has no call that swaps two names.
func exchangeAt(*handle, string, *handle, string) error { return errNoExchange }

// moveAt renames, never over something.
func moveAt(from *handle, old string, to *handle, new string) error {
	if _, err := to.root.Lstat(new); !missing(err) {
		return fs.ErrExist
	}
	return replaceAt(from, old, to, new)
}

// patience is how long a file that an indexer or a virus scanner has open is
// waited for: it grows from 50 ms to about 5 s in all, as others found enough
// (golang.org/issue/36568).
var patience = []time.Duration{50, 100, 200, 400, 800, 1600, 1600}

// replaceAt renames over whatever has the new name, with the semantics of POSIX
// where the file system has them: [os.Root.Rename] asks for those. It needs one
// root for both names, so it is called on what holds both directories.
func replaceAt(from *handle, old string, to *handle, new string) error {
	root, p, q, err := common(from, old, to, new)
	if err != nil {
		return err
	}
	defer root.Close()
	err = root.Rename(p, q)
	for _, wait := range patience {
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		time.Sleep(wait * time.Millisecond)
		err = root.Rename(p, q)
	}
	return err
}

// linkAt gives a file a second name.
func linkAt(from *handle, old string, to *handle, new string) error {
	root, p, q, err := common(from, old, to, new)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.Link(p, q)
}

// common opens the deepest directory above both names.
func common(from *handle, old string, to *handle, new string) (root *os.Root, p, q string, err error) {
	a, b := filepath.Join(from.root.Name(), old), filepath.Join(to.root.Name(), new)
	dir := filepath.Dir(a)
	for {
		if q, err = filepath.Rel(dir, b); err == nil && filepath.IsLocal(q) {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			return nil, "", "", windows.ERROR_NOT_SAME_DEVICE
		}
		dir = up
	}
	if p, err = filepath.Rel(dir, a); err != nil {
		return nil, "", "", err
	}
	root, err = os.OpenRoot(dir)
	return root, p, q, err
}

// openAt opens a file for reading.
func openAt(h *handle, name string) (*os.File, error) { return h.root.Open(name) }
