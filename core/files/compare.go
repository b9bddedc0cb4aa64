package files

import (
	"context"

	"moult/core/release"
	"moult/core/site"
)

// Difference is one shipped file that is not on the site as it was shipped.
type Difference struct {
	Path    release.Path `json:"path"`
	Missing bool         `json:"missing,omitempty"`
	Shipped State        `json:"shipped"`
	Here    State        `json:"here,omitzero"`
}

// Compare lists the files of an inventory that were edited here or are missing, in
// order of paths. Permissions don't count. Own paths are the admin's and never differ.
func Compare(ctx context.Context, s *site.Site, inv *site.Inventory, report func(done, total int)) ([]Difference, error) {
	own := newPlanner(PlanInput{Site: s}).isOwn
	var paths []release.Path
	for _, f := range inv.Files {
		if !own(f.Path) {
			paths = append(paths, f.Path)
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	found, err := Scan(ctx, s, report, paths...)
	if err != nil {
		return nil, err
	}
	here := make(map[release.Path]release.File, len(found))
	for _, f := range found {
		here[f.Path] = f
	}
	var diff []Difference
	for _, f := range inv.Files {
		if own(f.Path) {
			continue
		}
		h, there := here[f.Path]
		if there && h.SHA256 == f.SHA256 {
			continue
		}
		d := Difference{Path: f.Path, Missing: !there, Shipped: State{Size: f.Size, Mode: f.Mode, SHA256: f.SHA256}}
		if there {
			d.Here = State{Size: h.Size, Mode: h.Mode, SHA256: h.SHA256}
		}
		diff = append(diff, d)
	}
	return diff, nil
}
