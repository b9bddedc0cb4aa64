package archive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

var formats = []Format{TarGzip, TarXZ, TarZstd, Zip}

var date = time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)

// sampleTree is a tree with what packages really hold: empty files and
// directories, programs, long and foreign names, contents of more than a buffer.
func sampleTree() (Tree, map[release.Path][]byte) {
	r := rand.New(rand.NewPCG(1, 2))
	large := make([]byte, bufferSize+17)
	for i := range large {
		large[i] = byte(r.UintN(40))
	}
	contents := map[release.Path][]byte{
		"index.php":       []byte("<?php\n"),
		"bin/run":         []byte("#!/bin/sh\n"),
		"empty":           nil,
		"data/large.bin":  large,
		"größe/naïve.txt": []byte("ü"),
		release.Path("deep/" + strings.Repeat("directory/", 20) + "leaf"): []byte("leaf"),
		".htaccess": []byte("deny"),
	}
	t := Tree{Dirs: []release.Path{"cache", "data/none"}, Meta: map[string][]byte{"schema/to.sql": []byte("CREATE TABLE t (a int);")}}
	for p, b := range contents {
		mode := uint32(0o644)
		if p == "bin/run" {
			mode = 0o755
		}
		t.Files = append(t.Files, release.File{Path: p, Size: int64(len(b)), Mode: mode, SHA256: release.DigestOf(b)})
	}
	t.Open = func(p release.Path) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(contents[p])), nil }
	return t, contents
}

func create(t testing.TB, f Format, tree Tree) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Create(context.Background(), &b, f, tree, date); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestWhatIsCreatedIsExtractedUnchanged(t *testing.T) {
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			tree, contents := sampleTree()
			b := create(t, f, tree)
			root := openRoot(t, t.TempDir())
			var last, of int64
			got, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), root, Limits{}, func(done, total int64) {
				if done < last || done > total {
					t.Errorf("progress went from %d to %d of %d", last, done, total)
				}
				last, of = done, total
			})
			if err != nil {
				t.Fatal(err)
			}
			if last != of || of != int64(len(b)) {
				t.Errorf("progress ended at %d of %d; the archive has %d bytes", last, of, len(b))
			}
			if len(got.Files) != len(contents) {
				t.Errorf("%d files, want %d", len(got.Files), len(contents))
			}
			for _, file := range got.Files {
				want := contents[file.Path]
				b, err := root.ReadFile(string(file.Path))
				if err != nil || !bytes.Equal(b, want) || file.SHA256 != release.DigestOf(want) || file.Size != int64(len(want)) {
					t.Errorf("%s is not as packed: %v", file.Path, err)
				}
				info, err := root.Lstat(string(file.Path))
				if err != nil || uint32(info.Mode().Perm()) != file.Mode || file.Path == "bin/run" && file.Mode != 0o755 {
					t.Errorf("%s has mode %v, want %o (%v)", file.Path, info.Mode(), file.Mode, err)
				}
			}
			if len(got.Meta) != 1 || got.Meta[0].Path != "schema/to.sql" {
				t.Errorf("meta = %v", got.Meta)
			}
			for _, d := range []release.Path{"cache", "data", "data/none"} {
				if !contains(got.Dirs, d) {
					t.Errorf("directory %s is not among %v", d, got.Dirs)
				}
			}
			if contains(got.Dirs, PackageDir) {
				t.Error("the package's own directory is listed as one of the site")
			}
		})
	}
}

func contains(dirs []release.Path, d release.Path) bool {
	return strings.Contains(fmt.Sprint(" ", dirs, " "), string(d))
}

func TestSameTreeGivesSameBytesInAnyOrder(t *testing.T) {
	for _, f := range formats {
		tree, _ := sampleTree()
		want := create(t, f, tree)
		for range 3 {
			rand.Shuffle(len(tree.Files), func(i, j int) { tree.Files[i], tree.Files[j] = tree.Files[j], tree.Files[i] })
			rand.Shuffle(len(tree.Dirs), func(i, j int) { tree.Dirs[i], tree.Dirs[j] = tree.Dirs[j], tree.Dirs[i] })
			if !bytes.Equal(create(t, f, tree), want) {
				t.Errorf("%s: another order gave other bytes", f)
			}
		}
	}
}

func TestCreateRefusesFilesThatChange(t *testing.T) {
	for _, contents := range []string{"", "short", "exactly!", "much too long for it"} {
		for _, f := range formats {
			tree := Tree{
				Files: []release.File{{Path: "a", Size: 8, Mode: 0o644, SHA256: release.DigestOf([]byte("original"))}},
				Open:  func(release.Path) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(contents)), nil },
			}
			err := Create(context.Background(), io.Discard, f, tree, date)
			if err == nil || !strings.Contains(err.Error(), "changed while it was packed") {
				t.Errorf("%s with contents %q: %v", f, contents, err)
			}
		}
	}
}

func TestScanFindsWhatExtractWrote(t *testing.T) {
	tree, _ := sampleTree()
	tree.Meta = nil
	b := create(t, TarZstd, tree)
	root := openRoot(t, t.TempDir())
	c, err := Extract(context.Background(), bytes.NewReader(b), int64(len(b)), root, Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	files, dirs, err := Scan(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c.Files, files); diff != "" {
		t.Errorf("files differ (-extracted +scanned):\n%s", diff)
	}
	if diff := cmp.Diff(tree.Dirs, dirs); diff != "" {
		t.Errorf("empty directories differ:\n%s", diff)
	}
}
