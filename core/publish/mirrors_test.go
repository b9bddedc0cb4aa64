package publish_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/fetch"
	"moult/core/publish"
	"moult/core/trust"
)

// The repository itself loses a package; the site gets it from the second mirror, as
// the first hands out something else.
func TestSiteFollowsTheMirrorsThatThePublisherNames(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	lying := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("garbage")) }))
	defer lying.Close()
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(repo)); err != nil {
		t.Fatal(err)
	}
	mirror := httptest.NewTLSServer(http.FileServer(http.Dir(copied)))
	defer mirror.Close()
	if err := publish.SetMirrors(t.Context(), repo, []string{lying.URL, mirror.URL}, publish.KeySource{}, day); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(repo, "targets", "releases")); err != nil {
		t.Fatal(err)
	}
	server, err := publish.Serve(t.Context(), repo, "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	root, err := os.ReadFile(filepath.Join(repo, "root.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cas []byte
	for _, s := range []*httptest.Server{lying, mirror} {
		cas = append(cas, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})...)
	}
	c, err := fetch.New(fetch.Options{CAs: cas, Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	r, err := trust.Open(t.Context(), trust.Options{Client: c, URL: server.URL, Dir: tempRoot(t), PinnedRoot: root, Now: func() time.Time { return day }})
	if err != nil {
		t.Fatal(err)
	}
	target, err := r.Target("releases/1.5.0.1/full.tar.zst")
	if err != nil || len(target.URLs) != 3 {
		t.Fatalf("%+v, %v", target, err)
	}
	dir := tempRoot(t)
	if _, err := c.Download(t.Context(), fetch.Request{URLs: target.URLs, Size: target.Length, Digest: target.Digest, Dir: dir, Name: "p"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := publish.SetMirrors(t.Context(), repo, nil, publish.KeySource{}, day); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(repo, "metadata", "6.targets.json"))
	if err != nil || strings.Contains(string(b), trust.MirrorsField) {
		t.Errorf("the mirrors are still named: %v", err)
	}
}

func TestMirrorsMustBeProtected(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	for _, bad := range []string{"", "http://mirror.example.org/", "file:///srv/releases", "mirror.example.org", "https://", "https://user:pass@mirror.example.org/", "https://mirror.example.org/?a"} {
		if err := publish.SetMirrors(t.Context(), repo, []string{bad}, publish.KeySource{}, day); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}
