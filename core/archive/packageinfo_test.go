package archive

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"moult/core/release"
)

var compare = cmp.Options{
	cmp.Comparer(func(a, b release.Version) bool { return a.String() == b.String() }),
	cmpopts.EquateEmpty(),
}

func sampleInfo(t testing.TB) *PackageInfo {
	to, err := release.ParseVersion("1.5.0.2")
	if err != nil {
		t.Fatal(err)
	}
	return &PackageInfo{
		Product: "duckpond", From: ">=1.4.0 <1.5.0", To: to, Arch: release.X86_64,
		Operations: &release.Operations{ReplaceFiles: []release.Path{"b", "a"}, DeleteDirectories: []release.Path{"old"}},
		Files: []release.File{
			{Path: "b", Size: 2, Mode: 0o755, SHA256: release.DigestOf([]byte("bb"))},
			{Path: "a", Size: 1, Mode: 0o644, SHA256: release.DigestOf([]byte("a"))},
		},
	}
}

func TestPackageInfoIsReadBackEqual(t *testing.T) {
	full := sampleInfo(t)
	full.From, full.Operations = "", nil
	empty := sampleInfo(t)
	empty.Operations = &release.Operations{} // a patch of nothing but the schema
	for _, want := range []*PackageInfo{sampleInfo(t), full, empty} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParsePackageInfo(b)
		if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if diff := cmp.Diff(want, got, compare); diff != "" {
			t.Errorf("differs (-want +got):\n%s", diff)
		}
	}
}

func TestParsePackageInfoNamesTheField(t *testing.T) {
	const sound = `{"format": 1, "product": "p", "from": "1.4.x", "to": "1.5.0", "arch": "x86_64",
		"operations": {"replace": {"files": ["a"]}},
		"files": [{"path": "a", "size": 1, "mode": 420, "sha256": "3333333333333333333333333333333333333333333333333333333333333333"}]}`
	if _, err := ParsePackageInfo([]byte(sound)); err != nil {
		t.Fatalf("the sound description is refused: %v", err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`"format": 1,`, ``, ".moult-package/package.json: format: is missing"},
		{`"format": 1`, `"format": 2`, "format: is 2"},
		{`"product": "p"`, `"prodict": "p"`, "prodict: is not a known key"},
		{`"product": "p"`, `"product": "p", "product": "q"`, "product: is given twice"},
		{`"1.4.x"`, `"from here"`, "from:"},
		{`"to": "1.5.0"`, `"to": ""`, "to: is missing"},
		{`"to": "1.5.0"`, `"to": "1"`, "to:"},
		{`"x86_64"`, `"any"`, `arch: "any" is neither`},
		{`"operations": {"replace": {"files": ["a"]}},`, ``, "operations: is missing"},
		{`["a"]`, `["../a"]`, "operations.replace.files[0]:"},
		{`"path": "a"`, `"path": "/a"`, "files[0].path:"},
		{`"mode": 420`, `"mode": 4096`, "files[0].mode:"},
		{`"sha256": "33`, `"sha256": "3`, "files[0].sha256:"},
	} {
		_, err := ParsePackageInfo([]byte(strings.Replace(sound, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s instead of %s:\n got %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
}

func TestPackageMustHoldWhatItSays(t *testing.T) {
	held := func() *Contents {
		info := sampleInfo(t)
		return &Contents{Files: []release.File{info.Files[1], info.Files[0]}} // in order of paths
	}
	if err := sampleInfo(t).Matches(held()); err != nil {
		t.Errorf("a package that holds what it says: %v", err)
	}
	for want, change := range map[string]func(*Contents){
		"a is listed but is not":     func(c *Contents) { c.Files = c.Files[1:] },
		"b is listed but is not":     func(c *Contents) { c.Files = c.Files[:1] },
		"aa is in the package":       func(c *Contents) { c.Files = []release.File{c.Files[0], {Path: "aa"}, c.Files[1]} },
		"z is in the package":        func(c *Contents) { c.Files = append(c.Files, release.File{Path: "z"}) },
		"b is not as listed":         func(c *Contents) { c.Files[1].Mode = 0o644 },
		"a is not as listed: it has": func(c *Contents) { c.Files[0].SHA256 = release.Digest{} },
	} {
		c := held()
		change(c)
		if err := sampleInfo(t).Matches(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
