package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"moult/core/release"
	"moult/core/site"
)

// DifferenceError is returned by [Verify] and [VerifyOld]: the site is not what the
// plan says.
type DifferenceError struct{ Paths []release.Path }

// Error names the first paths.
func (e *DifferenceError) Error() string {
	if len(e.Paths) == 1 {
		return fmt.Sprintf("%s is not as planned", e.Paths[0])
	}
	return fmt.Sprintf("%s and others are not as planned; in all: %d", e.Paths[0], len(e.Paths))
}

// Verify reads every path that the plan touches and compares it with what the
// release wants. A [*DifferenceError] names those that differ.
func Verify(ctx context.Context, s *site.Site, p *Plan) error {
	return compare(ctx, s, p, func(e *Entry) (want State, dir, touched bool) {
		switch e.Change {
		case Add, Replace:
			return e.Put, false, true
		case Delete, Rmdir:
			return State{}, false, true
		case Mkdir:
			return State{}, true, true
		}
		return State{}, false, false
	})
}

// VerifyOld reads every path that the plan touches and compares it with what was
// there when the plan was made.
func VerifyOld(ctx context.Context, s *site.Site, p *Plan) error {
	return compare(ctx, s, p, func(e *Entry) (want State, dir, touched bool) {
		switch e.Change {
		case Add, Replace, Delete:
			return e.Here, false, true
		case Mkdir:
			return State{}, false, true
		case Rmdir:
			return State{}, true, true
		}
		return State{}, false, false
	})
}

// compare reads the paths of a plan on all processors. Where a file and a directory
// change places a path has two entries; what must not be there is then not looked for.
func compare(ctx context.Context, s *site.Site, p *Plan, wanted func(*Entry) (State, bool, bool)) error {
	present := map[release.Path]bool{}
	for i := range p.Entries {
		if want, dir, touched := wanted(&p.Entries[i]); touched && (dir || want.Exists()) {
			present[p.key(p.Entries[i].Path)] = true
		}
	}
	var mu sync.Mutex
	differs := map[int]bool{}
	err := eachParallel(ctx, []*tree{newTree(s.Root)}, len(p.Entries), func(t []*tree, i int) error {
		e := &p.Entries[i]
		want, dir, touched := wanted(e)
		if !touched || !dir && !want.Exists() && present[p.key(e.Path)] {
			return nil
		}
		same, err := matches(t[0], string(e.Path), want, dir)
		if err != nil {
			return fmt.Errorf("verify %s: %w", e.Path, err)
		}
		if !same {
			mu.Lock()
			differs[i] = true
			mu.Unlock()
		}
		return nil
	})
	if err != nil || len(differs) == 0 {
		return err
	}
	fault := &DifferenceError{}
	for i := range p.Entries {
		if differs[i] {
			fault.Paths = append(fault.Paths, p.Entries[i].Path)
		}
	}
	return fault
}

func matches(t *tree, p string, want State, dir bool) (bool, error) {
	info, err := exists(t, p)
	if link := new(LinkError); errors.As(err, &link) && !dir && !want.Exists() {
		return true, nil // what is behind a link is not in the site
	}
	if err != nil || info == nil {
		return info == nil && !dir && !want.Exists(), err
	}
	switch {
	case dir:
		return info.IsDir(), nil
	case !want.Exists() && info.IsDir():
		left, err := t.names(p) // a directory stays while somebody's files are in it
		return len(left) > 0, err
	case !want.Exists() || info.IsDir():
		return false, nil
	}
	got, err := stateOfLooked(t, p, info)
	if errors.Is(err, errNotFile) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return got.SameContent(want) && got.Mode == want.Mode, err
}
