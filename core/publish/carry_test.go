package publish_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"moult/core/publish"
	"moult/core/trust"
)

// journey publishes 1.0.0, the stops 1.1.0 and 1.2.0, and 1.3.0.
func journey(t *testing.T) string {
	t.Helper()
	repo := initRepo(t, publish.InitOptions{})
	for _, v := range []string{"1.0.0", "1.1.0", "1.2.0", "1.3.0"} {
		r := small(t, v)
		if v == "1.1.0" || v == "1.2.0" {
			r.Stops = versions(t, v)
		}
		if v == "1.3.0" {
			r.PatchFrom = versions(t, "1.2.0")
		}
		must(t, publish.Add(t.Context(), repo, r))
	}
	return repo
}

func TestACarriedFileLeadsThroughTheReleasesThatMayNotBeSkipped(t *testing.T) {
	repo := journey(t)
	for from, want := range map[string][]string{
		"":      {"releases/1.1.0/full.tar.zst", "releases/1.2.0/full.tar.zst", "releases/1.3.0/full.tar.zst"},
		"1.1.0": {"releases/1.2.0/full.tar.zst", "releases/1.3.0/full.tar.zst", "releases/1.3.0/patch-from-1.2.0.tar.zst"},
		"1.2.0": {"releases/1.3.0/full.tar.zst", "releases/1.3.0/patch-from-1.2.0.tar.zst"},
	} {
		var o publish.CarryOptions
		if from != "" {
			o.From = version(t, from)
		}
		var zip bytes.Buffer
		got, err := publish.Carry(t.Context(), repo, &zip, o)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("from %q: %v, %v, want %v", from, got, err, want)
		}
		for _, name := range want {
			dir, base, _ := strings.Cut(name, "/full")
			if base != "" && !strings.Contains(zip.String(), "targets/"+dir+"/") {
				t.Errorf("from %q: nothing of %s is in the file", from, dir)
			}
		}
	}
	forge(t, repo, publish.DefaultKeys(repo), func(d *documents) { delete(d.targets.Signed.Targets, "releases/1.1.0/manifest.json") })
	if _, err := publish.Carry(t.Context(), repo, io.Discard, publish.CarryOptions{}); err == nil || !strings.Contains(err.Error(), "no update may skip 1.1.0, which is not published") {
		t.Errorf("got %v", err)
	}
	_, err := publish.Carry(t.Context(), repo, io.Discard, publish.CarryOptions{From: version(t, "1.1.0")})
	must(t, err) // these sites are past it
	spoil(t, repo, "targets/releases/1.3.0/*.patch-from-1.2.0.tar.zst")
	if _, err := publish.Carry(t.Context(), repo, io.Discard, publish.CarryOptions{From: version(t, "1.1.0")}); !errors.Is(err, trust.ErrHash) {
		t.Errorf("a spoilt package: got %v, want ErrHash", err)
	}
}
