package publish_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/publish"
	"moult/core/release"
	"moult/core/trust"
)

var day = time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)

func version(t testing.TB, s string) release.Version {
	t.Helper()
	v, err := release.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func versions(t testing.TB, list ...string) []release.Version {
	t.Helper()
	var out []release.Version
	for _, s := range list {
		out = append(out, version(t, s))
	}
	return out
}

// tree makes a directory of files, as in {"a/b.txt": "text"}.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func file(t testing.TB, name, text string) string {
	t.Helper()
	return filepath.Join(tree(t, map[string]string{name: text}), name)
}

func initRepo(t testing.TB, o publish.InitOptions) string {
	t.Helper()
	repo := filepath.Join(t.TempDir(), "repo")
	o.Product, o.Date = "Duckpond wiki", day
	if err := publish.Init(repo, o); err != nil {
		t.Fatal(err)
	}
	return repo
}

// pond publishes three releases: 1.4.2, 1.5.0 with a patch, and the build 1.5.0.1.
func pond(t testing.TB, o publish.InitOptions) string {
	t.Helper()
	repo := initRepo(t, o)
	add := func(r publish.Release) {
		t.Helper()
		r.Date, r.Now = day, day
		if err := publish.Add(context.Background(), repo, r); err != nil {
			t.Fatal(err)
		}
	}
	add(publish.Release{
		Version: version(t, "1.4.2"), Notes: file(t, "notes.md", "The first.\n"),
		Tree:   tree(t, map[string]string{"index.php": "one", "lib/a.php": "a", "lib/old.php": "old"}),
		Schema: file(t, "s.sql", "CREATE TABLE users (id INT PRIMARY KEY);\n"),
	})
	add(publish.Release{
		Version: version(t, "1.5.0"), PatchFrom: versions(t, "1.4.2"),
		Tree:    tree(t, map[string]string{"index.php": "two", "lib/a.php": "a", "lib/new.php": strings.Repeat("new ", 1000)}),
		Schema:  file(t, "s.sql", "CREATE TABLE users (id INT PRIMARY KEY, mail TEXT);\n"),
		Scripts: tree(t, map[string]string{"10-fill.sql": "UPDATE users SET mail='';\n", "10-fill.undo.sql": "UPDATE users SET mail=NULL;\n"}),
		Stops:   versions(t, "1.5.0"),
	})
	add(publish.Release{
		Version: version(t, "1.5.0.1"), PatchFrom: versions(t, "1.5.0", "1.4.2"), Delta: true, GoOnly: true, Rollout: 10,
		Tree:   tree(t, map[string]string{"index.php": "three", "lib/a.php": "a", "lib/new.php": strings.Repeat("new ", 1000)}),
		Schema: file(t, "s.sql", "CREATE TABLE users (id INT PRIMARY KEY, mail TEXT);\n"),
	})
	return repo
}

