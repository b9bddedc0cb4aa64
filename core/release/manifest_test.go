package release

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// compare treats versions as equal when they read the same, and leaves out the
// parsed constraint, which FromText stands for.
var compare = cmp.Options{
	cmp.Comparer(func(a, b Version) bool { return a.String() == b.String() }),
	cmpopts.IgnoreFields(Patch{}, "From"),
	cmpopts.EquateEmpty(),
}

func parseURL(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func version(t testing.TB, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func digest(digit string) Digest {
	d, err := ParseDigest(strings.Repeat(digit, 64))
	if err != nil {
		panic(err)
	}
	return d
}

func TestParseManifestReadsAnotherServersForm(t *testing.T) {
	b, err := os.ReadFile("testdata/enhanced.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseManifest(b, parseURL(t, "https://updates.example.org/duck/manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	operations := Operations{
		ReplaceFiles:       []Path{"app/app.jar"},
		ReplaceDirectories: []Path{"front"},
		DeleteFiles:        []Path{"config/old.conf"},
		DeleteDirectories:  []Path{"front/old-assets"},
	}
	want := &Manifest{
		Version:  version(t, "1.5.0.2"),
		Released: time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC),
		Notes:    "# Fixed\n* things",
		Packages: map[Arch]Package{
			// The hash and the size are those that "packages.full" gives for the address.
			X86_64:  {URL: "https://updates.example.org/duck/full.tar.xz", Digest: digest("1"), Signature: []byte("sig2"), Size: 67108864},
			AArch64: {URL: "https://cdn.example.org/arm/full.tar.xz", Signature: []byte("sig3")},
		},
		Patches: map[Arch]Patch{
			X86_64: {
				Package: Package{URL: "https://updates.example.org/duck/p/x86_64-patch.tar.gz", Digest: digest("2"), Signature: []byte("sig")},
				Arch:    X86_64, Version: version(t, "0.0.1"), Notes: "small", Operations: operations,
			},
			AArch64: {
				Package: Package{URL: "https://updates.example.org/duck/p/aarch64-patch.tar.gz"},
				Arch:    AArch64, Version: version(t, "0.0.1"),
				Operations: Operations{
					ReplaceFiles: []Path{"app/app.jar"}, DeleteFiles: []Path{"config/old.conf"}, DeleteDirectories: []Path{"front/old-assets"},
				},
			},
		},
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("manifest differs (-want +got):\n%s", diff)
	}
	if got.Patches[X86_64].Operations.Total() != 4 {
		t.Errorf("total = %d, want 4", got.Patches[X86_64].Operations.Total())
	}
	if diff := cmp.Diff([]Path{"app/app.jar", "config/old.conf", "front", "front/old-assets"}, operations.ChangedFiles()); diff != "" {
		t.Errorf("changed files differ:\n%s", diff)
	}
	if !got.SupportsArch(AArch64) || got.SupportsArch("riscv64") || !got.HasPatch(X86_64) || got.HasPatch("riscv64") {
		t.Error("the architectures are not those of the manifest")
	}
}

func TestLegacyManifestCountsFullPackageOnly(t *testing.T) {
	m, err := ParseManifest([]byte(`{"version": "v1.2.3", "release_date": "2026-01-02T03:04:05Z", "release_notes": "n",
		"packages": {"full": {"url": "http://example.org/a.zip", "hash": "external"}, "patch": {"url": "http://example.org/p.zip"}},
		"patch": {"x86_64": {"url": "ignored"}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	full, ok := m.Full(AArch64)
	if !m.Legacy || !ok || full.URL != "http://example.org/a.zip" || !full.Digest.IsZero() || m.HasPatch(X86_64) {
		t.Errorf("read as %+v", m)
	}
}

// fullManifest uses every field that a manifest has.
func fullManifest(t testing.TB) *Manifest {
	patch := func(a Arch, name, from string) Patch {
		return Patch{
			Package: Package{URL: "https://example.org/" + name, Digest: DigestOf([]byte(name)), Signature: []byte("s"), Size: 3 << 20,
				Chunks: []Digest{digest("a"), digest("b"), digest("c")}},
			Arch: a, FromText: from, Notes: "why",
			Operations: Operations{ReplaceFiles: []Path{"a/b"}, ReplaceDirectories: []Path{"c"}, DeleteFiles: []Path{"d"}, DeleteDirectories: []Path{"e/f"}},
		}
	}
	own := patch(X86_64, "p", ">=1.4.0 <1.5.0")
	own.Version = version(t, "0.0.7")
	return &Manifest{
		Version: version(t, "1.5.0-rc.1"), Released: time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC), Notes: "<notes> & ümlauts",
		Packages: map[Arch]Package{
			X86_64:  {URL: "https://example.org/x", Digest: digest("1"), Size: 1},
			AArch64: {URL: "https://example.org/y", Digest: digest("2"), Size: ChunkSize, Chunks: []Digest{digest("2")}},
		},
		Patches: map[Arch]Patch{X86_64: own},
		Moult: &Extension{
			Product: "duckpond", Channel: "stable", Critical: true, Rollout: 25, MinMoult: version(t, "0.9.0"),
			Files:   []File{{Path: "a/b", Size: 7, Mode: 0o644, SHA256: digest("3")}, {Path: "z", Mode: 0o755, SHA256: digest("4")}},
			Stops:   []Version{version(t, "1.4.0")},
			Earlier: []Earlier{{version(t, "1.3.0"), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "releases/1.3.0/manifest.json"}, {version(t, "1.4.0"), time.Time{}, "m"}},
			Patches: []Patch{patch("", "q", "1.3.x"), patch(AArch64, "r", "")},
			Deltas:  []Delta{{Package{URL: "https://example.org/d", Digest: digest("5"), Size: 9}, version(t, "1.4.2"), ""}},
			Schema:  SchemaDigests{Base: digest("6"), Target: digest("7")},
			Scripts: []Script{{"10-split-names.sql", digest("8")}},
		},
	}
}

func TestEncodedManifestIsReadBackEqual(t *testing.T) {
	plain := func(m *Manifest) { m.Packages = map[Arch]Package{"": {URL: "https://example.org/all", Size: 5}} }
	for name, change := range map[string]func(*Manifest){
		"everything":       func(*Manifest) {},
		"any architecture": func(m *Manifest) { plain(m); p := m.Patches[X86_64]; p.Arch = ""; m.Patches = map[Arch]Patch{"": p} },
		"no extension": func(m *Manifest) {
			m.Moult = nil
			m.Patches = nil
			m.Packages = map[Arch]Package{X86_64: {URL: "https://example.org/x", Digest: digest("1")}}
		},
		"legacy": func(m *Manifest) { plain(m); m.Moult, m.Patches, m.Legacy = nil, nil, true },
		"names of packages": func(m *Manifest) {
			m.Packages = map[Arch]Package{"": {URL: "releases/1.5.0/full.tar.zst"}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := fullManifest(t)
			change(want)
			b, err := want.Encode()
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseManifest(b, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, b)
			}
			if diff := cmp.Diff(want, got, compare); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefusesWhatNoManifestCanSay(t *testing.T) {
	for want, change := range map[string]func(*Manifest){
		"has no version":                func(m *Manifest) { m.Version = Version{} },
		"has no full package":           func(m *Manifest) { m.Packages = nil },
		"any architecture beside":       func(m *Manifest) { m.Packages[""] = Package{URL: "https://example.org/x"} },
		`only the "moult" object`:       func(m *Manifest) { m.Moult = nil },
		"all of one manifest start":     func(m *Manifest) { p := m.Patches[X86_64]; p.FromText = "1.x"; m.Patches[AArch64] = p },
		"of its chunks but none of the": func(m *Manifest) { p := m.Packages[AArch64]; p.Digest = Digest{}; m.Packages[AArch64] = p },
	} {
		m := fullManifest(t)
		change(m)
		if _, err := m.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// TestParseManifestNamesTheField breaks one thing at a time in a sound manifest.
func TestParseManifestNamesTheField(t *testing.T) {
	const sound = `{"version": "1.5.0", "release_date": "2026-11-12T09:00:00Z", "release_notes": "n",
		"packages": {"full": {"url": "full.tar.zst", "hash": "", "signature": "c2ln", "size": 5}},
		"platforms": {"x86_64": {"url": "x.tar.zst"}},
		"patch": {"version": "0.0.1", "x86_64": {"url": "p.tar.gz", "operations": {"replace": {"files": ["a", "b"], "directories": ["c/"]}, "delete": ["d/", "e"]}}},
		"moult": {"format": 1, "must_understand": ["files"], "from": "1.x", "rollout": 50, "stops": ["1.4.0"], "min_moult": "1.0.0",
			"files": [{"path": "a", "size": 1, "mode": 420, "sha256": "3333333333333333333333333333333333333333333333333333333333333333"}],
			"earlier": [{"version": "1.3.0", "manifest": "m"}, {"version": "1.4.0", "manifest": "n"}],
			"deltas": [{"from": "1.4.0", "url": "d"}], "schema": {"target": ""}, "scripts": [{"name": "10-x.sql"}], "chunks": {}}}`
	base := parseURL(t, "https://example.org/m.json")
	if _, err := ParseManifest([]byte(sound), base); err != nil {
		t.Fatalf("the sound manifest is refused: %v", err)
	}
	long := `"` + strings.Repeat("a/", 2000) + `b"`
	for _, c := range []struct{ old, new, want string }{
		{`"1.5.0"`, `"1.5"`, `version: version "1.5": want three or four numbers`},
		{`"1.5.0"`, `""`, "version: is missing"},
		{`"1.5.0"`, `15`, "version: must be a string"},
		{`"2026-11-12T09:00:00Z"`, `"12.11.2026"`, `release_date: "12.11.2026" is not a date`},
		{`"release_date": "2026-11-12T09:00:00Z",`, ``, "release_date: is missing"},
		{`"n",`, `["n"],`, "release_notes: must be a string"},
		{`"full.tar.zst"`, `"ftp://example.org/x"`, "packages.full.url:"},
		{`"full.tar.zst"`, `""`, "packages.full.url: is missing"},
		{`"full.tar.zst"`, `"file:///etc/passwd"`, "points at a file of this machine"},
		{`"full.tar.zst"`, `"http://%zz"`, "is not a URL"},
		{`"hash": ""`, `"hash": "sha256:12"`, "packages.full.hash: hash"},
		{`"c2ln"`, `"%%%"`, "packages.full.signature: is not base64"},
		{`"size": 5`, `"size": -5`, "packages.full.size: is -5"},
		{`"size": 5`, `"size": 1.5`, "packages.full.size: must be a whole number"},
		{`"size": 5`, `"size": "5"`, "packages.full.size: must be a whole number"},
		{`{"x86_64": {"url": "x.tar.zst"}}`, `{}`, "platforms: names neither x86_64 nor aarch64"},
		{`{"x86_64": {"url": "x.tar.zst"}}`, `{"sparc": {"url": "x"}}`, "platforms: names neither"},
		{`{"x86_64": {"url": "x.tar.zst"}}`, `[]`, "platforms: must be an object"},
		{`"0.0.1", "x86_64"`, `"0.0.1", "mips"`, "patch: names none of x86_64, aarch64 and any"},
		{`["a", "b"]`, `["a", ""]`, "patch.x86_64.operations.replace.files[1]: path \"\": is empty"},
		{`["a", "b"]`, `["a", "a"]`, `operations: replace.files[1]: path "a" is named by replace.files[0] already`},
		{`["a", "b"]`, `["a", "c"]`, `replace.directories[0]: path "c" is named by replace.files[1]`},
		{`["a", "b"]`, `["a", "../b"]`, `patch.x86_64.operations.replace.files[1]: path "../b": has the part ".."`},
		{`["a", "b"]`, `["/a"]`, "files[0]: path \"/a\": is absolute"},
		{`["a", "b"]`, `["a\\b"]`, "replace.files[0]:"},
		{`["a", "b"]`, `["a\u0000b"]`, "has a control character"},
		{`["a", "b"]`, `["C:/a"]`, "not portable"},
		{`["a", "b"]`, `["x/NUL.txt"]`, "Windows reserves"},
		{`["a", "b"]`, `[".moult/state.json"]`, "belongs to Moult itself"},
		{`["a", "b"]`, `["a/"]`, "ends in a slash, but stands among files"},
		{`["a", "b"]`, "[" + long + "]", "longer than"},
		{`["a", "b"]`, `"a"`, "replace.files: must be a list"},
		{`["d/", "e"]`, `["d/", "../e"]`, "patch.x86_64.operations.delete[1]:"},
		{`["d/", "e"]`, `{"files": ["../e"]}`, "patch.x86_64.operations.delete.files[0]:"},
		{`["d/", "e"]`, `{"links": []}`, "delete.links: is not a known key"},
		{`"format": 1`, `"format": 2`, "moult.format: is 2"},
		{`["files"]`, `["files", "telepathy"]`, `moult.must_understand[1]: the manifest needs a newer Moult, one that understands "telepathy"`},
		{`"from": "1.x"`, `"from": "nonsense"`, "moult.from:"},
		{`"rollout": 50`, `"rollout": 101`, "moult.rollout: is 101"},
		{`["1.4.0"]`, `["x"]`, "moult.stops[0]:"},
		{`"min_moult": "1.0.0"`, `"min_moult": "1"`, "moult.min_moult:"},
		{`"mode": 420`, `"mode": 2541`, "moult.files[0].mode:"},
		{`"mode": 420`, `"mode": 420, "uid": 0`, "moult.files[0].uid: is not a known key"},
		{`"3333333333333333333333333333333333333333333333333333333333333333"`, `""`, "moult.files[0].sha256: is missing"},
		{`"version": "1.3.0", "manifest"`, `"version": "1.4.0", "manifest"`, "moult.earlier[1].version: 1.4.0 follows 1.4.0"},
		{`"from": "1.4.0", "url"`, `"url"`, "moult.deltas[0].from: is missing"},
		{`"url": "d"`, `"url": "d", "arch": "sparc"`, "moult.deltas[0].arch:"},
		{`"10-x.sql"`, `"a/10-x.sql"`, "moult.scripts[0].name:"},
		{`"chunks": {}`, `"chunks": {"x": []}`, "moult.chunks.x:"},
		{`"version": "1.5.0",`, `"version": "1.5.0", "version": "1.6.0",`, "version: is given twice"},
		{`"rollout": 50`, `"rollout": 50, "rollout": 100`, "moult.rollout: is given twice"},
		{`"n",`, "\"\xff\",", "is not UTF-8"},
		{`"chunks": {}}}`, `"chunks": {}}} {}`, "something follows"},
		{`"chunks": {}}}`, `"chunks": {}}`, "the JSON ends too early"},
		{`"chunks": {}`, `"chunks": ` + strings.Repeat("[", 50) + strings.Repeat("]", 50), "nests deeper"},
	} {
		if strings.Count(sound, c.old) < 1 {
			t.Fatalf("%q is not in the sound manifest", c.old)
		}
		_, err := ParseManifest([]byte(strings.Replace(sound, c.old, c.new, 1)), base)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s instead of %s:\n got %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
	if _, err := ParseManifest(make([]byte, MaxManifest+1), base); err == nil {
		t.Error("a manifest beyond the limit is read")
	}
}

func TestChunksMustFitTheSize(t *testing.T) {
	m := fullManifest(t)
	p := m.Packages[AArch64]
	p.Size = ChunkSize + 1
	m.Packages[AArch64] = p
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseManifest(b, nil); err == nil || !strings.Contains(err.Error(), "platforms.aarch64: has 1 chunks") {
		t.Errorf("error %v", err)
	}
}

func TestPackageNamesWithoutBaseStayInTheRepository(t *testing.T) {
	for _, name := range []string{"../x", "/x", "a/../../x", "//host/x", "a//b"} {
		_, err := ParseManifest([]byte(`{"version":"1.0.0","release_date":"2026-01-01T00:00:00Z","packages":{"full":{"url":"`+name+`"}}}`), nil)
		if err == nil || !strings.Contains(err.Error(), "packages.full.url") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRolloutReachesTheSameSitesFirst(t *testing.T) {
	m := fullManifest(t)
	m.Moult.Critical = false
	count := func(percent int) (n int) {
		m.Moult.Rollout = percent
		for i := range 2000 {
			id := strings.Repeat("s", i%50) + string(rune('a'+i/50))
			if m.OfferedTo(id) {
				n++
			}
		}
		return n
	}
	if none, all := count(0), count(100); none != 0 || all != 2000 {
		t.Errorf("0 %% reaches %d and 100 %% reaches %d of 2000", none, all)
	}
	if n := count(25); n < 420 || n > 580 {
		t.Errorf("25 %% reaches %d of 2000", n)
	}
	m.Moult.Rollout = 30
	early := m.OfferedTo("site")
	m.Moult.Rollout = 60
	if early && !m.OfferedTo("site") {
		t.Error("a larger rollout leaves out a site that a smaller one reached")
	}
	m.Moult.Rollout, m.Moult.Critical = 0, true
	if !m.OfferedTo("site") {
		t.Error("a critical release is held back")
	}
}

// BenchmarkParseManifest reads a manifest of a large product.
func BenchmarkParseManifest(b *testing.B) {
	m := fullManifest(b)
	m.Moult.Files = nil
	for i := range 20_000 {
		name := fmt.Sprintf("program/lib%d/file%d.php", i%100, i)
		m.Moult.Files = append(m.Moult.Files, File{Path: Path(name), Size: int64(i), Mode: 0o644, SHA256: DigestOf([]byte(name))})
	}
	text, err := m.Encode()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ParseManifest(text, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestArchitecturesMayHaveOtherFiles(t *testing.T) {
	m := fullManifest(t)
	one := m.Moult.Files
	other := []File{{Path: "bin/program", Size: 9, Mode: 0o755, SHA256: DigestOf([]byte("aarch64"))}}
	m.Moult.Files, m.Moult.ArchFiles = nil, map[Arch][]File{X86_64: one, AArch64: other}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseManifest(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for arch, want := range map[Arch][]File{X86_64: one, AArch64: other} {
		if diff := cmp.Diff(want, again.FilesFor(arch)); diff != "" {
			t.Errorf("%s:\n%s", arch, diff)
		}
	}
	for _, c := range []struct{ old, new, want string }{
		{`"x86_64": [`, `"mips": [`, "moult.arch_files.mips: is not a known key"},
		{`"arch_files"`, `"files": [{"path":"a","size":0,"mode":420,"sha256":"` + DigestOf(nil).String() + `"}], "arch_files"`, "moult.arch_files: stands beside files"},
	} {
		at := strings.Index(string(b), `"arch_files"`)
		bad := string(b[:at]) + strings.Replace(string(b[at:]), c.old, c.new, 1)
		if _, err := ParseManifest([]byte(bad), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
