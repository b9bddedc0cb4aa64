package release

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// offer makes a manifest with a full package of 10 MB for x86_64.
func offer(t testing.TB, v string, with ...func(*Manifest)) *Manifest {
	m := &Manifest{
		Version:  version(t, v),
		Packages: map[Arch]Package{X86_64: {URL: "https://example.org/" + v + "/full", Size: 10_000_000}},
		Patches:  map[Arch]Patch{},
		Moult:    &Extension{Rollout: 100},
	}
	for _, w := range with {
		w(m)
	}
	return m
}

func patch(from string, size int64) func(*Manifest) {
	return func(m *Manifest) {
		p := Patch{Package: Package{URL: "https://example.org/" + m.Version.String() + "/patch", Size: size}, Arch: X86_64,
			FromText: from, Operations: Operations{ReplaceFiles: []Path{"index.php"}}}
		if from != "" {
			c, err := semver.NewConstraint(from)
			if err != nil {
				panic(err)
			}
			p.From = c
		}
		m.Patches[X86_64] = p
	}
}

func delta(from string, size int64) func(*Manifest) {
	return func(m *Manifest) {
		v, err := ParseVersion(from)
		if err != nil {
			panic(err)
		}
		m.Moult.Deltas = append(m.Moult.Deltas, Delta{Package: Package{URL: "https://example.org/delta", Size: size}, From: v})
	}
}

func stops(t testing.TB, versions ...string) func(*Manifest) {
	return func(m *Manifest) {
		for _, v := range versions {
			m.Moult.Stops = append(m.Moult.Stops, version(t, v))
		}
	}
}

