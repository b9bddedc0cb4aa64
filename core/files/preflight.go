package files

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"

	"moult/core/release"
	"moult/core/site"
)

// Preflight tries whether a plan can be done: room in bytes and files, the same
// device everywhere, and in each directory that will change a file that is really
// made, renamed and deleted, since modes and access lists don't tell all. It leaves
// the site as it was. No problems means that nothing is known to stand in the way.
func Preflight(ctx context.Context, s *site.Site, p *Plan) ([]Problem, error) {
	f := &preflight{site: s, plan: p, t: newTree(s.Root), problems: slices.Clone(p.Blocks)}
	defer f.t.close()
	defer func() { closeTrees(f.trees) }()
	home, err := s.SubDir("updates")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	for _, place := range p.homes() {
		if err := f.room(place, home); err != nil {
			return nil, err
		}
	}
	info, err := home.Stat(".")
	if err != nil {
		return nil, err
	}
	f.device = deviceOf(info)
	for _, dir := range f.dirs() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.probe(dir)
	}
	for i := range p.Entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f.file(&p.Entries[i])
	}
	f.owners()
	return f.problems, nil
}

type preflight struct {
	site    *site.Site
	plan    *Plan
	t       *tree
	device  uint64
	foreign int // files of other owners, which who isn't root can't give back to them
	linked  []string

	trees      []oldTree // read when the first file with several names is met
	treesKnown bool
	problems   []Problem
}

func (f *preflight) add(level Level, code, hint, format string, args ...any) {
	f.problems = append(f.problems, Problem{Code: code, Level: level, Text: fmt.Sprintf(format, args...), Hint: hint})
}

// margin is added to what the plan needs: file systems round sizes up and grow
// directories, and others write too.
const margin = 10 // per cent

const quotaHint = "Have the quota raised, or free some room."

// room compares what is staged at one of the plan's homes with the room there.
func (f *preflight) room(place string, home *os.Root) error {
	shown := f.site.Dir
	if place != "" {
		at, err := f.t.dir(string(f.plan.mountOf(place)))
		if err != nil {
			f.refuse(string(f.plan.mountOf(place)), err)
			return nil
		}
		home, shown = at.root, path.Join(shown, string(f.plan.mountOf(place)))
	}
	have, err := roomOf(home)
	if err != nil {
		return fmt.Errorf("room on the disk: %w", err)
	}
	if have.readOnly {
		f.add(Block, "read-only", "Mount it for writing.", "the file system of %s is mounted read-only", shown)
	}
	disk, inodes := [2]string{"disk", "Free some room on the disk, or discard restore points."}, [2]string{"inodes", "Delete files that are not needed, such as caches."}
	if have.quota {
		disk = [2]string{"quota", quotaHint}
		inodes = disk
	}
	need, files := f.plan.needs(place)
	if have.bytes < need {
		f.add(Block, disk[0], disk[1], "the update needs %s on the disk and %s are free", humanize.Bytes(uint64(need)), humanize.Bytes(uint64(max(have.bytes, 0))))
	}
	if need := files + files*margin/100; have.files >= 0 && have.files < need {
		f.add(Block, inodes[0], inodes[1], "the update makes %d files and the file system has room for %d", need, have.files)
	}
	return nil
}

// needs returns how many bytes and how many new files a plan takes at one of its
// homes, beside what is there.
func (p *Plan) needs(home string) (bytes, files int64) {
	for _, e := range p.Entries {
		if e.Change != Add && e.Change != Replace && e.Change != Mkdir || p.postOf(e.Path) != home {
			continue
		}
		files++
		bytes += e.Put.Size
	}
	return bytes + bytes*margin/100 + files*blockSize, files
}

// Room returns how many bytes a plan takes beside the site while it is done, and
// how many are free there.
func Room(s *site.Site, p *Plan) (need, free int64, err error) {
	home, err := s.SubDir("updates")
	if err != nil {
		return 0, 0, err
	}
	defer home.Close()
	have, err := roomOf(home)
	if err != nil {
		return 0, 0, fmt.Errorf("room on the disk: %w", err)
	}
	need, _ = p.needs("")
	return need, have.bytes, nil
}

// blockSize is what a small file takes on most file systems, in bytes.
const blockSize = 4096

// dirs are the directories in which something changes, as far as they are there.
func (f *preflight) dirs() []string {
	dirs := map[string]bool{}
	for _, e := range f.plan.Entries {
		switch e.Change {
		case Add, Replace, Delete, Mkdir, Rmdir:
			dirs[path.Dir(string(e.Path))] = true
		}
	}
	return slices.Sorted(maps.Keys(dirs))
}

// probePrefix begins the names of the files that try a directory out.
const probePrefix = ".moult-probe-"

