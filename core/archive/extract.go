package archive

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"moult/core/release"
)

// Limits bound what an archive may unpack to. A zero field means its default.
type Limits struct {
	// Entries is the most files and directories, counting those that only stand in
	// the names of others. Default: 500 000.
	Entries int
	// FileBytes is the largest file, in bytes. Default: 8 GiB.
	FileBytes int64
	// TotalBytes is what all files may have together, in bytes. Default: 32 GiB.
	TotalBytes int64
	// Ratio is how many times larger than the archive its contents may be. Contents
	// of less than 16 MiB are never too large. Default: 1000, which is about what
	// gzip makes of zeros; source code has less than 20.
	Ratio int
}

// ratioFloor is how much an archive may unpack to whatever its own size is.
const ratioFloor = 16 << 20

func (l Limits) withDefaults() Limits {
	if l.Entries == 0 {
		l.Entries = 500_000
	}
	if l.FileBytes == 0 {
		l.FileBytes = 8 << 30
	}
	if l.TotalBytes == 0 {
		l.TotalBytes = 32 << 30
	}
	if l.Ratio == 0 {
		l.Ratio = 1000
	}
	return l
}

// Contents is what was extracted.
type Contents struct {
	Files []release.File // in order of paths
	Dirs  []release.Path // in order; also those that only stand in the names of files
	// Meta are the files below [PackageDir], with paths relative to it.
	Meta []release.File
}

// bufferSize is the piece in which contents are copied, in bytes; a context is
// looked at once for each.
const bufferSize = 256 << 10

// Extract unpacks the archive of size bytes in src into dst, which should be
// empty. Formats other than zip are read from front to back, once, so that src may be
// a file that is still arriving. Files get the permissions that the archive gives them. Report is called
// with bytes of the archive, and may be nil.
//
// An archive at fault gives an error for which errors.Is(err, ErrRefused) holds;
// where one entry is to blame it is an [*EntryError]. Other errors come from the disk
// or from the context.
func Extract(ctx context.Context, src io.ReaderAt, size int64, dst *os.Root, lim Limits, report func(done, total int64)) (*Contents, error) {
	format, err := Detect(src)
	if err != nil {
		return nil, err
	}
	x := newExtraction(ctx, size, dst, lim, report)
	in := io.Reader(&counted{r: io.NewSectionReader(src, 0, size), x: x})
	switch format {
	case Zip:
		err = x.zip(src)
	case TarXZ:
		err = x.tar(format, guardXZ(src, size, in))
	default:
		err = x.tar(format, in)
	}
	if err := errors.Join(err, x.closeDir()); err != nil {
		return nil, err
	}
	return x.contents(), nil
}

type extraction struct {
	ctx    context.Context
	dst    *os.Root
	lim    Limits
	report func(done, total int64)

	read, size int64 // bytes of the archive: taken so far, and all
	names      names
	entries    int
	unpacked   int64
	files      []release.File
	buf        []byte
	hash       hash.Hash

	dir     *os.Root // open on dirPath, to save looking its parts up for each file
	dirPath string
}

func newExtraction(ctx context.Context, size int64, dst *os.Root, lim Limits, report func(done, total int64)) *extraction {
	if report == nil {
		report = func(int64, int64) {}
	}
	return &extraction{
		ctx: ctx, dst: dst, lim: lim.withDefaults(), report: report, size: size,
		names: names{seen: map[string]known{}, parent: "."},
		buf:   make([]byte, bufferSize),
		hash:  sha256.New(),
	}
}

// counted counts the bytes of the archive as they are taken.
type counted struct {
	r io.Reader
	x *extraction
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.x.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.x.advance(int64(n))
	return n, err
}

func (x *extraction) advance(n int64) {
	x.read += n
	x.report(x.read, x.size)
}

// put creates what an entry describes. Contents are nil for a directory.
func (x *extraction) put(e entry, contents io.Reader) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	if x.entries++; max(x.entries, len(x.names.seen)) > x.lim.Entries {
		return e.refuse("is one too many: at most %d entries are allowed", x.lim.Entries)
	}
	p, err := x.names.admit(e)
	if err != nil || p == "" {
		return err
	}
	if len(x.names.seen) > x.lim.Entries {
		return e.refuse("makes too many directories: at most %d entries are allowed", x.lim.Entries)
	}
	if e.dir {
		if err := x.dst.MkdirAll(string(p), 0o755); err != nil {
			return fmt.Errorf("make directory %s: %w", p, err)
		}
		return nil
	}
	if err := x.fits(e, e.size); err != nil {
		return err
	}
	written, err := x.write(p, e, contents)
	if err != nil {
		return err
	}
	x.files = append(x.files, written)
	return nil
}