func TestDecide(t *testing.T) {
	at := func(v string) Site { return Site{Current: version(t, v), Arch: X86_64, BaseKnown: true} }
	edited := func(v string) Site { s := at(v); s.BaseKnown = false; return s }
	chain := []*Manifest{
		offer(t, "1.6.0", patch("1.5.x", 2_000_000)), // in no order, as callers may have them
		offer(t, "1.4.0", patch("1.3.x", 1_000_000)),
		offer(t, "1.5.0", patch("1.4.x", 1_000_000)),
	}
	for _, c := range []struct {
		name  string
		site  Site
		offer *Manifest
		chain []*Manifest
		kind  StrategyKind
		bytes int64
		hops  string
		words []string // that the reason holds
	}{
		{"full is forced", Site{Current: version(t, "1.4.0"), Arch: X86_64, ForceFull: true}, offer(t, "1.5.0", patch("1.4.x", 5)), nil,
			Full, 10_000_000, "1.5.0", []string{"asked for", "10 MB"}},
		{"full is forced for the same release", Site{Current: version(t, "1.5.0"), Arch: X86_64, ForceFull: true}, offer(t, "1.5.0"), nil,
			Full, 10_000_000, "1.5.0", []string{"asked for"}},
		{"nothing is recorded", Site{Arch: X86_64}, offer(t, "1.5.0", stops(t, "1.4.0")), nil,
			Full, 10_000_000, "1.5.0", []string{"No installed release is recorded"}},
		{"one required path is missing", Site{Current: version(t, "1.5.0"), Missing: []Path{"docker/compose.yml"}, Arch: X86_64}, offer(t, "1.5.0"), nil,
			Full, 10_000_000, "1.5.0", []string{"docker/compose.yml is missing"}},
		{"several required paths are missing", Site{Current: version(t, "1.4.0"), Missing: []Path{"a", "b", "c"}, Arch: X86_64}, offer(t, "1.5.0", patch("1.4.x", 5)), nil,
			Full, 10_000_000, "1.5.0", []string{"a and 2 more are missing"}},
		{"current is offered", at("1.5.0"), offer(t, "1.5.0"), nil,
			None, 0, "", []string{"1.5.0 is installed and is the newest"}},
		{"current differs in metadata only", at("1.5.0+build7"), offer(t, "1.5.0"), nil,
			None, 0, "", nil},
		{"current is newer", at("1.6.0"), offer(t, "1.5.0"), nil,
			None, 0, "", []string{"1.6.0 is newer than the offered 1.5.0"}},
		{"current is newer and full is forced", Site{Current: version(t, "1.6.0"), Arch: X86_64, ForceFull: true}, offer(t, "1.5.0"), nil,
			None, 0, "", []string{"is newer"}},
		{"current has a higher build", at("1.5.0.3"), offer(t, "1.5.0.2"), nil,
			None, 0, "", []string{"is newer"}},
		{"patch admits the version", at("1.4.2"), offer(t, "1.5.0", patch(">=1.4.0 <1.5.0", 300_000)), nil,
			PatchPack, 300_000, "1.5.0", []string{"A patch leads from 1.4.2 to 1.5.0", "300 kB", "full package would be 10 MB"}},
		{"patch without range, same base, lower build", at("1.5.0.1"), offer(t, "1.5.0.2", patch("", 300_000)), nil,
			PatchPack, 300_000, "1.5.0.2", nil},
		{"patch without range, same base, no build", at("1.5.0"), offer(t, "1.5.0.2", patch("", 300_000)), nil,
			PatchPack, 300_000, "1.5.0.2", nil},
		{"patch without range, other base", at("1.4.9"), offer(t, "1.5.0", patch("", 300_000)), nil,
			Full, 10_000_000, "1.5.0", []string{"No patch leads from 1.4.9 to 1.5.0"}},
		{"patch of unknown size", at("1.4.2"), offer(t, "1.5.0", patch("1.4.x", 0)), nil,
			PatchPack, 0, "1.5.0", []string{"The full package would do too"}},
		{"patch for another architecture", Site{Current: version(t, "1.4.2"), Arch: AArch64}, offer(t, "1.5.0", patch("1.4.x", 5),
			func(m *Manifest) { m.Packages[AArch64] = Package{URL: "https://example.org/arm", Size: 7} }), nil,
			Full, 7, "1.5.0", []string{"No patch leads"}},
		{"patch is larger than the full package", at("1.4.2"), offer(t, "1.5.0", patch("1.4.x", 11_000_000)), nil,
			Full, 10_000_000, "1.5.0", []string{"The patch from 1.4.2 would be larger, 11 MB", "10 MB"}},
		{"delta and every base at hand", at("1.4.2"), offer(t, "1.5.0", patch("1.4.x", 300_000), delta("1.4.2", 3_000)), nil,
			DeltaPack, 3_000, "1.5.0", []string{"A delta leads", "3.0 kB", "10 MB"}},
		{"delta alone", at("1.4.2"), offer(t, "1.5.0", delta("1.4.2", 3_000)), nil,
			DeltaPack, 3_000, "1.5.0", nil},
		{"delta from another version", at("1.4.3"), offer(t, "1.5.0", patch("1.4.x", 300_000), delta("1.4.2", 3_000)), nil,
			PatchPack, 300_000, "1.5.0", nil},
		{"delta, but its base is not known", edited("1.4.2"), offer(t, "1.5.0", patch("1.4.x", 300_000), delta("1.4.2", 3_000)), nil,
			PatchPack, 300_000, "1.5.0", []string{"The delta (3.0 kB) can't be used"}},
		{"delta, but its base is not known, and no patch", edited("1.4.2"), offer(t, "1.5.0", delta("1.4.2", 3_000)), nil,
			Full, 10_000_000, "1.5.0", []string{"No patch leads", "can't be used"}},
		{"delta is larger than the patch", at("1.4.2"), offer(t, "1.5.0", patch("1.4.x", 300_000), delta("1.4.2", 400_000)), nil,
			PatchPack, 300_000, "1.5.0", []string{"The delta would be 400 kB"}},
		{"larger jump, no chain", at("1.3.0"), offer(t, "1.7.0", patch("1.6.x", 5)), nil,
			Full, 10_000_000, "1.7.0", []string{"No patch leads from 1.3.0 to 1.7.0"}},
		{"chain is fewer bytes", at("1.3.0"), offer(t, "1.7.0", patch("1.6.x", 1_000_000)), chain,
			Chain, 5_000_000, "1.4.0 1.5.0 1.6.0 1.7.0", []string{"4 patches lead from 1.3.0 through 1.4.0, 1.5.0, 1.6.0 to 1.7.0", "5.0 MB", "10 MB"}},
		{"chain may skip a hop", at("1.3.0"), offer(t, "1.7.0", patch(">=1.4.0", 1_000_000)), chain,
			Chain, 2_000_000, "1.4.0 1.7.0", nil},
		{"chain is more bytes", at("1.3.0"), offer(t, "1.7.0", patch("1.6.x", 9_000_000)), chain,
			Full, 10_000_000, "1.7.0", []string{"4 patches through 1.4.0, 1.5.0, 1.6.0 would be 13 MB"}},
		{"chain of unknown size", at("1.3.0"), offer(t, "1.7.0", patch("1.6.x", 0)), chain,
			Full, 10_000_000, "1.7.0", []string{"No patch leads"}},
		{"chain has a gap", at("1.2.0"), offer(t, "1.7.0", patch("1.6.x", 1)), chain,
			Full, 10_000_000, "1.7.0", []string{"No patch leads"}},
		{"a stop lies between", at("1.3.0"), offer(t, "1.7.0", patch("*", 5), stops(t, "1.6.0", "1.4.0", "1.2.0", "1.7.0")), chain,
			PatchPack, 1_000_000, "1.4.0 1.6.0 1.7.0", []string{"1.4.0 may not be skipped on the way to 1.7.0", "A patch leads from 1.3.0 to 1.4.0"}},
		{"a stop lies between and has no patch", at("1.1.0"), offer(t, "1.7.0", stops(t, "1.4.0")), chain,
			Full, 10_000_000, "1.4.0 1.7.0", []string{"1.4.0 may not be skipped", "No patch leads from 1.1.0 to 1.4.0"}},
		{"a stop is reached by a chain", at("1.3.0"), offer(t, "1.7.0", stops(t, "1.5.0")), chain,
			Chain, 2_000_000, "1.4.0 1.5.0 1.7.0", []string{"1.5.0 may not be skipped", "2 patches lead from 1.3.0 through 1.4.0 to 1.5.0"}},
		{"a stop is not skipped by force either", Site{Current: version(t, "1.3.0"), Arch: X86_64, ForceFull: true}, offer(t, "1.7.0", stops(t, "1.4.0")), chain,
			Full, 10_000_000, "1.4.0 1.7.0", []string{"may not be skipped", "asked for"}},
		{"all stops are behind", at("1.6.0"), offer(t, "1.7.0", patch("1.6.x", 5), stops(t, "1.4.0", "1.6.0")), nil,
			PatchPack, 5, "1.7.0", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var between func(Version) ([]*Manifest, error)
			if c.chain != nil {
				between = func(Version) ([]*Manifest, error) { return c.chain, nil }
			}
			got, err := Decide(c.offer, c.site, between)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != c.kind || got.Bytes != c.bytes {
				t.Errorf("%s of %d bytes, want %s of %d (%s)", got.Kind, got.Bytes, c.kind, c.bytes, got.Reason)
			}
			if strings.ReplaceAll(names(got.Hops), ",", "") != c.hops {
				t.Errorf("hops %s, want %s", names(got.Hops), c.hops)
			}
			for _, w := range c.words {
				if !strings.Contains(got.Reason, w) {
					t.Errorf("reason %q does not say %q", got.Reason, w)
				}
			}
			if !strings.HasSuffix(got.Reason, ".") || strings.Contains(got.Reason, "%!") {
				t.Errorf("reason %q is not a sentence", got.Reason)
			}
			if needs := got.Kind == PatchPack || got.Kind == Chain; needs != (got.Operations.Total() > 0) {
				t.Errorf("a %s has %d operations", got.Kind, got.Operations.Total())
			}
			if (got.Kind == None) != (got.Package.URL == "") {
				t.Errorf("package of %s is %q", got.Kind, got.Package.URL)
			}
		})
	}
}

