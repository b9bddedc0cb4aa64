package archive

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
)

// tarEntry is one entry of a tar that a test builds. Fix changes the finished header.
type tarEntry struct {
	tar.Header
	body string
	fix  func(block []byte)
}

func regular(name, body string) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644}, body: body}
}

func special(kind byte, name, link string) tarEntry {
	return tarEntry{Header: tar.Header{Typeflag: kind, Name: name, Linkname: link, Mode: 0o644}}
}

func withMode(e tarEntry, mode int64) tarEntry { e.Mode = mode; return e }

func withRecord(e tarEntry, key, value string) tarEntry {
	e.PAXRecords, e.Format = map[string]string{key: value}, tar.FormatPAX
	return e
}

func withTime(e tarEntry, at time.Time) tarEntry {
	e.ModTime, e.Format = at, tar.FormatPAX
	return e
}

// buildTar writes entries as they are, also what a well-meaning writer refuses.
func buildTar(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, e := range entries {
		var one bytes.Buffer
		w := tar.NewWriter(&one)
		if e.Size == 0 {
			e.Size = int64(len(e.body))
		}
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.body)); err != nil && e.body != "" {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil && !strings.Contains(err.Error(), "missed writing") {
			t.Fatal(err)
		}
		if e.fix != nil {
			e.fix(one.Bytes())
			sum(one.Bytes())
		}
		b.Write(one.Bytes())
	}
	b.Write(make([]byte, 1024))
	return b.Bytes()
}

// sum repairs the checksum of a tar header.
func sum(block []byte) {
	copy(block[148:], "        ")
	n := 0
	for _, c := range block[:512] {
		n += int(c)
	}
	copy(block[148:], fmt.Sprintf("%06o\x00 ", n))
}

func gz(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

func packed(t testing.TB, f Format, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := compress(f, &out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// zipEntry is one entry of a zip that a test builds.
type zipEntry struct {
	zip.FileHeader
	body string
}

const unix = 3 << 8 // creator: hostUnix

func zipped(name, body string) zipEntry {
	return zipEntry{zip.FileHeader{Name: name, Method: zip.Deflate, CreatorVersion: unix, ExternalAttrs: 0o100644 << 16}, body}
}

func zipMode(name string, mode uint32, body string) zipEntry {
	e := zipped(name, body)
	e.ExternalAttrs = mode << 16
	return e
}

func buildZip(t testing.TB, entries ...zipEntry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		f, err := w.CreateHeader(&e.FileHeader)
		if err != nil {
			t.Fatal(err)
		}
		if e.body != "" {
			if _, err := f.Write([]byte(e.body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// patchZip changes the n-th record that starts with a signature.
func patchZip(b []byte, signature string, n int, change func(record []byte)) []byte {
	b = bytes.Clone(b)
	at := -1
	for range n + 1 {
		at += 1 + bytes.Index(b[at+1:], []byte(signature))
	}
	change(b[at:])
	return b
}

func put16(at int, v uint16) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) }
}

func put32(at int, v uint32) func([]byte) {
	return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
}
