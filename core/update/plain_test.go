package update_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/update"
)

// plainServer is a publisher without signed metadata: a manifest that anybody
// between it and the site can change, and packages that are signed.
type plainServer struct {
	t        *testing.T
	key      ed25519.PrivateKey
	files    map[string][]byte
	manifest map[string]any
	url      string
}

func newPlainServer(t *testing.T) *plainServer {
	_, key, err := ed25519.GenerateKey(nil)
	must(t, err)
	p := &plainServer{t: t, key: key, files: map[string][]byte{}}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		text, there := p.files[req.URL.Path]
		if req.URL.Path == "/manifest.json" {
			text, there = get(json.Marshal(p.manifest))(t), true
		}
		if !there {
			http.NotFound(rw, req)
			return
		}
		rw.Write(text)
	}))
	t.Cleanup(srv.Close)
	p.url = srv.URL
	return p
}

// pack makes a signed package and returns how a manifest names it. Without info
// the package doesn't describe itself, as those of other tools.
func (p *plainServer) pack(name string, info *archive.PackageInfo, tree map[string]string) map[string]any {
	p.t.Helper()
	var list []release.File
	for path, text := range tree {
		list = append(list, release.File{Path: release.Path(path), Size: int64(len(text)), Mode: 0o644, SHA256: release.DigestOf([]byte(text))})
	}
	src := archive.Tree{Files: list, Open: func(path release.Path) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(tree[string(path)])), nil
	}}
	if info != nil {
		info.Files = list
		src.Meta = map[string][]byte{archive.InfoName: get(info.Encode())(p.t)}
	}
	var b bytes.Buffer
	must(p.t, archive.Create(p.t.Context(), &b, archive.TarGzip, src, time.Unix(0, 0)))
	p.files["/"+name] = b.Bytes()
	return map[string]any{
		"url": name, "size": b.Len(), "hash": release.DigestOf(b.Bytes()).String(),
		"signature": base64.StdEncoding.EncodeToString(ed25519.Sign(p.key, b.Bytes())),
	}
}

// site makes a site at 1.0.0 that pins the server's key.
func (p *plainServer) site(unsigned bool) *world {
	p.t.Helper()
	w := &world{t: p.t, dir: filepath.Join(p.t.TempDir(), "site")}
	writeTree(p.t, w.dir, map[string]string{"index.php": "one\n", "config.php": "secret\n", "gone.php": "old\n"})
	options := update.InitOptions{URL: p.url + "/manifest.json", Version: get(release.ParseVersion("1.0.0"))(p.t), Unsigned: unsigned}
	if !unsigned {
		options.Keys = []string{"ed25519:" + base64.StdEncoding.EncodeToString(p.key.Public().(ed25519.PublicKey))}
	}
	e, err := update.Init(p.t.Context(), w.dir, options, update.Options{}, nil)
	must(p.t, err)
	must(p.t, e.Close())
	return w
}

// TestOnAPlainServerOnlyTheSignedPackageCounts changes what nobody has signed.
func TestOnAPlainServerOnlyTheSignedPackageCounts(t *testing.T) {
	version := get(release.ParseVersion("1.0.1"))(t)
	operations := func() *release.Operations {
		return &release.Operations{ReplaceFiles: []release.Path{"index.php"}, DeleteFiles: []release.Path{"gone.php"}}
	}
	tree := map[string]string{"index.php": "two\n"}
	listed := func(deleted ...string) map[string]any {
		return map[string]any{"replace": map[string]any{"files": []string{"index.php"}}, "delete": map[string]any{"files": deleted}}
	}
	for _, c := range []struct {
		name     string
		unsigned bool
		info     *archive.PackageInfo
		deletes  []string // as the manifest says
		change   func(*plainServer, map[string]any)
		says     string // "": the update works
	}{
		{name: "as published", info: &archive.PackageInfo{From: "=1.0.0", To: version, Operations: operations()}, deletes: []string{"gone.php"}},
		{name: "more deleted than signed", info: &archive.PackageInfo{From: "=1.0.0", To: version, Operations: operations()},
			deletes: []string{"gone.php", "config.php"}, says: "different operations"},
		{name: "of an older release", info: &archive.PackageInfo{From: "=1.0.0", To: get(release.ParseVersion("0.9.0"))(t), Operations: operations()},
			deletes: []string{"gone.php"}, says: "the manifest promised 1.0.1"},
		{name: "for another installed release", info: &archive.PackageInfo{From: "=0.9.0", To: version, Operations: operations()},
			deletes: []string{"gone.php"}, says: "starts from =0.9.0"},
		{name: "from anywhere", info: &archive.PackageInfo{To: version, Operations: operations()}, deletes: []string{"gone.php"}, says: "which versions it applies to"},
		{name: "without a description", deletes: []string{"gone.php"}, says: "the package itself must say"},
		{name: "without a description, unsigned allowed", unsigned: true, deletes: []string{"gone.php"}},
		{name: "signed by another", info: &archive.PackageInfo{From: "=1.0.0", To: version, Operations: operations()}, deletes: []string{"gone.php"},
			change: func(p *plainServer, pack map[string]any) {
				_, other, err := ed25519.GenerateKey(nil)
				must(p.t, err)
				pack["signature"] = base64.StdEncoding.EncodeToString(ed25519.Sign(other, p.files["/patch.tar.gz"]))
			}, says: "signature"},
		{name: "not signed", info: &archive.PackageInfo{From: "=1.0.0", To: version, Operations: operations()}, deletes: []string{"gone.php"},
			change: func(_ *plainServer, pack map[string]any) { delete(pack, "signature") }, says: "signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlainServer(t)
			pack := p.pack("patch.tar.gz", c.info, tree)
			pack["operations"] = listed(c.deletes...)
			if c.change != nil {
				c.change(p, pack)
			}
			p.manifest = map[string]any{
				"version": "1.0.1", "release_date": "2026-11-01T00:00:00Z", "release_notes": "Better.",
				"packages": map[string]any{"full": map[string]any{"url": "full.tar.gz", "size": 1 << 20}}, // larger, so never fetched
				"patch":    map[string]any{"any": pack, "version": "1.0.1"},
				"moult":    map[string]any{"format": 1, "product": "Testers", "channel": "stable", "from": "=1.0.0"},
			}
			w := p.site(c.unsigned)
			old, e := w.state(), w.engine()
			o, err := e.Check(t.Context(), update.Choices{}, nil)
			must(t, err)
			plan, err := e.Prepare(t.Context(), o, update.Choices{}, nil)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Errorf("got %v, want a refusal that says %q", err, c.says)
				}
				if w.state() != old {
					t.Error("the site has changed")
				}
				return
			}
			must(t, err)
			_, err = e.Apply(t.Context(), plan, nil)
			must(t, err)
			if got := string(get(os.ReadFile(filepath.Join(w.dir, "index.php")))(t)); got != "two\n" {
				t.Errorf("index.php holds %q", got)
			}
			if got := e.Current().String(); got != "1.0.1" {
				t.Errorf("the recorded version is %s", got)
			}
			if v := get(e.Verify(t.Context(), nil))(t); !v.Same() {
				t.Errorf("the site differs from its release: %+v", v)
			}
			_, err = e.RollBack(t.Context(), "", nil)
			must(t, err)
			if w.state() != old {
				t.Error("the roll back didn't bring the old site back")
			}
		})
	}
}
