package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// PlanInput is what a plan is made from.
type PlanInput struct {
	Site *site.Site
	// Inventory is what the installed release shipped. Nil means that nothing is
	// known of it: then the operations are the only authority, and what they name
	// is taken as shipped.
	Inventory *site.Inventory
	// New are the files of the package: of a full one the complete release.
	New  []release.File
	Dirs []release.Path // directories of the package, also empty ones
	// Operations are those of a patch; a full package has none.
	Operations release.Operations
	// Full says that New is the complete release: what the inventory has and New
	// lacks is deleted.
	Full     bool
	OnEdited Choice                  // for edited files without an answer of their own
	Choices  map[release.Path]Choice // answers; they go before remembered ones
	Contents *os.Root                // the extracted package; nil offers no merges
}

// planner makes one plan.
type planner struct {
	PlanInput
	plan       Plan
	own        map[release.Path]bool
	incoming   []release.File // of the package, sorted by path
	remembered map[release.Path]string
	candidates []candidate
	mounts     []release.Path        // directories on which something is mounted
	problems   map[release.Path]bool // of Blocks, so that each is said once
}

// candidate is a path that the update may touch.
type candidate struct {
	path    release.Path
	shipped State
	new     State // zero: the release doesn't want it
	extra   bool  // found on disk, in a directory that the release replaces or deletes
	here    State
	seen    stamp // of what was read as here, if that tells; see Entry
	isDir   bool  // a directory is here
	alias   bool  // another candidate is the same file: see fold.go
	err     error
}

// untouched reports whether the release leaves the file as it shipped it before.
func (c candidate) untouched() bool { return c.new.Exists() && c.new == c.shipped }

// MakePlan compares what was shipped, what is here and what the release wants, and
// says what to do about each path. It changes nothing of the site.
//
// What stands in the way, as a symbolic link where a directory should be, is in
// Plan.Blocks. An error is returned only when there can be no plan at all: a
// package that lacks a file which its operations name, or a site that can't be read.
func MakePlan(ctx context.Context, in PlanInput) (*Plan, error) {
	pl := newPlanner(in)
	var err error
	if pl.remembered, err = in.Site.Choices(); err != nil {
		return nil, err
	}
	if pl.mounts, err = mountsIn(in.Site); err != nil {
		return nil, err
	}
	if err := pl.collect(); err != nil {
		return nil, err
	}
	if err := pl.observe(ctx); err != nil {
		return nil, err
	}
	for i := range pl.candidates {
		pl.decide(&pl.candidates[i])
	}
	if err := pl.directories(); err != nil {
		return nil, err
	}
	pl.finish()
	pl.chooseMounts()
	pl.chooseTrees()
	return &pl.plan, nil
}

func newPlanner(in PlanInput) *planner {
	pl := &planner{PlanInput: in, own: map[release.Path]bool{}, problems: map[release.Path]bool{}}
	for _, p := range in.Site.Config.Files.Own {
		pl.own[p] = true
	}
	pl.incoming = slices.SortedFunc(slices.Values(in.New), byPath)
	return pl
}

func byPath(a, b release.File) int { return cmp.Compare(a.Path, b.Path) }

// packaged returns the file of the package at a path.
func (pl *planner) packaged(p release.Path) (release.File, bool) {
	i, found := slices.BinarySearchFunc(pl.incoming, p, func(f release.File, p release.Path) int { return cmp.Compare(f.Path, p) })
	if !found {
		return release.File{}, false
	}
	return pl.incoming[i], true
}

// collect lists the candidates, sorted by path.
func (pl *planner) collect() error {
	if pl.Full {
		pl.collectFull()
		return nil
	}
	want := map[release.Path]*candidate{}
	at := func(p release.Path) *candidate {
		c, ok := want[p]
		if !ok {
			c = &candidate{path: p, shipped: pl.shippedAt(p)}
			want[p] = c
		}
		return c
	}
	if err := pl.collectPatch(at); err != nil {
		return err
	}
	pl.candidates = make([]candidate, 0, len(want))
	for _, c := range want {
		pl.candidates = append(pl.candidates, *c)
	}
	slices.SortFunc(pl.candidates, func(a, b candidate) int { return cmp.Compare(a.path, b.path) })
	return nil
}

