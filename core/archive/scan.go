package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"moult/core/release"
)

// Scan lists and hashes what is below a directory, in order of paths. It refuses
// with an [*EntryError] everything that [Extract] would refuse, so that a publisher
// learns of it before all sites do. Directories are listed if they are empty; the
// others stand in the names of files. PackageDir is not allowed at the top.
func Scan(ctx context.Context, root *os.Root) ([]release.File, []release.Path, error) {
	s := scan{ctx: ctx, root: root, names: names{seen: map[string]known{}, parent: "."}}
	if err := fs.WalkDir(root.FS(), ".", s.visit); err != nil {
		return nil, nil, fmt.Errorf("list %s: %w", root.Name(), err)
	}
	// A walk comes to a/b before a.php, whose path is the lesser one.
	slices.SortFunc(s.files, func(a, b release.File) int { return cmp.Compare(a.Path, b.Path) })
	slices.Sort(s.dirs)
	return s.files, s.dirs, nil
}

type scan struct {
	ctx   context.Context
	root  *os.Root
	names names
	files []release.File
	dirs  []release.Path
}

func (s *scan) visit(name string, d fs.DirEntry, err error) error {
	if err := errors.Join(err, s.ctx.Err()); err != nil {
		return err
	}
	if name == "." {
		return nil
	}
	e := entry{name: name, dir: d.IsDir()}
	if !d.IsDir() && !d.Type().IsRegular() {
		return e.refuse("is neither a file nor a directory")
	}
	if name == PackageDir {
		return e.refuse("is reserved for the description of the package")
	}
	p, err := s.names.admit(e)
	if err != nil {
		return err
	}
	if d.IsDir() {
		inside, err := fs.ReadDir(s.root.FS(), name)
		if err == nil && len(inside) == 0 {
			s.dirs = append(s.dirs, p)
		}
		return err
	}
	f, err := s.file(p, e)
	s.files = append(s.files, f)
	return err
}

func (s *scan) file(p release.Path, e entry) (release.File, error) {
	f, err := s.root.Open(string(p))
	if err != nil {
		return release.File{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return release.File{}, err
	}
	switch mode := info.Mode(); {
	case mode&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0:
		return release.File{}, e.refuse("has mode %v: set-user-ID, set-group-ID and sticky are not allowed", mode)
	case mode&0o400 == 0:
		return release.File{}, e.refuse("has mode %v, which its owner could not read", mode)
	}
	size, digest, err := copyHashed(s.ctx, io.Discard, f)
	if err != nil {
		return release.File{}, fmt.Errorf("read %s: %w", p, err)
	}
	return release.File{Path: p, Size: size, Mode: release.LocalMode(info.Mode()), SHA256: digest}, nil
}

// copyHashed copies and hashes, and stops when the context ends.
func copyHashed(ctx context.Context, w io.Writer, r io.Reader) (int64, release.Digest, error) {
	h := sha256.New()
	n, err := io.CopyBuffer(io.MultiWriter(w, h), &patient{ctx, r}, make([]byte, bufferSize))
	return n, release.Digest(h.Sum(nil)), err
}

// patient is a reader that gives up when its context ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
