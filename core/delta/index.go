package delta

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/zstd"

	"moult/core/release"
)

// ErrMalformed is in the chain of every error that says that a delta is at fault.
var ErrMalformed = errors.New("the delta is malformed")

// Index says what is in a delta. Written down, it names files by their number in the
// lists of both releases, which whoever applies the delta has: names would be most of a
// small delta.
type Index struct {
	From, To release.Version
	// Meta are the files that describe the package: names below ".moult-package", in
	// the order in which the description frame has their contents.
	Meta []MetaFile
	// MetaLength is the length of the description frame in bytes; 0 without Meta.
	MetaLength int64
	// Same are files whose contents the older release has under another name or with
	// other permissions.
	Same  []Same
	Packs []Pack
}

// MetaFile is one file that describes the package.
type MetaFile struct {
	Name string
	Size int64
}

// Same says that a file of the new release has the contents of one of the old.
type Same struct{ New, Old release.Path }

// Pack is one frame, or one patch of bsdiff.
type Pack struct {
	Length int64   // of the frame, in bytes
	Bsdiff bool    // it is a patch of bsdiff
	Files  []Piece // what the frame unpacks to, in order
	Base   []Piece // of the older release: the dictionary, in order
}

// Piece is a file or a part of one.
type Piece struct {
	Path release.Path
	At   int64 // where the part begins
	Size int64 // of the part; -1 for a whole file
}

// whole makes the piece that is all of a file.
func whole(p release.Path) Piece { return Piece{Path: p, Size: -1} }

func (p Piece) isWhole() bool { return p.Size < 0 }

const (
	indexFormat = 1
	// headMagic is any of the 16 numbers of skippable frames: RFC 8878 §3.1.2.
	headMagic  = 0x184D2A5D
	headName   = "moult-delta"
	headLength = 8 + len(headName) + 1 + 4
	// maxIndex is the longest index that is read, in bytes, unpacked.
	maxIndex = release.MaxManifest
	// maxMeta is what the description may unpack to, in bytes.
	maxMeta = 64 << 20
)

// readIndex reads the index of a delta of size bytes and returns where it ends. An error
// for which errors.Is(err, ErrMalformed) holds names the field.
func readIndex(src io.ReaderAt, size int64, l *lists) (*Index, int64, error) {
	head := make([]byte, headLength)
	if err := readAt(src, head, 0, size); err != nil {
		return nil, 0, fmt.Errorf("read the head of the delta: %w", err)
	}
	length := int64(binary.LittleEndian.Uint32(head[headLength-4:]))
	if want := appendHead(nil, uint32(length)); !bytes.Equal(head, want) {
		return nil, 0, fmt.Errorf("%w: it doesn't begin like a delta of format %d", ErrMalformed, indexFormat)
	}
	if length > maxIndex {
		return nil, 0, fmt.Errorf("%w: its index has %d bytes; at most %d are read", ErrMalformed, length, int64(maxIndex))
	}
	frame := make([]byte, min(length, size))
	if err := readAt(src, frame, int64(headLength), size); err != nil {
		return nil, 0, fmt.Errorf("read the index of the delta: %w", err)
	}
	text, err := unpackSmall(frame, maxIndex)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: index: %w", ErrMalformed, err)
	}
	index, err := parseIndex(text, l)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: index: %w", ErrMalformed, err)
	}
	end := int64(headLength) + length
	total := end + index.MetaLength
	for _, p := range index.Packs {
		if total > size {
			break
		}
		total += p.Length
	}
	if total != size {
		return nil, 0, fmt.Errorf("%w: it has %d bytes, and its index speaks of %d", ErrMalformed, size, total)
	}
	return index, end, nil
}

// readAt fills b, and takes an end that comes too early for the delta's fault.
func readAt(src io.ReaderAt, b []byte, at, size int64) error {
	if at+int64(len(b)) > size {
		return fmt.Errorf("%w: %w", ErrMalformed, io.ErrUnexpectedEOF)
	}
	n, err := src.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	return err
}

// unpackSmall unpacks a frame that fits into memory.
func unpackSmall(frame []byte, most int) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(most)), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(frame, nil)
}

