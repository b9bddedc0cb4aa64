package publish_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/publish"
	"moult/core/release"
	"moult/core/trust"
)

func newest(t testing.TB, repo string) *release.Manifest {
	t.Helper()
	return newestAt(t, repo, day)
}

// newestAt reads the newest release as a site does at a time, zero for the clock's.
func newestAt(t testing.TB, repo string, now time.Time) *release.Manifest {
	t.Helper()
	if now.IsZero() {
		now = time.Now()
	}
	return readManifest(t, repo, "stable/manifest.json", now)
}

func readManifest(t testing.TB, repo, name string, now time.Time) *release.Manifest {
	t.Helper()
	address, err := fetch.FileURL(repo)
	must(t, err)
	r, err := site(t, repo, address, tempRoot(t), now)
	must(t, err)
	b, err := r.Read(t.Context(), name, release.MaxManifest)
	must(t, err)
	m, err := release.ParseManifest(b, nil)
	must(t, err)
	return m
}

func TestRolloutCanBeWidenedAndHalted(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	before := newest(t, repo)
	for _, percent := range []int{50, 0, 100} {
		if err := publish.Rollout(t.Context(), repo, publish.RolloutOptions{Percent: percent, Date: day}); err != nil {
			t.Fatal(err)
		}
		m := newest(t, repo)
		if m.Moult.Rollout != percent || m.OfferedTo("site") && percent == 0 || !m.OfferedTo("site") && percent == 100 {
			t.Errorf("rollout %d, want %d", m.Moult.Rollout, percent)
		}
		if m.Packages[""].Digest != before.Packages[""].Digest || m.Version.Compare(before.Version) != 0 {
			t.Errorf("the release changed: %+v", m)
		}
	}
	if err := publish.Rollout(t.Context(), repo, publish.RolloutOptions{Critical: true, Date: day}); err != nil {
		t.Fatal(err)
	}
	if m := newest(t, repo); !m.OfferedTo("site") {
		t.Error("a critical release is not offered")
	}
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
	for _, bad := range []publish.RolloutOptions{{Percent: -1}, {Percent: 101}, {Channel: "beta"}} {
		if err := publish.Rollout(t.Context(), repo, bad); err == nil {
			t.Errorf("%+v was accepted", bad)
		}
	}
}

func TestChannelsAreApart(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	beta := small(t, "2.0.0-rc.1")
	beta.Channel = "beta"
	if err := publish.Add(t.Context(), repo, beta); err != nil {
		t.Fatal(err)
	}
	if v := newest(t, repo).Version.String(); v != "1.5.0.1" {
		t.Errorf("stable is %s", v)
	}
	if err := publish.Add(t.Context(), repo, small(t, "1.6.0")); err != nil {
		t.Errorf("a stable release below the beta: %v", err)
	}
	if v := newest(t, repo).Version.String(); v != "1.6.0" {
		t.Errorf("stable is %s", v)
	}
}

func TestArchitecturesOfOneRelease(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	add := func(v string, arch release.Arch, binary string, from ...string) error {
		return publish.Add(t.Context(), repo, publish.Release{
			Version: version(t, v), Arch: arch, Date: day, Now: day, PatchFrom: versions(t, from...), Delta: true, GoOnly: true,
			Tree: tree(t, map[string]string{"app.bin": binary, "common": v}),
		})
	}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		for _, arch := range []release.Arch{release.X86_64, release.AArch64} {
			var from []string
			if v == "1.1.0" {
				from = []string{"1.0.0"}
			}
			if err := add(v, arch, string(arch)+v, from...); err != nil {
				t.Fatal(err)
			}
		}
	}
	m := newest(t, repo)
	for _, arch := range []release.Arch{release.X86_64, release.AArch64} {
		if _, ok := m.Full(arch); !ok || len(m.PatchesFrom(version(t, "1.0.0"), arch)) != 1 {
			t.Errorf("%s: packages %+v, patches %+v", arch, m.Packages, m.Patches)
		}
	}
	if len(m.Moult.Earlier) != 1 {
		t.Errorf("earlier %+v", m.Moult.Earlier)
	}
	if len(m.Moult.Files) > 0 || len(m.Moult.ArchFiles) > 0 {
		t.Error("the channel's manifest, which every check reads, lists files")
	}
	played, err := publish.Verify(t.Context(), repo, day)
	if err != nil || len(played) != 6 { // a full package, a patch and a delta each
		t.Errorf("%d ways, %v", len(played), err)
	}
	if err := add("1.1.0", release.X86_64, "again"); err == nil {
		t.Error("an architecture was published twice")
	}
	if err := add("1.1.0", "", "any"); err == nil {
		t.Error("a release for any architecture was added beside others")
	}
}

