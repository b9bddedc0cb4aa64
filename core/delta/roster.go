package delta

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"moult/core/release"
)

// lists are the files of both releases. An index means nothing without them.
type lists struct{ old, new roster }

func newLists(old, new []release.File) *lists { return &lists{newRoster(old), newRoster(new)} }

// digest tells lists apart, so that a delta which is applied to others is refused for
// that reason and not for what would come out.
func (l *lists) digest() string {
	h := sha256.New()
	for _, r := range []roster{l.old, l.new} {
		for _, f := range r.files {
			fmt.Fprintf(h, "%s\x00", f.Path)
		}
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// usualBase is what a pack starts from if it doesn't say: the files of the same names,
// as far as the old release has them.
func (l *lists) usualBase(files []Piece) []Piece {
	var base []Piece
	for _, p := range files {
		if i, ok := l.old.number[p.Path]; ok && p.isWhole() && l.old.files[i].Size > 0 {
			base = append(base, p)
		}
	}
	return base
}

// roster numbers the files of a release in order of paths.
type roster struct {
	files  []release.File
	number map[release.Path]int
}

func newRoster(files []release.File) roster {
	r := roster{sorted(files), make(map[release.Path]int, len(files))}
	for i, f := range r.files {
		r.number[f.Path] = i
	}
	return r
}

// cursor steps through a roster: a file is written as its distance from the one that was
// written before, which is small and often the same.
type cursor struct {
	roster
	at int
}

func (r roster) begin() *cursor { return &cursor{r, -1} }

// step returns the distance of a file and goes there.
func (c *cursor) step(p release.Path) int {
	to := c.number[p]
	distance := to - c.at
	c.at = to
	return distance
}

func (c *cursor) read(f *release.Field) release.Path {
	to := int64(c.at) + f.Int(math.MinInt32, math.MaxInt32)
	if to < 0 || to >= int64(len(c.files)) {
		f.Fail(errors.New("leads to no file of the release"))
		return ""
	}
	c.at = int(to)
	return c.files[to].Path
}

// pieceText is a part of a file, in a list where whole files are numbers.
type pieceText struct {
	File int   `json:"file"`
	At   int64 `json:"at"`
	Size int64 `json:"size"`
}

func (c *cursor) readPieces(f *release.Field) []Piece {
	var pieces []Piece
	for _, e := range f.List() {
		if !e.IsObject() {
			pieces = append(pieces, whole(c.read(e)))
			continue
		}
		e.Only("file", "at", "size")
		p := Piece{Path: c.read(e.Get("file")), At: e.Get("at").Int(0, math.MaxInt64/2), Size: e.Get("size").Int(1, math.MaxInt32)}
		if p.Size == 0 {
			e.Get("size").Fail(errors.New("is missing"))
		}
		pieces = append(pieces, p)
	}
	return pieces
}

func (c *cursor) pieceTexts(pieces []Piece) []any {
	texts := make([]any, len(pieces))
	for i, p := range pieces {
		if p.isWhole() {
			texts[i] = c.step(p.Path)
		} else {
			texts[i] = pieceText{c.step(p.Path), p.At, p.Size}
		}
	}
	return texts
}
