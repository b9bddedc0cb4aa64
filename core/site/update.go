package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

const (
	updatesDir = "updates"
	birthFile  = "update.json"
	// maxID is the longest name of an update, in bytes.
	maxID = 64
)

// Update is the directory of one update: what it intends, its staged files and,
// after the switch, the files it replaced. Once the update is committed the same
// directory is the restore point.
type Update struct {
	ID      string
	Created time.Time
	Root    *os.Root // .moult/updates/ID

	parent *os.Root
	site   *os.Root // the site's own, which is not closed with the update
}

// birth is what update.json holds. The number orders updates even where the
// clock was set back between them.
type birth struct {
	Number  int       `json:"number"`
	Created time.Time `json:"created"`
}

// NewUpdate makes the directory of a new update. id is letters, digits, "-",
// "_" and "." and not taken.
func (s *Site) NewUpdate(id string) (*Update, error) {
	if err := idFault(id); err != nil {
		return nil, fmt.Errorf("update %q: %w", id, err)
	}
	parent, err := subDir(s.state, updatesDir)
	if err != nil {
		return nil, err
	}
	u := &Update{ID: id, parent: parent, site: s.Root}
	if err := u.create(); err != nil {
		u.Close()
		return nil, fmt.Errorf("update %s: %w", id, err)
	}
	return u, nil
}

func (u *Update) create() error {
	births, err := readBirths(u.parent)
	if err != nil {
		return err
	}
	b := birth{Number: 1, Created: time.Now().UTC()}
	for _, other := range births {
		b.Number = max(b.Number, other.Number+1)
	}
	if err := u.parent.Mkdir(u.ID, 0o700); err != nil {
		return err
	}
	if u.Root, err = u.parent.OpenRoot(u.ID); err != nil {
		return err
	}
	u.Created = b.Created
	if err := writeJSON(u.Root, birthFile, b); err != nil {
		return err
	}
	return syncDir(u.parent, ".")
}

// Update opens the directory of an update. One that is not there gives an error
// that is [fs.ErrNotExist].
func (s *Site) Update(id string) (*Update, error) {
	if err := idFault(id); err != nil {
		return nil, fmt.Errorf("update %q: %w", id, err)
	}
	parent, err := subDir(s.state, updatesDir)
	if err != nil {
		return nil, err
	}
	u := &Update{ID: id, parent: parent, site: s.Root}
	if u.Root, err = parent.OpenRoot(id); err != nil {
		u.Close()
		return nil, err
	}
	var b birth
	if err := readJSON(u.Root, birthFile, &b); err != nil {
		u.Close()
		return nil, fmt.Errorf("update %s: %w", id, err)
	}
	u.Created = b.Created
	return u, nil
}

// Updates lists the updates that are on disk, oldest first. A directory that a
// crash left before it became an update is not one.
func (s *Site) Updates() ([]string, error) {
	parent, err := subDir(s.state, updatesDir)
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	births, err := readBirths(parent)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(births))
	for id := range births {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return births[a].Number - births[b].Number })
	return ids, nil
}

func readBirths(parent *os.Root) (map[string]birth, error) {
	entries, err := fs.ReadDir(parent.FS(), ".")
	if err != nil {
		return nil, err
	}
	births := map[string]birth{}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue // not an update: Sweep removes it
		}
		id := entry.Name()
		var b birth
		switch err := readJSON(parent, id+"/"+birthFile, &b); {
		case err == nil:
			births[id] = b
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("update %s: %w", id, err)
		}
	}
	return births, nil
}

func idFault(id string) error {
	if id == "" || len(id) > maxID || id[0] == '.' {
		return fmt.Errorf("want 1 to %d letters, digits, '-', '_' or '.', not beginning with '.'", maxID)
	}
	for _, r := range id {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
		default:
			return fmt.Errorf("%q is not a letter, digit, '-', '_' or '.'", r)
		}
	}
	return nil
}

// WriteJSON writes v to a file of the update.
func (u *Update) WriteJSON(name string, v any) error { return writeJSON(u.Root, name, v) }

// ReadJSON reads a file of the update into v, strictly: a key that v doesn't
// have is an error.
func (u *Update) ReadJSON(name string, v any) error { return readJSON(u.Root, name, v) }

// Close closes the directory.
func (u *Update) Close() error {
	var errs []error
	if u.Root != nil {
		errs = append(errs, u.Root.Close())
	}
	return errors.Join(append(errs, u.parent.Close())...)
}

// Remove removes the update with everything in it and closes it. Removing is
// safe to interrupt: what remains is no update any more and goes with the next
// [Site.Sweep].
func (u *Update) Remove() error {
	if err := u.removeOutposts(); err != nil {
		return fmt.Errorf("remove update %s: %w", u.ID, err)
	}
	if err := u.Root.Remove(birthFile); err != nil && !isMissing(err) {
		return fmt.Errorf("remove update %s: %w", u.ID, err)
	}
	if err := syncDir(u.Root, "."); err != nil {
		return fmt.Errorf("remove update %s: %w", u.ID, err)
	}
	if err := u.parent.RemoveAll(u.ID); err != nil {
		return fmt.Errorf("remove update %s: %w", u.ID, err)
	}
	return u.Close()
}

// Has reports whether the update's directory holds name.
func (u *Update) Has(name string) bool {
	_, err := u.Root.Lstat(name)
	return err == nil
}

// Trim removes everything from the update's directory but the named files, its
// journal and what makes it an update. What remains is a line of the history.
func (u *Update) Trim(keep ...string) error {
	if err := u.removeOutposts(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(u.Root.FS(), ".")
	if err != nil {
		return err
	}
	keep = append(keep, birthFile, JournalFile)
	for _, entry := range entries {
		if slices.Contains(keep, entry.Name()) {
			continue
		}
		if err := u.Root.RemoveAll(entry.Name()); err != nil {
			return err
		}
	}
	return nil
}

// Size returns how many bytes removing the update would free. A file that is
// also linked elsewhere frees nothing.
func (u *Update) Size() (int64, error) {
	total, err := sizeOf(u.Root)
	if err != nil {
		return 0, err
	}
	dirs, err := u.outposts()
	if err != nil {
		return 0, err
	}
	for _, dir := range dirs {
		root, err := u.Outpost(dir)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return 0, err
		}
		more, err := sizeOf(root)
		if err := errors.Join(err, root.Close()); err != nil {
			return 0, err
		}
		total += more
	}
	return total, nil
}

// sizeOf adds up the files of a directory that have no other name.
func sizeOf(root *os.Root) (total int64, err error) {
	err = fs.WalkDir(root.FS(), ".", func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() && !linkedElsewhere(info) {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

// Sweep removes what crashes left behind: half-made updates and files that were
// being written. Only the holder of the lock may call it.
func (s *Site) Sweep() error {
	parent, err := subDir(s.state, updatesDir)
	if err != nil {
		return err
	}
	defer parent.Close()
	errs := []error{sweep(s.home), sweep(s.state)}
	births, err := readBirths(parent)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	d, err := parent.Open(".")
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	errs = append(errs, err)
	for _, id := range names {
		if _, whole := births[id]; !whole {
			errs = append(errs, parent.RemoveAll(id))
		}
	}
	return errors.Join(errs...)
}