// A client without TUF: a manifest at a plain address, relative addresses, and pinned
// keys, also after these have been changed.
func TestPlainLayoutServesClientsWithoutTUF(t *testing.T) {
	repo := pond(t, publish.InitOptions{Plain: true})
	server, err := publish.Serve(t.Context(), repo, "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	old := plainKeys(t, repo)
	checkPlain(t, server.URL, old)
	if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "targets", Date: day}); err != nil {
		t.Fatal(err)
	}
	checkPlain(t, server.URL, plainKeys(t, repo))
	p := plainManifest(t, server.URL).Packages[""]
	if _, err := trust.VerifyPackage(old, p.Signature, bytes.NewReader(download(t, p)), day); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("with the keys of before: got %v, want ErrSignature", err)
	}
}

func plainKeys(t *testing.T, repo string) *trust.Pinned {
	t.Helper()
	keys, err := publish.PackageKeys(repo)
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := trust.ParsePinned(keys)
	if err != nil {
		t.Fatal(err)
	}
	return pinned
}

func plainManifest(t *testing.T, server string) *release.Manifest {
	t.Helper()
	address := server + "targets/stable.json"
	b, err := client(t).Read(t.Context(), address, release.MaxManifest)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	m, err := release.ParseManifest(b, base)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func download(t *testing.T, p release.Package) []byte {
	t.Helper()
	dir := tempRoot(t)
	if _, err := client(t).Download(t.Context(), fetch.Request{URLs: []string{p.URL}, Size: p.Size, Digest: p.Digest, Dir: dir, Name: "p"}, nil); err != nil {
		t.Fatal(err)
	}
	b, err := dir.ReadFile("p")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// checkPlain verifies every package that a plain manifest names.
func checkPlain(t *testing.T, server string, pinned *trust.Pinned) {
	t.Helper()
	m := plainManifest(t, server)
	if len(m.Moult.Files) == 0 {
		t.Error("the plain manifest lists no files, and its clients have no other")
	}
	packages := []release.Package{m.Packages[""], m.Patches[""].Package}
	for _, d := range m.Moult.Deltas {
		packages = append(packages, d.Package)
	}
	for _, p := range packages {
		body := download(t, p)
		if _, err := trust.VerifyPackage(pinned, p.Signature, bytes.NewReader(body), day); err != nil {
			t.Errorf("%s: %v", p.URL, err)
		}
		if !ed25519.Verify(pinned.Keys[0], body, p.Signature) {
			t.Errorf("%s: the standard library does not accept the signature", p.URL)
		}
		if _, err := trust.VerifyPackage(pinned, p.Signature, bytes.NewReader(append(body, 0)), day); !errors.Is(err, trust.ErrSignature) {
			t.Errorf("%s with a byte more: %v", p.URL, err)
		}
	}
}

func TestEveryFormatCanBePublished(t *testing.T) {
	for _, format := range []archive.Format{archive.TarZstd, archive.TarXZ, archive.TarGzip, archive.Zip} {
		repo := initRepo(t, publish.InitOptions{})
		for _, v := range []string{"1.0.0", "1.1.0"} {
			r := small(t, v)
			r.Format = format
			if v == "1.1.0" {
				r.PatchFrom = versions(t, "1.0.0")
			}
			if err := publish.Add(t.Context(), repo, r); err != nil {
				t.Fatalf("%s: %v", format, err)
			}
		}
		if _, err := publish.Verify(t.Context(), repo, day); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestServedRepositoryHidesItsInsides(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	if err := os.WriteFile(filepath.Join(repo, "metadata", ".secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	server, err := publish.Serve(t.Context(), repo, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "metadata/", "targets", "metadata/.lock", "metadata/.secret", "../repo-keys/root-1.pem", "%2e%2e/repo-keys/root-1.pem", "nowhere"} {
		if b, err := client(t).Read(t.Context(), server.URL+path, 1<<20); err == nil {
			t.Errorf("%q was handed out: %d bytes", path, len(b))
		}
	}
	if _, err := client(t).Read(t.Context(), server.URL+"root.json", 1<<20); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	if _, err := publish.Serve(t.Context(), t.TempDir(), ""); !errors.Is(err, publish.ErrNotRepository) {
		t.Errorf("got %v, want ErrNotRepository", err)
	}
}
