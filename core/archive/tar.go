package archive

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow is how far back zstd may refer, in bytes: what the zstd command
// accepts without being asked to.
const maxWindow = 128 << 20

// tar extracts a compressed tar archive.
func (x *extraction) tar(format Format, src io.Reader) error {
	plain, err := decompress(format, src)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	defer plain.Close()
	// The tar reader stops at the end mark; what follows is looked at afterwards,
	// in the same buffer.
	in := bufio.NewReaderSize(plain, bufferSize)
	r := tar.NewReader(in)
	last := ""
	for {
		h, err := r.Next()
		switch {
		case err == io.EOF:
			if last == "" {
				return fmt.Errorf("%w: it holds nothing", ErrRefused)
			}
			return x.trailing(in)
		case x.ctx.Err() != nil:
			return x.ctx.Err()
		case err != nil && last != "":
			return &EntryError{last, "can't read what follows it", err}
		case err != nil:
			return fmt.Errorf("%w: it is not a %s: %w", ErrRefused, format, err)
		}
		last = h.Name
		if err := x.tarEntry(h, r); err != nil {
			return err
		}
	}
}

func decompress(format Format, src io.Reader) (io.ReadCloser, error) {
	// ulikunitz/xz reads byte by byte: without a buffer it is 3.6 times slower.
	in := bufio.NewReaderSize(src, bufferSize)
	switch format {
	case TarGzip:
		return gzip.NewReader(in)
	case TarXZ:
		r, err := xz.NewReader(in)
		return io.NopCloser(r), err
	case TarZstd:
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("format %s is not a compressed tar", format)
}

// tarKinds names the kinds of entry that are refused.
var tarKinds = map[byte]string{
	tar.TypeLink: "a hard link", tar.TypeSymlink: "a symbolic link", tar.TypeChar: "a character device",
	tar.TypeBlock: "a block device", tar.TypeFifo: "a named pipe", tar.TypeCont: "a contiguous file",
	tar.TypeGNUSparse: "a sparse file",
}

func (x *extraction) tarEntry(h *tar.Header, r io.Reader) error {
	e := entry{name: h.Name, dir: h.Typeflag == tar.TypeDir, mode: uint32(h.Mode & 0o777), size: h.Size}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return globalHeader(e, h)
	case tar.TypeReg, tar.TypeDir:
	default:
		kind, known := tarKinds[h.Typeflag]
		if !known {
			kind = fmt.Sprintf("of the unknown kind %q", h.Typeflag)
		}
		return e.refuse("is %s; only files and directories are allowed", kind)
	}
	if h.Mode < 0 || h.Mode > 0o177777 {
		return e.refuse("has the impossible mode %o", h.Mode)
	}
	if err := errors.Join(checkMode(e, uint32(h.Mode)), checkRecords(e, h.PAXRecords)); err != nil {
		return err
	}
	return x.put(e, r)
}

// globalHeader lets the comment pass that git archive writes.
func globalHeader(e entry, h *tar.Header) error {
	for key := range h.PAXRecords {
		if key != "comment" {
			return e.refuse("changes %s of all entries that follow", key)
		}
	}
	return nil
}

// harmlessRecords are the PAX records that say nothing which counts here, or which
// the tar reader has taken into the header already: POSIX.1-2001 pax, extended header.
var harmlessRecords = map[string]bool{
	"path": true, "size": true, "uid": true, "gid": true, "uname": true, "gname": true,
	"mtime": true, "atime": true, "ctime": true, "comment": true, "LIBARCHIVE.creationtime": true,
}

func checkRecords(e entry, records map[string]string) error {
	for key := range records {
		switch {
		case harmlessRecords[key]:
		case strings.HasPrefix(key, "GNU.sparse."):
			return e.refuse("is a sparse file; only plain files and directories are allowed")
		case strings.Contains(key, "xattr") || strings.Contains(key, "acl") || strings.HasPrefix(key, "RHT.security"):
			return e.refuse("carries the extended attribute %s", key)
		default:
			return e.refuse("carries the unknown record %s", key)
		}
	}
	return nil
}
