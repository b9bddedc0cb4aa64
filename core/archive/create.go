package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"moult/core/release"
)

// Tree is what a package is made of.
type Tree struct {
	Files []release.File
	Dirs  []release.Path // that are to be there even if they stay empty
	// Meta are the files below [PackageDir], by path relative to it.
	Meta map[string][]byte
	// Open opens one of Files.
	Open func(release.Path) (io.ReadCloser, error)
}

// Create writes a package. The same tree gives the same bytes whatever the order
// of its lists: entries are sorted, belong to nobody, and all carry the date, in
// whole seconds. A file whose contents are not of the size and hash that the tree
// says is an error, as it was changed while it was packed.
func Create(ctx context.Context, w io.Writer, format Format, t Tree, date time.Time) error {
	p, err := newPacker(w, format, date.UTC().Truncate(time.Second))
	if err != nil {
		return fmt.Errorf("create a %s: %w", format, err)
	}
	for _, e := range t.items() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.add(ctx, e); err != nil {
			return fmt.Errorf("pack %s: %w", e.name, err)
		}
	}
	if err := p.close(); err != nil {
		return fmt.Errorf("finish the %s: %w", format, err)
	}
	return nil
}

// item is one entry to be written.
type item struct {
	entry
	digest release.Digest
	open   func() (io.ReadCloser, error) // nil for a directory
}

// items lists the description of the package first, so that a reader of the stream
// has it before the files, and then everything in order of names.
func (t Tree) items() []item {
	var meta, rest []item
	for _, name := range slices.Sorted(maps.Keys(t.Meta)) {
		contents := t.Meta[name]
		meta = append(meta, item{
			entry:  entry{name: PackageDir + "/" + name, mode: 0o644, size: int64(len(contents))},
			digest: release.DigestOf(contents),
			open:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(contents)), nil },
		})
	}
	for _, d := range t.Dirs {
		rest = append(rest, item{entry: entry{name: string(d) + "/", dir: true, mode: 0o755}})
	}
	for _, f := range t.Files {
		rest = append(rest, item{
			entry:  entry{name: string(f.Path), mode: f.Mode, size: f.Size},
			digest: f.SHA256,
			open:   func() (io.ReadCloser, error) { return t.Open(f.Path) },
		})
	}
	slices.SortFunc(rest, func(a, b item) int { return strings.Compare(a.name, b.name) })
	return append(meta, rest...)
}

// packer writes entries in one format.
type packer struct {
	header func(entry) (io.Writer, error) // begins an entry and returns where its contents go
	close  func() error
}

func newPacker(w io.Writer, format Format, date time.Time) (*packer, error) {
	if format == Zip {
		return zipPacker(w, date), nil
	}
	c, err := compress(format, w)
	if err != nil {
		return nil, err
	}
	t := tar.NewWriter(c)
	return &packer{
		header: func(e entry) (io.Writer, error) {
			h := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Size: e.size, Mode: int64(e.mode), ModTime: date}
			if e.dir {
				h.Typeflag = tar.TypeDir
			}
			return t, t.WriteHeader(h)
		},
		close: func() error { return errors.Join(t.Close(), c.Close()) },
	}, nil
}

func zipPacker(w io.Writer, date time.Time) *packer {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	return &packer{
		header: func(e entry) (io.Writer, error) {
			h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: date}
			if e.dir {
				h.Method = zip.Store
				h.SetMode(fs.ModeDir | fs.FileMode(e.mode))
			} else {
				h.SetMode(fs.FileMode(e.mode))
			}
			return z.CreateHeader(h)
		},
		close: z.Close,
	}
}

func compress(format Format, w io.Writer) (io.WriteCloser, error) {
	switch format {
	case TarGzip:
		return gzip.NewWriterLevel(w, gzip.BestCompression)
	case TarXZ:
		return xz.NewWriter(w)
	case TarZstd:
		// One goroutine, as the cut into blocks must not depend on the machine.
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("format %q is not known", format)
}

func (p *packer) add(ctx context.Context, i item) error {
	w, err := p.header(i.entry)
	if err != nil || i.dir {
		return err
	}
	r, err := i.open()
	if err != nil {
		return err
	}
	defer r.Close()
	size, digest, err := copyHashed(ctx, w, r)
	switch {
	case errors.Is(err, tar.ErrWriteTooLong), err == nil && (size != i.size || digest != i.digest):
		return fmt.Errorf("it was changed while it was packed: want %d bytes with %s, got %d with %s", i.size, i.digest, size, digest)
	}
	return err
}
