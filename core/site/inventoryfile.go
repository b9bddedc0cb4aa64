package site

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"moult/core/release"
)

// The inventory is text, so that zstdcat shows it: a line of heading, then for
// each file its mode in octal, size, hash and path, sorted by path. zstd's own
// checksums tell damage.
//
// The heading and every inventoryBlock lines are a frame of zstd each. An index
// follows, as text in a frame of its own that zstd's tools skip: for each frame its
// length and the path of its first line. So a patch, which names few files, is planned
// without unpacking the lines of all the others.
const (
	inventoryHeading = "moult inventory 1"
	// inventoryBlock is small, as each file that a patch names may lie in another one.
	inventoryBlock = 64
	// indexMagic begins a frame that zstd skips (RFC 8878, 3.1.2), indexTag ends it,
	// after four bytes that give the packed index's length.
	indexMagic = 0x184D2A50
	indexTag   = "MIDX"
)

func (inv *Inventory) write(w io.Writer) error {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(true), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	base := "known"
	if !inv.BaseKnown {
		base = "unknown"
	}
	var packed, index []byte
	frame := func(text []byte, first release.Path) {
		start := len(packed)
		packed = z.EncodeAll(text, packed)
		index = fmt.Appendf(index, "%d %s\n", len(packed)-start, first)
	}
	frame(fmt.Appendf(nil, "%s version=%s base=%s\n", inventoryHeading, inv.Version, base), "")
	var text []byte
	for block := range slices.Chunk(inv.Files, inventoryBlock) {
		text = text[:0]
		for _, f := range block {
			text = appendInventoryLine(text, f)
		}
		frame(text, block[0].Path)
	}
	index = z.EncodeAll(index, nil)
	packed = binary.LittleEndian.AppendUint32(packed, indexMagic)
	packed = binary.LittleEndian.AppendUint32(packed, uint32(int64(len(index))+indexEnd))
	packed = append(packed, index...)
	packed = binary.LittleEndian.AppendUint32(packed, uint32(len(index)))
	_, err = w.Write(append(packed, indexTag...))
	return err
}

func appendInventoryLine(b []byte, f release.File) []byte {
	b = strconv.AppendUint(b, uint64(f.Mode), 8)
	b = append(b, ' ')
	b = strconv.AppendInt(b, f.Size, 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, f.SHA256[:])
	b = append(b, ' ')
	b = append(b, f.Path...)
	return append(b, '\n')
}

const (
	indexEnd = int64(4 + len(indexTag)) // bytes that follow the packed index
	// Limits of what is unpacked, in bytes: an index of ten million files, and the
	// lines of one block.
	maxIndex = 64 << 20
	maxBlock = inventoryBlock * (4096 + 128)
)

// inventoryFrame is a frame of the inventory, as the index tells of it.
type inventoryFrame struct {
	first          release.Path // the path of the first line; of the heading none
	offset, length int64
}

// inventoryReader reads an inventory frame by frame. Several may use it at a time.
type inventoryReader struct {
	r      io.ReaderAt
	z      *zstd.Decoder
	frames []inventoryFrame // the heading is the first
}

func readInventory(r io.ReaderAt, size int64, read func(*inventoryReader) (*Inventory, error)) (*Inventory, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxIndex))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	ir := &inventoryReader{r: r, z: z}
	if err := ir.readIndex(size); err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return read(ir)
}

func (ir *inventoryReader) readIndex(size int64) error {
	var end [indexEnd]byte
	if _, err := ir.r.ReadAt(end[:], size-indexEnd); err != nil {
		return noEOF(err)
	}
	if string(end[4:]) != indexTag {
		return errors.New("is missing; the file was cut off")
	}
	length := int64(binary.LittleEndian.Uint32(end[:]))
	text, err := ir.unpack(size-indexEnd-length, length, maxIndex)
	if err != nil {
		return err
	}
	return ir.parseIndex(string(text), size-indexEnd-length-8)
}

// parseIndex reads the index of the frames that fill the first size bytes.
func (ir *inventoryReader) parseIndex(text string, size int64) (err error) {
	next := inventoryFrame{}
	for line := range strings.Lines(text) {
		length, first, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		next.first = release.Path(first)
		if next.length, err = strconv.ParseInt(length, 10, 32); err != nil || next.length <= 0 {
			return fmt.Errorf("length %q is not one", length)
		}
		if n := len(ir.frames); (n == 0) != (first == "") || n > 0 && next.first <= ir.frames[n-1].first {
			return fmt.Errorf("%q does not sort after the line before", first)
		}
		ir.frames = append(ir.frames, next)
		next.offset += next.length
	}
	if len(ir.frames) == 0 || next.offset != size {
		return errors.New("is of another file")
	}
	return nil
}

// unpack reads a frame.
func (ir *inventoryReader) unpack(offset, length int64, limit int) ([]byte, error) {
	if offset < 0 || length > int64(limit) {
		return nil, errors.New("is too long")
	}
	packed := make([]byte, length)
	if _, err := ir.r.ReadAt(packed, offset); err != nil {
		return nil, noEOF(err)
	}
	text, err := ir.z.DecodeAll(packed, nil)
	if err == nil && len(text) > limit {
		err = errors.New("is too long")
	}
	return text, err
}

