package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"moult/core/files"
	"moult/core/site"
)

// Undo takes back the newest patch that was applied to dir with a backup, or the one
// that was cut off, if there is such. The notes are sentences for people: files that
// were changed since are set aside, not lost. With the last one goes what patches made
// of Moult's in the directory; what an admin set there stays.
func Undo(ctx context.Context, dir string) (notes []string, err error) {
	s, err := site.Open(dir)
	if errors.Is(err, site.ErrNotSite) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoPatch)
	}
	if err != nil {
		return nil, err
	}
	if s.Config.Source.URL != "" {
		return nil, errors.Join(fmt.Errorf("%s %w", dir, ErrManaged), s.Close())
	}
	lock, err := s.Lock()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	defer func() { err = errors.Join(err, leave(s, lock)) }()
	if notes, restored, err := undoUnfinished(ctx, s); err != nil || restored {
		return notes, err
	}
	ids, err := s.Updates()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoPatch)
	}
	return undo(ctx, s, ids[len(ids)-1])
}

// undoUnfinished takes back every patch whose process was killed before it was
// verified, and reports whether there was one.
func undoUnfinished(ctx context.Context, s *site.Site) (notes []string, restored bool, err error) {
	ids, err := s.Updates()
	if err != nil {
		return nil, false, err
	}
	for _, id := range slices.Backward(ids) {
		u, err := s.Update(id)
		if err != nil {
			return notes, restored, err
		}
		finished := u.Has(resultFile)
		if err := u.Close(); err != nil {
			return notes, restored, err
		}
		if finished {
			continue
		}
		said, err := undo(ctx, s, id)
		notes = append(notes, said...)
		if err != nil {
			return notes, restored, err
		}
		restored = true
	}
	return notes, restored, nil
}

func undo(ctx context.Context, s *site.Site, id string) ([]string, error) {
	u, err := s.Update(id)
	if err != nil {
		return nil, err
	}
	var p files.Plan
	err = u.ReadJSON(planFile, &p)
	if errors.Is(err, fs.ErrNotExist) { // killed before anything was changed
		return nil, u.Remove()
	}
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	j, _, err := u.Journal()
	if err != nil {
		return nil, errors.Join(err, u.Close())
	}
	notes, err := files.Undo(ctx, s, u, &p, j, nil)
	if err := errors.Join(err, j.Close()); err != nil {
		return notes, errors.Join(err, u.Close())
	}
	return notes, u.Remove()
}