func parseIndex(b []byte, l *lists) (*Index, error) {
	f := release.ParseDocument(b, maxIndex)
	f.Only("from", "to", "lists", "meta", "meta_length", "same", "packs")
	f.Get("from").Required()
	f.Get("to").Required()
	if list := f.Get("lists"); list.Text() != l.digest() {
		list.Fail(errors.New("it is made for other lists of files than these"))
	}
	x := &Index{From: f.Get("from").Version(), To: f.Get("to").Version(), MetaLength: f.Get("meta_length").Int(1, math.MaxInt32)}
	var total int64
	for _, e := range f.Get("meta").List() {
		e.Only("name", "size")
		m := MetaFile{Name: string(e.Get("name").Path()), Size: e.Get("size").Int(0, maxMeta)}
		if total += m.Size; total > maxMeta {
			e.Fail(fmt.Errorf("brings the description to more than %d bytes", maxMeta))
		}
		x.Meta = append(x.Meta, m)
	}
	if (x.MetaLength == 0) != (len(x.Meta) == 0) {
		f.Get("meta_length").Fail(errors.New("does not go with meta"))
	}
	old, new := l.old.begin(), l.new.begin()
	for _, e := range f.Get("same").List() {
		pair := e.List()
		if len(pair) != 2 {
			e.Fail(errors.New("must be the new file and the old one"))
			break
		}
		x.Same = append(x.Same, Same{new.read(pair[0]), old.read(pair[1])})
	}
	old, new = l.old.begin(), l.new.begin()
	for _, e := range f.Get("packs").List() {
		e.Only("length", "bsdiff", "files", "base")
		p := Pack{Bsdiff: e.Get("bsdiff").Bool(), Files: new.readPieces(e.Get("files"))}
		if p.Length = e.Get("length").Int(1, math.MaxInt32); p.Length == 0 {
			e.Get("length").Fail(errors.New("is missing"))
		}
		if len(p.Files) == 0 {
			e.Get("files").Fail(errors.New("is missing"))
		}
		if base := e.Get("base"); base.Present() {
			p.Base = old.readPieces(base)
		} else {
			p.Base = l.usualBase(p.Files)
		}
		x.Packs = append(x.Packs, p)
	}
	return x, f.Err()
}

type indexText struct {
	From       release.Version `json:"from"`
	To         release.Version `json:"to"`
	Lists      string          `json:"lists"`
	Meta       []metaText      `json:"meta,omitempty"`
	MetaLength int64           `json:"meta_length,omitempty"`
	Same       [][2]int        `json:"same,omitempty"`
	Packs      []packText      `json:"packs"`
}

type metaText struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

type packText struct {
	Length int64 `json:"length"`
	Bsdiff bool  `json:"bsdiff,omitempty"`
	Files  []any `json:"files"`
	Base   []any `json:"base,omitzero"` // left out where it is the usual one
}

// encode writes the head of a delta and the index.
func (x *Index) encode(ctx context.Context, l *lists, pack encode) ([]byte, error) {
	t := indexText{From: x.From, To: x.To, Lists: l.digest(), MetaLength: x.MetaLength, Packs: []packText{}}
	for _, m := range x.Meta {
		t.Meta = append(t.Meta, metaText(m))
	}
	old, new := l.old.begin(), l.new.begin()
	for _, s := range x.Same {
		t.Same = append(t.Same, [2]int{new.step(s.New), old.step(s.Old)})
	}
	old, new = l.old.begin(), l.new.begin()
	for _, p := range x.Packs {
		text := packText{Length: p.Length, Bsdiff: p.Bsdiff, Files: new.pieceTexts(p.Files)}
		if !slices.Equal(p.Base, l.usualBase(p.Files)) {
			text.Base = old.pieceTexts(p.Base)
		}
		t.Packs = append(t.Packs, text)
	}
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("index of the delta: %w", err)
	}
	frame, err := pack(ctx, nil, b)
	if err != nil {
		return nil, fmt.Errorf("index of the delta: %w", err)
	}
	return append(appendHead(nil, uint32(len(frame))), frame...), nil
}

func appendHead(b []byte, indexLength uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, headMagic)
	b = binary.LittleEndian.AppendUint32(b, uint32(headLength-8))
	b = append(b, headName...)
	b = append(b, indexFormat)
	return binary.LittleEndian.AppendUint32(b, indexLength)
}