func (ir *inventoryReader) all() (*Inventory, error) { return ir.read(ir.frames[1:]) }

// read unpacks the heading and the frames that are wanted, on all processors.
func (ir *inventoryReader) read(wanted []inventoryFrame) (*Inventory, error) {
	heading := ir.frames[0]
	text, err := ir.unpack(heading.offset, heading.length, maxBlock)
	if err != nil {
		return nil, fmt.Errorf("heading: %w", err)
	}
	inv := &Inventory{}
	if err := inv.parseHeading(strings.TrimSuffix(string(text), "\n")); err != nil {
		return nil, err
	}
	blocks := make([][]release.File, len(wanted))
	var g errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		g.Go(func() (err error) {
			for i := w; i < len(wanted) && err == nil; i += workers {
				blocks[i], err = ir.block(wanted[i])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	inv.Files = slices.Concat(blocks...)
	for i := 1; i < len(inv.Files); i++ {
		if inv.Files[i-1].Path >= inv.Files[i].Path {
			return nil, fmt.Errorf("%s does not sort after %s", inv.Files[i].Path, inv.Files[i-1].Path)
		}
	}
	return inv, nil
}

// block reads the lines of a frame.
func (ir *inventoryReader) block(fr inventoryFrame) ([]release.File, error) {
	text, err := ir.unpack(fr.offset, fr.length, maxBlock)
	if err != nil {
		return nil, fmt.Errorf("the lines from %s on: %w", fr.first, err)
	}
	files := make([]release.File, 0, inventoryBlock)
	dir := ""
	for line := range bytes.Lines(text) {
		f, err := parseInventoryLine(bytes.TrimSuffix(line, []byte{'\n'}), dir)
		if err != nil {
			return nil, fmt.Errorf("line %d from %s on: %w", len(files)+1, fr.first, err)
		}
		dir = string(f.Path[:max(strings.LastIndexByte(string(f.Path), '/'), 0)])
		files = append(files, f)
	}
	if len(files) == 0 || files[0].Path != fr.first {
		return nil, fmt.Errorf("the lines from %s on are not where the index says", fr.first)
	}
	return files, nil
}

// find returns the frames that tell of what operations name.
func (ir *inventoryReader) find(ops release.Operations) []inventoryFrame {
	wanted := make([]bool, len(ir.frames))
	// in is the frame whose lines a path is between.
	in := func(p release.Path) int {
		after, _ := slices.BinarySearchFunc(ir.frames, p, func(fr inventoryFrame, p release.Path) int {
			if fr.first <= p {
				return -1
			}
			return 1
		})
		return after - 1
	}
	for _, p := range slices.Concat(ops.ReplaceFiles, ops.DeleteFiles) {
		wanted[in(p)] = true
	}
	for _, dir := range slices.Concat(ops.ReplaceDirectories, ops.DeleteDirectories) {
		for i := in(dir + "/"); i <= in(dir+"0"); i++ { // 0 is what sorts after /
			wanted[i] = true
		}
	}
	var found []inventoryFrame
	for i := 1; i < len(wanted); i++ {
		if wanted[i] {
			found = append(found, ir.frames[i])
		}
	}
	return found
}

func (inv *Inventory) parseHeading(head string) error {
	rest, ok := strings.CutPrefix(head, inventoryHeading+" version=")
	version, base, ok2 := strings.Cut(rest, " base=")
	if !ok || !ok2 || base != "known" && base != "unknown" {
		return fmt.Errorf("heading %q is not one of %q", head, inventoryHeading)
	}
	inv.BaseKnown = base == "known"
	return inv.Version.UnmarshalText([]byte(version))
}

// parseInventoryLine reads a line. dir is the directory of the line before: of a
// path in the same one only the name is new and must be checked.
func parseInventoryLine(line []byte, dir string) (release.File, error) {
	mode, rest, _ := bytes.Cut(line, []byte{' '})
	size, rest, _ := bytes.Cut(rest, []byte{' '})
	digits, path, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return release.File{}, errors.New("has fewer than four parts")
	}
	var f release.File
	m, err := strconv.ParseUint(string(mode), 8, 32)
	if err != nil || m > uint64(fs.ModePerm) {
		return f, fmt.Errorf("mode %q is not one", mode)
	}
	f.Mode = uint32(m)
	if f.Size, err = strconv.ParseInt(string(size), 10, 64); err != nil || f.Size < 0 {
		return f, fmt.Errorf("size %q is not one", size)
	}
	if len(digits) != hex.EncodedLen(len(f.SHA256)) {
		return f, fmt.Errorf("hash %q is not one", digits)
	}
	if _, err := hex.Decode(f.SHA256[:], digits); err != nil {
		return f, fmt.Errorf("hash %q: %w", digits, err)
	}
	text := string(path)
	name, same := strings.CutPrefix(text, dir+"/")
	if dir == "" || !same || name == "" || strings.Contains(name, "/") || strings.EqualFold(name, Home) || len(text) > longPath {
		f.Path, err = release.ParsePath(text)
		return f, err
	}
	if _, err := release.ParsePath(name); err != nil {
		return f, fmt.Errorf("%s: %w", text, err)
	}
	f.Path = release.Path(text)
	return f, nil
}

// longPath is a length in bytes from which a path is checked whole.
const longPath = 1024

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
