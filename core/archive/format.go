package archive

import (
	"bytes"
	"fmt"
	"io"
)

// Format is a kind of archive.
type Format string

// The formats, by their usual file name extension.
const (
	TarGzip Format = "tar.gz"
	TarXZ   Format = "tar.xz"
	TarZstd Format = "tar.zst"
	Zip     Format = "zip"
)

// magics are the first bytes of each format. An empty zip starts with its end
// record; it has no entries, so it is as good as no archive.
var magics = []struct {
	format Format
	bytes  []byte
}{
	{TarGzip, []byte{0x1f, 0x8b, 0x08}},             // RFC 1952 §2.3.1
	{TarXZ, []byte{0xfd, '7', 'z', 'X', 'Z', 0x00}}, // xz file format §2.1.1.1
	{TarZstd, []byte{0x28, 0xb5, 0x2f, 0xfd}},       // RFC 8878 §3.1.1
	{Zip, []byte{'P', 'K', 0x03, 0x04}},             // APPNOTE.TXT §4.3.7
}

// Detect tells the format of an archive by its first bytes. Bytes of no known
// format give an error for which errors.Is(err, ErrRefused) holds.
func Detect(src io.ReaderAt) (Format, error) {
	head := make([]byte, 6)
	n, err := src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("read the archive: %w", err)
	}
	for _, m := range magics {
		if bytes.HasPrefix(head[:n], m.bytes) {
			return m.format, nil
		}
	}
	return "", fmt.Errorf("%w: it is none of tar.gz, tar.xz, tar.zst and zip", ErrRefused)
}
