package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// LinkError is returned for a path that leads through a symbolic link.
type LinkError struct {
	Path    string // of the link, in the site
	Target  string // what it points to, as written in it
	Outside bool   // whether that is outside the site
}

// Error names the link and where it points.
func (e *LinkError) Error() string {
	where := "in"
	if e.Outside {
		where = "out of"
	}
	return fmt.Sprintf("%s is a symbolic link to %s, which leads to elsewhere %s the site", e.Path, e.Target, where)
}

// ErrChanged is returned when a path is no longer what the plan was made for.
var ErrChanged = errors.New("was changed after the plan was made")

// tree opens the directories below one root, one step at a time and never through
// a symbolic link, and keeps those of the last path open: neighbours in a sorted
// list share them. It is for one goroutine.
type tree struct {
	base  handle
	chain []handle // chain[i] is opened in chain[i-1], chain[0] in base
}

// handle is an open directory.
type handle struct {
	name string
	root *os.Root
	file *os.File // opened when its descriptor is first needed
}

func newTree(root *os.Root) *tree { return &tree{base: handle{root: root}} }

// close closes all directories that the tree opened, not its root.
func (t *tree) close() {
	t.forget()
	if t.base.file != nil {
		t.base.file.Close()
		t.base.file = nil
	}
}

// forget drops the directories that are kept open. It is called after a directory
// was moved: what is open may no longer be what its path means.
func (t *tree) forget() { t.cut(0) }

func (t *tree) cut(n int) {
	for _, h := range t.chain[n:] {
		if h.file != nil {
			h.file.Close()
		}
		h.root.Close()
	}
	t.chain = t.chain[:n]
}

// dir opens a directory. The handle is valid until the next call.
func (t *tree) dir(p string) (*handle, error) {
	if p == "." || p == "" {
		return &t.base, nil
	}
	depth := 0
	for rest := p; rest != ""; depth++ {
		name, next, _ := strings.Cut(rest, "/")
		rest = next
		if depth < len(t.chain) && t.chain[depth].name == name {
			continue
		}
		t.cut(depth)
		parent := &t.base
		if depth > 0 {
			parent = &t.chain[depth-1]
		}
		root, err := parent.open(name)
		if err != nil {
			var link *LinkError
			if errors.As(err, &link) {
				link.Path = t.pathOf(depth, name)
				link.Outside = leadsOutside(t.base.root, link.Path, link.Target)
				return nil, link
			}
			return nil, fmt.Errorf("%s: %w", t.pathOf(depth, name), err)
		}
		t.chain = append(t.chain, handle{name: name, root: root})
	}
	t.cut(depth)
	return &t.chain[depth-1], nil
}

func (t *tree) pathOf(depth int, name string) string {
	var names []string
	for _, h := range t.chain[:depth] {
		names = append(names, h.name)
	}
	return path.Join(append(names, name)...)
}

// open opens a subdirectory. [os.Root] would follow a link that stays inside, so
// what was opened is compared with what was looked at.
func (h *handle) open(name string) (*os.Root, error) {
	info, err := h.root.Lstat(name)
	if err != nil {
		return nil, unwrapPath(err)
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := h.root.Readlink(name)
		if err != nil {
			return nil, unwrapPath(err)
		}
		return nil, &LinkError{Target: target}
	}
	if !info.IsDir() {
		return nil, syscall.ENOTDIR
	}
	root, err := h.root.OpenRoot(name)
	if err != nil {
		return nil, unwrapPath(err)
	}
	opened, err := root.Stat(".")
	if err != nil {
		root.Close()
		return nil, unwrapPath(err)
	}
	if !os.SameFile(info, opened) {
		root.Close()
		return nil, ErrChanged
	}
	return root, nil
}

// fd returns the descriptor of the directory.
func (h *handle) fd() (int, error) {
	if h.file == nil {
		f, err := h.root.Open(".")
		if err != nil {
			return -1, unwrapPath(err)
		}
		h.file = f
	}
	return int(h.file.Fd()), nil
}

// parent opens the directory that holds p, and returns the last part of p.
func (t *tree) parent(p string) (*handle, string, error) {
	h, err := t.dir(path.Dir(p))
	return h, path.Base(p), err
}

// lstat tells what is at a path. Nothing there, or on the way there, gives an
// error that is [fs.ErrNotExist].
func (t *tree) lstat(p string) (fs.FileInfo, error) {
	h, name, err := t.parent(p)
	if err != nil {
		if errors.Is(err, syscall.ENOTDIR) {
			return nil, fmt.Errorf("%s: %w", p, fs.ErrNotExist)
		}
		return nil, err
	}
	info, err := h.root.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return info, nil
}

// open opens a regular file for reading, and nothing that was swapped for it.
func (t *tree) open(p string) (*os.File, fs.FileInfo, error) {
	h, name, err := t.parent(p)
	if err != nil {
		return nil, nil, err
	}
	looked, err := h.root.Lstat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	if !looked.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a file", p)
	}
	f, err := h.root.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	info, err := f.Stat()
	if err == nil && !os.SameFile(info, looked) {
		err = ErrChanged
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return f, info, nil
}

// names lists a directory.
func (t *tree) names(dir string) ([]fs.DirEntry, error) {
	h, err := t.dir(dir)
	if err != nil {
		return nil, err
	}
	f, err := h.root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, unwrapPath(err))
	}
	defer f.Close()
	return f.ReadDir(-1)
}

// missing reports whether err says that nothing is there.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// unwrapPath drops the part of a path that os put around an error: whoever gets it
// puts the whole path there.
func unwrapPath(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	var le *os.LinkError
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

// leadsOutside reports whether a link at p that says target leads out of the root,
// going by its text alone.
func leadsOutside(root *os.Root, p, target string) bool {
	if filepath.IsAbs(target) {
		rel, err := filepath.Rel(root.Name(), target)
		return err != nil || !filepath.IsLocal(rel)
	}
	return !filepath.IsLocal(filepath.Join(filepath.FromSlash(path.Dir(p)), target))
}
