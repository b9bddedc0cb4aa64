package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"time"

	"moult/core/archive"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
)

// ErrManaged is returned for a site that has an update address.
var ErrManaged = errors.New("is looked after by Moult: use `moult update`, which verifies who made the package")

// ErrNoPatch is returned by Undo for a directory in which no patch was applied
// with a backup.
var ErrNoPatch = errors.New("no patch with a backup was applied here")

// ErrInTheWay is in the chain of an error about something on the disk that has
// to be mended first. Nothing was changed.
var ErrInTheWay = errors.New("something is in the way")

// ErrUnfinished is in the chain of an error after which the directory is between old
// and new: the patch failed, and so did taking it back. The way back is kept, and the
// next Apply or Undo takes it.
var ErrUnfinished = errors.New("the patch could not be taken back; that is tried again by the next patch apply or patch undo")

// The names inside an update's directory.
const (
	contentsDir = "package"
	planFile    = "plan.json"
	resultFile  = "result.json" // there once the patch is applied and verified
)

// Options say how a package is applied.
type Options struct {
	// Operations are what the package does. Nil: those that it describes itself;
	// a package without a description replaces each file that it holds.
	Operations *release.Operations
	Backup     bool                    // keep the way back
	Report     func(done, total int64) // bytes staged; may be nil
}

// Result says what was done.
type Result struct {
	Counts   files.Counts  `json:"counts"`
	Window   time.Duration `json:"window_ns"` // how long the directory was between old and new
	Notes    []string      `json:"notes,omitempty"`
	Restored bool          `json:"restored,omitempty"` // a patch that was cut off was undone first
}

// Apply applies the package in the named file to dir. When it returns an error
// the directory is as it was, unless the error is [ErrUnfinished].
func Apply(ctx context.Context, dir, packageFile string, o Options) (_ *Result, err error) {
	s, err := open(dir)
	if err != nil {
		return nil, err
	}
	lock, err := s.Lock()
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	defer func() { err = errors.Join(err, leave(s, lock)) }()
	notes, restored, err := undoUnfinished(ctx, s)
	if err != nil {
		return nil, err
	}
	u, err := s.NewUpdate(time.Now().UTC().Format("20060102t150405.000000"))
	if err != nil {
		return nil, err
	}
	r, err := apply(ctx, s, u, packageFile, o)
	if err == nil {
		r.Restored, r.Notes = restored, append(notes, r.Notes...)
	}
	if err == nil && o.Backup || errors.Is(err, ErrUnfinished) {
		return r, errors.Join(err, u.Close())
	}
	return r, errors.Join(err, u.Remove())
}

// open opens the directory as a site, and makes it one for the time of the patch
// if it is none.
func open(dir string) (*site.Site, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s, err := site.Open(abs)
	if errors.Is(err, site.ErrNotSite) {
		return site.Init(abs, site.Config{Name: filepath.Base(abs)}, site.State{})
	}
	if err == nil && s.Config.Source.URL != "" {
		return nil, errors.Join(fmt.Errorf("%s %w", dir, ErrManaged), s.Close())
	}
	return s, err
}

// leave closes the site. Where a patch made it one, so that nothing but its name is
// set, and no way back is in it, Moult's own directory goes.
func leave(s *site.Site, lock *site.Lock) error {
	ids, err := s.Updates()
	set := s.Config
	set.Name = "" // that of the directory, which may have been renamed since
	remove := err == nil && len(ids) == 0 && reflect.DeepEqual(set, site.Config{})
	err = errors.Join(err, lock.Release(), s.Close())
	if remove {
		err = errors.Join(err, os.RemoveAll(filepath.Join(s.Dir, site.Home)))
	}
	return err
}

func apply(ctx context.Context, s *site.Site, u *site.Update, packageFile string, o Options) (*Result, error) {
	contents, found, err := extract(ctx, u, packageFile)
	if err != nil {
		return nil, err
	}
	defer contents.Close()
	ops, err := operations(contents, found, o.Operations)
	if err != nil {
		return nil, err
	}
	p, err := files.MakePlan(ctx, files.PlanInput{
		Site: s, New: found.Files, Dirs: found.Dirs, Operations: ops, OnEdited: files.ChoiceNew, Contents: contents,
	})
	if err != nil {
		return nil, err
	}
	problems, err := files.Preflight(ctx, s, p)
	if err != nil {
		return nil, err
	}
	var stop []error
	for _, problem := range problems {
		if problem.Level == files.Block {
			stop = append(stop, fmt.Errorf("%w: %s %s", ErrInTheWay, problem.Text, problem.Hint))
		}
	}
	if stop != nil {
		return nil, errors.Join(stop...)
	}
	if err := files.Stage(ctx, s, u, p, contents, o.Report); err != nil {
		return nil, err
	}
	if err := u.WriteJSON(planFile, p); err != nil {
		return nil, err
	}
	return change(ctx, s, u, p)
}

// extract unpacks the package below the update's directory.
func extract(ctx context.Context, u *site.Update, packageFile string) (*os.Root, *archive.Contents, error) {
	src, err := os.Open(packageFile)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return nil, nil, err
	}
	if err := u.Root.Mkdir(contentsDir, 0o700); err != nil {
		return nil, nil, err
	}
	dst, err := u.Root.OpenRoot(contentsDir)
	if err != nil {
		return nil, nil, err
	}
	found, err := archive.Extract(ctx, src, info.Size(), dst, archive.Limits{}, nil)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", packageFile, err), dst.Close())
	}
	return dst, found, nil
}

// operations returns what the package does: as asked, as it says itself, or the
// replacing of each file in it.
func operations(contents *os.Root, found *archive.Contents, asked *release.Operations) (release.Operations, error) {
	var ops release.Operations
	text, err := contents.ReadFile(path.Join(archive.PackageDir, archive.InfoName))
	switch {
	case asked != nil:
		ops = *asked
	case err == nil:
		info, err := archive.ParsePackageInfo(text)
		if err != nil {
			return ops, fmt.Errorf("%s: %w", archive.InfoName, errors.Join(err, archive.ErrRefused))
		}
		if err := info.Matches(found); err != nil {
			return ops, errors.Join(err, archive.ErrRefused)
		}
		if info.Operations != nil {
			ops = *info.Operations
		}
	case !errors.Is(err, fs.ErrNotExist):
		return ops, err
	}
	if ops.Total() == 0 {
		for _, f := range found.Files {
			ops.ReplaceFiles = append(ops.ReplaceFiles, f.Path)
		}
	}
	return ops, ops.Validate()
}

// change switches the files, verifies them and notes that it did, or takes the switch
// back.
func change(ctx context.Context, s *site.Site, u *site.Update, p *files.Plan) (*Result, error) {
	j, _, err := u.Journal()
	if err != nil {
		return nil, err
	}
	defer j.Close()
	r := &Result{Counts: p.Counts(), Notes: p.Notes}
	r.Window, err = files.Switch(ctx, s, u, p, j, nil)
	if err == nil {
		err = files.Verify(ctx, s, p)
	}
	if err == nil {
		err = u.WriteJSON(resultFile, r)
	}
	if err != nil {
		if _, undoErr := files.Undo(ctx, s, u, p, j, nil); undoErr != nil {
			err = errors.Join(err, undoErr, ErrUnfinished)
		}
		return nil, err
	}
	return r, nil
}