// sweepProbes removes what a process that was killed in the middle of a probe has
// left in a directory. A probe lives for milliseconds; one that is a minute old is
// nobody's.
func sweepProbes(dir *os.Root) {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return // the probe itself says what is wrong with the directory
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), probePrefix) {
			continue
		}
		if info, err := e.Info(); err == nil && info.Size() == 0 && time.Since(info.ModTime()) > time.Minute {
			dir.Remove(e.Name())
		}
	}
}

// probe makes, renames and deletes a file in a directory.
func (f *preflight) probe(dir string) {
	h, err := f.t.dir(dir)
	switch {
	case missing(err) || errors.Is(err, errNotDirectory):
		return // the update makes it
	case err != nil:
		f.refuse(dir, err)
		return
	}
	info, err := h.root.Stat(".")
	if err != nil {
		f.refuse(dir, err)
		return
	}
	if deviceOf(info) != f.device && f.plan.postOf(release.Path(dir)+"/.") == "" {
		f.add(Block, "device", "Name it under own in site.toml, or let .moult be on its device with [state] dir.",
			"%s is on another file system than %s, so files can't be swapped there", shownDir(dir), site.Home)
		return
	}
	sweepProbes(h.root)
	name := probePrefix + rand.Text()[:8]
	file, err := h.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		f.refuse(dir, err)
		return
	}
	file.Close()
	renamed := name + "-2"
	if err := h.root.Rename(name, renamed); err != nil {
		h.root.Remove(name)
		f.refuse(dir, err)
		return
	}
	if err := h.root.Remove(renamed); err != nil {
		f.refuse(dir, err)
	}
}

// refuse says why a directory can't be changed.
func (f *preflight) refuse(dir string, err error) {
	var link *LinkError
	code, hint := "permissions", fmt.Sprintf("Let the user that runs Moult write there, as with: chown -R \"$(id -un)\" %q", path.Join(f.site.Dir, dir))
	switch {
	case errors.As(err, &link):
		f.add(Block, "symlink", linkHint, "%v", link)
		return
	case errors.Is(err, syscall.EROFS):
		code, hint = "read-only", "Mount it for writing."
	case errors.Is(err, syscall.ENOSPC):
		code, hint = "disk", "Free some room on the disk."
	case errors.Is(err, syscall.EDQUOT):
		code, hint = "quota", quotaHint
	case f.isImmutable(dir):
		hint = fmt.Sprintf("It is marked immutable. Take that off with: chattr -i %q", path.Join(f.site.Dir, dir))
	}
	f.add(Block, code, hint, "nothing can be changed in %s: %v", shownDir(dir), unwrapPath(err))
}

func (f *preflight) isImmutable(dir string) bool {
	h, err := f.t.dir(dir)
	if err != nil {
		return false
	}
	d, err := h.root.Open(".")
	if err != nil {
		return false
	}
	defer d.Close()
	return immutable(d)
}

func shownDir(dir string) string {
	if dir == "." {
		return "the site's directory"
	}
	return dir
}

// file looks at what a rename of one file could meet.
func (f *preflight) file(e *Entry) {
	if e.Change != Replace && e.Change != Delete {
		return
	}
	file, info, err := f.t.open(string(e.Path))
	if err != nil {
		return // a link, or gone: the switch compares again
	}
	defer file.Close()
	if immutable(file) {
		f.add(Block, "permissions", fmt.Sprintf("Take that off with: chattr -i %q", path.Join(f.site.Dir, string(e.Path))), "%s is marked immutable", e.Path)
	}
	if deviceOf(info) != f.device && f.plan.postOf(e.Path) == "" {
		f.add(Block, "device", "Name it under own in site.toml.", "%s is mounted from another file system and can't be swapped", e.Path)
	}
	if uid := ownerOf(info); uid >= 0 && uid != os.Geteuid() && os.Geteuid() != 0 {
		f.foreign++
	}
	if f.otherNames(e.Path, info) {
		f.linked = append(f.linked, string(e.Path))
	}
}

// otherNames reports whether a file has a name that neither the site nor a restore
// point knows of.
func (f *preflight) otherNames(p release.Path, info fs.FileInfo) bool {
	extra := namesOf(info) - 1
	if extra == 0 || info.IsDir() {
		return false
	}
	if !f.treesKnown {
		f.trees, f.treesKnown = oldTreesOf(f.site), true
	}
	for _, o := range f.trees {
		if extra > 0 && o.holds(p, identOf(info)) {
			extra--
		}
	}
	return extra > 0
}

func (f *preflight) owners() {
	if f.foreign > 0 {
		f.add(Warn, "owner", "Run Moult as their owner or as root if that matters.",
			"Files that belong to someone else and will belong to you afterwards: %d", f.foreign)
	}
	if n := len(f.linked); n > 0 {
		f.add(Warn, "hard links", "", "%s has another name somewhere, which keeps the old contents (%d such files)", f.linked[0], n)
	}
}
