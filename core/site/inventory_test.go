package site

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"moult/core/release"
)

var byLines = cmp.Options{byText, cmpopts.IgnoreUnexported(Inventory{})}

func TestInventoryComesBackAsItWent(t *testing.T) {
	if _, err := newSite(t).Inventory(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no inventory: %v", err)
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-zé]{1,3}(/[a-z ]{0,3}[a-z]){0,2}`)
		inv := &Inventory{BaseKnown: rapid.Bool().Draw(t, "base")}
		for _, p := range rapid.SliceOfDistinct(name, func(s string) string { return s }).Draw(t, "paths") {
			path, err := release.ParsePath(p)
			if err != nil {
				continue
			}
			inv.Files = append(inv.Files, release.File{Path: path, Size: rapid.Int64Min(0).Draw(t, "size"),
				Mode: rapid.Uint32Range(0, 0o777).Draw(t, "mode"), SHA256: release.DigestOf([]byte(p))})
		}
		slices.SortFunc(inv.Files, func(a, b release.File) int { return strings.Compare(string(a.Path), string(b.Path)) })
		var b bytes.Buffer
		if err := inv.write(&b); err != nil {
			t.Fatal(err)
		}
		got, err := readInventory(bytes.NewReader(b.Bytes()), int64(b.Len()), (*inventoryReader).all)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(inv, got, byLines); diff != "" {
			t.Fatal(diff)
		}
		for _, f := range inv.Files {
			if g, ok := got.Get(f.Path); !ok || g != f {
				t.Fatalf("%s is not found", f.Path)
			}
		}
		if _, ok := got.Get("zzzz/not/there"); ok {
			t.Fatal("what is not there is found")
		}
	})
}

func TestInventoryRefusesAPathTwice(t *testing.T) {
	s := newSite(t)
	f := release.File{Path: "a"}
	if err := s.SetInventory(&Inventory{Files: []release.File{f, f}}); err == nil {
		t.Error("a path was accepted twice")
	}
}

func TestDamagedInventoryIsAnError(t *testing.T) {
	s := newSite(t)
	inv := &Inventory{}
	for i := range inventoryBlock + 1 {
		inv.Files = append(inv.Files, release.File{Path: release.Path(fmt.Sprintf("f%03d", i)), SHA256: release.DigestOf([]byte{byte(i)})})
	}
	if err := s.SetInventory(inv); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(s.Dir, Home, inventoryFile)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	last := inv.Files[inventoryBlock]
	check := func(what string, damaged []byte) {
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Inventory(); err == nil && !cmp.Equal(got, inv, byLines) {
			t.Errorf("%s, and the inventory is read as %v", what, got)
		}
		got, err := s.InventoryOf(release.Operations{DeleteFiles: []release.Path{last.Path}})
		if err != nil {
			return
		}
		if f, found := got.Get(last.Path); !found || f != last {
			t.Errorf("%s, and of %s %+v is read", what, last.Path, f)
		}
	}
	for i := range whole {
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x40
		check(fmt.Sprintf("byte %d of %d is wrong", i, len(whole)), damaged)
		check(fmt.Sprintf("it is cut at byte %d of %d", i, len(whole)), whole[:i])
		if _, err := s.Inventory(); err == nil {
			t.Errorf("an inventory cut at byte %d of %d is read", i, len(whole))
		}
	}
}

func TestPartOfTheInventoryTellsOfWhatIsNamed(t *testing.T) {
	s := newSite(t)
	name := rapid.StringMatching(`[a-c]{1,3}(/[a-c.0 ]{0,2}[a-c]){0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		inv := &Inventory{BaseKnown: true}
		for _, p := range rapid.SliceOfNDistinct(name, 0, 400, rapid.ID).Draw(t, "paths") {
			if path, err := release.ParsePath(p); err == nil {
				inv.Files = append(inv.Files, release.File{Path: path, SHA256: release.DigestOf([]byte(p))})
			}
		}
		if err := s.SetInventory(inv); err != nil {
			t.Fatal(err)
		}
		some := func(label string) (paths []release.Path) {
			for _, p := range rapid.SliceOfN(name, 0, 3).Draw(t, label) {
				paths = append(paths, release.Path(p))
			}
			return paths
		}
		ops := release.Operations{ReplaceFiles: some("files"), DeleteFiles: some("gone"),
			ReplaceDirectories: some("directories"), DeleteDirectories: some("gone directories")}
		part, err := s.InventoryOf(ops)
		if err != nil {
			t.Fatal(err)
		}
		if !part.BaseKnown || !slices.IsSortedFunc(part.Files, func(a, b release.File) int { return strings.Compare(string(a.Path), string(b.Path)) }) {
			t.Fatalf("%+v", part)
		}
		for _, f := range inv.Files {
			named := slices.Contains(slices.Concat(ops.ReplaceFiles, ops.DeleteFiles), f.Path) ||
				slices.ContainsFunc(slices.Concat(ops.ReplaceDirectories, ops.DeleteDirectories), f.Path.Within)
			if got, found := part.Get(f.Path); named && !found || found && got != f {
				t.Fatalf("%s: found %v, %+v", f.Path, found, got)
			}
		}
		if len(ops.ReplaceFiles)+len(ops.DeleteFiles)+len(ops.ReplaceDirectories)+len(ops.DeleteDirectories) == 0 && len(part.Files) > 0 {
			t.Fatalf("%d files were read for nothing", len(part.Files))
		}
		if err := s.SetInventory(part); err == nil {
			t.Fatal("a part replaced the whole")
		}
	})
}

