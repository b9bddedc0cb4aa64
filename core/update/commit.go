package update

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"slices"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/site"
)

// maxPristine is the longest text whose shipped contents are kept, in bytes. They
// are the base of three-way comparisons, which nobody reads beyond this size.
const maxPristine = 1 << 20

// targetFile is the schema text of the new release, in the update's directory.
const targetFile = "target.sql"

// commit makes the new release the one that counts. Each of its parts can be
// repeated, and only the last one ends the run.
func (r *run) commit(context.Context) error {
	inv, err := r.newInventory()
	if err != nil {
		return err
	}
	if err := r.site.SetInventory(inv); err != nil {
		return err
	}
	if err := r.recordSchema(r.update.Root.ReadFile(targetFile)); err != nil {
		return err
	}
	err = r.site.ChangeState(func(st *site.State) {
		st.Version, st.Installed, st.By = r.plan.To, r.e.opts.Now(), r.plan.ID
	})
	if err != nil {
		return err
	}
	if err := r.rememberChoices(); err != nil {
		return err
	}
	if _, err := r.settle(Done, SiteNew); err != nil {
		return err
	}
	return r.mark(recordCommitted, nil)
}

// saved reads what was written down before the run.
func (r *run) saved() (*before, error) {
	var b before
	if err := r.update.ReadJSON(beforeFile, &b); err != nil {
		return nil, err
	}
	return &b, nil
}

// recordSchema records the schema text of the installed release. A text that is
// not there removes the record.
func (r *run) recordSchema(text []byte, err error) error {
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return recordSchema(r.site, text, err == nil)
}

func recordSchema(s *site.Site, text []byte, there bool) error {
	dir, err := s.SubDir("schema")
	if err != nil {
		return err
	}
	defer dir.Close()
	if !there {
		if err := dir.Remove(fromSQL); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return site.WriteFile(dir, fromSQL, text)
}

// newInventory is what the new release ships: as the publisher lists it, or as
// follows from the package.
func (r *run) newInventory() (*site.Inventory, error) {
	in := r.intake
	inv := &site.Inventory{Version: r.plan.To, BaseKnown: true}
	switch {
	case len(in.Release) > 0:
		inv.Files = slices.Clone(in.Release)
	case in.Full:
		inv.Files = slices.Clone(in.Files)
	default:
		old, err := r.update.Inventory()
		if err != nil {
			return nil, err
		}
		inv.BaseKnown = old.BaseKnown
		gone := map[release.Path]bool{}
		for _, f := range in.Files {
			gone[f.Path] = true
		}
		for _, p := range in.Ops.DeleteFiles {
			gone[p] = true
		}
		emptied := slices.Concat(in.Ops.DeleteDirectories, in.Ops.ReplaceDirectories)
		for _, f := range old.Files {
			if !gone[f.Path] && !slices.ContainsFunc(emptied, f.Path.Within) {
				inv.Files = append(inv.Files, f)
			}
		}
		inv.Files = append(inv.Files, in.Files...)
	}
	return inv, nil
}

// rememberChoices records the answers about edited files, so that the next update
// proposes them.
func (r *run) rememberChoices() error {
	if len(r.intake.Choices.Files) == 0 {
		return nil
	}
	known, err := r.site.Choices()
	if err != nil {
		return err
	}
	for p, c := range r.intake.Choices.Files {
		known[p] = string(c)
	}
	return r.site.SetChoices(known)
}

// keepPristine stores the shipped contents of text files, by hash.
func keepPristine(s *site.Site, contents *os.Root, list []release.File, report func(done, total int)) error {
	store, err := s.Pristine()
	if err != nil {
		return err
	}
	defer store.Close()
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, f := range list {
		if report != nil {
			report(i+1, len(list))
		}
		if f.Size > maxPristine || store.Has(f.SHA256) {
			continue
		}
		g.Go(func() error {
			text, err := contents.ReadFile(string(f.Path))
			if err == nil && isText(text) && release.DigestOf(text) == f.SHA256 {
				err = store.Put(f.SHA256, text)
			}
			if err != nil {
				return fmt.Errorf("keep the shipped contents of %s: %w", f.Path, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return store.Sync()
}

// keepTarget keeps the schema text of the new release, if it has one, beside the
// plan: a roll back that was interrupted may be turned round again, long after the
// package is gone.
func keepTarget(u *site.Update, contents *os.Root) error {
	text, err := contents.ReadFile(path.Join(archive.PackageDir, "schema", "to.sql"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return site.WriteFile(u.Root, targetFile, text)
}

// isText reports whether b is something that a person can read.
func isText(b []byte) bool { return utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 }

// settleOld puts the site's records back and ends the run: the old release counts.
func (r *run) settleOld(context.Context) error {
	b, err := r.saved()
	if err != nil {
		return err
	}
	if err := r.site.RestoreInventory(r.update); err != nil {
		return err
	}
	if err := recordSchema(r.site, []byte(b.Schema), b.HadSchema); err != nil {
		return err
	}
	err = r.site.ChangeState(func(st *site.State) {
		st.Version, st.Installed, st.By = b.State.Version, b.State.Installed, b.State.By
	})
	if err != nil {
		return err
	}
	if _, err := r.settle(RolledBack, SiteOld); err != nil {
		return err
	}
	return r.mark(recordUndone, nil)
}
