package release

import (
	"bytes"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParseManifest holds that what is read can be written and read again as the
// same, and that nothing unsafe comes out.
func FuzzParseManifest(f *testing.F) {
	enhanced, err := os.ReadFile("testdata/enhanced.json")
	if err != nil {
		f.Fatal(err)
	}
	full, err := fullManifest(f).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(enhanced)
	f.Add(full)
	f.Add([]byte(`{"version":"1.0.0","release_date":"2026-01-01T00:00:00Z","packages":{"full":{"url":"a"}}}`))
	f.Add([]byte(`{"version":"1.0.0","release_date":"2026-01-01T00:00:00Z","platforms":{"x86_64":{"url":"a","signature":"0000"},"aarch64":{"url":"a"}}}`))
	f.Add([]byte(`{"version":"1.0.0","release_date":"2026-01-01T00:00:00Z","packages":{"full":{"url":"a"}},"moult":{"arch_files":{"x86_64":[],"aarch64":null}}}`))
	base := parseURL(f, "https://example.org/m.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseManifest(b, base)
		if err != nil {
			return
		}
		for _, p := range m.Packages {
			if u := parseURL(t, p.URL); u.Scheme != "https" && u.Scheme != "http" {
				t.Errorf("package at %s", p.URL)
			}
		}
		for _, p := range m.Patches {
			for _, name := range p.Operations.ChangedFiles() {
				if path.IsAbs(string(name)) || path.Clean(string(name)) != string(name) || strings.HasPrefix(string(name), "..") {
					t.Errorf("operation on %q", name)
				}
			}
		}
		if year := m.Released.Year(); year < 0 || year > 9999 {
			return
		}
		written, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseManifest(written, base)
		if err != nil {
			t.Fatalf("can't be read back: %v\n%s", err, written)
		}
		m.Released, again.Released = m.Released.Truncate(1e9), again.Released.Truncate(1e9)
		if diff := cmp.Diff(m, again, compare); diff != "" {
			t.Errorf("came back different:\n%s", diff)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"a/b", "../a", "a/../b", "C:\\x", "nul", "a\x00b", ".moult", "ü/日"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePath(s)
		if err != nil {
			return
		}
		again, err := ParsePath(string(p))
		if err != nil || again != p || strings.ContainsAny(string(p), "\\:\x00") || path.Clean(string(p)) != string(p) || path.IsAbs(string(p)) {
			t.Errorf("%q gave %q, then %q and %v", s, p, again, err)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"1.5.0", "v1.5.0.2", "2.0.0-rc.1+a1", "1.2.3.04"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseVersion(s)
		if err != nil {
			return
		}
		again, err := ParseVersion(v.String())
		if err != nil || again.Compare(v) != 0 || again.String() != v.String() {
			t.Errorf("%q is %s, which is %s again, %v", s, v, again, err)
		}
	})
}

func FuzzParseDocument(f *testing.F) {
	f.Add([]byte(`{"a": [1, {"b": null}], "c": "d"}`))
	f.Add([]byte(`{"a": 1, "a": 2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := ParseDocument(b, 1<<16)
		if d.Err() == nil && (len(b) > 1<<16 || !bytes.Contains(b, []byte("{"))) {
			t.Errorf("%q is an object", b)
		}
	})
}