func TestFirstHopOfChainIsWhatThePackageLeadsTo(t *testing.T) {
	got, err := Decide(offer(t, "1.5.0", patch("1.4.x", 5)), Site{Current: version(t, "1.3.0"), Arch: X86_64},
		func(Version) ([]*Manifest, error) { return []*Manifest{offer(t, "1.4.0", patch("1.3.x", 5))}, nil })
	if err != nil || got.Kind != Chain || !strings.Contains(got.Package.URL, "/1.4.0/patch") || got.FullBytes != 10_000_000 {
		t.Errorf("decided %+v, %v", got, err)
	}
}

// Both figures that people compare are of the way to the stop, not to what lies behind it.
func TestCostsBehindAStopEndThere(t *testing.T) {
	stop := offer(t, "1.4.0", patch("1.3.x", 1_000_000))
	stop.Packages[X86_64] = Package{URL: "https://example.org/1.4.0/full", Size: 3_000_000}
	got, err := Decide(offer(t, "1.5.0", patch("1.4.x", 7), stops(t, "1.4.0")), Site{Current: version(t, "1.3.0"), Arch: X86_64},
		func(Version) ([]*Manifest, error) { return []*Manifest{stop}, nil })
	if err != nil || got.Bytes != 1_000_000 || got.FullBytes != 3_000_000 || got.Package.Size != got.Bytes || len(got.Hops) != 2 {
		t.Errorf("decided %+v, %v", got, err)
	}
}

