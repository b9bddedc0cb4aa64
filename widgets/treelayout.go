package widgets

import (
	"strings"
)

// FileItem is one file of a [FileTree].
type FileItem struct {
	Path   string // with forward slashes; items are sorted by it
	Sign   string // one letter or sign for what happens to the file
	Tone   Tone   // of the sign
	Detail string // short text on the right, as a size
	Alert  bool   // wants a decision: its name stands out, and so do its directories
}

// FileRow is one line of a tree that is laid out.
type FileRow struct {
	Name  string
	Path  string // of a directory, without trailing slash; of a file as in its item
	Depth int
	Item  int // index of the file; -1 for a directory
	Files int // below a directory
	Alert bool
	Open  bool // of a directory
}

// FileRows is a tree in the order in which its lines are shown.
type FileRows []FileRow

// Layout arranges files in directories and leaves out what lies in a closed one.
// show says which files take part, nil: all; closed holds the paths of closed
// directories. It may run on any goroutine and takes time linear in the files.
//
// Directories that hold nothing but one directory are joined with it into one
// line, as in "vendor/acme/src".
func Layout(items []FileItem, show func(i int) bool, closed map[string]bool) FileRows {
	root := &treeDir{}
	path := []*treeDir{root} // the directories of the last file
	for i := range items {
		if show != nil && !show(i) {
			continue
		}
		path = enter(path, items[i].Path)
		for _, d := range path {
			d.files++
			d.alert = d.alert || items[i].Alert
		}
		path[len(path)-1].content = append(path[len(path)-1].content, treeEntry{item: i})
	}
	rows := make(FileRows, 0, root.files+root.files/4)
	return root.append(rows, items, closed, "", 0)
}

// treeDir is a directory while a tree is laid out.
type treeDir struct {
	name    string
	content []treeEntry
	files   int
	alert   bool
}

// treeEntry is a directory, or the file with the number item if dir is nil.
type treeEntry struct {
	dir  *treeDir
	item int
}

// enter returns the directories that lead to file, given those that led to the
// file before it. As files are sorted, a directory is entered once.
func enter(path []*treeDir, file string) []*treeDir {
	depth := 1
	rest := file
	for {
		name, below, found := strings.Cut(rest, "/")
		if !found {
			return path[:depth]
		}
		if depth >= len(path) || path[depth].name != name {
			d := &treeDir{name: name}
			parent := path[depth-1]
			parent.content = append(parent.content, treeEntry{dir: d})
			path = append(path[:depth], d)
		}
		rest = below
		depth++
	}
}

func (d *treeDir) append(rows FileRows, items []FileItem, closed map[string]bool, above string, depth int) FileRows {
	for _, e := range d.content {
		if e.dir == nil {
			it := &items[e.item]
			rows = append(rows, FileRow{Name: it.Path[strings.LastIndexByte(it.Path, '/')+1:], Path: it.Path, Depth: depth, Item: e.item, Alert: it.Alert})
			continue
		}
		sub, name := e.dir, e.dir.name
		for len(sub.content) == 1 && sub.content[0].dir != nil {
			sub = sub.content[0].dir
			name += "/" + sub.name
		}
		path := above + name
		open := !closed[path]
		rows = append(rows, FileRow{Name: name, Path: path, Depth: depth, Item: -1, Files: sub.files, Alert: sub.alert, Open: open})
		if open {
			rows = sub.append(rows, items, closed, path+"/", depth+1)
		}
	}
	return rows
}
