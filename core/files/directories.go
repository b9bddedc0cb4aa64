package files

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"syscall"

	"moult/core/release"
)

// errNotDirectory is what opening a file as a directory gives.
var errNotDirectory error = syscall.ENOTDIR

// directories plans which directories come and go. A new one comes with the first
// file in it or because the package has it; one goes when the update leaves
// nothing in it.
func (pl *planner) directories() error {
	t := newTree(pl.Site.Root)
	defer t.close()
	deleted, files := map[release.Path]bool{}, map[release.Path]bool{}
	for _, e := range pl.plan.Entries {
		switch e.Change {
		case Delete:
			deleted[e.Path] = true
		case Add:
			files[e.Path] = true
		}
	}
	wanted := pl.wantedDirs(files)
	for _, dir := range slices.Sorted(maps.Keys(wanted)) {
		if err := pl.makeDir(t, dir, deleted); err != nil {
			return err
		}
	}
	gone, err := pl.emptied(t, wanted, deleted)
	if err != nil {
		return err
	}
	for i := range pl.candidates {
		if c := &pl.candidates[i]; c.isDir && files[c.path] && !gone[c.path] {
			pl.block(c.path, "collision", fmt.Sprintf("%s is a directory with files of yours in it, and the release puts a file there", c.path),
				"Move them somewhere else.")
		}
	}
	return nil
}

// wantedDirs are the directories that must be there afterwards.
func (pl *planner) wantedDirs(files map[release.Path]bool) map[release.Path]bool {
	wanted := map[release.Path]bool{}
	want := func(dir release.Path) {
		wanted[dir] = true
		parents(dir, func(up release.Path) { wanted[up] = true })
	}
	for p := range files {
		parents(p, func(dir release.Path) { wanted[dir] = true })
	}
	for _, dir := range pl.Dirs {
		if pl.Full {
			want(dir)
			continue
		}
		for _, replaced := range pl.Operations.ReplaceDirectories {
			if dir.Within(replaced) {
				want(dir)
			}
		}
	}
	return wanted
}

func (pl *planner) makeDir(t *tree, dir release.Path, deleted map[release.Path]bool) error {
	if pl.isOwn(dir) {
		return nil
	}
	info, err := exists(t, string(dir))
	var link *LinkError
	switch {
	case errors.As(err, &link):
		pl.block(release.Path(link.Path), "symlink", link.Error(), linkHint)
		return nil
	case err != nil:
		return err
	case info == nil || !info.IsDir() && deleted[dir]:
		pl.plan.Entries = append(pl.plan.Entries, Entry{Path: dir, Change: Mkdir})
		return nil
	case info.IsDir():
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		_, err := t.dir(string(dir))
		if errors.As(err, &link) {
			pl.block(dir, "symlink", link.Error(), linkHint)
			return nil
		}
		return err
	}
	pl.block(dir, "collision", fmt.Sprintf("%s is a file of yours, and the release has a directory there", dir), "Move it somewhere else.")
	return nil
}

// emptied plans the removal of directories that the update leaves empty, the
// deepest first.
func (pl *planner) emptied(t *tree, wanted, deleted map[release.Path]bool) (gone map[release.Path]bool, err error) {
	dirs := map[release.Path]bool{}
	for p := range deleted {
		parents(p, func(dir release.Path) { dirs[dir] = true })
	}
	for _, dir := range pl.Operations.DeleteDirectories {
		if err := pl.subdirs(t, dir, dirs); err != nil {
			return nil, err
		}
	}
	for _, dir := range slices.Collect(maps.Keys(wanted)) {
		wanted[pl.plan.key(dir)] = true
	}
	gone = map[release.Path]bool{}
	sorted := slices.Sorted(maps.Keys(dirs))
	slices.Reverse(sorted)
	for _, dir := range sorted {
		if wanted[dir] || wanted[pl.plan.key(dir)] || pl.isOwn(dir) || slices.Contains(pl.mounts, dir) {
			continue
		}
		list, err := t.names(string(dir))
		if missing(err) || errors.Is(err, errNotDirectory) {
			continue
		}
		if err != nil {
			return nil, err
		}
		stays := slices.ContainsFunc(list, func(e fs.DirEntry) bool {
			p := dir + "/" + release.Path(e.Name())
			return !deleted[p] && !gone[p]
		})
		if stays {
			continue
		}
		info, err := t.lstat(string(dir))
		if err != nil {
			return nil, err
		}
		gone[dir] = true
		pl.plan.Entries = append(pl.plan.Entries, Entry{Path: dir, Change: Rmdir, Here: State{Mode: uint32(info.Mode().Perm())}})
	}
	return gone, nil
}

// subdirs adds a directory and all those below it.
func (pl *planner) subdirs(t *tree, dir release.Path, into map[release.Path]bool) error {
	list, err := t.names(string(dir))
	var link *LinkError
	if missing(err) || errors.Is(err, errNotDirectory) || errors.As(err, &link) || errors.Is(err, fs.ErrPermission) {
		return nil // said where the files of it are collected
	}
	if err != nil {
		return err
	}
	into[dir] = true
	for _, e := range list {
		if p, err := release.ParsePath(string(dir) + "/" + e.Name()); err == nil && e.IsDir() {
			if err := pl.subdirs(t, p, into); err != nil {
				return err
			}
		}
	}
	return nil
}
