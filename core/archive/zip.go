package archive

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/flate"
)

// zip extracts a zip archive.
func (x *extraction) zip(src io.ReaderAt) error {
	r, err := zip.NewReader(src, x.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("%w: it is not a zip archive: %w", ErrRefused, err)
	}
	r.RegisterDecompressor(zip.Deflate, inflater())
	if len(r.File) > x.lim.Entries {
		return fmt.Errorf("%w: it has %d entries, and at most %d are allowed", ErrRefused, len(r.File), x.lim.Entries)
	}
	if err := checkLayout(src, x.size, r); err != nil {
		return err
	}
	for _, f := range r.File {
		if err := x.zipEntry(f); err != nil {
			return err
		}
		x.advance(int64(f.CompressedSize64))
	}
	x.advance(x.size - x.read)
	return nil
}

// Hosts whose "external attributes" are Unix modes: APPNOTE.TXT §4.4.2.
const (
	hostUnix  = 3
	hostMacOS = 19
)

func (x *extraction) zipEntry(f *zip.File) error {
	e := entry{name: f.Name, dir: len(f.Name) > 0 && f.Name[len(f.Name)-1] == '/', mode: 0o644, size: int64(f.UncompressedSize64)}
	if e.dir {
		e.mode = 0o755
	}
	if f.UncompressedSize64 > math.MaxInt64 || f.CompressedSize64 > math.MaxInt64 {
		return e.refuse("has an impossible size")
	}
	if host := f.CreatorVersion >> 8; host == hostUnix || host == hostMacOS {
		if mode := f.ExternalAttrs >> 16; mode != 0 {
			if err := checkMode(e, mode); err != nil {
				return err
			}
			e.mode = mode & 0o777
		}
	} else if f.Mode().IsDir() != e.dir {
		return e.refuse("has attributes that are not those of a %s", e.kindName())
	}
	switch {
	case f.Flags&0x1 != 0:
		return e.refuse("is encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return e.refuse("is compressed by the unknown method %d", f.Method)
	case e.dir && f.UncompressedSize64 != 0:
		return e.refuse("is a directory with contents")
	case e.dir:
		return x.put(e, nil)
	}
	contents, err := f.Open()
	if err != nil {
		return &EntryError{e.name, "can't be unpacked", err}
	}
	defer contents.Close()
	return x.put(e, contents)
}

// inflater unpacks entries one after the other in the memory of one reader.
func inflater() zip.Decompressor {
	var one io.ReadCloser
	return func(r io.Reader) io.ReadCloser {
		if one == nil {
			one = flate.NewReader(r)
			return one
		}
		// The reader documents Reset, which can't fail without a dictionary.
		_ = one.(flate.Resetter).Reset(r, nil)
		return one
	}
}
