package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
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
// a symbolic link, and keeps those of the last paths open: neighbours in a sorted
// list share them. It is for one goroutine.
type tree struct {
	base  handle
	lines []line // the last used one first
	// posts are directories elsewhere that have a name at the top of the tree.
	posts map[string]*os.Root
}

// line is a directory at the top of a tree, a directory in it, and so on.
type line []*handle

// mostLines is how many lines a tree keeps. An update's directory has three that are
// used in turns: the package, what is staged, and what was replaced.
const mostLines = 4

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
func (t *tree) forget() {
	for _, l := range t.lines {
		l.cut(0)
	}
	t.lines = nil
}

// shut closes a directory that is kept open: file systems of Windows without the
// semantics of POSIX keep the name of a removed one until then.
func (t *tree) shut(dir string) {
	depth := strings.Count(dir, "/")
	for i, l := range t.lines {
		if len(l) > depth && path.Join(l.names()[:depth+1]...) == dir {
			t.lines[i] = l.cut(depth)
		}
	}
}

// cut closes a line from its n-th directory on.
func (l line) cut(n int) line {
	for _, h := range l[n:] {
		if h.file != nil {
			h.file.Close()
		}
		h.root.Close()
	}
	return l[:n]
}

// use returns the line that begins with a name, moved to the front.
func (t *tree) use(name string) *line {
	i := slices.IndexFunc(t.lines, func(l line) bool { return len(l) > 0 && l[0].name == name })
	switch {
	case i >= 0:
		l := t.lines[i]
		t.lines = slices.Insert(slices.Delete(t.lines, i, i+1), 0, l)
	case len(t.lines) == mostLines:
		t.lines[mostLines-1].cut(0)
		copy(t.lines[1:], t.lines)
		t.lines[0] = nil
	default:
		t.lines = slices.Insert(t.lines, 0, line(nil))
	}
	return &t.lines[0]
}

// dir opens a directory. The handle is valid until a directory beside it, or beside
// one above it, is opened.
func (t *tree) dir(p string) (*handle, error) {
	if p == "." || p == "" {
		return &t.base, nil
	}
	first, _, _ := strings.Cut(p, "/")
	l := t.use(first)
	parent, depth := &t.base, 0
	for rest := p; rest != ""; depth++ {
		name, next, _ := strings.Cut(rest, "/")
		rest = next
		if depth < len(*l) && (*l)[depth].name == name {
			parent = (*l)[depth]
			continue
		}
		*l = l.cut(depth)
		root, err := t.openNext(parent, depth, name)
		if err != nil {
			at := path.Join(append(l.names(), name)...)
			var link *LinkError
			if errors.As(err, &link) {
				link.Path = at
				link.Outside = leadsOutside(t.base.root, link.Path, link.Target)
				return nil, link
			}
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		parent = &handle{name: name, root: root}
		*l = append(*l, parent)
	}
	return parent, nil
}

// openNext opens a subdirectory of one that is so deep in the tree.
func (t *tree) openNext(parent *handle, depth int, name string) (*os.Root, error) {
	if post := t.posts[name]; post != nil && depth == 0 {
		return post.OpenRoot(".")
	}
	return parent.open(name)
}

// twin returns a tree of the same directory, for another goroutine.
func (t *tree) twin() *tree { return &tree{base: handle{root: t.base.root}, posts: t.posts} }

func (l line) names() []string {
	names := make([]string, len(l), len(l)+1)
	for i, h := range l {
		names[i] = h.name
	}
	return names
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
	return t.openLooked(p, looked)
}

// openLooked opens a regular file that was looked at.
func (t *tree) openLooked(p string, looked fs.FileInfo) (*os.File, fs.FileInfo, error) {
	h, name, err := t.parent(p)
	if err != nil {
		return nil, nil, err
	}
	f, err := openAt(h, name)
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

// together reports whether the parents of two paths can be open at the same time.
func together(p, q string) bool {
	a, b := path.Dir(p)+"/", path.Dir(q)+"/"
	first, _, _ := strings.Cut(a, "/")
	second, _, _ := strings.Cut(b, "/")
	return first != second || strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
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
