package files

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// Some file systems take names for the same that differ in their case only: those of
// Windows and macOS, and directories on Linux that are told to. There a release that
// renames Readme to README has two paths, of which the site has one file. It counts
// for the path that its directory lists, and it is moved away before the new one
// comes. A directory that is renamed so keeps its old name.

// foldsCase asks the file system of a site whether it is one of those.
func foldsCase(s *site.Site) bool {
	_, err := s.Root.Lstat(strings.ToUpper(site.Home))
	return err == nil
}

// key is what two paths have in common that the site takes for the same.
func (p *Plan) key(path release.Path) release.Path {
	if p.Folds {
		return release.Path(strings.ToLower(string(path)))
	}
	return path
}

// foldCase tells for candidates that the site takes for the same file which of them
// it is.
func (pl *planner) foldCase() error {
	if pl.plan.Folds = foldsCase(pl.Site); !pl.plan.Folds {
		return nil
	}
	same := map[release.Path][]*candidate{}
	for i := range pl.candidates {
		c := &pl.candidates[i]
		k := pl.plan.key(c.path)
		same[k] = append(same[k], c)
	}
	t := newTree(pl.Site.Root)
	defer t.close()
	lister := lister{t: t, names: map[string]map[string]bool{}}
	for _, group := range same {
		if len(group) < 2 {
			continue
		}
		if err := pl.foldGroup(&lister, group); err != nil {
			return err
		}
	}
	return nil
}

func (pl *planner) foldGroup(l *lister, group []*candidate) error {
	var incoming, listed *candidate
	for _, c := range group {
		if c.new.Exists() && incoming != nil {
			pl.block(c.path, "case", fmt.Sprintf("the release has both %s and %s, which are one file on this disk", incoming.path, c.path),
				"Move the site to a file system that tells them apart.")
		}
		if c.new.Exists() {
			incoming = c
		}
		is, err := l.lists(string(c.path))
		if err != nil {
			return err
		}
		if is {
			listed = c
		}
	}
	if listed == nil { // a file system that doesn't keep the case of names either
		i := slices.IndexFunc(group, func(c *candidate) bool { return c != incoming && c.here.Exists() })
		if i < 0 {
			return nil
		}
		listed = group[i]
	}
	// The file is the incoming one already, or an edited one under its old name,
	// of which only one question is to be asked; or it is moved out of the way.
	edited := listed.here.Exists() && !listed.here.SameContent(listed.shipped)
	for _, c := range group {
		switch {
		case incoming != nil && c != incoming && (listed == incoming || listed == c && edited):
			c.alias = true
			incoming.shipped = c.shipped
		case c != listed && !(c == incoming && edited):
			c.here, c.seen, c.isDir, c.err = State{}, stamp{}, false, nil
		}
	}
	return nil
}

// lister tells how directories spell the names in them.
type lister struct {
	t     *tree
	names map[string]map[string]bool
}

// lists reports whether a path is there in exactly this spelling.
func (l *lister) lists(p string) (bool, error) {
	dir, base := path.Dir(p), path.Base(p)
	if dir != "." {
		if is, err := l.lists(dir); err != nil || !is {
			return false, err
		}
	}
	if l.names[dir] == nil {
		entries, err := l.t.names(dir)
		if err != nil && !missing(err) {
			return false, err
		}
		l.names[dir] = spellings(entries)
	}
	return l.names[dir][base], nil
}

func spellings(entries []fs.DirEntry) map[string]bool {
	set := make(map[string]bool, len(entries))
	for _, e := range entries {
		set[e.Name()] = true
	}
	return set
}