// collectFull lists what was shipped and what is in the package, which are both
// sorted: a site may have very many files.
func (pl *planner) collectFull() {
	var shipped []release.File
	if pl.Inventory != nil {
		shipped = pl.Inventory.Files
	}
	incoming := pl.incoming
	pl.candidates = make([]candidate, 0, max(len(shipped), len(incoming)))
	for len(shipped) > 0 || len(incoming) > 0 {
		first := -1 // which list has the next path: -1 the one, 1 the other, 0 both
		switch {
		case len(shipped) == 0:
			first = 1
		case len(incoming) > 0:
			first = byPath(shipped[0], incoming[0])
		}
		var c candidate
		if first <= 0 {
			c.path, c.shipped = shipped[0].Path, fileState(shipped[0])
			shipped = shipped[1:]
		}
		if first >= 0 {
			c.path, c.new = incoming[0].Path, fileState(incoming[0])
			incoming = incoming[1:]
		}
		pl.candidates = append(pl.candidates, c)
	}
}

func (pl *planner) collectPatch(at func(release.Path) *candidate) error {
	used := map[release.Path]bool{}
	for _, p := range pl.Operations.ReplaceFiles {
		f, ok := pl.packaged(p)
		if !ok {
			return fmt.Errorf("the package lacks %s, which its operations replace", p)
		}
		at(p).new = fileState(f)
		used[p] = true
	}
	for _, p := range pl.Operations.DeleteFiles {
		at(p)
	}
	whole := slices.Concat(pl.Operations.ReplaceDirectories, pl.Operations.DeleteDirectories)
	for _, dir := range whole {
		if err := pl.collectDirectory(dir, at); err != nil {
			return err
		}
	}
	for _, f := range pl.New {
		for _, dir := range pl.Operations.ReplaceDirectories {
			if f.Path.Within(dir) {
				c := at(f.Path)
				c.new, c.extra = fileState(f), false
				used[f.Path] = true
			}
		}
	}
	if n := len(pl.incoming) - len(used); n > 0 {
		pl.plan.Notes = append(pl.plan.Notes, fmt.Sprintf("Files of the package that no operation names, so that they are not installed: %d", n))
	}
	return nil
}

// collectDirectory adds what was shipped below a directory and what is there.
func (pl *planner) collectDirectory(dir release.Path, at func(release.Path) *candidate) error {
	if pl.Inventory != nil {
		files := pl.Inventory.Files
		first, _ := slices.BinarySearchFunc(files, dir+"/", func(f release.File, p release.Path) int { return cmp.Compare(f.Path, p) })
		for _, f := range files[first:] {
			if !f.Path.Within(dir) {
				break
			}
			at(f.Path)
		}
	}
	t := newTree(pl.Site.Root)
	defer t.close()
	return pl.walk(t, string(dir), func(p release.Path) {
		if c := at(p); !c.shipped.Exists() && !c.new.Exists() {
			c.extra = true
		}
	})
}

// walk calls found for every file below a directory of the site. What Moult's
// paths can't name stays and is reported.
func (pl *planner) walk(t *tree, dir string, found func(release.Path)) error {
	if pl.isOwn(release.Path(dir)) {
		return nil
	}
	list, err := t.names(dir)
	var link *LinkError
	switch {
	case missing(err) || errors.Is(err, errNotDirectory):
		return nil
	case errors.As(err, &link):
		pl.block(release.Path(link.Path), "symlink", link.Error(), linkHint)
		return nil
	case errors.Is(err, fs.ErrPermission):
		pl.block(release.Path(dir), "permissions", fmt.Sprintf("%s can't be read", dir), "Let the user that runs Moult read it.")
		return nil
	case err != nil:
		return err
	}
	for _, e := range list {
		p, err := release.ParsePath(dir + "/" + e.Name())
		if err != nil {
			pl.plan.Notes = append(pl.plan.Notes, fmt.Sprintf("%q stays: it is not a name that a release can have", dir+"/"+e.Name()))
			continue
		}
		if e.IsDir() {
			if err := pl.walk(t, string(p), found); err != nil {
				return err
			}
			continue
		}
		found(p)
	}
	return nil
}

const linkHint = "Moult follows no symbolic links. Put a directory in its place, or name the link under own in site.toml."