// fits refuses an entry that would have more than the allowed number of bytes, or
// with which the whole would.
func (x *extraction) fits(e entry, bytes int64) error {
	total := x.unpacked + bytes
	switch {
	case bytes < 0 || total < 0:
		return e.refuse("has an impossible size")
	case bytes > x.lim.FileBytes:
		return e.refuse("has more than %d bytes", x.lim.FileBytes)
	case total > x.lim.TotalBytes:
		return e.refuse("brings the contents to more than %d bytes", x.lim.TotalBytes)
	case total > ratioFloor && total/int64(x.lim.Ratio) > x.size:
		return e.refuse("brings the contents to more than %d times the size of the archive", x.lim.Ratio)
	}
	return nil
}

func (x *extraction) write(p release.Path, e entry, contents io.Reader) (release.File, error) {
	dir, err := x.openDir(path.Dir(string(p)))
	if err != nil {
		return release.File{}, err
	}
	f, err := dir.OpenFile(path.Base(string(p)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return release.File{}, fmt.Errorf("create %s: %w", p, err)
	}
	digest, err := x.copy(f, e, contents)
	if err == nil {
		err = f.Chmod(os.FileMode(e.mode))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return release.File{}, fmt.Errorf("extract %s: %w", p, err)
	}
	return release.File{Path: p, Size: e.size, Mode: e.mode, SHA256: digest}, nil
}

// copy writes exactly the bytes that the entry announces and returns their hash.
func (x *extraction) copy(w io.Writer, e entry, contents io.Reader) (release.Digest, error) {
	x.hash.Reset()
	for left := e.size; ; {
		if err := x.ctx.Err(); err != nil {
			return release.Digest{}, err
		}
		n, err := contents.Read(x.buf)
		if int64(n) > left {
			return release.Digest{}, e.refuse("is longer than the %d bytes that the archive says", e.size)
		}
		left -= int64(n)
		x.hash.Write(x.buf[:n])
		if _, werr := w.Write(x.buf[:n]); werr != nil {
			return release.Digest{}, werr
		}
		x.unpacked += int64(n)
		switch {
		case err == io.EOF && left == 0:
			return release.Digest(x.hash.Sum(nil)), nil
		case err == io.EOF:
			return release.Digest{}, &EntryError{e.name, fmt.Sprintf("is %d bytes shorter than the archive says", left), io.ErrUnexpectedEOF}
		case err != nil && x.ctx.Err() != nil:
			return release.Digest{}, x.ctx.Err()
		case err != nil:
			return release.Digest{}, &EntryError{e.name, "can't be unpacked", err}
		}
	}
}

// openDir returns a root on the directory that holds a file, made if need be.
func (x *extraction) openDir(dir string) (*os.Root, error) {
	if dir == "." {
		return x.dst, nil
	}
	if x.dir != nil && x.dirPath == dir {
		return x.dir, nil
	}
	if err := x.closeDir(); err != nil {
		return nil, err
	}
	if err := x.dst.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make directory %s: %w", dir, err)
	}
	d, err := x.dst.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open directory %s: %w", dir, err)
	}
	x.dir, x.dirPath = d, dir
	return d, nil
}

func (x *extraction) closeDir() error {
	if x.dir == nil {
		return nil
	}
	d := x.dir
	x.dir = nil
	return d.Close()
}

func (x *extraction) contents() *Contents {
	c := &Contents{}
	for _, f := range x.files {
		if below, ok := strings.CutPrefix(string(f.Path), PackageDir+"/"); ok {
			f.Path = release.Path(below)
			c.Meta = append(c.Meta, f)
		} else {
			c.Files = append(c.Files, f)
		}
	}
	for _, k := range x.names.seen {
		if k.kind != file && !k.path.Within(PackageDir) {
			c.Dirs = append(c.Dirs, k.path)
		}
	}
	byPath := func(a, b release.File) int { return strings.Compare(string(a.Path), string(b.Path)) }
	slices.SortFunc(c.Files, byPath)
	slices.SortFunc(c.Meta, byPath)
	slices.Sort(c.Dirs)
	return c
}

// trailing makes sure that nothing but zeros follows the last entry, and that the
// compressed stream ends where the archive does.
func (x *extraction) trailing(r *bufio.Reader) error {
	var n int64
	for {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		piece, err := r.Peek(1)
		if err == nil {
			piece, _ = r.Peek(r.Buffered())
		}
		for _, b := range piece {
			if b != 0 {
				return fmt.Errorf("%w: something follows its last entry", ErrRefused)
			}
		}
		n += int64(len(piece))
		if _, derr := r.Discard(len(piece)); derr != nil {
			return derr
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%w: after its last entry: %w", ErrRefused, err)
		case n > maxPadding:
			return fmt.Errorf("%w: more than %d bytes of padding follow its last entry", ErrRefused, maxPadding)
		}
	}
}

// maxPadding is how many zeros may follow the last entry. tar fills a record,
// which --blocking-factor makes 10 KiB by default and can make a few MiB.
const maxPadding = 4 << 20
