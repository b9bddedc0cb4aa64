package publish

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"moult/core/release"
)

// PruneOptions say what stays.
type PruneOptions struct {
	Keep int // newest releases of each channel, at least 1
	Keys KeySource
	Date time.Time // zero: the clock
}

// Pruned is what [Prune] removed.
type Pruned struct {
	Releases []release.Version // oldest first
	Files    int
	Bytes    int64
}

// Prune removes releases that are not among the newest of their channel, with the patches
// and deltas that start from them, and every file that nothing leads to any more. Versions
// that no update may skip stay, as sites must be able to go through them. A site on a
// release that is gone takes a full package to the oldest way on that there is.
//
// What is left over from changes that were dropped goes too. Whoever just then fetches a
// package that is removed looks again and finds the newest.
func Prune(ctx context.Context, repo string, o PruneOptions) (*Pruned, error) {
	if o.Keep < 1 {
		return nil, fmt.Errorf("keep %d releases: want at least 1", o.Keep)
	}
	if o.Date.IsZero() {
		o.Date = time.Now()
	}
	r, err := openToChange(repo, o.Date)
	if err != nil {
		return nil, err
	}
	defer r.close()
	ring, err := loadKeys(keysOf(repo, o.Keys))
	if err != nil {
		return nil, err
	}
	if _, err := r.changers(ring); err != nil {
		return nil, err
	}
	p := &pruning{repo: r, keep: o.Keep}
	if err := p.choose(); err != nil {
		return nil, err
	}
	done := &Pruned{Releases: p.gone}
	if len(p.gone) > 0 {
		if err := p.rewrite(); err != nil {
			return nil, err
		}
		if err := r.commit(ctx, ring, true); err != nil {
			return done, err
		}
	}
	done.Files, done.Bytes, err = r.removeUnreachable()
	return done, err
}

// pruning is one run of Prune.
type pruning struct {
	repo   *repository
	keep   int
	newest map[string]bool // versions that stand in a channel's own manifest
	kept   []release.Version
	gone   []release.Version
}

// choose decides which releases stay.
func (p *pruning) choose() error {
	p.newest = map[string]bool{}
	for _, channel := range p.repo.channels() {
		m, err := p.repo.manifest(channelName(channel))
		if err != nil {
			return err
		}
		p.newest[m.Version.String()] = true
		p.kept = append(p.kept, m.Version)
		earlier := m.Moult.Earlier
		for _, e := range earlier[max(0, len(earlier)-p.keep+1):] {
			p.kept = append(p.kept, e.Version)
		}
		p.kept = append(p.kept, m.Moult.Stops...)
	}
	for _, v := range p.repo.versions() {
		if !contains(p.kept, v) {
			p.gone = append(p.gone, v)
		}
	}
	return nil
}

// rewrite takes the releases that go out of the targets and out of the manifests of those
// that stay.
func (p *pruning) rewrite() error {
	targets := p.repo.targets.Signed.Targets
	for _, v := range p.gone {
		for name := range targets {
			if strings.HasPrefix(name, "releases/"+v.String()+"/") {
				delete(targets, name)
			}
		}
	}
	for _, v := range p.repo.versions() {
		m, err := p.repo.manifest(manifestName(v))
		if err != nil {
			return err
		}
		if !p.edit(m) {
			continue
		}
		if err := p.repo.putManifest(m, p.newest[v.String()]); err != nil {
			return err
		}
	}
	return nil
}

// edit removes from a manifest what leads to or from releases that go, and reports
// whether there was any.
func (p *pruning) edit(m *release.Manifest) bool {
	x := m.Moult
	before := len(x.Earlier) + len(x.Patches) + len(x.Deltas) + len(m.Patches)
	drop := func(pkg release.Package) bool {
		delete(p.repo.targets.Signed.Targets, pkg.URL)
		return true
	}
	x.Earlier = slices.DeleteFunc(x.Earlier, func(e release.Earlier) bool { return !contains(p.kept, e.Version) })
	x.Deltas = slices.DeleteFunc(x.Deltas, func(d release.Delta) bool { return !contains(p.kept, d.From) && drop(d.Package) })
	x.Patches = slices.DeleteFunc(x.Patches, func(patch release.Patch) bool { return !p.starts(patch) && drop(patch.Package) })
	for arch, patch := range m.Patches {
		if !p.starts(patch) {
			drop(patch.Package)
			delete(m.Patches, arch)
		}
	}
	return len(x.Earlier)+len(x.Patches)+len(x.Deltas)+len(m.Patches) < before
}

// starts reports whether a patch starts from any release that stays.
func (p *pruning) starts(patch release.Patch) bool {
	return patch.From == nil || slices.ContainsFunc(p.repo.versions(), func(v release.Version) bool { return v.Satisfies(patch.From) })
}

// removeUnreachable deletes the files of targets and metadata that the published state
// does not lead to.
func (r *repository) removeUnreachable() (files int, bytes int64, err error) {
	reachable := map[string]bool{}
	for name := range r.targets.Signed.Targets {
		file, _ := r.targetFile(name)
		reachable[file] = true
		if r.plain() && strings.HasPrefix(name, "releases/") {
			reachable[r.path("targets", filepath.FromSlash(name))] = true
		}
	}
	for _, channel := range r.channels() {
		if r.plain() {
			reachable[r.path("targets", channel+".json")] = true
		}
	}
	remove := func(name string, d fs.DirEntry) error {
		info, err := d.Info()
		if err != nil {
			return err
		}
		files, bytes = files+1, bytes+info.Size()
		return os.Remove(name)
	}
	var dirs []string
	err = filepath.WalkDir(r.path("targets"), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			dirs = append(dirs, name)
			return nil
		case reachable[name]:
			return nil
		}
		return remove(name, d)
	})
	if err != nil {
		return files, bytes, err
	}
	for _, dir := range slices.Backward(dirs[1:]) {
		_ = os.Remove(dir) // fails for those that aren't empty, as it should
	}
	entries, err := os.ReadDir(r.path("metadata"))
	for _, d := range entries {
		if err == nil && r.outdated(d.Name()) {
			err = remove(r.path("metadata", d.Name()), d)
		}
	}
	return files, bytes, err
}

// outdated reports whether a file of metadata is a snapshot or targets from before the
// last but one: a site may just be following a timestamp that was replaced a moment ago.
// Roots lead from one to the next and stay.
func (r *repository) outdated(name string) bool {
	number, rest, _ := strings.Cut(name, ".")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return false
	}
	switch rest {
	case "snapshot.json":
		return version < r.snapshot.Signed.Version-1
	case "targets.json":
		return version < r.targets.Signed.Version-1
	}
	return false
}