func (pl *planner) shippedAt(p release.Path) State {
	if pl.Inventory == nil {
		return State{}
	}
	f, ok := pl.Inventory.Get(p)
	if !ok {
		return State{}
	}
	return fileState(f)
}

// fileState is what a file of a release is on this system.
func fileState(f release.File) State {
	return State{Size: f.Size, Mode: release.LocalMode(fs.FileMode(f.Mode)), SHA256: f.SHA256}
}

// isOwn reports whether a path is never touched: it is the admin's own, or in an
// outpost of Moult's.
func (pl *planner) isOwn(p release.Path) bool {
	for dir := string(p); dir != ""; {
		above := max(strings.LastIndexByte(dir, '/'), 0)
		name := strings.TrimPrefix(dir[above:], "/")
		if pl.own[release.Path(dir)] || len(name) >= len(site.OutpostPrefix) && strings.EqualFold(name[:len(site.OutpostPrefix)], site.OutpostPrefix) {
			return true
		}
		dir = dir[:above]
	}
	return false
}

// observe reads what is here at every candidate, on all processors. Hashes of files
// that the release leaves alone may come from the cache.
func (pl *planner) observe(ctx context.Context) error {
	var cache *hashCache
	if slices.ContainsFunc(pl.candidates, candidate.untouched) {
		cache = loadHashes(pl.Site)
		defer cache.save(pl.Site)
	}
	err := eachParallel(ctx, []*tree{newTree(pl.Site.Root)}, len(pl.candidates), func(ts []*tree, i int) error {
		t, c := ts[0], &pl.candidates[i]
		if pl.isOwn(c.path) {
			return nil
		}
		info, err := exists(t, string(c.path))
		if err == nil && info != nil {
			switch c.isDir = info.IsDir(); {
			case c.isDir:
			case c.untouched():
				c.here, err = cache.stateOf(t, c.path, info)
			default:
				c.here, err = stateOfLooked(t, string(c.path), info)
				if now, can := stampOf(info); can && now.settled() {
					c.seen = now
				}
			}
		}
		c.err = err
		return nil
	})
	if err == nil {
		err = pl.foldCase()
	}
	if err != nil {
		return err
	}
	for i := range pl.candidates {
		c := &pl.candidates[i]
		if c.err != nil && !pl.explain(c) {
			return c.err
		}
		if pl.Inventory == nil {
			c.shipped = c.here
		}
	}
	return nil
}

// explain turns an error of reading into a block, if it is one that a person can
// do something about.
func (pl *planner) explain(c *candidate) bool {
	var link *LinkError
	switch {
	case errors.As(c.err, &link):
		pl.block(release.Path(link.Path), "symlink", link.Error(), linkHint)
	case errors.Is(c.err, fs.ErrPermission):
		pl.block(c.path, "permissions", fmt.Sprintf("%s can't be read", c.path), "Let the user that runs Moult read it.")
	case errors.Is(c.err, errNotFile):
		pl.block(c.path, "special file", fmt.Sprintf("%s %v", c.path, errNotFile), "Move it out of the way of the update.")
	default:
		return false
	}
	return true
}

func (pl *planner) block(p release.Path, code, text, hint string) {
	if !pl.problems[p] {
		pl.problems[p] = true
		pl.plan.Blocks = append(pl.plan.Blocks, Problem{Code: code, Level: Block, Text: text, Hint: hint})
	}
}

// finish sorts the plan and counts what it stages.
func (pl *planner) finish() {
	slices.SortStableFunc(pl.plan.Entries, func(a, b Entry) int {
		if c := cmp.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return cmp.Compare(a.Change, b.Change)
	})
	for _, e := range pl.plan.Entries {
		if e.Change == Add || e.Change == Replace {
			pl.plan.StageBytes += e.Put.Size
		}
	}
	slices.Sort(pl.plan.Notes)
	pl.plan.Notes = slices.Compact(pl.plan.Notes)
}

// parents calls do for every directory above p, the nearest first.
func parents(p release.Path, do func(dir release.Path)) {
	for i := strings.LastIndexByte(string(p), '/'); i > 0; i = strings.LastIndexByte(string(p[:i]), '/') {
		do(p[:i])
	}
}
