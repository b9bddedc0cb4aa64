package publish

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"moult/core/release"
)

// addPatch makes the patch from one published version, and the delta if asked for. The
// first patch of a manifest stands where older clients look for it.
func (a *adding) addPatch(from release.Version, first bool) error {
	if from.Compare(a.Version) >= 0 {
		return fmt.Errorf("%s is not older than %s", from, a.Version)
	}
	rangeText := "=" + from.Base().String()
	if i := strings.IndexByte(rangeText, '+'); i >= 0 {
		rangeText = rangeText[:i] // build metadata plays no part in the order of versions
	}
	constraint, err := semver.NewConstraint(rangeText)
	if err != nil {
		return err
	}
	var changes changes
	var schema []byte
	for _, v := range a.repo.versions() {
		// A range can't tell 1.5.0.1 from 1.5.0.2, so the patch brings what is
		// needed from any of them.
		if !v.Satisfies(constraint) || v.Compare(a.Version) >= 0 {
			continue
		}
		m, err := a.repo.releaseManifest(v)
		if err != nil {
			return err
		}
		if !m.SupportsArch(a.Arch) && v.Compare(from) != 0 {
			continue // nobody has it on this architecture
		}
		old, err := a.repo.unpack(a.ctx, m, a.Arch)
		if err != nil {
			return err
		}
		changes.add(old.files, a.source.files)
		if v.Compare(from) == 0 {
			schema = old.schema
			if a.Delta {
				err = a.addDelta(old)
			}
		}
		old.close()
		if err != nil {
			return err
		}
	}
	if !changes.seen {
		return fmt.Errorf("version %s is not published here", from)
	}
	ops, files := changes.operations(a.source.files)
	p, err := a.pack("patch-from-"+from.String(), rangeText, &ops, files, a.source.dirs, a.source.meta(schema))
	if err != nil {
		return err
	}
	patch := release.Patch{Package: p, Arch: a.Arch, From: constraint, FromText: rangeText, Operations: ops}
	if first && a.canLead(rangeText) {
		patch.Version = a.Version
		a.manifest.Patches[a.Arch] = patch
	} else {
		a.manifest.Moult.Patches = append(a.manifest.Moult.Patches, patch)
	}
	return nil
}

// canLead reports whether a patch may stand at the manifest's own place for patches,
// where those of all architectures have one range.
func (a *adding) canLead(rangeText string) bool {
	for _, p := range a.manifest.Patches {
		if p.FromText != rangeText {
			return false
		}
	}
	return true
}

// changes is the difference between releases, by path.
type changes struct {
	seen    bool
	replace map[release.Path]bool
	remove  map[release.Path]bool
}

// add takes the difference between one older release and the new one.
func (c *changes) add(old, new []release.File) {
	if !c.seen {
		c.seen, c.replace, c.remove = true, map[release.Path]bool{}, map[release.Path]bool{}
	}
	before := map[release.Path]release.File{}
	for _, f := range old {
		before[f.Path] = f
	}
	for _, f := range new {
		if before[f.Path] != f {
			c.replace[f.Path] = true
		}
		delete(before, f.Path)
	}
	for p := range before {
		c.remove[p] = true
	}
}

// operations returns what a patch does and the files it carries.
func (c *changes) operations(new []release.File) (release.Operations, []release.File) {
	ops := release.Operations{
		ReplaceFiles: slices.Sorted(maps.Keys(c.replace)),
		DeleteFiles:  slices.Sorted(maps.Keys(c.remove)),
	}
	var files []release.File
	for _, f := range new {
		if c.replace[f.Path] {
			files = append(files, f)
		}
	}
	return ops, files
}
