package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moult/core/publish"
	"moult/core/trust"
)

// spoil changes one byte in the middle of the files of a repository.
func spoil(t testing.TB, repo, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(repo, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		must(t, err)
		b[len(b)/2] ^= 1
		must(t, os.WriteFile(name, b, 0o644))
	}
}

// Sites read more than what leads to the newest release: manifests of all releases, and
// packages of those that may not be skipped.
func TestVerifyReadsEveryFile(t *testing.T) {
	for _, pattern := range []string{
		"targets/stable/*.manifest.json", "targets/releases/1.4.2/*.manifest.json", "targets/releases/1.5.0.1/*.manifest.json",
		"targets/releases/1.4.2/*.full.tar.zst", "targets/releases/1.5.0/*.patch-from-1.4.2.tar.zst",
		"targets/releases/1.5.0.1/*.delta-from-1.5.0.zst",
	} {
		repo := pond(t, publish.InitOptions{})
		spoil(t, repo, pattern)
		if _, err := publish.Verify(t.Context(), repo, day); !errors.Is(err, trust.ErrHash) || !strings.Contains(err.Error(), strings.Split(pattern, "/")[1]) {
			t.Errorf("%s: got %v, want ErrHash", pattern, err)
		}
	}
}

// A beta that is patched from stable releases is played from them.
func TestVerifyPlaysWaysBetweenChannels(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	beta := small(t, "2.0.0-rc.1")
	beta.Channel, beta.PatchFrom = "beta", versions(t, "1.5.0")
	must(t, publish.Add(t.Context(), repo, beta))
	played, err := publish.Verify(t.Context(), repo, day)
	must(t, err)
	var got []string
	for _, p := range played {
		if p.Channel == "beta" {
			got = append(got, string(p.Kind)+" "+p.From.String())
		}
	}
	if want := []string{"full ", "patch 1.5.0", "patch 1.5.0.1"}; !slices.Equal(got, want) {
		t.Errorf("played %q, want %q", got, want)
	}
}

// Manifests that lead to where nothing is, signed by the publisher.
func TestVerifyReportsReleasesThatAreNotThere(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*documents)
		want   []string
	}{
		"the newest": {func(d *documents) { delete(d.targets.Signed.Targets, "releases/1.5.0.1/manifest.json") },
			[]string{"channel stable", "releases/1.5.0.1/manifest.json is not in the repository"}},
		"a stop": {func(d *documents) { delete(d.targets.Signed.Targets, "releases/1.5.0/manifest.json") },
			[]string{"no update may skip 1.5.0, which is not published", "1.5.0.1 lists 1.5.0"}},
		"an earlier one": {func(d *documents) { delete(d.targets.Signed.Targets, "releases/1.4.2/manifest.json") },
			[]string{"1.5.0.1 lists 1.4.2, which is not published"}},
		"a package": {func(d *documents) {
			*d.targets.Signed.Targets["releases/1.4.2/full.tar.zst"] = *d.targets.Signed.Targets["stable/manifest.json"]
		}, []string{"releases/1.4.2/full.tar.zst: targets and manifest disagree"}},
	} {
		t.Run(name, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{})
			forge(t, repo, publish.DefaultKeys(repo), test.change)
			_, err := publish.Verify(t.Context(), repo, day)
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q", err, want)
				}
			}
			if name == "the newest" {
				if err := publish.Rollout(t.Context(), repo, publish.RolloutOptions{Percent: 5, Date: day}); err == nil || !strings.Contains(err.Error(), test.want[1]) {
					t.Errorf("rollout: got %v", err)
				}
			}
		})
	}
	if _, err := publish.Verify(t.Context(), initRepo(t, publish.InitOptions{}), day); err != nil {
		t.Errorf("an empty repository: %v", err)
	}
}
