package delta

import (
	"path"
	"slices"
	"strings"

	"moult/core/release"
)

// cut says how much goes into one pack, in bytes.
type cut struct {
	// pack is the most contents and, apart from that, the most old contents of a pack
	// of whole files.
	pack int64
	// segment is the piece in which files larger than it are cut, and base how much of
	// the old file each piece is packed against.
	segment, base int64
	// block is the unit in which parts of an old file are chosen.
	block int64
}

// usualCut is how releases are cut. The Go encoder's tables hold about 8 MiB of base
// and contents: larger packs make most deltas 1 to 2 % larger, and cost more when one
// of their bases can't be used.
var usualCut = cut{pack: 4 << 20, segment: 4 << 20, base: 8 << 20, block: 512 << 10}

// commandCut is how they are cut for the zstd command, which finds what lies farther
// back: the delta of phpmyadmin 5.2.1 to 5.2.2 becomes 11 % smaller. Frames need no
// larger window than those of segments do.
var commandCut = cut{pack: 8 << 20, segment: 4 << 20, base: 8 << 20, block: 512 << 10}

// job is a pack to be made. The base of a segment is chosen when its contents are
// at hand; until then it names the old file.
type job struct {
	files []Piece
	base  []Piece
	// search is the old file in which to look for a segment's base; "" if base stands.
	search release.Path
}

// byPath makes a list of files into something to look paths up in.
func byPath(files []release.File) map[release.Path]release.File {
	m := make(map[release.Path]release.File, len(files))
	for _, f := range files {
		m[f.Path] = f
	}
	return m
}

// unchanged reports whether the new release has a file as the old one had it.
func unchanged(f release.File, old map[release.Path]release.File) bool {
	o, ok := old[f.Path]
	return ok && o.SHA256 == f.SHA256 && o.Size == f.Size && o.Mode == f.Mode
}

// divide sorts the files of the new release into those that the old one has
// elsewhere and packs of the others. Files that did not change are in neither.
func divide(old, new []release.File, c cut) ([]Same, []job) {
	d := division{cut: c, old: byPath(old), bases: newBases(old, new)}
	contents := make(map[release.Digest]release.Path, len(old))
	for _, f := range slices.Backward(sorted(old)) {
		contents[f.SHA256] = f.Path
	}
	for _, f := range sorted(new) {
		from, elsewhere := contents[f.SHA256]
		switch {
		case unchanged(f, d.old):
		case d.old[f.Path].SHA256 == f.SHA256 && d.old[f.Path].Size == f.Size && f.Size > 0:
			d.same = append(d.same, Same{f.Path, f.Path})
		case elsewhere && f.Size > 0:
			d.same = append(d.same, Same{f.Path, from})
		default:
			d.add(f)
		}
	}
	d.flush()
	return d.same, d.jobs
}

func sorted(files []release.File) []release.File {
	return slices.SortedFunc(slices.Values(files), func(a, b release.File) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
}

type division struct {
	cut   cut
	old   map[release.Path]release.File
	bases *bases
	same  []Same
	jobs  []job

	open                job // the pack that is being filled
	openBase, openFiles int64
}

func (d *division) add(f release.File) {
	base, hasBase := d.bases.of(f.Path)
	if f.Size > d.cut.segment || hasBase && base.Size > d.cut.base {
		d.segments(f, base, hasBase)
		return
	}
	if d.openFiles+f.Size > d.cut.pack || d.openBase+base.Size > d.cut.pack {
		d.flush()
	}
	d.open.files = append(d.open.files, whole(f.Path))
	d.openFiles += f.Size
	if hasBase {
		d.open.base = append(d.open.base, whole(base.Path))
		d.openBase += base.Size
	}
}

func (d *division) flush() {
	if len(d.open.files) > 0 {
		d.jobs = append(d.jobs, d.open)
	}
	d.open, d.openBase, d.openFiles = job{}, 0, 0
}

// segments cuts a large file, or one whose old version is large.
func (d *division) segments(f, base release.File, hasBase bool) {
	d.flush()
	for at := int64(0); at < max(f.Size, 1); at += d.cut.segment {
		piece := Piece{f.Path, at, min(d.cut.segment, f.Size-at)}
		if piece.Size == f.Size {
			piece = whole(f.Path)
		}
		j := job{files: []Piece{piece}}
		switch {
		case hasBase && base.Size > d.cut.base:
			j.search = base.Path
		case hasBase:
			j.base = []Piece{whole(base.Path)}
		}
		d.jobs = append(d.jobs, j)
	}
}

// bases finds the old file that a new one most likely came from.
type bases struct {
	old map[release.Path]release.File
	// gone are the old files that the new release no longer has, by base name: a
	// library whose directory carries a version moves as a whole.
	gone map[string][]release.File
}

func newBases(old, new []release.File) *bases {
	b := &bases{old: byPath(old), gone: map[string][]release.File{}}
	kept := byPath(new)
	for _, f := range sorted(old) {
		if _, ok := kept[f.Path]; !ok {
			name := path.Base(string(f.Path))
			b.gone[name] = append(b.gone[name], f)
		}
	}
	return b
}

// of returns the old file of the same path, or else the one of the same name that
// is gone and whose directory has the most in common. Empty files are no base.
func (b *bases) of(p release.Path) (release.File, bool) {
	f, found := b.old[p]
	if !found {
		most := -1
		for _, g := range b.gone[path.Base(string(p))] {
			if n := common(string(g.Path), string(p)); n > most {
				f, found, most = g, true, n
			}
		}
	}
	return f, found && f.Size > 0
}

// common counts the bytes that two paths share at both ends.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	m := 0
	for m < min(len(a), len(b))-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	return n + m
}