func TestDecideErrors(t *testing.T) {
	site := Site{Current: version(t, "1.3.0"), Arch: AArch64}
	var arch *UnsupportedArchError
	if _, err := Decide(offer(t, "1.5.0"), site, nil); !errors.As(err, &arch) || !strings.Contains(err.Error(), "aarch64") {
		t.Errorf("an architecture without package: %v", err)
	}
	site.Arch = X86_64
	var stop *StopError
	if _, err := Decide(offer(t, "1.5.0", stops(t, "1.4.0")), site, nil); !errors.As(err, &stop) || stop.Stop.String() != "1.4.0" {
		t.Errorf("a stop that is not published: %v", err)
	}
	broken := errors.New("broken")
	if _, err := Decide(offer(t, "1.5.0"), site, func(Version) ([]*Manifest, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("a chain that can't be had: %v", err)
	}
	// A release that has a patch for the architecture but no full package, which is needed.
	m := offer(t, "1.5.0", patch("1.4.x", 5))
	m.Packages = map[Arch]Package{AArch64: {URL: "https://example.org/arm"}}
	if _, err := Decide(m, Site{Arch: X86_64}, nil); !errors.As(err, &arch) {
		t.Errorf("a full package that isn't there: %v", err)
	}
	if _, err := Decide(m, site, nil); err == nil || !strings.Contains(err.Error(), "no patch from 1.3.0") {
		t.Errorf("neither patch nor full package: %v", err)
	}
}

func TestDecideAsksForTheChainOnlyWhenItMatters(t *testing.T) {
	asked := func(Version) ([]*Manifest, error) { t.Error("manifests were fetched for nothing"); return nil, nil }
	for _, s := range []Site{{Current: version(t, "1.5.0")}, {Current: version(t, "1.4.0")}, {}, {Current: version(t, "1.3.0"), ForceFull: true}} {
		s.Arch = X86_64
		if _, err := Decide(offer(t, "1.5.0", patch("1.4.x", 5)), s, asked); err != nil {
			t.Error(err)
		}
	}
}

func TestChainIsNeverDearerThanAnyOtherChain(t *testing.T) {
	// A way in two large patches, one in three small ones, and a full package dearer than both.
	steps := []*Manifest{
		offer(t, "1.1.0", patch("1.0.x", 1)), offer(t, "1.2.0", patch("1.1.x", 1)),
		offer(t, "1.3.0", patch("1.0.x", 50)),
	}
	target := offer(t, "1.4.0", patch("1.3.x || 1.2.x", 10))
	got, err := Decide(target, Site{Current: version(t, "1.0.0"), Arch: X86_64}, func(Version) ([]*Manifest, error) { return steps, nil })
	if err != nil || got.Bytes != 12 || !slices.Equal([]string{"1.1.0", "1.2.0", "1.4.0"}, strings.Split(names(got.Hops), ", ")) {
		t.Errorf("decided %+v, %v", got, err)
	}
}
