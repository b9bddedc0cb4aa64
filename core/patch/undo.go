package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"

	"moult/core/files"
	"moult/core/site"
)

// Undo takes back the newest patch that was applied to dir with a backup. The
// notes are sentences for people: files that were changed since are set aside, not
// lost. With the last one goes what patches made of Moult's in the directory; what an
// admin set there stays.
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
	own, err := ownConfig(dir)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	last := false
	defer func() { err = errors.Join(err, finish(s, err == nil && last && reflect.DeepEqual(s.Config, own))) }()
	lock, err := s.Lock()
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if _, err := undoUnfinished(ctx, s); err != nil {
		return nil, err
	}
	ids, err := s.Updates()
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, ErrNoPatch)
	}
	last = len(ids) == 1
	return undo(ctx, s, ids[len(ids)-1])
}

// undoUnfinished takes back every patch whose process was killed before it was
// verified.
func undoUnfinished(ctx context.Context, s *site.Site) (any bool, err error) {
	ids, err := s.Updates()
	if err != nil {
		return false, err
	}
	for _, id := range slices.Backward(ids) {
		u, err := s.Update(id)
		if err != nil {
			return any, err
		}
		var r Result
		err = u.ReadJSON(resultFile, &r)
		if err := errors.Join(ignoreMissing(err), u.Close()); err != nil {
			return any, err
		}
		if errors.Is(err, fs.ErrNotExist) {
			if _, err := undo(ctx, s, id); err != nil {
				return any, err
			}
			any = true
		}
	}
	return any, nil
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

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
