package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"moult/core/site"
)

// disk is every way in which this package changes anything. Reading does not go
// through it. [realDisk] does what it says; tests put themselves between to fail,
// to stop and to record.
type disk interface {
	// create makes a new file, readable by its owner only.
	create(t *tree, p string) (io.WriteCloser, error)
	// mkdir makes a directory, if it is not there, and gives it the attributes.
	mkdir(t *tree, p string, a attrs) error
	// setAttrs gives a file its attributes and makes it modified now.
	setAttrs(t *tree, p string, a attrs) error
	// exchange swaps what two paths hold, in one step. [errNoExchange] says that
	// the system or file system can't.
	exchange(a *tree, p string, b *tree, q string) error
	// move renames; something at the new place is an error that is [fs.ErrExist].
	move(a *tree, p string, b *tree, q string) error
	// replace renames over what is at the new place.
	replace(a *tree, p string, b *tree, q string) error
	// link gives a file a second name.
	link(a *tree, p string, b *tree, q string) error
	// remove removes a file or an empty directory.
	remove(t *tree, p string) error
	// barrier makes all changes so far durable.
	barrier(t *tree) error
	// reserve makes sure of the room that an undo may need.
	reserve(s *site.Site) error
	// note appends to a journal, flush makes the journal durable.
	note(j *site.Journal, kind string, data any) error
	flush(j *site.Journal) error
}

// errNoExchange says that two paths can't be swapped in one step here.
var errNoExchange = errors.New("this file system can't exchange two files")

// attrs are what a file has besides its contents.
type attrs struct {
	mode     fs.FileMode // permission bits
	uid, gid int         // -1: as whoever creates it gets
	xattrs   []xattr
}

// alreadyOf reports whether a file has them all. An access list would show in none of
// what is compared, so one to be set is never taken for set.
func (a attrs) alreadyOf(info fs.FileInfo) bool {
	return info.Mode() == a.mode.Perm() && len(a.xattrs) == 0 && isOwnedBy(info, a.uid, a.gid)
}

// xattr is an extended attribute: access lists and security labels are ones too.
type xattr struct {
	name  string
	value []byte
}

// realDisk is the disk.
type realDisk struct{}

var _ disk = realDisk{}

func (realDisk) create(t *tree, p string) (io.WriteCloser, error) {
	h, name, err := t.parent(p)
	if err != nil {
		return nil, err
	}
	f, err := h.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return f, nil
}

func (realDisk) mkdir(t *tree, p string, a attrs) error {
	h, name, err := t.parent(p)
	if err != nil {
		return err
	}
	if err := h.root.Mkdir(name, a.mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	sub, err := h.open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	defer sub.Close()
	f, err := sub.Open(".")
	if err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	defer f.Close()
	return applyAttrs(f, a)
}

func (realDisk) setAttrs(t *tree, p string, a attrs) error {
	h, name, err := t.parent(p)
	if err != nil {
		return err
	}
	info, err := h.root.Lstat(name)
	if err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	if !a.alreadyOf(info) {
		f, _, err := t.openLooked(p, info)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := applyAttrs(f, a); err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
	}
	now := time.Now()
	if err := h.root.Chtimes(name, now, now); err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return nil
}

func (realDisk) exchange(a *tree, p string, b *tree, q string) error {
	return atBoth(a, p, b, q, exchangeAt)
}

func (realDisk) move(a *tree, p string, b *tree, q string) error {
	return atBoth(a, p, b, q, moveAt)
}

func (realDisk) replace(a *tree, p string, b *tree, q string) error {
	return atBoth(a, p, b, q, replaceAt)
}

func (realDisk) link(a *tree, p string, b *tree, q string) error {
	return atBoth(a, p, b, q, linkAt)
}

// atBoth calls do with both parents open.
func atBoth(a *tree, p string, b *tree, q string, do func(from *handle, old string, to *handle, new string) error) error {
	if a == b && !together(p, q) {
		b = newTree(a.base.root)
		defer b.close()
	}
	from, old, err := a.parent(p)
	if err != nil {
		return err
	}
	to, new, err := b.parent(q)
	if err != nil {
		return err
	}
	if err := do(from, old, to, new); err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return nil
}

func (realDisk) remove(t *tree, p string) error {
	h, name, err := t.parent(p)
	if err != nil {
		return err
	}
	t.shut(p)
	if err := h.root.Remove(name); err != nil {
		return fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return nil
}

func (realDisk) barrier(t *tree) error { return t.barrier() }

func (realDisk) reserve(s *site.Site) error { return s.Reserve() }

// note lets intents wait for the flush that follows the last of them: before it
// none of them counts.
func (realDisk) note(j *site.Journal, kind string, data any) error {
	if kind == recordIntent {
		return j.AppendLater(kind, data)
	}
	return j.Append(kind, data)
}

func (realDisk) flush(j *site.Journal) error { return j.Sync() }