func TestKeptInventoryComesBack(t *testing.T) {
	s := newSite(t)
	old := &Inventory{Files: []release.File{{Path: "old"}}}
	if err := s.SetInventory(old); err != nil {
		t.Fatal(err)
	}
	u, err := s.NewUpdate("u")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if err := s.KeepInventory(u); err != nil {
		t.Fatal(err)
	}
	if err := s.SetInventory(&Inventory{Files: []release.File{{Path: "new"}}}); err != nil {
		t.Fatal(err)
	}
	kept, err := u.Inventory()
	if err != nil || !cmp.Equal(kept, old, byLines) {
		t.Errorf("kept was %+v, %v", kept, err)
	}
	for range 2 {
		if err := s.RestoreInventory(u); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Inventory(); err != nil || !cmp.Equal(got, old, byLines) {
			t.Errorf("back came %+v, %v", got, err)
		}
	}
}

func FuzzReadInventory(f *testing.F) {
	f.Add([]byte("644 0 " + strings.Repeat("ab", 32) + " a\n"))
	f.Add([]byte("40 \n100 a\n100 b/c\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for line := range bytes.Lines(b) {
			file, err := parseInventoryLine(bytes.TrimSuffix(line, []byte{'\n'}), "some/dir")
			if err == nil && (file.Size < 0 || file.Mode > 0o777 || file.Path == "") {
				t.Fatalf("%q was read as %+v", line, file)
			}
		}
		ir := new(inventoryReader)
		if ir.parseIndex(string(b), 240) == nil {
			if last := ir.frames[len(ir.frames)-1]; last.offset+last.length != 240 {
				t.Fatalf("the index %q ends with %+v", b, last)
			}
			ir.find(release.Operations{DeleteFiles: []release.Path{"a"}, DeleteDirectories: []release.Path{"b"}})
		}
		_, _ = readInventory(bytes.NewReader(b), int64(len(b)), (*inventoryReader).all)
	})
}

func BenchmarkInventory(b *testing.B) {
	inv := &Inventory{BaseKnown: true}
	for i := range 200_000 {
		p := release.Path(fmt.Sprintf("lib/vendor/d%04d/src/file%06d.php", i/20, i))
		inv.Files = append(inv.Files, release.File{Path: p, Size: int64(i), Mode: 0o644, SHA256: release.DigestOf([]byte(p))})
	}
	var text bytes.Buffer
	if err := inv.write(&text); err != nil {
		b.Fatal(err)
	}
	few := release.Operations{}
	for _, f := range inv.Files[100_000:100_167] {
		few.ReplaceFiles = append(few.ReplaceFiles, f.Path)
	}
	for name, read := range map[string]func(*inventoryReader) (*Inventory, error){
		"all": (*inventoryReader).all,
		"167": func(ir *inventoryReader) (*Inventory, error) { return ir.read(ir.find(few)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(float64(text.Len())/(1<<20), "MiB")
			for b.Loop() {
				if _, err := readInventory(bytes.NewReader(text.Bytes()), int64(text.Len()), read); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestPathsOfAnInventoryAreCheckedLikeAllOthers(t *testing.T) {
	part := rapid.SampledFrom([]string{"lib", "src", "..", ".", "", "CON", "a.", "a\\b", ".moult", "x:y", "é", "\xff", strings.Repeat("n", 256)})
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(part, 1, 4).Draw(t, "parts")
		p := strings.Join(parts, "/")
		dir := rapid.SampledFrom([]string{"", "lib", "lib/src", "src"}).Draw(t, "dir")
		line := fmt.Sprintf("644 0 %064d %s", 0, p)
		_, want := release.ParsePath(p)
		if _, got := parseInventoryLine([]byte(line), dir); (got == nil) != (want == nil) {
			t.Fatalf("%q after %q: %v, but ParsePath says %v", p, dir, got, want)
		}
	})
}
