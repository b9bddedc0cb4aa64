package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync/atomic"

	"moult/core/release"
	"moult/core/site"
)

// HashError is returned when a file's contents are not what they must be.
type HashError struct {
	Path      string
	Want, Got release.Digest
}

// Error names the file and both hashes.
func (e *HashError) Error() string {
	return fmt.Sprintf("%s has the hash %s, not %s", e.Path, e.Got, e.Want)
}

// Stage puts every file that the plan adds or replaces below .moult, with its final
// contents, mode, owner and label, and makes all of it durable with one barrier. The
// site is not touched. report receives bytes.
//
// Files of contents that lie in the update's own directory are moved, others are
// copied. Contents that don't have the hash of the plan give a [*HashError]. Stage
// may be repeated after an error: what is staged already and sound stays.
func Stage(ctx context.Context, s *site.Site, u *site.Update, p *Plan, contents *os.Root, report func(done, total int64)) error {
	return stage(ctx, realDisk{}, s, u, p, contents, report)
}

// stager fills the stage of one update.
type stager struct {
	d        disk
	site     *site.Site
	update   *site.Update
	plan     *Plan
	contents *os.Root
	inside   bool            // contents lie in the update's directory
	staged   map[string]bool // what an earlier call staged
}

func stage(ctx context.Context, d disk, s *site.Site, u *site.Update, p *Plan, contents *os.Root, report func(done, total int64)) error {
	if open := p.Undecided(); len(open) > 0 {
		return fmt.Errorf("%s is edited on this site and nobody has decided what to do", open[0].Path)
	}
	if len(p.Blocks) > 0 {
		return errors.New(p.Blocks[0].Text)
	}
	st := &stager{d: d, site: s, update: u, plan: p, contents: contents, inside: liesInside(u, contents), staged: map[string]bool{}}
	if err := d.reserve(s); err != nil {
		return err
	}
	if err := u.MakeOutposts(p.Mounts); err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	t, err := openUpdate(u, p)
	if err != nil {
		return fmt.Errorf("stage: %w", err)
	}
	defer t.closePosts()
	defer t.close()
	for _, home := range p.homes() {
		for _, dir := range []string{stageDir, oldDir} {
			if err := d.mkdir(t, path.Join(home, dir), attrs{mode: 0o700, uid: -1, gid: -1}); err != nil {
				return fmt.Errorf("stage: %w", err)
			}
		}
		already, err := t.names(path.Join(home, stageDir))
		if err != nil {
			return fmt.Errorf("stage: %w", err)
		}
		for _, e := range already {
			st.staged[path.Join(home, stageDir, e.Name())] = true
		}
	}
	var todo []step
	for _, s := range flatSteps(p) {
		if s.kind == placeFile || s.kind == swapFile {
			todo = append(todo, s)
		}
	}
	var bytes atomic.Int64
	err = eachParallel(ctx, []*tree{t, newTree(s.Root), newTree(contents)}, len(todo), func(t []*tree, i int) error {
		if err := st.one(t[0], t[1], t[2], todo[i]); err != nil {
			return fmt.Errorf("stage %s: %w", todo[i].path, err)
		}
		if n := bytes.Add(todo[i].entry.Put.Size); report != nil {
			report(n, p.StageBytes)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return d.barrier(t)
}

// liesInside tells whether contents lie in the update's directory, where moving them
// costs nothing and takes nothing from anybody.
func liesInside(u *site.Update, contents *os.Root) bool {
	if contents == nil {
		return false
	}
	rel, err := filepath.Rel(u.Root.Name(), contents.Name())
	return err == nil && filepath.IsLocal(rel)
}

// one stages one file; t is the tree of the update.
func (st *stager) one(t, here, contents *tree, s step) error {
	if st.staged[s.staged()] {
		have, err := stateOf(t, s.staged())
		if err == nil && have.SameContent(s.entry.Put) {
			return st.dress(t, s.staged(), here, s)
		}
		if err := st.d.remove(t, s.staged()); err != nil {
			return err
		}
	}
	if st.inside && s.entry.Choice != ChoiceMerge && s.post == "" {
		got, err := stateOf(contents, s.source())
		if err == nil {
			err = checkHash(s, got.SHA256)
		}
		if err == nil {
			err = st.dress(contents, s.source(), here, s)
		}
		if err != nil {
			return err
		}
		return st.d.move(contents, s.source(), t, s.staged())
	}
	if err := st.fill(t, contents, s); err != nil {
		return err
	}
	return st.dress(t, s.staged(), here, s)
}

func (st *stager) fill(t, contents *tree, s step) error {
	if s.entry.Choice == ChoiceMerge {
		merged, err := mergedOf(st.site, st.contents, s.entry)
		if err != nil {
			return err
		}
		return st.copy(t, s, strings.NewReader(string(merged)))
	}
	if st.contents == nil {
		return errors.New("there are no contents to stage from")
	}
	f, _, err := contents.open(s.source())
	if err != nil {
		return err
	}
	defer f.Close()
	return st.copy(t, s, f)
}

// copy writes a file from src, hashing it on its way.
func (st *stager) copy(t *tree, s step, src io.Reader) error {
	f, err := st.d.create(t, s.staged())
	if err != nil {
		return err
	}
	h := sha256.New()
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	_, err = io.CopyBuffer(io.MultiWriter(f, h), struct{ io.Reader }{src}, buf[:])
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return checkHash(s, release.Digest(h.Sum(nil)))
}

func checkHash(s step, got release.Digest) error {
	if want := s.entry.Put.SHA256; got != want {
		return &HashError{Path: s.path, Want: want, Got: got}
	}
	return nil
}

// dress gives the new file of a step, which is at a place, what the file that it
// replaces has, or what a new one gets from its directory.
func (st *stager) dress(t *tree, place string, here *tree, s step) error {
	a, err := attrsFor(here, s)
	if err != nil {
		return err
	}
	a.mode = fs.FileMode(s.entry.Put.Mode).Perm()
	return st.d.setAttrs(t, place, a)
}

func attrsFor(t *tree, s step) (attrs, error) {
	if s.kind == swapFile && s.entry.Here.Link == "" {
		f, _, err := t.open(s.path)
		if err != nil {
			return attrs{}, err
		}
		defer f.Close()
		return readAttrs(f)
	}
	dir, err := nearestDir(t, path.Dir(s.path))
	if err != nil {
		return attrs{}, err
	}
	defer dir.Close()
	return inheritAttrs(dir, 0)
}

// nearestDir opens the nearest directory at or above p that is there.
func nearestDir(t *tree, p string) (*os.File, error) {
	for {
		h, err := t.dir(p)
		if err == nil {
			return h.root.Open(".")
		}
		if !missing(err) && !errors.Is(err, errNotDirectory) || p == "." {
			return nil, err
		}
		p = path.Dir(p)
	}
}
