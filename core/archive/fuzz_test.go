package archive

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

// FuzzExtract holds that no archive writes outside of the directory it is extracted
// to, and that what it gives back is what is there.
func FuzzExtract(f *testing.F) {
	tree, _ := sampleTree()
	tree.Files = tree.Files[:2]
	for _, format := range formats {
		f.Add(create(f, format, tree))
	}
	for i, h := range hostileTars(f) {
		if len(h.bytes) < 1<<16 {
			f.Add(packed(f, []Format{TarGzip, TarZstd, TarXZ}[i%3], h.bytes))
		}
	}
	for _, h := range append(hostileZips(f), hostileStreams(f)...) {
		if len(h.bytes) < 1<<16 {
			f.Add(h.bytes)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		top := t.TempDir()
		inside := filepath.Join(top, "inside")
		if err := os.Mkdir(inside, 0o755); err != nil {
			t.Fatal(err)
		}
		root := openRoot(t, inside)
		c, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), root, Limits{Entries: 100, TotalBytes: 1 << 20}, nil)
		if left, rerr := os.ReadDir(top); rerr != nil || len(left) != 1 {
			t.Fatalf("outside: %v, %v", left, rerr)
		}
		if lerr := noLinks(inside); lerr != nil {
			t.Fatal(lerr)
		}
		if err != nil {
			if !errors.Is(err, ErrRefused) {
				t.Errorf("%v is no refusal", err)
			}
			return
		}
		for _, file := range c.Files {
			b, err := root.ReadFile(string(file.Path))
			if err != nil || release.DigestOf(b) != file.SHA256 {
				t.Errorf("%s is not what was hashed: %v", file.Path, err)
			}
		}
	})
}

// FuzzParsePackageInfo holds that what is read can be written and read again.
func FuzzParsePackageInfo(f *testing.F) {
	b, err := sampleInfo(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"format": 1, "to": "1.0.0", "files": []}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := ParsePackageInfo(b)
		if err != nil {
			return
		}
		written, err := info.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParsePackageInfo(written)
		if err != nil {
			t.Fatalf("can't be read back: %v\n%s", err, written)
		}
		if diff := cmp.Diff(info, again, compare); diff != "" {
			t.Errorf("came back different:\n%s", diff)
		}
	})
}
