package archive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Parts of an xz file, as in "The .xz File Format", version 1.2.1.
const (
	xzMagic        = "\xfd7zXZ\x00" // §2.1.1.1
	xzHeaderLength = 12             // §2.1.1
	xzFooterLength = 12             // §2.1.2
	lzma2Filter    = 0x21           // §5.3.1
)

// xzChecks are the lengths of the integrity checks by their number: §2.1.1.2.
var xzChecks = [16]int64{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}

// guardXZ returns a reader of an xz file that looks ahead of what it gives, and
// refuses blocks with dictionaries that are larger than maxWindow. The library takes
// whatever memory a block asks for, which can be 4 GiB.
func guardXZ(src io.ReaderAt, size int64, plain io.Reader) io.Reader {
	w := &xzWalk{src: src, size: size}
	w.step = w.stream
	return &xzGuard{plain, w, 0}
}

type xzGuard struct {
	r    io.Reader
	walk *xzWalk
	read int64
}

// Read implements [io.Reader].
func (g *xzGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	g.read += int64(n)
	for g.walk.pos < min(g.read, g.walk.size) {
		if err := g.walk.step(); err != nil {
			return 0, fmt.Errorf("as xz, at byte %d: %w", g.walk.pos, err)
		}
	}
	return n, err
}

// xzWalk steps over an xz file without unpacking it.
type xzWalk struct {
	src       io.ReaderAt
	pos, size int64
	step      func() error // over what comes next
	check     int64        // length of the check after each block
	block     int64        // where the current block began
}

// take returns the next n bytes and steps over them.
func (w *xzWalk) take(n int64) ([]byte, error) {
	b := make([]byte, n)
	if w.pos+n > w.size {
		return nil, io.ErrUnexpectedEOF
	}
	if read, err := w.src.ReadAt(b, w.pos); int64(read) < n {
		return nil, err
	}
	w.pos += n
	return b, nil
}

func (w *xzWalk) skip(n int64) error {
	if w.pos+n > w.size {
		return io.ErrUnexpectedEOF
	}
	w.pos += n
	return nil
}

// align steps over the padding that brings a length since start to a multiple of 4.
func (w *xzWalk) align(start int64) error { return w.skip((4 - (w.pos-start)%4) % 4) }

// stream steps over the header of a stream.
func (w *xzWalk) stream() error {
	head, err := w.take(xzHeaderLength)
	if err != nil {
		return err
	}
	if string(head[:6]) != xzMagic {
		return errors.New("something that is no stream follows")
	}
	w.check = xzChecks[head[7]&0xf]
	w.step = w.header
	return nil
}

// header steps over the header of a block, or over all that follows the last block.
func (w *xzWalk) header() error {
	w.block = w.pos
	first, err := w.take(1)
	if err != nil {
		return err
	}
	if first[0] == 0 { // the index begins: §4.1
		w.step = w.stream
		return w.end()
	}
	// §3.1.1: the length of the header is in units of 4 bytes, less one.
	header, err := w.take((int64(first[0])+1)*4 - 1)
	if err != nil {
		return err
	}
	w.step = w.chunk
	return checkBlockHeader(header)
}

// checkBlockHeader looks at the filters of a block: §3.1. The header comes without
// its first byte.
func checkBlockHeader(h []byte) error {
	flags, rest := h[0], h[1:]
	for _, present := range []byte{0x40, 0x80} { // compressed and uncompressed size
		if flags&present != 0 {
			_, n := binary.Uvarint(rest)
			if n <= 0 {
				return errors.New("a block has a damaged header")
			}
			rest = rest[n:]
		}
	}
	if flags&0x3 != 0 || len(rest) < 3 || rest[0] != lzma2Filter || rest[1] != 1 {
		return errors.New("a block needs a filter other than LZMA2")
	}
	// §5.3.1: 2^12, 2^12+2^11, 2^13, …
	bits := uint(rest[2])
	if bits > 40 {
		return errors.New("a block has a damaged header")
	}
	if dictionary := (2 | int64(bits&1)) << (bits/2 + 11); dictionary > maxWindow {
		return fmt.Errorf("a block needs a dictionary of %d MiB; at most %d are allowed", dictionary>>20, maxWindow>>20)
	}
	return nil
}

// chunk steps over an LZMA2 chunk, or over the end of a block. The layout of chunks is
// that of lzma2_decoder.c in XZ Utils.
func (w *xzWalk) chunk() error {
	c, err := w.take(1)
	if err != nil {
		return err
	}
	switch control := c[0]; {
	case control == 0:
		w.step = w.header
		if err := w.align(w.block); err != nil {
			return err
		}
		return w.skip(w.check)
	case control <= 2: // not compressed: the length less one follows
		b, err := w.take(2)
		if err != nil {
			return err
		}
		return w.skip(int64(binary.BigEndian.Uint16(b)) + 1)
	case control >= 0x80: // both lengths less one, and perhaps a byte of properties
		b, err := w.take(4)
		if err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint16(b[2:])) + 1
		if control >= 0xc0 {
			n++
		}
		return w.skip(n)
	}
	return errors.New("a block is damaged")
}

// end steps over the index, of which the first byte is taken, the footer, and the
// padding after a stream: §4 and §2.2.
func (w *xzWalk) end() error {
	start := w.pos - 1
	records, err := w.number()
	if err != nil {
		return err
	}
	for range 2 * records { // the lengths of each block, packed and unpacked
		if _, err := w.number(); err != nil {
			return err
		}
	}
	if err := w.align(start); err != nil {
		return err
	}
	if err := w.skip(4 + xzFooterLength); err != nil { // 4 for the checksum of the index
		return err
	}
	for last := w.pos + maxPadding; w.pos < min(w.size, last); {
		b, err := w.take(min(4, w.size-w.pos))
		if err != nil {
			return err
		}
		if string(b) != "\x00\x00\x00\x00" {
			w.pos -= int64(len(b))
			break
		}
	}
	return nil
}

// number reads an integer of variable length: §1.2.
func (w *xzWalk) number() (uint64, error) {
	b := make([]byte, min(9, max(w.size-w.pos, 0)))
	if n, err := w.src.ReadAt(b, w.pos); n < len(b) {
		return 0, err
	}
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, errors.New("the index is damaged")
	}
	w.pos += int64(n)
	return v, nil
}
