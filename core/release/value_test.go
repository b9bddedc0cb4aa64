package release

import (
	"cmp"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestVersionsAreOrdered(t *testing.T) {
	ordered := []string{"", "0.9.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-rc.1", "1.0.0.1-rc.1", "1.0.0", "1.0.0.1", "1.0.0.2", "1.0.0.10", "1.0.1", "1.2.0", "1.10.0", "2.0.0"}
	var versions []Version
	for _, s := range ordered {
		var v Version
		if err := v.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, v)
	}
	for i, v := range versions {
		for j, w := range versions {
			if got, want := v.Compare(w), cmp.Compare(i, j); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", v, w, got, want)
			}
		}
	}
}

func TestParseVersion(t *testing.T) {
	for in, want := range map[string]string{
		"1.5.0": "1.5.0", "v1.5.0": "1.5.0", "1.5.0.2": "1.5.0.2", "v1.5.0.0": "1.5.0.0", "2.0.0-rc.1+a.1": "2.0.0-rc.1+a.1", "1.2.3.4-rc+b": "1.2.3.4-rc+b",
	} {
		v, err := ParseVersion(in)
		if err != nil || v.String() != want {
			t.Errorf("ParseVersion(%q) = %q, %v; want %q", in, v, err, want)
		}
	}
	for _, in := range []string{"", "1", "1.5", "1.2.3.4.5", "1.2.x", "01.2.3", "1.2.3.04", "1.2.3.-4", "1.2.3.99999999999999999999", "1.2.3-", "vv1.2.3", "1.2.3 ", "1.2.3-ü"} {
		if v, err := ParseVersion(in); err == nil {
			t.Errorf("ParseVersion(%q) = %s, want an error", in, v)
		}
	}
}

func TestVersionsSurviveJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})(\.(0|[1-9][0-9]{0,3}))?(-[a-z]{1,3}(\.[1-9])?)?(\+[a-z0-9]{1,4})?`).Draw(t, "version")
		v, err := ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w Version
		if err := json.Unmarshal(b, &w); err != nil || w.String() != text || v.Compare(w) != 0 {
			t.Fatalf("%s came back as %s, %v", text, w, err)
		}
	})
}

func TestParsePathRefusesWhatSurprises(t *testing.T) {
	for in, want := range map[string]string{
		"": "is empty", "/": "is empty", "/etc/passwd": "absolute", "a//b": "empty part", "a/./b": `part "."`, "../a": `part ".."`, "a/..": `part ".."`,
		`a\b`: "not portable", "C:a": "not portable", "a:stream": "not portable", "a*": "not portable", "a\nb": "control", "a\x7f": "control", "a\x00": "control",
		"a\xff": "UTF-8", "nul": "reserves", "a/CON.txt": "reserves", "com1.tar.gz": "reserves", "COM¹": "reserves", "aux .c": "reserves", "a.": "dot or a blank", "a /b": "dot or a blank",
		".moult": "Moult itself", ".MOULT/state.json": "Moult itself", strings.Repeat("n", 256): "longer", strings.Repeat("a/", 1600) + "b": "longer",
	} {
		if p, err := ParsePath(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePath(%.40q) = %q, %v; want an error with %q", in, p, err, want)
		}
	}
	for in, want := range map[string]Path{"a": "a", "a/": "a", ".htaccess": ".htaccess", "a/.moult": "a/.moult", "consul/com10": "consul/com10", "größe/日本": "größe/日本"} {
		if p, err := ParsePath(in); err != nil || p != want {
			t.Errorf("ParsePath(%q) = %q, %v", in, p, err)
		}
	}
}

func TestWithinDoesNotConfuseNeighbours(t *testing.T) {
	for _, c := range []struct {
		p, dir Path
		want   bool
	}{{"a/b", "a", true}, {"a", "a", true}, {"ab", "a", false}, {"a", "a/b", false}} {
		if got := c.p.Within(c.dir); got != c.want {
			t.Errorf("%s within %s = %v", c.p, c.dir, got)
		}
	}
}

func TestParseDigest(t *testing.T) {
	digits := strings.Repeat("0aF9", 16)
	for _, in := range []string{digits, "sha256:" + digits} {
		if d, err := ParseDigest(in); err != nil || d.Hex() != strings.ToLower(digits) || d.String() != "sha256:"+strings.ToLower(digits) {
			t.Errorf("ParseDigest(%q) = %s, %v", in, d, err)
		}
	}
	for _, in := range []string{"", "external"} {
		if d, err := ParseDigest(in); err != nil || !d.IsZero() || d.String() != "" {
			t.Errorf("ParseDigest(%q) = %s, %v; want none", in, d, err)
		}
	}
	for _, in := range []string{"12", "md5:" + digits, digits + "0", strings.Repeat("x", 64), "SHA256:" + digits} {
		if d, err := ParseDigest(in); err == nil {
			t.Errorf("ParseDigest(%q) = %s, want an error", in, d)
		}
	}
}

func TestParseArch(t *testing.T) {
	for in, want := range map[string]Arch{"amd64": X86_64, "x86_64": X86_64, "arm64": AArch64, "aarch64": AArch64} {
		if a, err := ParseArch(in); err != nil || a != want {
			t.Errorf("ParseArch(%q) = %q, %v", in, a, err)
		}
	}
	if _, err := ParseArch("sparc"); err == nil || !strings.Contains(err.Error(), "sparc") {
		t.Errorf("an unsupported architecture: %v", err)
	}
	if here, err := ParseArch("auto"); (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64") && (err != nil || here == "") {
		t.Errorf("this machine: %q, %v", here, err)
	}
}

func TestOperationsSurviveJSON(t *testing.T) {
	want := Operations{ReplaceFiles: []Path{"a"}, ReplaceDirectories: []Path{"b"}, DeleteFiles: []Path{"c"}, DeleteDirectories: []Path{"d/e"}}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Operations
	if err := json.Unmarshal(b, &got); err != nil || !got.Equal(want) {
		t.Errorf("%s came back as %+v, %v", b, got, err)
	}
	if err := json.Unmarshal([]byte(`{"replace": {"files": ["../x"]}}`), &got); err == nil {
		t.Error("an unsafe path is read")
	}
	if want.Equal(Operations{ReplaceFiles: []Path{"a"}}) {
		t.Error("different operations are equal")
	}
}

func TestOperationsMustDoSomethingAndNameAPathOnce(t *testing.T) {
	if err := (Operations{}).Validate(); err == nil {
		t.Error("no operations are valid")
	}
	if err := (Operations{DeleteFiles: []Path{"a"}, ReplaceFiles: []Path{"a"}}).Validate(); err == nil || !strings.Contains(err.Error(), `delete.files[0]: path "a" is named by replace.files[0]`) {
		t.Errorf("a path named twice: %v", err)
	}
	o := Operations{ReplaceDirectories: []Path{"front"}, DeleteDirectories: []Path{"front/old"}}
	if err := o.Validate(); err != nil || o.Total() != 2 || !slices.Equal(o.ChangedFiles(), []Path{"front", "front/old"}) {
		t.Errorf("%v, %d, %v", err, o.Total(), o.ChangedFiles())
	}
}
