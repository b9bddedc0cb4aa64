package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/release"
)

// TestDamagedCopyIsPutAgain damages a copy in every way that leaves a file there.
func TestDamagedCopyIsPutAgain(t *testing.T) {
	s := newSite(t)
	p, err := s.Pristine()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	text := []byte(strings.Repeat("a line of a text\n", 1000))
	d := release.DigestOf(text)
	name := filepath.Join(s.Dir, Home, "pristine", filepath.FromSlash(pristineName(d)))
	if err := p.Put(d, text); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, damaged := range map[string][]byte{
		"cut":           whole[:len(whole)/2],
		"of other text": p.encoder.EncodeAll([]byte("another text"), nil),
		"no zstd":       []byte("damaged"),
		"zeroes":        make([]byte, len(whole)),
	} {
		if err := os.WriteFile(name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Get(d, 1<<20); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: read with %v", what, err)
		}
		if p.Has(d) {
			t.Errorf("%s: it is said to be there", what)
		}
		if err := p.Put(d, text); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got, err := p.Get(d, 1<<20); err != nil || string(got) != string(text) {
			t.Errorf("%s: %d bytes after it was put again, %v", what, len(got), err)
		}
	}
}

func TestEmptyCopyIsOneOfTheEmptyTextOnly(t *testing.T) {
	s := newSite(t)
	p, err := s.Pristine()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, text := range []string{"", "a text"} {
		d := release.DigestOf([]byte(text))
		for range 2 {
			if err := p.Put(d, []byte(text)); err != nil {
				t.Fatal(err)
			}
			if got, err := p.Get(d, 10); err != nil || string(got) != text || !p.Has(d) {
				t.Errorf("%q is read as %q, %v", text, got, err)
			}
			// What a power cut leaves of a file that was never made durable.
			if err := os.Truncate(filepath.Join(s.Dir, Home, "pristine", filepath.FromSlash(pristineName(d))), 0); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestCopyThatWasPutSinceIsNotRemoved(t *testing.T) {
	s := newSite(t)
	p, err := s.Pristine()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	text := []byte("a text")
	d := release.DigestOf(text)
	if err := p.put(d, []byte("another")); err != nil {
		t.Fatal(err)
	}
	r, err := p.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 100)); err == nil {
		_, err = r.Read(make([]byte, 100))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a damaged copy: %v", err)
		}
	}
	if err := p.put(d, text); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if got, err := p.Get(d, 10); err != nil || string(got) != "a text" {
		t.Errorf("got %q, %v", got, err)
	}
}
