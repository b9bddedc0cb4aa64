package archive

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"moult/core/release"
)

// ErrRefused is in the chain of every error that says that an archive is at
// fault, rather than the disk it is extracted to.
var ErrRefused = errors.New("the archive is refused")

// EntryError says which entry of an archive was refused and why.
type EntryError struct {
	Name   string // as the archive spells it
	Reason string
	Err    error // the cause, where a decoder gave one; nil otherwise
}

// Error names the entry and the reason.
func (e *EntryError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("archive entry %q: %s: %v", e.Name, e.Reason, e.Err)
	}
	return fmt.Sprintf("archive entry %q: %s", e.Name, e.Reason)
}

// Unwrap gives [ErrRefused] and the cause.
func (e *EntryError) Unwrap() []error { return []error{ErrRefused, e.Err} }

// PackageDir is the directory at the root of an archive that describes the
// package instead of belonging to the site.
const PackageDir = ".moult-package"

// entry is what all formats say of one entry.
type entry struct {
	name string // as the archive spells it
	dir  bool
	mode uint32 // permission bits
	size int64  // in bytes, unpacked
}

func (e entry) refuse(reason string, args ...any) error {
	return &EntryError{Name: e.name, Reason: fmt.Sprintf(reason, args...)}
}

// kind says how a name came to be known.
type kind int

const (
	implied kind = iota + 1 // a directory that only stands in the names of others
	directory
	file
)

type known struct {
	path release.Path
	kind kind
}

// names holds the names seen so far by what they are on the least distinguishing
// system: one that takes upper and lower case, and composed and decomposed
// letters, to be the same.
type names struct {
	seen   map[string]known
	parent release.Path // the parent of the last entry, whose own parents are known
}

// admit returns the path of an entry, or refuses it. The root itself has the path "".
func (n *names) admit(e entry) (release.Path, error) {
	text := strings.TrimPrefix(e.name, "./")
	if e.dir && (text == "" || text == ".") {
		return "", nil
	}
	if !e.dir && strings.HasSuffix(text, "/") {
		return "", e.refuse("is a file, but its name ends in a slash")
	}
	p, err := release.ParsePath(text)
	if err != nil {
		return "", &EntryError{Name: e.name, Reason: "has an unsafe name", Err: errors.Unwrap(err)}
	}
	if err := unsafeName(p, e); err != nil {
		return "", err
	}
	if dir := release.Path(path.Dir(string(p))); dir != n.parent {
		if err := n.parents(p, e); err != nil {
			return "", err
		}
		n.parent = dir
	}
	k := file
	if e.dir {
		k = directory
	}
	return p, n.add(p, k, e)
}

func (n *names) parents(p release.Path, e entry) error {
	for i, r := range p {
		if r == '/' {
			if err := n.add(p[:i], implied, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *names) add(p release.Path, k kind, e entry) error {
	key := fold(string(p))
	before, seen := n.seen[key]
	switch {
	case !seen:
		n.seen[key] = known{p, k}
	case before.path != p:
		return e.refuse("is the same as %q where case or the form of letters does not count", before.path)
	case before.kind == file && k != file:
		return e.refuse("needs the directory %q, which is a file in this archive", p)
	case k == file && before.kind != file:
		return e.refuse("is a file, but was a directory before")
	case k == implied:
	case before.kind == implied:
		n.seen[key] = known{p, k}
	default:
		return e.refuse("is in the archive twice")
	}
	return nil
}

// fold returns what a name is on a file system that ignores case, the form of
// letters, and characters that can't be seen (as HFS+ does).
func fold(s string) string {
	if isPlain(s) {
		return strings.ToLower(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r) {
			return -1
		}
		return r
	}, s)
	return norm.NFC.String(cases.Fold().String(norm.NFD.String(s)))
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// shortName matches names that Windows may make up for another file, as GIT~1
// for .gitignore: learn.microsoft.com/windows/win32/fileio/naming-a-file#short-vs-long-names
var shortName = regexp.MustCompile(`^[^.]{1,6}~[0-9]{1,6}(\.[^.]{0,3})?$`)

// maxDepth bounds the work that one name makes, as every directory on the way is
// looked up; real trees have a tenth of it.
const maxDepth = 100

// unsafeName refuses names that are paths in good form and still not what they seem.
func unsafeName(p release.Path, e entry) error {
	parts := strings.Split(string(p), "/")
	if len(parts) > maxDepth {
		return e.refuse("lies deeper than %d directories", maxDepth)
	}
	for _, name := range parts {
		if shortName.MatchString(name) {
			return e.refuse("has the name %q, which can stand for another file on Windows", name)
		}
	}
	switch top := parts[0]; {
	case fold(top) == ".moult":
		return e.refuse("belongs to Moult itself")
	case fold(top) == PackageDir && top != PackageDir:
		return e.refuse("is spelled almost like %s", PackageDir)
	case top == PackageDir && !metaName(strings.Join(parts[1:], "/"), e.dir):
		return e.refuse("is nothing that %s may hold", PackageDir)
	}
	return nil
}

var (
	metaFile = regexp.MustCompile(`^(package\.json|schema/(from|to)\.sql|scripts/[0-9]{2,4}-[a-z0-9][a-z0-9_-]*(\.undo)?\.sql)$`)
	metaDir  = regexp.MustCompile(`^(|schema|scripts)$`)
)

func metaName(name string, dir bool) bool {
	if dir {
		return metaDir.MatchString(name)
	}
	return metaFile.MatchString(name)
}

// checkMode refuses mode bits beyond permissions, and files that their own owner
// could not read. Kind bits of the mode, where an archive has them, must agree
// with the kind of the entry.
func checkMode(e entry, mode uint32) error {
	const (
		kindBits, regular, folder = 0o170000, 0o100000, 0o040000 // inode(7)
		special                   = 0o7000
	)
	want := uint32(regular)
	if e.dir {
		want = folder
	}
	switch {
	case mode&kindBits != 0 && mode&kindBits != want:
		return e.refuse("has mode %o, which is not that of a %s", mode, e.kindName())
	case mode&special != 0:
		return e.refuse("has mode %o: set-user-ID, set-group-ID and sticky are not allowed", mode)
	case mode&^(kindBits|special|0o777) != 0:
		return e.refuse("has mode %o, which has unknown bits", mode)
	case !e.dir && mode&0o400 == 0:
		return e.refuse("has mode %o, which its owner could not read", mode)
	}
	return nil
}

func (e entry) kindName() string {
	if e.dir {
		return "directory"
	}
	return "file"
}
