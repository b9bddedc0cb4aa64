package trust_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"testing"

	"moult/core/fetch"
	"moult/core/trust"
)

// No document may make the client panic, hang or trust what nobody signed.
func FuzzMetadata(f *testing.F) {
	s := newSimulator(f)
	s.hashes = true
	s.updateSnapshot()
	for _, name := range []string{"1.root", timestamp, "2.snapshot", "1.targets"} {
		f.Add(s.document(name))
	}
	for _, text := range []string{
		"", "null", "{}", "[]", `{"signed":null,"signatures":null}`, `{"signed":{"_type":"timestamp","meta":{"snapshot.json":null}}}`,
		`{"signed":{"_type":"root","keys":{"a":null},"roles":{"root":null}}}`, `{"a":1,"a":2}`,
	} {
		f.Add([]byte(text))
	}
	pinned := s.document("1.root")
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := trust.Fingerprint(b); err != nil && !errors.Is(err, trust.ErrUntrusted) {
			t.Errorf("fingerprint: %v is not ErrUntrusted", err)
		}
		for _, name := range []string{"timestamp.json", "2.root.json"} {
			repo := t.TempDir()
			for path, body := range map[string][]byte{
				"timestamp.json": s.document(timestamp), "2.snapshot.json": s.document("2.snapshot"), "1.targets.json": s.document("1.targets"), name: b,
			} {
				if err := os.MkdirAll(repo+"/metadata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(repo+"/metadata/"+path, body, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := openFolder(t, repo, pinned); err == nil && !sameSigned(b, s.document(timestamp)) {
				t.Errorf("%s of %q was accepted", name, b)
			}
		}
	})
}

// sameSigned reports whether two documents differ in nothing that is signed; blanks
// and further signatures may.
func sameSigned(a, b []byte) bool {
	var x, y struct{ Signed any }
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

func openFolder(t *testing.T, repo string, pinned []byte) error {
	t.Helper()
	url, err := fetch.FileURL(repo)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, s: &simulator{url: url}, pinned: pinned, now: day}
	if v.dir, err = os.OpenRoot(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer v.dir.Close()
	_, err = v.open()
	return err
}

// A bundle that is accepted has one spelling and a signature that fits.
func FuzzSignatureBundle(f *testing.F) {
	p := newPKI(f)
	good := bundleOf(p.signature(), p.leaf, p.middle)
	f.Add(good)
	f.Add(bundleOf(p.signature(), p.leaf, p.middle, p.root))
	f.Add(p.signature())
	f.Add([]byte("-----BEGIN MOULT SIGNATURE-----\n-----END MOULT SIGNATURE-----\n"))
	pinned := p.pinned()
	f.Fuzz(func(t *testing.T, b []byte) {
		err := verify(pinned, b, p.message)
		switch {
		case err == nil && !bytes.HasPrefix(b, good):
			t.Errorf("accepted %q", b)
		case err != nil && !errors.Is(err, trust.ErrSignature) && !errors.Is(err, trust.ErrCertificate):
			t.Errorf("got %v, which is of no kind", err)
		}
	})
}
