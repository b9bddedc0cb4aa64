package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"
)

// node is one thing in a directory that is switched whole. Of a file it tells no more
// than its directory does, so that a directory can be listed without a look at each.
type node struct {
	path  string // below the directory; "." is the directory itself
	inode uint64 // 0 where the system doesn't tell
	dir   bool
	// Of directories only.
	device uint64
	mode   uint32 // as the system has it: only to be compared
	owner  int
	group  int
}

// list lists a directory with everything below it, sorted by path, "." first. One
// with more than most entries gives nil, as does one that is not there.
func list(t *tree, dir string, most int) ([]node, error) {
	l := listing{top: dir}
	l.left.Store(int64(most))
	nodes, dirs, err := l.one(t, ".")
	found := make([][]node, len(dirs))
	if err == nil {
		err = eachParallel(context.Background(), []*tree{t}, len(dirs), func(t []*tree, i int) (err error) {
			found[i], err = l.all(t[0], dirs[i])
			return err
		})
	}
	switch {
	case errors.Is(err, errMany):
		return nil, nil
	case err != nil || len(nodes) == 0:
		return nil, err
	}
	nodes = append(nodes, slices.Concat(found...)...)
	slices.SortFunc(nodes[1:], func(a, b node) int { return strings.Compare(a.path, b.path) })
	return nodes, nil
}

var errMany = errors.New("has more entries than are wanted")

// listing is one list in the making. Several may use it at a time.
type listing struct {
	top    string
	left   atomic.Int64  // how many more entries are wanted
	device atomic.Uint64 // one whose directories can be trusted with inodes; 0: none yet
}

// all lists a directory, first itself, with everything below it.
func (l *listing) all(t *tree, rel string) ([]node, error) {
	nodes, dirs, err := l.one(t, rel)
	for _, dir := range dirs {
		if err != nil {
			break
		}
		var below []node
		below, err = l.all(t, dir)
		nodes = append(nodes, below...)
	}
	return nodes, err
}

// count is called for each directory that was listed.
func (l *listing) count(entries int) error {
	if l.left.Add(-int64(entries)) < 0 {
		return errMany
	}
	return nil
}

// eachByName lists one directory by looking at everything in it: the directory itself
// and its files are nodes, of the directories in it the paths are returned. One that is
// not there, or no longer one, has none.
func (l *listing) eachByName(t *tree, rel string) (nodes []node, dirs []string, err error) {
	at := path.Join(l.top, rel)
	info, err := exists(t, at)
	if err != nil || info == nil || !info.IsDir() {
		return nil, nil, err
	}
	names, err := t.names(at)
	if missing(err) {
		return nil, nil, nil
	}
	if err == nil {
		err = l.count(len(names))
	}
	if err != nil {
		return nil, nil, err
	}
	nodes = append(nodes, node{path: rel, inode: identOf(info).Inode, dir: true, device: deviceOf(info), mode: uint32(info.Mode()), owner: ownerOf(info), group: groupOf(info)})
	h, err := t.dir(at)
	if missing(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	for _, e := range names {
		sub := path.Join(rel, e.Name())
		switch info, err := h.root.Lstat(e.Name()); {
		case missing(err): // gone since it was listed
		case err != nil:
			return nil, nil, fmt.Errorf("%s/%s: %w", l.top, sub, unwrapPath(err))
		case info.Mode()&fs.ModeDir != 0:
			dirs = append(dirs, sub)
		default:
			nodes = append(nodes, node{path: sub, inode: identOf(info).Inode})
		}
	}
	return nodes, dirs, nil
}
