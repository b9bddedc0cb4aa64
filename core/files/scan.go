package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync/atomic"

	"moult/core/release"
	"moult/core/site"
)

// Scan hashes the given files of a site on all processors, or every file of it when
// none is given: what init records when the publisher no longer has the installed
// release. Own paths, .moult, symbolic links, special files and names that a release
// can't have are left out; a given file that is not there is left out too. The
// result is sorted by path.
func Scan(ctx context.Context, s *site.Site, report func(done, total int), paths ...release.Path) ([]release.File, error) {
	pl := newPlanner(PlanInput{Site: s})
	if len(paths) == 0 {
		var err error
		if paths, err = pl.all(); err != nil {
			return nil, err
		}
	}
	found := make([]release.File, len(paths))
	var read atomic.Int64
	err := eachParallel(ctx, []*tree{newTree(s.Root)}, len(paths), func(t []*tree, i int) error {
		p := paths[i]
		got, err := stateOf(t[0], string(p))
		var link *LinkError
		switch {
		case missing(err), errors.Is(err, errNotFile), errors.As(err, &link):
			return nil
		case err != nil:
			return err
		case got.Link == "":
			found[i] = release.File{Path: p, Size: got.Size, Mode: got.Mode, SHA256: got.SHA256}
		}
		if report != nil {
			report(int(read.Add(1)), len(paths))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	files := found[:0]
	for _, f := range found {
		if f.Path != "" {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b release.File) int { return cmp.Compare(a.Path, b.Path) })
	return files, nil
}

// all lists every file of the site that a release could have.
func (pl *planner) all() ([]release.Path, error) {
	t := newTree(pl.Site.Root)
	defer t.close()
	top, err := t.names(".")
	if err != nil {
		return nil, err
	}
	var paths []release.Path
	for _, e := range top {
		p, err := release.ParsePath(e.Name())
		switch {
		case err != nil || pl.isOwn(p): // .moult is no path of a release either
		case e.IsDir():
			if err := pl.walk(t, e.Name(), func(p release.Path) { paths = append(paths, p) }); err != nil {
				return nil, err
			}
		default:
			paths = append(paths, p)
		}
	}
	return paths, nil
}

// TreeDigest returns one hash of everything below root: names, kinds, permission
// bits and contents. Paths for which skip reports true are left out with all below
// them; skip may be nil.
func TreeDigest(ctx context.Context, root *os.Root, skip func(path string) bool) (string, error) {
	h := sha256.New()
	t := newTree(root)
	defer t.close()
	err := fs.WalkDir(root.FS(), ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if p != "." && skip != nil && skip(p) {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%q %v", p, info.Mode())
		if !e.IsDir() {
			got, err := stateOf(t, p)
			if err != nil && !errors.Is(err, errNotFile) {
				return err
			}
			fmt.Fprintf(h, " %d %s %q", got.Size, got.SHA256, got.Link)
		}
		fmt.Fprintln(h)
		return nil
	})
	return hex.EncodeToString(h.Sum(nil)), err
}
