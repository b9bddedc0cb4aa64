package release

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxOperations is the longest JSON text of operations that is read by itself,
// in bytes; it is also the cap of the manifest that normally holds them.
const maxOperations = MaxManifest

// Total is the number of paths that the operations name.
func (o Operations) Total() int {
	return len(o.ReplaceFiles) + len(o.ReplaceDirectories) + len(o.DeleteFiles) + len(o.DeleteDirectories)
}

// ChangedFiles returns every path that the operations name, in order. A
// directory stands for all that is below it.
func (o Operations) ChangedFiles() []Path {
	all := slices.Concat(o.ReplaceFiles, o.ReplaceDirectories, o.DeleteFiles, o.DeleteDirectories)
	slices.Sort(all)
	return slices.Compact(all)
}

// Validate reports what is wrong with the operations as a whole: none at all, or
// one path named twice.
func (o Operations) Validate() error {
	if o.Total() == 0 {
		return errors.New("no operations: nothing is replaced and nothing deleted")
	}
	return o.duplicates()
}

func (o Operations) duplicates() error {
	seen := make(map[Path]string, o.Total())
	for _, l := range o.lists() {
		for i, p := range l.paths {
			where := fmt.Sprintf("%s[%d]", l.name, i)
			if first, twice := seen[p]; twice {
				return fmt.Errorf("%s: path %q is named by %s already", where, p, first)
			}
			seen[p] = where
		}
	}
	return nil
}

type pathList struct {
	name  string
	paths []Path
}

func (o Operations) lists() []pathList {
	return []pathList{
		{"replace.files", o.ReplaceFiles},
		{"replace.directories", o.ReplaceDirectories},
		{"delete.files", o.DeleteFiles},
		{"delete.directories", o.DeleteDirectories},
	}
}

// Equal reports whether both name the same paths, in any order.
func (o Operations) Equal(p Operations) bool {
	theirs := p.lists()
	for i, l := range o.lists() {
		if !slices.Equal(slices.Sorted(slices.Values(l.paths)), slices.Sorted(slices.Values(theirs[i].paths))) {
			return false
		}
	}
	return true
}

// ReadOperations reads operations in either of the two shapes that servers send:
// "delete" as an object of "files" and "directories", or as a plain list in which
// a trailing slash marks a directory. It fails the document if a path is unsafe or
// named twice; it accepts operations that name nothing.
func ReadOperations(f *Field) Operations {
	f.Only("replace", "delete")
	var o Operations
	replace := f.Get("replace")
	replace.Only("files", "directories")
	o.ReplaceFiles = readFilePaths(replace.Get("files"))
	o.ReplaceDirectories = readDirectoryPaths(replace.Get("directories"))
	remove := f.Get("delete")
	if remove.IsList() {
		for _, e := range remove.List() {
			p := e.Path()
			if strings.HasSuffix(e.Text(), "/") {
				o.DeleteDirectories = append(o.DeleteDirectories, p)
			} else {
				o.DeleteFiles = append(o.DeleteFiles, p)
			}
		}
	} else {
		remove.Only("files", "directories")
		o.DeleteFiles = readFilePaths(remove.Get("files"))
		o.DeleteDirectories = readDirectoryPaths(remove.Get("directories"))
	}
	f.Fail(o.duplicates())
	return o
}

func readFilePaths(f *Field) []Path {
	var paths []Path
	for _, e := range f.List() {
		p := e.Path()
		if strings.HasSuffix(e.Text(), "/") {
			e.Fail(fmt.Errorf("path %q: ends in a slash, but stands among files", e.Text()))
		}
		paths = append(paths, p)
	}
	return paths
}

func readDirectoryPaths(f *Field) []Path {
	var paths []Path
	for _, e := range f.List() {
		paths = append(paths, e.Path())
	}
	return paths
}

// operationsText is the shape in which operations are written.
type operationsText struct {
	Replace pathsText `json:"replace"`
	Delete  pathsText `json:"delete"`
}

type pathsText struct {
	Files       []string `json:"files"`
	Directories []string `json:"directories"`
}

// MarshalJSON implements [json.Marshaler] in the shape of the manifest.
func (o Operations) MarshalJSON() ([]byte, error) {
	return json.Marshal(operationsText{
		Replace: pathsText{texts(o.ReplaceFiles, ""), texts(o.ReplaceDirectories, "/")},
		Delete:  pathsText{texts(o.DeleteFiles, ""), texts(o.DeleteDirectories, "/")},
	})
}

func texts(paths []Path, suffix string) []string {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = string(p) + suffix
	}
	return list
}

// UnmarshalJSON implements [json.Unmarshaler]; it is as strict as [ReadOperations].
func (o *Operations) UnmarshalJSON(b []byte) error {
	f := ParseDocument(b, maxOperations)
	read := ReadOperations(f)
	if err := f.Err(); err != nil {
		return fmt.Errorf("operations: %w", err)
	}
	*o = read
	return nil
}
