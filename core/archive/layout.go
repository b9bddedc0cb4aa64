package archive

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Signatures and lengths of the records of a zip archive: APPNOTE.TXT §4.3.
const (
	localSignature   = "PK\x03\x04"
	centralSignature = "PK\x01\x02"
	endSignature     = "PK\x05\x06"
	localLength      = 30
	endLength        = 22
	// hasDescriptor marks entries whose sizes follow their contents: §4.4.4 bit 3.
	hasDescriptor = 1 << 3
)

// checkLayout makes sure that a zip archive says one thing only. Its directory
// stands at its end and repeats what stands before each entry's contents; readers
// that believe the one see other files than readers that believe the other. So
// both must agree, entries must follow one another from the first byte on without
// gap or overlap, and the archive must end with the end record.
func checkLayout(src io.ReaderAt, size int64, r *zip.Reader) error {
	l := layout{src: src, size: size}
	type placed struct {
		*zip.File
		data int64
	}
	var files []placed
	for _, f := range r.File {
		data, err := f.DataOffset()
		if err != nil {
			return &EntryError{f.Name, "is not where the archive's directory says", err}
		}
		files = append(files, placed{f, data})
	}
	slices.SortFunc(files, func(a, b placed) int { return cmp.Compare(a.data, b.data) })
	var pos int64
	for _, f := range files {
		next, err := l.entry(pos, f.File, f.data)
		if err != nil {
			return err
		}
		pos = next
	}
	if !l.has(pos, centralSignature) {
		return fmt.Errorf("%w: something stands between its last entry and its directory", ErrRefused)
	}
	return l.end(r.Comment)
}

type layout struct {
	src  io.ReaderAt
	size int64
}

func (l *layout) has(pos int64, signature string) bool {
	b := make([]byte, len(signature))
	_, err := l.src.ReadAt(b, pos)
	return err == nil && string(b) == signature
}

// entry checks the record before an entry's contents and returns where the next
// one must be.
func (l *layout) entry(pos int64, f *zip.File, data int64) (int64, error) {
	e := entry{name: f.Name}
	if !l.has(pos, localSignature) {
		return 0, e.refuse("does not follow the entry before it")
	}
	head := make([]byte, localLength)
	if _, err := l.src.ReadAt(head, pos); err != nil {
		return 0, &EntryError{f.Name, "has no complete header", err}
	}
	flags, method := binary.LittleEndian.Uint16(head[6:]), binary.LittleEndian.Uint16(head[8:])
	name := make([]byte, binary.LittleEndian.Uint16(head[26:]))
	extra := int64(binary.LittleEndian.Uint16(head[28:]))
	if _, err := l.src.ReadAt(name, pos+localLength); err != nil {
		return 0, &EntryError{f.Name, "has no complete header", err}
	}
	switch {
	case string(name) != f.Name:
		return 0, e.refuse("is called %q in front of its contents", name)
	case flags != f.Flags || method != f.Method:
		return 0, e.refuse("is described differently in front of its contents")
	case pos+localLength+int64(len(name))+extra != data:
		return 0, e.refuse("overlaps another entry")
	}
	end := data + int64(f.CompressedSize64)
	if end < data || end > l.size {
		return 0, &EntryError{f.Name, "is cut off", io.ErrUnexpectedEOF}
	}
	if flags&hasDescriptor == 0 {
		return end, nil
	}
	// With or without a signature, with sizes of 32 or of 64 bits: §4.3.9.
	for _, length := range []int64{16, 24, 12, 20} {
		if l.has(end+length, localSignature) || l.has(end+length, centralSignature) {
			return end + length, nil
		}
	}
	return 0, e.refuse("is not followed by another entry or the directory")
}

func (l *layout) end(comment string) error {
	tail := make([]byte, endLength+len(comment))
	if _, err := l.src.ReadAt(tail, l.size-int64(len(tail))); err != nil && err != io.EOF {
		return fmt.Errorf("read the end of the archive: %w", err)
	}
	if !bytes.HasPrefix(tail, []byte(endSignature)) || string(tail[endLength:]) != comment {
		return fmt.Errorf("%w: something follows its end", ErrRefused)
	}
	return nil
}
