package publish_test

import (
	"errors"
	"strings"
	"testing"

	"moult/core/publish"
	"moult/core/release"
	"moult/core/schema/parse"
)

func TestAStopMustHaveBeenPublished(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	beta := small(t, "2.0.0-rc.1")
	beta.Channel = "beta"
	must(t, publish.Add(t.Context(), repo, beta))
	for _, stop := range []string{"1.4.3", "2.0.1", "2.0.0-rc.1"} {
		r := small(t, "2.0.0")
		r.Stops = versions(t, stop)
		if err := publish.Add(t.Context(), repo, r); err == nil || !strings.Contains(err.Error(), "stop "+stop+" is not published in channel stable") {
			t.Errorf("%s: got %v", stop, err)
		}
	}
	r := small(t, "2.0.0")
	r.Stops = versions(t, "1.4.2", "1.5.0.1+rebuilt", "2.0.0")
	must(t, publish.Add(t.Context(), repo, r))
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
	// Build metadata says nothing to sites either.
	pruned, err := publish.Prune(t.Context(), repo, publish.PruneOptions{Keep: 1, Date: day})
	if err != nil || len(pruned.Releases) > 0 {
		t.Errorf("pruned %+v, %v", pruned, err)
	}
}

func TestASchemaThatSitesCannotReadIsRefused(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	for _, text := range []string{"CREATE TABEL pages (id INT);", "hello"} {
		r := small(t, "1.0.0")
		r.Schema = file(t, "schema.sql", text)
		err := publish.Add(t.Context(), repo, r)
		if malformed := new(parse.Error); !errors.As(err, &malformed) || !strings.Contains(err.Error(), "schema.sql:1:") {
			t.Errorf("%s: %v", text, err)
		}
	}
	r := small(t, "1.0.0")
	r.Schema = file(t, "schema.sql", "CREATE TABLE pages (id INT);")
	must(t, publish.Add(t.Context(), repo, r))
}

func TestAReleaseCanBeginHalted(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	r := small(t, "1.0.0")
	r.Halted = true
	must(t, publish.Add(t.Context(), repo, r))
	if m := newest(t, repo); m.Moult.Rollout != 0 || m.OfferedTo("site") {
		t.Errorf("it is offered to %d per cent", m.Moult.Rollout)
	}
	r = small(t, "1.0.1")
	must(t, publish.Add(t.Context(), repo, r))
	if m := newest(t, repo); m.Moult.Rollout != 100 {
		t.Errorf("it is offered to %d per cent", m.Moult.Rollout)
	}
}

// The second architecture of a version is the same release: what it says otherwise would
// be lost.
func TestAnotherArchitectureSaysNothingElseOfTheRelease(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	must(t, publish.Add(t.Context(), repo, small(t, "0.9.0")))
	first := small(t, "1.0.0")
	first.Arch, first.Rollout, first.Stops = release.X86_64, 20, versions(t, "0.9.0")
	first.Notes, first.MinMoult = file(t, "notes.md", "News."), version(t, "0.1.0")
	first.Scripts = tree(t, map[string]string{"10-fill.sql": "SELECT 1;"})
	must(t, publish.Add(t.Context(), repo, first))
	for want, change := range map[string]func(*publish.Release){
		"schema":         func(r *publish.Release) { r.Schema = file(t, "s.sql", "CREATE TABLE a (id INT);") },
		"scripts":        func(r *publish.Release) { r.Scripts = "" },
		"set of scripts": func(r *publish.Release) { r.Scripts = tree(t, map[string]string{"10-fill.sql": "SELECT 2;"}) },
		"20 per cent":    func(r *publish.Release) { r.Rollout = 30 },
		"rollout":        func(r *publish.Release) { r.Rollout, r.Halted = 0, true },
		"critical":       func(r *publish.Release) { r.Critical = true },
		"0.1.0":          func(r *publish.Release) { r.MinMoult = version(t, "0.2.0") },
		"stops":          func(r *publish.Release) { r.Stops = versions(t, "1.0.0") },
		"notes":          func(r *publish.Release) { r.Notes = file(t, "notes.md", "Other news.") },
		"channel":        func(r *publish.Release) { r.Channel = "beta" },
	} {
		second := first
		second.Arch = release.AArch64
		change(&second)
		if err := publish.Add(t.Context(), repo, second); err == nil || !strings.Contains(err.Error(), "published already, with another") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	second := publish.Release{Version: first.Version, Tree: first.Tree, Scripts: first.Scripts, Arch: release.AArch64, Date: day, Now: day}
	must(t, publish.Add(t.Context(), repo, second))
	if m := newest(t, repo); m.Moult.Rollout != 20 || m.Notes != "News." || !m.SupportsArch(release.AArch64) {
		t.Errorf("the release became %+v", m)
	}
}

// A second architecture comes later: the last releases that it had are patched from, and
// a build that it never had plays no part.
func TestPatchesOfAnArchitectureStartFromItsOwnReleases(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	add := func(v string, arch release.Arch, change ...func(*publish.Release)) error {
		r := publish.Release{Version: version(t, v), Arch: arch, Date: day, Now: day, PatchLast: 2, Delta: true, GoOnly: true,
			Tree: tree(t, map[string]string{"app.bin": string(arch) + v, v + string(arch): v})}
		for _, c := range change {
			c(&r)
		}
		return publish.Add(t.Context(), repo, r)
	}
	must(t, add("1.0.0", release.X86_64))
	must(t, add("1.1.0", release.X86_64))
	must(t, add("1.1.0", release.AArch64)) // its first one
	must(t, add("1.1.0.1", release.X86_64))
	must(t, add("1.2.0", release.X86_64))
	must(t, add("1.2.0", release.AArch64))
	m := newest(t, repo)
	for v, want := range map[string][2]int{"1.0.0": {0, 0}, "1.1.0": {1, 1}, "1.1.0.1": {1, 1}} {
		got := [2]int{len(m.PatchesFrom(version(t, v), release.X86_64)), len(m.PatchesFrom(version(t, v), release.AArch64))}
		if v == "1.1.0" || v == "1.1.0.1" { // a range can't tell them apart
			want[0] = 2
		}
		if got != want {
			t.Errorf("%d patches from %s, want %d", got, v, want)
		}
	}
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
	err := add("1.3.0", release.AArch64, func(r *publish.Release) { r.PatchFrom = versions(t, "1.1.0.1") })
	if err == nil || !strings.Contains(err.Error(), "1.1.0.1 has no package for aarch64") {
		t.Errorf("a base that was asked for: got %v", err)
	}
}
