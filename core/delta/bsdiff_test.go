package delta

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// addresses is what moves when a program is compiled anew.
func addresses(b []byte, from, to, shift int) []byte {
	for i := from; i < to; i++ {
		b = fmt.Appendf(b, "address %d at 0x%04x\n", i, i*16+shift)
	}
	return b
}

// samplePatch is what bsdiff 4.3 makes of the two contents.
func samplePatch(t testing.TB) (old, new, patch []byte) {
	old = addresses(nil, 0, 60, 0)
	new = addresses(addresses([]byte("inserted\n"), 20, 60, 1), 0, 10, 0)
	patch, err := base64.StdEncoding.DecodeString(
		"QlNESUZGNDBDAAAAAAAAADEAAAAAAAAAGQQAAAAAAABCWmg5MUFZJlNZy7D4twAAA0RlfEgAgEAAACAAQEAAIAAxA0DQGmptTRtCUuquf" +
			"ACGUYZGFlC3j5ou5IpwoSGXYfFuQlpoOTFBWSZTWZXkYwIAAABgAmAAQAAAQCAAMM00ClB21GirqjBPF3JFOFCQleRjAkJaaDkxQVkmU1npmf" +
			"cgAAACyYAAECAABiEcACAAIhpoPUIMmIVMM2+PF3JFOFCQ6Zn3IA==")
	if err != nil {
		t.Fatal(err)
	}
	return old, new, patch
}

func unpatch(patch, old []byte) ([]byte, error) {
	r, err := newPatchReader(bytes.NewReader(patch), 0, int64(len(patch)), old)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

func TestPatchOfBsdiffIsUnpacked(t *testing.T) {
	old, want, patch := samplePatch(t)
	got, err := unpatch(patch, old)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("unpacked to %q, %v", got, err)
	}
}

func TestDamagedPatchesAreRefused(t *testing.T) {
	old, _, patch := samplePatch(t)
	for at := range patch {
		for _, bits := range []byte{1, 0x80} {
			// Whatever comes out, it comes to an end; the hash of the file tells the rest.
			if got, err := unpatch(flip(patch, at, bits), old); err == nil && at < len(patchMagic) {
				t.Errorf("byte %d changed by %x: %q", at, bits, got)
			}
		}
	}
	for n := range len(patch) - 1 {
		if _, err := unpatch(patch[:n], old); err == nil && n < len(patch)-10 {
			t.Errorf("cut off after %d bytes: no error", n)
		}
	}
	for _, field := range []int{8, 16, 24} {
		huge := bytes.Clone(patch)
		binary.LittleEndian.PutUint64(huge[field:], 1<<63-1)
		if _, err := unpatch(huge, old); err == nil {
			t.Errorf("a huge number at byte %d is no error", field)
		}
		binary.LittleEndian.PutUint64(huge[field:], 1<<63|5)
		if _, err := unpatch(huge, old); err == nil {
			t.Errorf("a negative number at byte %d is no error", field)
		}
	}
}

func TestDeltaMayHoldPatchesOfBsdiff(t *testing.T) {
	old, new, patch := samplePatch(t)
	oldContents, newContents := contents{"a": old}, contents{"a": new}
	x := Index{From: version("1.0.0"), To: version("2.0.0"),
		Packs: []Pack{{Length: int64(len(patch)), Bsdiff: true, Files: wholes("a"), Base: wholes("a")}}}
	head, err := x.encode(t.Context(), newLists(oldContents.tree("1.0.0").Files, newContents.tree("2.0.0").Files), (&library{}).pack)
	if err != nil {
		t.Fatal(err)
	}
	dst := openRoot(t)
	got, err := apply(append(head, patch...), oldContents.tree("1.0.0"), newContents.tree("2.0.0").Files, dst)
	if err != nil || len(got.Files) != 1 {
		t.Fatalf("made %v, %v", got, err)
	}
	check(t, dst, got, newContents)
	damaged := append(bytes.Clone(head), flip(patch, 70, 0xff)...)
	if _, err := apply(damaged, oldContents.tree("1.0.0"), newContents.tree("2.0.0").Files, openRoot(t)); !errors.Is(err, ErrMalformed) {
		t.Errorf("a damaged patch: %v", err)
	}
}

func TestSmallerOfZstdAndBsdiffIsTaken(t *testing.T) {
	if _, err := exec.LookPath("bsdiff"); err != nil {
		t.Skip("the bsdiff command is not installed")
	}
	// A table of addresses, as programs have them, in which all have moved.
	r := rand.New(rand.NewPCG(2, 2))
	table := func(shift uint64) []byte {
		r := rand.New(rand.NewPCG(9, 9))
		var b []byte
		for range 4000 {
			b = binary.LittleEndian.AppendUint64(b, 0x400000+uint64(r.IntN(1<<24))+shift)
		}
		return b
	}
	text := source(r, 500)
	oldContents := contents{"bin/program": table(0), "zzz/text.php": bytes.Repeat(text, 4)}
	newContents := contents{"bin/program": table(0x1230), "zzz/text.php": edit(r, bytes.Repeat(text, 4), 3)}
	old, new := oldContents.tree("1.0.0"), newContents.tree("2.0.0")
	delta := makeDelta(t, old, new, Options{cut: cut{pack: 40 << 10, segment: 64 << 10, base: 128 << 10, block: 8 << 10}})
	index, _, err := readIndex(bytes.NewReader(delta), int64(len(delta)), newLists(old.Files, new.Files))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range index.Packs {
		if program := strings.HasPrefix(string(p.Files[0].Path), "bin/"); program != p.Bsdiff {
			t.Errorf("pack of %s: bsdiff is %v", p.Files[0].Path, p.Bsdiff)
		}
	}
	dst := openRoot(t)
	got, err := apply(delta, old, new.Files, dst)
	if err != nil || len(got.Files) != 2 {
		t.Fatalf("made %v, %v", got, err)
	}
	check(t, dst, got, newContents)
	without := makeDelta(t, old, new, Options{GoOnly: true})
	if len(delta)*2 > len(without) {
		t.Errorf("with bsdiff %d bytes, without %d", len(delta), len(without))
	}
}

func TestCommandsThatWereAskedForMustBeThere(t *testing.T) {
	tree := contents{"a": []byte("x")}.tree("1.0.0")
	for _, o := range []Options{{Zstd: "no-such-command"}, {Bsdiff: "no-such-command"}} {
		if _, err := Make(context.Background(), io.Discard, tree, tree, o); err == nil || !strings.Contains(err.Error(), "no-such-command") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// FuzzPatch holds that a patch comes to an end, with no more than it announces.
func FuzzPatch(f *testing.F) {
	old, _, patch := samplePatch(f)
	f.Add(patch)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := unpatch(b, old)
		if err == nil && len(got) < 1<<20 && int64(len(got)) != offset(b[24:]) {
			t.Errorf("%d bytes, %d announced", len(got), offset(b[24:]))
		}
	})
}
