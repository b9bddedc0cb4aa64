package trust_test

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"moult/core/trust"
)

func TestTargetIsReadOnce(t *testing.T) {
	s := newSimulator(t)
	s.addFile(targets, "stable/manifest.json", "manifest 1")
	v := newVisitor(t, s)
	v.succeeds()
	v.reads("stable/manifest.json", "manifest 1")
	s.files = map[string][]byte{} // the server has nothing any more
	v.succeeds()
	v.reads("stable/manifest.json", "manifest 1")

	kept, err := fs.Glob(v.dir.FS(), "targets/*")
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	if err := v.dir.WriteFile(kept[0], []byte("manifest 9"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := v.repo.Read(t.Context(), "stable/manifest.json", 100); err == nil {
		t.Errorf("took %q from the cache", b)
	}

	s.addFile(targets, "stable/manifest.json", "manifest 2")
	s.targets[targets].Signed.Version++
	s.updateSnapshot()
	v.succeeds()
	v.reads("stable/manifest.json", "manifest 2")
	if kept, err = fs.Glob(v.dir.FS(), "targets/*"); err != nil || len(kept) != 1 {
		t.Errorf("kept %q, %v: what is no longer offered should be gone", kept, err)
	}
}

// Metadata comes from one place, so that it fits together; packages from any mirror.
func TestMirrorsServeTargets(t *testing.T) {
	s := newSimulator(t)
	s.addFile(targets, "releases/1/full", "package")
	mirror := httptest.NewServer(s)
	defer mirror.Close()
	lying := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("garbage")) }))
	defer lying.Close()
	v := newVisitor(t, s)
	r, err := trust.Open(t.Context(), trust.Options{
		Client: newClient(t), URL: s.url, Mirrors: []string{lying.URL + "/pond/", mirror.URL},
		Dir: v.dir, PinnedRoot: v.pinned, Now: func() time.Time { return day },
	})
	if err != nil {
		t.Fatal(err)
	}
	target, err := r.Target("releases/1/full")
	if err != nil || len(target.URLs) != 3 || target.URL != target.URLs[0] {
		t.Fatalf("%+v, %v", target, err)
	}
	if want := lying.URL + "/pond/targets/releases/1/" + digest("package").Hex() + ".full"; target.URLs[1] != want {
		t.Errorf("mirror address %q, want %q", target.URLs[1], want)
	}
	place := trust.ConsistentName("releases/1/full", digest("package"))
	content := s.files[place]
	delete(s.files, place)
	if b, err := r.Read(t.Context(), "releases/1/full", 100); err == nil {
		t.Errorf("got %q though nobody has it", b)
	}
	s.files[place] = content
	v.repo = r
	v.reads("releases/1/full", "package")
}

func TestMirrorsOfThePublisherAreHTTPSOnly(t *testing.T) {
	for _, bad := range []any{"http://mirror.example.org", "file:///etc", "", 7, nil} {
		s := newSimulator(t)
		s.targets[targets].Signed.UnrecognizedFields = map[string]any{trust.MirrorsField: []any{bad}}
		newVisitor(t, s).untrusted()
	}
	s := newSimulator(t)
	s.addFile(targets, "a", "content")
	s.targets[targets].Signed.UnrecognizedFields = map[string]any{trust.MirrorsField: []any{"https://mirror.example.org/pond"}}
	v := newVisitor(t, s)
	v.succeeds()
	target, err := v.repo.Target("a")
	if err != nil || len(target.URLs) != 2 || target.URLs[1] != "https://mirror.example.org/pond/targets/"+digest("content").Hex()+".a" {
		t.Errorf("%+v, %v", target, err)
	}
}