func client(t testing.TB) *fetch.Client {
	t.Helper()
	c, err := fetch.New(fetch.Options{Backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func tempRoot(t testing.TB) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// site opens a repository as a site that pinned its root.json.
func site(t testing.TB, repo, url string, dir *os.Root, now time.Time) (*trust.Repository, error) {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(repo, "root.json"))
	if err != nil {
		t.Fatal(err)
	}
	return trust.Open(context.Background(), trust.Options{
		Client: client(t), URL: url, Dir: dir, PinnedRoot: root, Now: func() time.Time { return now },
	})
}

func TestSiteReadsWhatWasPublished(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	server, err := publish.Serve(t.Context(), repo, "")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, err := site(t, repo, server.URL, tempRoot(t), day)
	if err != nil {
		t.Fatal(err)
	}
	if s := r.Status(); !s.Fresh || s.Signer != "Duckpond wiki" || s.RootVersion != 1 || !s.Expires.Equal(day.Add(14*24*time.Hour)) {
		t.Errorf("status %+v", s)
	}
	b, err := r.Read(t.Context(), "stable/manifest.json", release.MaxManifest)
	if err != nil {
		t.Fatal(err)
	}
	m, err := release.ParseManifest(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Version.String() != "1.5.0.1" || m.Moult.Rollout != 10 || len(m.Moult.Earlier) != 2 || len(m.Moult.Stops) != 1 {
		t.Errorf("manifest %+v", m)
	}
	if !m.HasPatch("") || len(m.PatchesFrom(version(t, "1.5.0"), "")) != 1 || len(m.PatchesFrom(version(t, "1.4.2"), "")) != 1 {
		t.Errorf("patches %+v", m.Patches)
	}
	if len(m.Moult.Files) != 0 {
		t.Error("the channel's manifest, which is read at every check, lists the files")
	}
	if b, err = r.Read(t.Context(), "releases/1.5.0.1/manifest.json", release.MaxManifest); err != nil {
		t.Fatal(err)
	}
	if m, err = release.ParseManifest(b, nil); err != nil {
		t.Fatal(err)
	}
	full, _ := m.Full(release.X86_64)
	target, err := r.Target(full.URL)
	if err != nil {
		t.Fatal(err)
	}
	if target.Digest != full.Digest || target.Length != full.Size {
		t.Errorf("target %+v, package %+v", target, full)
	}
	dir := tempRoot(t)
	if _, err := client(t).Download(t.Context(), fetch.Request{
		URLs: target.URLs, Size: full.Size, Digest: full.Digest, Chunks: full.Chunks, Dir: dir, Name: "full",
	}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := dir.Open("full")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c, err := archive.Extract(t.Context(), f, full.Size, tempRoot(t), archive.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Files, m.Moult.Files) {
		t.Errorf("package holds %v, manifest says %v", c.Files, m.Moult.Files)
	}
}

func TestVerifyPlaysEveryWay(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	played, err := publish.Verify(t.Context(), repo, day)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range played {
		got = append(got, string(p.Kind)+" "+p.From.String()+" "+p.To.String())
	}
	slices.Sort(got)
	if want := []string{"delta 1.4.2 1.5.0.1", "delta 1.5.0 1.5.0.1", "full  1.5.0.1", "patch 1.4.2 1.5.0.1", "patch 1.5.0 1.5.0.1"}; !slices.Equal(got, want) {
		t.Errorf("played %q, want %q", got, want)
	}
}

func TestVerifyFindsADamagedPackage(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	matches, err := filepath.Glob(filepath.Join(repo, "targets/releases/1.5.0.1/*.patch-from-1.4.2.tar.zst"))
	if err != nil || len(matches) != 1 {
		t.Fatal(matches, err)
	}
	b, err := os.ReadFile(matches[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(matches[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Verify(t.Context(), repo, day); !errors.Is(err, trust.ErrHash) {
		t.Errorf("got %v, want ErrHash", err)
	}
}

func TestExpiredRepositoryFailsVerification(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	if _, err := publish.Verify(t.Context(), repo, day.Add(15*24*time.Hour)); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("got %v, want ErrExpired", err)
	}
	n, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(15*24*time.Hour))
	if err != nil || len(n.Warnings) != 0 {
		t.Fatal(n, err)
	}
	if _, err := publish.Verify(t.Context(), repo, day.Add(15*24*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestSameInputGivesSameBytes(t *testing.T) {
	empty := initRepo(t, publish.InitOptions{})
	a, b := digests(t, rebuild(t, empty)), digests(t, rebuild(t, empty))
	if len(a) == 0 || !slices.Equal(a, b) {
		t.Errorf("two runs differ:\n%s\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// rebuild publishes two releases into a copy of an empty repository.
func rebuild(t *testing.T, empty string) string {
	t.Helper()
	repo := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(repo, os.DirFS(empty)); err != nil {
		t.Fatal(err)
	}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		r := publish.Release{Version: version(t, v), Keys: publish.KeySource{Place: publish.DefaultKeys(empty)}, Date: day, Now: day,
			Tree: tree(t, map[string]string{"a": v, "b/c": "same", "z": v + v})}
		if v == "1.1.0" {
			r.PatchFrom, r.Delta, r.GoOnly = versions(t, "1.0.0"), true, true
		}
		if err := publish.Add(t.Context(), repo, r); err != nil {
			t.Fatal(err)
		}
	}
	return repo
}

func TestAddTellsHowFarItIs(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	for _, v := range []string{"1.0.0", "1.1.0"} {
		var order []string
		last := map[string]publish.Progress{}
		r := publish.Release{Version: version(t, v), Date: day, Now: day, Delta: true, GoOnly: true,
			Tree: tree(t, map[string]string{"a": v, "b/c": "same", "z": strings.Repeat(v, 1<<16)})}
		r.Report = func(p publish.Progress) {
			was, begun := last[p.Making]
			if !begun {
				order = append(order, path.Base(p.Making))
			}
			if p.Done < was.Done || p.Done > p.Total {
				t.Errorf("%+v comes after %+v", p, was)
			}
			last[p.Making] = p
		}
		want := []string{"full.tar.zst"}
		if v == "1.1.0" {
			r.PatchFrom = versions(t, "1.0.0")
			want = append(want, "delta-from-1.0.0.zst", "patch-from-1.0.0.tar.zst")
		}
		if err := publish.Add(t.Context(), repo, r); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(order, want) {
			t.Errorf("made %v, want %v", order, want)
		}
		for _, p := range last {
			if p.Total == 0 || p.Done != p.Total {
				t.Errorf("ended at %+v", p)
			}
		}
	}
}

func digests(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		out = append(out, name+" "+release.DigestOf(b).Hex())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAddRefusesWhatItCannotPublish(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	good := func() publish.Release {
		return publish.Release{Version: version(t, "2.0.0"), Tree: tree(t, map[string]string{"a": "b"}), Date: day, Now: day}
	}
	tests := map[string]struct {
		change func(*publish.Release)
		want   string
	}{
		"published version": {func(r *publish.Release) { r.Version = version(t, "1.5.0") }, "published already"},
		"older version":     {func(r *publish.Release) { r.Version = version(t, "1.4.9") }, "not older"},
		"no tree":           {func(r *publish.Release) { r.Tree = "/nowhere" }, "tree"},
		"empty tree":        {func(r *publish.Release) { r.Tree = t.TempDir() }, "no files"},
		"no schema file":    {func(r *publish.Release) { r.Schema = "/nowhere.sql" }, "schema"},
		"unknown base":      {func(r *publish.Release) { r.PatchFrom = versions(t, "1.0.0") }, "1.0.0 is not published"},
		"newer base":        {func(r *publish.Release) { r.PatchFrom = versions(t, "2.0.0") }, "not older"},
		"channel with path": {func(r *publish.Release) { r.Channel = "a/b" }, "plain name"},
		"reserved channel":  {func(r *publish.Release) { r.Channel = "releases" }, "plain name"},
		"rollout":           {func(r *publish.Release) { r.Rollout = 101 }, "per cent"},
		"script name":       {func(r *publish.Release) { r.Scripts = tree(t, map[string]string{"x.sql": ""}) }, "10-split-names.sql"},
		"undo alone":        {func(r *publish.Release) { r.Scripts = tree(t, map[string]string{"10-x.undo.sql": ""}) }, "which is not there"},
		"no keys":           {func(r *publish.Release) { r.Keys.Place = t.TempDir() }, "private keys are missing"},
	}
	before := digests(t, filepath.Join(repo, "metadata"))
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := good()
			test.change(&r)
			if err := publish.Add(t.Context(), repo, r); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if after := digests(t, filepath.Join(repo, "metadata")); !slices.Equal(before, after) {
		t.Error("a refused release changed the metadata")
	}
	if err := publish.Add(t.Context(), repo, good()); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
}

func TestDateComesFromTheEnvironment(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	r := small(t, "1.0.0")
	r.Date = time.Time{}
	for _, bad := range []string{"", "yesterday"} {
		t.Setenv("SOURCE_DATE_EPOCH", bad)
		if err := publish.Add(t.Context(), repo, r); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	t.Setenv("SOURCE_DATE_EPOCH", strconv.FormatInt(day.Unix(), 10))
	if err := publish.Add(t.Context(), repo, r); err != nil {
		t.Fatal(err)
	}
	if got := newest(t, repo).Released; !got.Equal(day) {
		t.Errorf("released %v, want %v", got, day)
	}
}

// A release is built again from sources of years ago: its packages are as old as these,
// and sites take it all the same.
func TestMetadataLivesFromTheClockOnWhateverTheReleasesDate(t *testing.T) {
	old := time.Date(2015, 3, 1, 12, 0, 0, 0, time.UTC)
	t.Setenv("SOURCE_DATE_EPOCH", strconv.FormatInt(old.Unix(), 10))
	var packages []release.Digest
	for _, now := range []time.Time{{}, day} {
		repo := filepath.Join(t.TempDir(), "repo")
		must(t, publish.Init(repo, publish.InitOptions{Date: now}))
		r := small(t, "1.0.0")
		r.Date, r.Now = time.Time{}, now
		must(t, publish.Add(t.Context(), repo, r))
		if _, err := publish.Verify(t.Context(), repo, now); err != nil {
			t.Errorf("at %v: %v", now, err)
		}
		m := newestAt(t, repo, now)
		if !m.Released.Equal(old) {
			t.Errorf("released %v, want %v", m.Released, old)
		}
		packages = append(packages, m.Packages[""].Digest)
	}
	if packages[0] != packages[1] {
		t.Error("the package depends on the clock")
	}
}

// A range of versions can't tell builds apart, so a patch between builds has to suit all
// of them: Verify plays it from each.
func TestPatchSuitsEveryBuildOfItsBase(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	for i, files := range []map[string]string{
		{"a": "1", "b": "1", "c": "1", "gone": "1"},
		{"a": "2", "b": "1", "c": "1", "gone": "1", "passing": "2"},
		{"a": "2", "b": "3", "c": "1", "gone": "1"},
		{"a": "2", "b": "3", "c": "4"},
	} {
		r := publish.Release{Version: version(t, "1.5.0."+strconv.Itoa(i)), Tree: tree(t, files), Date: day, Now: day}
		if i > 0 {
			r.PatchLast = 1
		}
		if err := publish.Add(t.Context(), repo, r); err != nil {
			t.Fatal(err)
		}
	}
	played, err := publish.Verify(t.Context(), repo, day)
	if err != nil || len(played) != 4 {
		t.Errorf("%d ways, want 4: %v", len(played), err)
	}
	m := newest(t, repo)
	want := release.Operations{ReplaceFiles: []release.Path{"a", "b", "c"}, DeleteFiles: []release.Path{"gone", "passing"}}
	if !m.Patches[""].Operations.Equal(want) {
		t.Errorf("operations %+v", m.Patches[""].Operations)
	}
}

func TestLastReleasesGetPatches(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
		r := small(t, v)
		r.PatchLast = 2
		if v == "1.3.0" {
			r.PatchFrom = versions(t, "1.0.0", "1.2.0")
		}
		if err := publish.Add(t.Context(), repo, r); err != nil {
			t.Fatal(err)
		}
	}
	m := newest(t, repo)
	for _, from := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		if n := len(m.PatchesFrom(version(t, from), "")); n != 1 {
			t.Errorf("%d patches from %s, want 1", n, from)
		}
	}
}

func TestKeysNeverLieInTheRepository(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "repo")
	for _, keys := range []string{repo, filepath.Join(repo, "keys"), repo + "/../repo/keys"} {
		if err := publish.Init(repo, publish.InitOptions{Keys: keys}); err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("%s: got %v", keys, err)
		}
	}
}
