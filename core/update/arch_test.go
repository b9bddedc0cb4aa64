package update_test

import (
	"os"
	"path/filepath"
	"testing"

	"moult/core/publish"
	"moult/core/release"
	"moult/core/update"
)

// TestADeltaLeadsToTheFilesOfTheSitesArchitecture publishes two releases whose program
// is another one on each architecture.
func TestADeltaLeadsToTheFilesOfTheSitesArchitecture(t *testing.T) {
	w := &world{t: t, repo: filepath.Join(t.TempDir(), "repo"), dir: filepath.Join(t.TempDir(), "site")}
	must(t, publish.Init(w.repo, publish.InitOptions{Product: "Testers"}))
	here := get(release.ParseArch("auto"))(t)
	files := func(version string, arch release.Arch) map[string]string {
		return map[string]string{"bin/program": ballast + version + string(arch), "index.php": version, "assets/ballast.bin": ballast}
	}
	for i, v := range []string{"1.0.0", "1.1.0"} {
		for _, arch := range []release.Arch{release.X86_64, release.AArch64} {
			tree := filepath.Join(t.TempDir(), "tree")
			writeTree(t, tree, files(v, arch))
			must(t, publish.Add(t.Context(), w.repo, publish.Release{
				Version: get(release.ParseVersion(v))(t), Tree: tree, Arch: arch, PatchLast: i, Delta: true,
			}))
		}
	}
	writeTree(t, w.dir, files("1.0.0", here))
	e, err := update.Init(t.Context(), w.dir, update.InitOptions{
		URL: "file://" + w.repo + "/", RootJSON: get(os.ReadFile(filepath.Join(w.repo, "root.json")))(t),
	}, update.Options{}, nil)
	must(t, err)
	defer e.Close()
	p := w.plan(e, update.Choices{})
	if p.Strategy.Kind != release.DeltaPack {
		t.Fatalf("the plan goes by %q: %s", p.Strategy.Kind, p.Strategy.Reason)
	}
	_, err = e.Apply(t.Context(), p, nil)
	must(t, err)
	for name, want := range files("1.1.0", here) {
		if got := get(os.ReadFile(filepath.Join(w.dir, name)))(t); string(got) != want {
			t.Errorf("%s is not that of the release", name)
		}
	}
}
