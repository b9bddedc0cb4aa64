package release

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Full returns the full package for an architecture.
func (m *Manifest) Full(a Arch) (Package, bool) {
	if p, ok := m.Packages[a]; ok {
		return p, true
	}
	p, ok := m.Packages[""]
	return p, ok
}

// FilesFor returns the complete list of the files that the release has on an
// architecture, nil where the manifest doesn't say.
func (m *Manifest) FilesFor(a Arch) []File {
	if m.Moult == nil {
		return nil
	}
	if list, ok := m.Moult.ArchFiles[a]; ok {
		return list
	}
	return m.Moult.Files
}

// SupportsArch reports whether the release has a full package for an architecture.
func (m *Manifest) SupportsArch(a Arch) bool {
	_, ok := m.Full(a)
	return ok
}

// HasPatch reports whether the release has a patch for an architecture, from
// whatever version.
func (m *Manifest) HasPatch(a Arch) bool { return len(m.patchesFor(a)) > 0 }

// patchesFor returns all patches for an architecture, the manifest's own first.
func (m *Manifest) patchesFor(a Arch) []Patch {
	var patches []Patch
	for _, key := range slices.Compact([]Arch{a, ""}) {
		if p, ok := m.Patches[key]; ok {
			patches = append(patches, p)
		}
	}
	if m.Moult != nil {
		for _, p := range m.Moult.Patches {
			if p.Arch == "" || p.Arch == a {
				patches = append(patches, p)
			}
		}
	}
	return patches
}

// PatchesFrom returns the patches for an architecture that apply to a version.
func (m *Manifest) PatchesFrom(v Version, a Arch) []Patch {
	return slices.DeleteFunc(m.patchesFor(a), func(p Patch) bool { return !p.admits(v, m.Version) })
}

// admits reports whether the patch leads from one version to the other.
func (p Patch) admits(from, to Version) bool {
	if from.IsZero() || from.Compare(to) >= 0 {
		return false
	}
	if p.From != nil {
		return from.Satisfies(p.From)
	}
	return from.Base().Compare(to.Base()) == 0
}

// DeltaFrom returns the delta for an architecture from exactly one version.
func (m *Manifest) DeltaFrom(v Version, a Arch) (Delta, bool) {
	if m.Moult == nil || v.IsZero() {
		return Delta{}, false
	}
	for _, d := range m.Moult.Deltas {
		if (d.Arch == "" || d.Arch == a) && d.From.Compare(v) == 0 {
			return d, true
		}
	}
	return Delta{}, false
}

// StopsAfter returns the versions above v and below the release that an update
// may not skip, lowest first.
func (m *Manifest) StopsAfter(v Version) []Version {
	if m.Moult == nil || v.IsZero() {
		return nil
	}
	stops := slices.Clone(m.Moult.Stops)
	stops = slices.DeleteFunc(stops, func(s Version) bool { return s.Compare(v) <= 0 || s.Compare(m.Version) >= 0 })
	slices.SortFunc(stops, Version.Compare)
	return slices.CompactFunc(stops, func(a, b Version) bool { return a.Compare(b) == 0 })
}

// OfferedTo reports whether a staged rollout has reached a site. The site's place
// in the queue is drawn from its identity and the version: it is the same at every
// check, another one for every release, and nobody is told. A critical release is
// offered to all.
func (m *Manifest) OfferedTo(siteID string) bool {
	if m.Moult == nil || m.Moult.Critical {
		return true
	}
	place := sha256.Sum256([]byte(siteID + "\x00" + m.Version.String()))
	return binary.BigEndian.Uint64(place[:])%100 < uint64(max(m.Moult.Rollout, 0))
}
