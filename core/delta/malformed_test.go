package delta

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"moult/core/release"
)

// frame is a pack to be written by a test, with contents that need not be right.
type frame struct {
	files, base    []Piece
	from, contents string // what is packed, against what
}

// assemble writes a delta from an index and frames as they are.
func assemble(t testing.TB, x Index, frames ...frame) []byte {
	t.Helper()
	l := new(library)
	var body []byte
	for _, f := range frames {
		b, err := l.pack(t.Context(), []byte(f.from), []byte(f.contents))
		if err != nil {
			t.Fatal(err)
		}
		x.Packs = append(x.Packs, Pack{Length: int64(len(b)), Files: f.files, Base: f.base})
		body = append(body, b...)
	}
	head, err := x.encode(t.Context(), tinyLists(), l.pack)
	if err != nil {
		t.Fatal(err)
	}
	return append(head, body...)
}

func wholes(paths ...release.Path) []Piece {
	pieces := []Piece{}
	for _, p := range paths {
		pieces = append(pieces, whole(p))
	}
	return pieces
}

// tinyPair is a pair of releases for deltas that tests write by hand: of the files,
// "a" is edited, "b" moves to "c", and "same" stays.
func tinyPair() (old, new contents) {
	return contents{"a": []byte("old a"), "b": []byte("bbb"), "same": []byte("s")},
		contents{"a": []byte("new a"), "c": []byte("bbb"), "same": []byte("s")}
}

func tinyLists() *lists {
	old, new := tinyPair()
	return newLists(old.tree("1.0.0").Files, new.tree("2.0.0").Files)
}

