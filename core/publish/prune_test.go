package publish_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/publish"
	"moult/core/release"
)

// targetFiles lists the files below targets/, by name without their hashes.
func targetFiles(t *testing.T, repo string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(repo, "targets"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			dir, base := filepath.Split(name)
			if len(base) > 64 && base[64] == '.' {
				base = base[65:]
			}
			below, _ := filepath.Rel(filepath.Join(repo, "targets"), dir+base)
			names = append(names, filepath.ToSlash(below))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPruneKeepsTheNewestAndWhatMayNotBeSkipped(t *testing.T) {
	for _, plain := range []bool{false, true} {
		repo := pond(t, publish.InitOptions{Plain: plain}) // 1.4.2, 1.5.0 (a stop) and 1.5.0.1
		pruned, err := publish.Prune(t.Context(), repo, publish.PruneOptions{Keep: 1, Date: day})
		if err != nil {
			t.Fatal(err)
		}
		if len(pruned.Releases) != 1 || pruned.Releases[0].String() != "1.4.2" || pruned.Files == 0 || pruned.Bytes == 0 {
			t.Errorf("pruned %+v", pruned)
		}
		for _, name := range targetFiles(t, repo) {
			if strings.Contains(name, "1.4.2") {
				t.Errorf("%s is left", name)
			}
		}
		m := newest(t, repo)
		if len(m.Moult.Earlier) != 1 || m.Moult.Earlier[0].Version.String() != "1.5.0" || len(m.Moult.Deltas) != 1 {
			t.Errorf("earlier %v, deltas %v", m.Moult.Earlier, m.Moult.Deltas)
		}
		played, err := publish.Verify(t.Context(), repo, day)
		if err != nil {
			t.Error(err)
		}
		for _, p := range played {
			if p.From.String() == "1.4.2" {
				t.Errorf("a %s still leads from 1.4.2", p.Kind)
			}
		}
		// What is left for a site on the release that is gone: the full package of the stop.
		s, err := release.Decide(m, release.Site{Current: version(t, "1.4.2"), Arch: release.X86_64, BaseKnown: true},
			func(release.Version) ([]*release.Manifest, error) {
				return []*release.Manifest{readManifest(t, repo, "releases/1.5.0/manifest.json", day)}, nil
			})
		if err != nil || s.Kind != release.Full || len(s.Hops) != 2 || s.Hops[0].String() != "1.5.0" {
			t.Errorf("%+v, %v", s, err)
		}
		// The second time there is nothing to do.
		if pruned, err = publish.Prune(t.Context(), repo, publish.PruneOptions{Keep: 1, Date: day}); err != nil || pruned.Files > 0 || len(pruned.Releases) > 0 {
			t.Errorf("again: %+v, %v", pruned, err)
		}
	}
}

func TestPruneRemovesOldMetadataAndKeepsRoots(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	for i := range 5 {
		if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "root", Keep: true, Date: day}); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Prune(t.Context(), repo, publish.PruneOptions{Keep: 9, Date: day}); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	entries, err := os.ReadDir(filepath.Join(repo, "metadata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		_, kind, _ := strings.Cut(e.Name(), ".")
		count[kind]++
	}
	if count["root.json"] != 2 || count["snapshot.json"] != 2 || count["targets.json"] != 2 {
		t.Errorf("left are %v", count)
	}
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
}
