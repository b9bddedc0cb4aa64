package files

import (
	"bytes"
	"io"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"moult/core/release"
	"moult/core/site"
)

// maxText is the longest file that is merged or shown, in bytes.
const maxText = 1 << 20

// isText reports whether b can be merged and shown by lines.
func isText(b []byte) bool {
	return len(b) <= maxText && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// mergeText applies to base what both sides did to it, by lines. It reports false
// when their changes overlap or touch: then only a person can tell what is meant.
// The same change on both sides is made once.
func mergeText(base, mine, theirs string) (string, bool) {
	a, b := udiff.Lines(base, mine), udiff.Lines(base, theirs)
	var all []udiff.Edit
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			all = append(all, a[0])
			a, b = a[1:], b[1:]
		case a[0].End < b[0].Start:
			all = append(all, a[0])
			a = a[1:]
		case b[0].End < a[0].Start:
			all = append(all, b[0])
			b = b[1:]
		default:
			return "", false
		}
	}
	all = slices.Concat(all, a, b)
	merged, err := udiff.Apply(base, all)
	return merged, err == nil
}

// merged returns the clean merge of an edited file, if there is one.
func (pl *planner) merged(c *candidate) ([]byte, bool) {
	if pl.Contents == nil || c.isDir || c.here.Link != "" || !c.shipped.Exists() || max(c.shipped.Size, c.here.Size, c.new.Size) > maxText {
		return nil, false
	}
	merged, ok, err := mergeFiles(pl.Site, pl.Contents, c.path, c.shipped)
	return merged, ok && err == nil
}

// mergedOf merges again what the plan found to merge cleanly. The caller compares
// the hash with the plan's.
func mergedOf(s *site.Site, contents *os.Root, e *Entry) ([]byte, error) {
	merged, ok, err := mergeFiles(s, contents, e.Path, e.Shipped)
	if err == nil && !ok {
		err = ErrChanged
	}
	return merged, err
}

func mergeFiles(s *site.Site, contents *os.Root, p release.Path, shipped State) ([]byte, bool, error) {
	store, err := s.Pristine()
	if err != nil {
		return nil, false, err
	}
	defer store.Close()
	base, err := store.Get(shipped.SHA256, maxText)
	if err != nil {
		return nil, false, err
	}
	mine, err := readText(s.Root, p)
	if err != nil {
		return nil, false, err
	}
	theirs, err := readText(contents, p)
	if err != nil {
		return nil, false, err
	}
	if !isText(base) || !isText(mine) || !isText(theirs) {
		return nil, false, nil
	}
	merged, ok := mergeText(string(base), string(mine), string(theirs))
	return []byte(merged), ok, nil
}

// readText reads the beginning of a file, up to one byte more than [maxText].
func readText(root *os.Root, p release.Path) ([]byte, error) {
	t := newTree(root)
	defer t.close()
	f, _, err := t.open(string(p))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readCapped(f)
}

func readCapped(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	_, err := io.Copy(&b, io.LimitReader(r, maxText+1))
	return b.Bytes(), err
}