// rewritten returns a delta whose index has another text in the place of one.
func rewritten(t testing.TB, delta []byte, old, new string) []byte {
	t.Helper()
	length := int(binary.LittleEndian.Uint32(delta[headLength-4:]))
	text, err := unpackSmall(delta[headLength:headLength+length], maxIndex)
	if err != nil || !strings.Contains(string(text), old) {
		t.Fatalf("%s is not in %s: %v", old, text, err)
	}
	l := library{}
	frame, err := l.pack(t.Context(), nil, []byte(strings.Replace(string(text), old, new, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(appendHead(nil, uint32(len(frame))), frame, delta[headLength+length:])
}

func TestMalformedDeltasAreRefused(t *testing.T) {
	oldContents, newContents := tinyPair()
	old, new := oldContents.tree("1.0.0"), newContents.tree("2.0.0")
	index := Index{From: old.Version, To: new.Version, Same: []Same{{"c", "b"}}}
	a := frame{wholes("a"), wholes("a"), "old a", "new a"}
	part := func(at, size int64) []Piece { return []Piece{{"a", at, size}} }
	none := wholes()
	sound := assemble(t, index, a)
	with := func(change func(*Index), frames ...frame) []byte {
		x := index
		change(&x)
		return assemble(t, x, frames...)
	}
	same := func(pairs ...Same) func(*Index) { return func(x *Index) { x.Same = pairs } }
	stay := func(*Index) {}
	if got, err := apply(sound, old, new.Files, openRoot(t)); err != nil || len(got.Files) != 2 {
		t.Fatalf("the sound delta is refused: %v", err)
	}
	parts := assemble(t, index, frame{part(0, 2), none, "", "ne"}, frame{part(2, 3), []Piece{{"a", 3, 2}}, " a", "w a"})
	if got, err := apply(parts, old, new.Files, openRoot(t)); err != nil || len(got.Files) != 2 {
		t.Fatalf("a sound delta in parts is refused: %v", err)
	}
	for _, c := range []struct {
		name, want string
		delta      []byte
	}{
		{"no bytes", "unexpected EOF", nil},
		{"something else", "doesn't begin like a delta", bytes.Repeat([]byte("something else"), 9)},
		{"of the future", "doesn't begin like a delta of format 1", flip(sound, 8+len(headName), 3)},
		{"cut in its head", "unexpected EOF", sound[:10]},
		{"cut in its index", "unexpected EOF", sound[:headLength+5]},
		{"cut in a pack", "its index speaks of", sound[:len(sound)-1]},
		{"with junk behind", "its index speaks of", append(bytes.Clone(sound), 0)},
		{"with an endless index", "at most", flip(sound, headLength-1, 0xff)},
		{"with a damaged index", "index:", flip(sound, headLength+12, 0xff)},
		{"with a damaged pack", "a: ", flip(sound, len(sound)-6, 0xff)},
		{"from another release", "it leads from 1.0.1", with(func(x *Index) { x.From = version("1.0.1") }, a)},
		{"making a file of no release", "packs[0].files[0]: leads to no file", rewritten(t, sound, `"files":[1]`, `"files":[9]`)},
		{"making a file twice", "a: is made twice", with(stay, a, a)},
		{"making a copy twice", "c: is made twice", with(same(Same{"c", "b"}, Same{"c", "b"}), a)},
		{"making a file that is a copy", "c: is made twice", with(stay, frame{wholes("c"), none, "", "bbb"})},
		{"with a copy of another file", "c: is not the same as a", with(same(Same{"c", "a"}), a)},
		{"with a copy of no file", "same[0][1]: leads to no file", rewritten(t, sound, `"same":[[2,2]]`, `"same":[[2,-1]]`)},
		{"starting from no file", "packs[0].base[0]: leads to no file", rewritten(t, sound, `"files":[1]`, `"files":[1],"base":[4]`)},
		{"for other releases", "lists: it is made for other lists", rewritten(t, sound, `"lists":"`, `"lists":"0`)},
		{"starting behind the end", "a: has no bytes from 3 to 9", with(stay, frame{wholes("a"), part(3, 6), "", "new a"})},
		{"starting from too much", "to more than 32 bytes", with(stay, frame{wholes("a"), slices.Repeat(wholes("a"), 10), strings.Repeat("old a", 10), "new a"})},
		{"leaving a file out", "a: differs in the new release", with(stay)},
		{"leaving a copy out", "c: differs in the new release", with(same(), a)},
		{"making something else", "a: what was made is not what", with(stay, frame{wholes("a"), wholes("a"), "old a", "evil!"})},
		{"with a pack too short", "a: its pack ends 2 bytes early", with(stay, frame{wholes("a"), none, "", "new"})},
		{"with a pack too long", "a: its pack is longer", with(stay, frame{wholes("a"), none, "", "new a and more"})},
		{"packed against something else", "a: can't be unpacked", with(stay, frame{wholes("a"), wholes("b"), strings.Repeat("long", 40), strings.Repeat("long", 40)})},
		{"beginning in the middle", "a: does not begin at its beginning", with(stay, frame{part(2, 3), none, "", "w a"})},
		{"with parts out of order", "a: stands where more of a is due", with(stay, frame{part(0, 2), none, "", "ne"}, frame{part(3, 2), none, "", " a"})},
		{"with parts that overlap", "a: stands where more of a is due", with(stay, frame{part(0, 2), none, "", "ne"}, frame{part(0, 2), none, "", "ne"})},
		{"with another file between parts", "same: stands where more of a is due", with(stay, frame{part(0, 2), none, "", "ne"}, frame{wholes("same"), none, "", "s"})},
		{"with a last part too long", "a: stands where more of a is due", with(stay, frame{part(0, 2), none, "", "ne"}, frame{part(2, 4), none, "", "w ax"})},
		{"with a part missing", "a: ends too early", with(stay, frame{part(0, 2), none, "", "ne"})},
		{"with a description too short", "the description ends within x", described(t, index, []MetaFile{{"x", 9}}, "short")},
		{"with a description too long", "something follows the description", described(t, index, []MetaFile{{"x", 2}}, "longer")},
	} {
		t.Run(c.name, func(t *testing.T) {
			dst := openRoot(t)
			_, err := Apply(t.Context(), bytes.NewReader(c.delta), int64(len(c.delta)), old, new.Files, dst, Limits{Base: 32}, nil)
			if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			if left, err := os.ReadDir(dst.Name()); err != nil || len(left) > 2 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func described(t testing.TB, x Index, files []MetaFile, contents string) []byte {
	b, err := new(library).pack(t.Context(), nil, []byte(contents))
	if err != nil {
		t.Fatal(err)
	}
	x.Meta, x.MetaLength = files, int64(len(b))
	return append(assemble(t, x), b...)
}

func flip(b []byte, at int, bits byte) []byte {
	b = bytes.Clone(b)
	b[at] ^= bits
	return b
}

func version(s string) release.Version {
	v, err := release.ParseVersion(s)
	if err != nil {
		panic(err)
	}
	return v
}

func TestWindowsBeyondTheLimitAreRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	big := noise(r, 3<<20)
	oldContents, newContents := contents{}, contents{"a": big}
	delta := makeDelta(t, oldContents.tree("1.0.0"), newContents.tree("2.0.0"), Options{GoOnly: true})
	_, err := Apply(t.Context(), bytes.NewReader(delta), int64(len(delta)), oldContents.tree("1.0.0"), newContents.tree("2.0.0").Files, openRoot(t), Limits{Window: 1 << 20}, nil)
	if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "window") {
		t.Errorf("error %v", err)
	}
}

func TestIndexIsReadBackEqualAndNamesTheField(t *testing.T) {
	files := func(paths ...release.Path) (list []release.File) {
		for _, p := range paths {
			list = append(list, release.File{Path: p, Size: 9})
		}
		return list
	}
	l := newLists(files("a", "b", "e", "f", "old", "z"), files("a", "b", "c", "d", "x/new", "y"))
	want := Index{
		From: version("1.0.0"), To: version("1.0.1"), Meta: []MetaFile{{"package.json", 7}, {"schema/to.sql", 0}}, MetaLength: 99,
		Same: []Same{{"x/new", "old"}, {"y", "a"}},
		Packs: []Pack{
			{Length: 5, Files: wholes("a", "b"), Base: wholes("a", "b")},
			{Length: 6, Files: wholes("c"), Base: nil},
			{Length: 7, Files: []Piece{{"d", 0, 4}}, Base: []Piece{{"e", 8, 2}, whole("f")}},
			{Length: 8, Files: wholes("a"), Base: wholes("z", "b")},
			{Length: 9, Files: wholes("a", "b"), Base: []Piece{}},
		},
	}
	b, err := want.encode(t.Context(), l, new(library).pack)
	if err != nil {
		t.Fatal(err)
	}
	text, err := unpackSmall(b[headLength:], maxIndex)
	if err != nil {
		t.Fatal(err)
	}
	got, err := parseIndex(text, l)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, got, sameVersion, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("differs (-want +got):\n%s", diff)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"from":"1.0.0"`, `"from":""`, "from: is missing"},
		{`"to":"1.0.1"`, `"to":"x"`, "to: version"},
		{`"to":"1.0.1"`, `"to":""`, "to: is missing"},
		{`"same"`, `"equal"`, "equal: is not a known key"},
		{`"length":5`, `"length":0`, "packs[0].length: is 0"},
		{`"length":5,`, ``, "packs[0].length: is missing"},
		{`"length":5`, `"length":5,"length":5`, "packs[0].length: is given twice"},
		{`[1,1]`, `[]`, "packs[0].files: is missing"},
		{`[1,1]`, `[1,9]`, "packs[0].files[1]: leads to no file"},
		{`[1,1]`, `[0,1]`, "packs[0].files[0]: leads to no file"},
		{`[1,1]`, `[1,"b"]`, "packs[0].files[1]: must be a whole number"},
		{`"at":8`, `"at":-8`, "packs[2].base[0].at: is -8"},
		{`"size":4`, `"size":0`, "packs[2].files[0].size: is 0"},
		{`"size":4`, `"size":4,"mode":1`, "packs[2].files[0].mode: is not a known key"},
		{`[[5,5],`, `[[5],`, "same[0]: must be the new file and the old one"},
		{`"meta_length":99,`, ``, "meta_length: does not go with meta"},
		{`"size":7`, fmt.Sprintf(`"size":%d`, maxMeta+1), "meta[0].size"},
		{`"name":"package.json"`, `"name":"../x"`, "meta[0].name"},
	} {
		if !strings.Contains(string(text), c.old) {
			t.Fatalf("%s is not in %s", c.old, text)
		}
		if _, err := parseIndex([]byte(strings.Replace(string(text), c.old, c.new, 1)), l); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s instead of %s:\n got %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
}

var sameVersion = cmp.Comparer(func(a, b release.Version) bool { return a.String() == b.String() })

// FuzzApply holds that whatever a delta says, nothing but files of the new release
// comes out.
func FuzzApply(f *testing.F) {
	oldContents, newContents := tinyPair()
	old, new := oldContents.tree("1.0.0"), newContents.tree("2.0.0")
	x := Index{From: old.Version, To: new.Version, Same: []Same{{"c", "b"}}}
	f.Add(assemble(f, x, frame{wholes("a"), wholes("a"), "old a", "new a"}))
	f.Add(assemble(f, x, frame{[]Piece{{"a", 0, 2}}, wholes(), "", "ne"}, frame{[]Piece{{"a", 2, 3}}, wholes(), "", "w a"}))
	f.Add(described(f, x, []MetaFile{{"package.json", 2}}, "{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		dst := openRoot(t)
		got, err := apply(b, old, new.Files, dst)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%v does not blame the delta", err)
			}
			return
		}
		check(t, dst, got, newContents)
		if len(got.Files)+len(got.Lost) != 2 {
			t.Errorf("made %v, lost %v", got.Files, got.Lost)
		}
	})
}

// FuzzParseIndex holds that an index that is read can be written and read again.
func FuzzParseIndex(f *testing.F) {
	names := tinyLists()
	f.Add(fmt.Appendf(nil, `{"from":"1.0.0","to":"2.0.0","lists":%q,"packs":[{"length":5,"files":[1,{"file":2,"at":1,"size":2}],"base":[]}]}`, names.digest()))
	f.Add(fmt.Appendf(nil, `{"from":"1.0.0","to":"2.0.0","lists":%q,"same":[[2,1]],"meta":[{"name":"x","size":1}],"meta_length":4}`, names.digest()))
	l := new(library)
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := parseIndex(b, names)
		if err != nil {
			return
		}
		written, err := x.encode(t.Context(), names, l.pack)
		if err != nil {
			t.Fatal(err)
		}
		text, err := unpackSmall(written[headLength:], maxIndex)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseIndex(text, names)
		if err != nil {
			t.Fatalf("can't be read back: %v\n%s", err, text)
		}
		if diff := cmp.Diff(x, again, sameVersion, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("came back different:\n%s", diff)
		}
	})
}
