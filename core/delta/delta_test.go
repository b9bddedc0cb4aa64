package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"moult/core/release"
)

// contents is a tree in memory.
type contents map[release.Path][]byte

func (c contents) tree(version string) Tree {
	v, err := release.ParseVersion(version)
	if err != nil {
		panic(err)
	}
	t := Tree{Version: v}
	for _, p := range slices.Sorted(maps.Keys(c)) {
		t.Files = append(t.Files, release.File{Path: p, Size: int64(len(c[p])), Mode: 0o644, SHA256: release.DigestOf(c[p])})
	}
	t.Open = func(p release.Path) (io.ReadCloser, error) {
		b, ok := c[p]
		if !ok {
			return nil, fmt.Errorf("%s: %w", p, os.ErrNotExist)
		}
		return io.NopCloser(bytes.NewReader(b)), nil
	}
	return t
}

func makeDelta(t testing.TB, old, new Tree, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Make(context.Background(), &b, old, new, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openRoot(t testing.TB) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func apply(delta []byte, old Tree, want []release.File, dst *os.Root) (*Applied, error) {
	return Apply(context.Background(), bytes.NewReader(delta), int64(len(delta)), old, want, dst, Limits{}, nil)
}

// small cuts so that a test has many packs and segments and still takes no time.
var small = cut{pack: 64 << 10, segment: 64 << 10, base: 128 << 10, block: 8 << 10}

// encoders are the ways to make a delta that are there.
func encoders(t testing.TB) map[string]Options {
	all := map[string]Options{"go": {GoOnly: true, cut: small}}
	if _, err := exec.LookPath("zstd"); err == nil {
		all["zstd"] = Options{Zstd: "zstd", cut: small}
	} else {
		t.Log("the zstd command is not installed: only the Go library is tested")
	}
	return all
}

// source makes text in which lines repeat as they do in programs.
func source(r *rand.Rand, lines int) []byte {
	var b bytes.Buffer
	for range lines {
		fmt.Fprintf(&b, "\t$%s%d = $this->get_%s('%x');\n", words[r.IntN(len(words))], r.IntN(20), words[r.IntN(len(words))], r.Uint32())
	}
	return b.Bytes()
}

var words = []string{"user", "session", "config", "message", "folder", "template", "output", "plugin", "storage", "address"}

// edit changes a few places of a file.
func edit(r *rand.Rand, b []byte, places int) []byte {
	b = bytes.Clone(b)
	for range places {
		at := r.IntN(len(b) + 1)
		switch r.IntN(3) {
		case 0:
			b = slices.Insert(b, at, source(r, 2)...)
		case 1:
			b = slices.Delete(b, at, min(len(b), at+r.IntN(200)))
		default:
			copy(b[at:], "changed here")
		}
	}
	return b
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// releases is a pair of releases with everything that happens between two: files
// edited, new, gone, moved, emptied, and one that is large.
func releases() (old, new contents) {
	r := rand.New(rand.NewPCG(7, 7))
	old, new = contents{}, contents{}
	for i := range 60 {
		p := release.Path(fmt.Sprintf("program/lib/file%02d.php", i))
		old[p] = source(r, 50+r.IntN(300))
		new[p] = old[p]
		if i%3 == 0 {
			new[p] = edit(r, old[p], 3)
		}
	}
	old["vendor/mail-1.2/Mail.php"] = source(r, 800)
	new["vendor/mail-1.3/Mail.php"] = edit(r, old["vendor/mail-1.2/Mail.php"], 5)
	old["vendor/mail-1.2/LICENSE"] = source(r, 20)
	new["vendor/mail-1.3/LICENSE"] = old["vendor/mail-1.2/LICENSE"]
	old["gone.php"] = source(r, 10)
	new["added.php"] = source(r, 100)
	new["empty.php"] = nil
	old["emptied.php"], new["emptied.php"] = source(r, 10), nil
	old["filled.php"], new["filled.php"] = nil, source(r, 10)
	old["image.png"], new["image.png"] = noise(r, 20000), noise(r, 20000)
	old["large.bin"] = noise(r, 400_000)
	new["large.bin"] = slices.Concat(noise(r, 5000), edit(r, old["large.bin"], 10), noise(r, 70_000))
	return old, new
}

func check(t *testing.T, dst *os.Root, got *Applied, want contents) {
	t.Helper()
	for _, f := range got.Files {
		b, err := dst.ReadFile(string(f.Path))
		if err != nil || !bytes.Equal(b, want[f.Path]) {
			t.Errorf("%s is not as in the new release: %v", f.Path, err)
		}
		info, err := dst.Stat(string(f.Path))
		if err != nil || uint32(info.Mode().Perm()) != f.Mode {
			t.Errorf("%s has mode %v (%v)", f.Path, info.Mode(), err)
		}
	}
}

func TestDeltaLeadsFromTheOldReleaseToTheNew(t *testing.T) {
	oldContents, newContents := releases()
	old, new := oldContents.tree("1.4.2"), newContents.tree("1.5.0")
	for i, f := range new.Files {
		if f.Path == "program/lib/file01.php" {
			new.Files[i].Mode = 0o755 // nothing but the permissions changed
		}
	}
	meta := map[string][]byte{"package.json": []byte("{}"), "schema/to.sql": []byte("CREATE TABLE t (a int);"), "scripts/10-empty.sql": {}}
	for name, o := range encoders(t) {
		t.Run(name, func(t *testing.T) {
			o.Meta = meta
			delta := makeDelta(t, old, new, o)
			dst := openRoot(t)
			got, err := apply(delta, old, new.Files, dst)
			if err != nil {
				t.Fatal(err)
			}
			check(t, dst, got, newContents)
			var changed []release.File
			before := byPath(old.Files)
			for _, f := range new.Files {
				if before[f.Path] != f {
					changed = append(changed, f)
				}
			}
			if diff := cmp.Diff(changed, got.Files); diff != "" {
				t.Errorf("made files differ (-want +got):\n%s", diff)
			}
			if len(got.Lost) != 0 {
				t.Errorf("lost %v", got.Lost)
			}
			if diff := cmp.Diff(meta, got.Meta); diff != "" {
				t.Errorf("description differs:\n%s", diff)
			}
			// What is new in the pair can't be packed: noise, and the hexadecimal digits of
			// added text.
			if most := 70_000 + 5000 + 20000 + 40_000; len(delta) > most {
				t.Errorf("the delta has %d bytes, want at most %d", len(delta), most)
			}
		})
	}
}

func TestDeltaInGoIsReproducible(t *testing.T) {
	a, b := releases()
	first := makeDelta(t, a.tree("1.0.0"), b.tree("2.0.0"), Options{GoOnly: true, cut: small})
	new := b.tree("2.0.0")
	slices.Reverse(new.Files)
	if !bytes.Equal(first, makeDelta(t, a.tree("1.0.0"), new, Options{GoOnly: true, cut: small})) {
		t.Error("the same releases in another order gave another delta")
	}
}

// TestPacksAreInterchangeableWithZstd takes packs apart with the zstd command, and
// puts frames of the command in their place.
func TestPacksAreInterchangeableWithZstd(t *testing.T) {
	if _, err := exec.LookPath("zstd"); err != nil {
		t.Skip("the zstd command is not installed")
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(3, 3))
	base := source(r, 5_000)
	for name, contents := range map[string][]byte{
		"edited": edit(r, base, 20), "tiny": []byte("x"), "empty": nil, "same": base, "noise": noise(r, 300_000), "longer": slices.Concat(base, base, source(r, 10_000)),
	} {
		old, frame, out := filepath.Join(dir, "old"), filepath.Join(dir, "frame"), filepath.Join(dir, "out")
		packed, err := new(library).pack(t.Context(), base, contents)
		if err != nil {
			t.Fatal(err)
		}
		for p, b := range map[string][]byte{old: base, frame: packed} {
			if err := os.WriteFile(p, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if said, err := exec.Command("zstd", "-q", "-f", "-d", "--patch-from="+old, frame, "-o", out).CombinedOutput(); err != nil {
			t.Errorf("%s: zstd can't unpack: %v: %s", name, err, said)
			continue
		}
		if b, err := os.ReadFile(out); err != nil || !bytes.Equal(b, contents) {
			t.Errorf("%s: zstd unpacks to something else (%v)", name, err)
		}
		packed, err = (&command{"zstd", dir, new(library)}).pack(context.Background(), base, contents)
		if err != nil {
			t.Fatal(err)
		}
		d, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(0, base))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := d.DecodeAll(packed, nil); err != nil || !bytes.Equal(b, contents) {
			t.Errorf("%s: what zstd packed unpacks to something else (%v)", name, err)
		}
		d.Close()
	}
}

func TestUnusableBaseCostsItsPackOnly(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	oldContents, newContents := contents{}, contents{}
	for i := range 6 { // of 20 kB each: three to a pack
		p := release.Path(fmt.Sprintf("f%02d", i))
		oldContents[p] = source(r, 500)
		newContents[p] = edit(r, oldContents[p], 3)
	}
	oldContents["moved-from"] = source(r, 10)
	newContents["moved-to"] = oldContents["moved-from"]
	oldContents["big"] = noise(r, 300_000)
	newContents["big"] = edit(r, oldContents["big"], 9)
	old, new := oldContents.tree("1.0.0"), newContents.tree("2.0.0")
	delta := makeDelta(t, old, new, Options{GoOnly: true, cut: small})
	index, _, err := readIndex(bytes.NewReader(delta), int64(len(delta)), newLists(old.Files, new.Files))
	if err != nil {
		t.Fatal(err)
	}
	packOf := func(p release.Path) (all []release.Path) {
		for _, pack := range index.Packs {
			if slices.ContainsFunc(pack.Base, func(b Piece) bool { return b.Path == p }) {
				for _, f := range pack.Files {
					all = append(all, f.Path)
				}
			}
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	for _, broken := range []release.Path{"f00", "f05", "moved-from", "big"} {
		for how, change := range map[string]func([]byte) ([]byte, bool){
			"edited":  func(b []byte) ([]byte, bool) { b = bytes.Clone(b); b[len(b)/2] ^= 1; return b, true },
			"longer":  func(b []byte) ([]byte, bool) { return append(bytes.Clone(b), 'x'), true },
			"cut off": func(b []byte) ([]byte, bool) { return b[:len(b)/2], true },
			"gone":    func(b []byte) ([]byte, bool) { return nil, false },
		} {
			t.Run(fmt.Sprintf("%s %s", broken, how), func(t *testing.T) {
				here := maps.Clone(oldContents)
				b, stays := change(here[broken])
				if here[broken] = b; !stays {
					delete(here, broken)
				}
				site := old
				site.Open = here.tree("1.0.0").Open
				dst := openRoot(t)
				got, err := apply(delta, site, new.Files, dst)
				if how == "longer" && !strings.HasPrefix(string(broken), "big") {
					// Bytes after the end are not read; what counts is what the file began with.
					if err != nil || len(got.Lost) > 1 {
						t.Fatalf("lost %v, %v", got.Lost, err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				want := packOf(broken)
				if broken == "moved-from" {
					want = []release.Path{"moved-to"}
				}
				var lost []release.Path
				for _, l := range got.Lost {
					lost = append(lost, l.Path)
					if l.Base != broken || l.Err == nil {
						t.Errorf("%s is lost because of %s: %v", l.Path, l.Base, l.Err)
					}
					if _, err := dst.Stat(string(l.Path)); !errors.Is(err, os.ErrNotExist) {
						t.Errorf("%s is lost, but something is there: %v", l.Path, err)
					}
				}
				if diff := cmp.Diff(want, lost); diff != "" {
					t.Errorf("lost files differ (-want +got):\n%s", diff)
				}
				if len(got.Files)+len(got.Lost) != len(new.Files) {
					t.Errorf("%d made and %d lost of %d", len(got.Files), len(got.Lost), len(new.Files))
				}
				check(t, dst, got, newContents)
			})
		}
	}
}

func TestAnyTwoTreesAreJoinedByADelta(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		oldContents, newContents := contents{}, contents{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "files") {
			p := release.Path(fmt.Sprintf("d%d/f%d", i%3, i))
			b := source(r, r.IntN(50))
			switch rapid.IntRange(0, 5).Draw(rt, "fate") {
			case 0:
				oldContents[p] = b
			case 1:
				newContents[p] = b
			case 2:
				oldContents[p], newContents[p] = b, b
			case 3:
				oldContents[p], newContents["x/"+p] = b, b
			case 4:
				oldContents[p], newContents["x/"+p] = b, edit(r, b, 1)
			default:
				oldContents[p], newContents[p] = b, edit(r, b, 2)
			}
		}
		old, new := oldContents.tree("1.0.0"), newContents.tree("1.0.1")
		delta := makeDelta(t, old, new, Options{GoOnly: true, cut: small})
		dst := openRoot(t)
		got, err := apply(delta, old, new.Files, dst)
		if err != nil {
			rt.Fatal(err)
		}
		check(t, dst, got, newContents)
		if len(got.Lost) != 0 {
			rt.Fatalf("lost %v", got.Lost)
		}
		for _, f := range new.Files {
			made := slices.Contains(got.Files, f)
			if made == slices.Contains(old.Files, f) {
				rt.Fatalf("%s: made is %v", f.Path, made)
			}
		}
	})
}
