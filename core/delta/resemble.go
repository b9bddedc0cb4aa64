package delta

import (
	"cmp"
	"context"
	"io"
	"math/bits"
	"slices"

	"moult/core/release"
)

// maxAnchors bounds what is remembered of an old file, whatever its size.
const maxAnchors = 1 << 18

// anchor is a place in a file that its contents mark: the same bytes are an
// anchor wherever they stand.
type anchor struct {
	hash uint64
	at   int64
}

// landmarks are the anchors of an old file in order of hashes.
type landmarks struct {
	path    release.Path
	size    int64
	cut     cut
	mask    uint64
	anchors []anchor
}

// survey finds the anchors of an old file.
func survey(ctx context.Context, r io.Reader, f release.File, c cut) (*landmarks, error) {
	// One anchor in 256 bytes is enough to know a block by a thousandth of it.
	every := max(256, int(f.Size/maxAnchors*2))
	l := &landmarks{path: f.Path, size: f.Size, cut: c, mask: 1<<(bits.Len(uint(every))-1) - 1}
	g := newGear(l.mask)
	buf := make([]byte, 256<<10)
	var at int64
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n, err := r.Read(buf)
		g.find(buf[:n], func(i int, hash uint64) {
			l.anchors = append(l.anchors, anchor{hash, at + int64(i)})
		})
		at += int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(l.anchors, func(a, b anchor) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.at, b.at))
	})
	return l, nil
}

// commonest is how often an anchor may stand in an old file and still say
// something; runs of one byte make the same anchor everywhere.
const commonest = 8

// base returns the parts of the old file that contents resemble most, in order,
// of cut.base bytes together. With no resemblance it returns the same region.
func (l *landmarks) base(contents []byte, at int64) []Piece {
	block := l.cut.block
	votes := make([]int, (l.size-1)/block+1)
	newGear(l.mask).find(contents, func(_ int, hash uint64) {
		i, _ := slices.BinarySearchFunc(l.anchors, hash, func(a anchor, h uint64) int { return cmp.Compare(a.hash, h) })
		n := 0
		for i+n < len(l.anchors) && l.anchors[i+n].hash == hash && n <= commonest {
			n++
		}
		if n > commonest {
			return
		}
		for _, a := range l.anchors[i : i+n] {
			votes[a.at/block]++
		}
	})
	// Neighbours of a block that has votes are better than blocks without any, as
	// what matches runs over the edge.
	order := make([]int, len(votes))
	score := make([]int, len(votes))
	middle := int(min(at, l.size-1) / block)
	for i := range votes {
		order[i] = i
		score[i] = 8 * votes[i]
		if i > 0 {
			score[i] += votes[i-1]
		}
		if i+1 < len(votes) {
			score[i] += votes[i+1]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(score[b], score[a]), cmp.Compare(distance(a, middle), distance(b, middle)))
	})
	chosen := order[:min(len(order), int(l.cut.base/block))]
	slices.Sort(chosen)
	return l.join(chosen)
}

func distance(a, b int) int { return max(a-b, b-a) }

// join makes blocks into as few pieces as possible.
func (l *landmarks) join(blocks []int) []Piece {
	var pieces []Piece
	for _, b := range blocks {
		at := int64(b) * l.cut.block
		size := min(l.cut.block, l.size-at)
		if n := len(pieces); n > 0 && pieces[n-1].At+pieces[n-1].Size == at {
			pieces[n-1].Size += size
		} else {
			pieces = append(pieces, Piece{l.path, at, size})
		}
	}
	return pieces
}

// gear is a rolling hash over 64 bytes. It is the one of FastCDC (Xia et al., USENIX
// ATC 2016), used to find places and not to cut.
type gear struct {
	hash  uint64
	mask  uint64
	table [256]uint64
	seen  int
}

func newGear(mask uint64) *gear {
	g := &gear{mask: mask << (64 - bits.Len64(mask))}
	// splitmix64 (Vigna), so that the table needs no place in the source.
	state := uint64(0)
	for i := range g.table {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		g.table[i] = z ^ z>>31
	}
	return g
}

// find calls found for each anchor in b. Successive calls go on where the last
// one ended.
func (g *gear) find(b []byte, found func(i int, hash uint64)) {
	for i, c := range b {
		g.hash = g.hash<<1 + g.table[c]
		if g.seen++; g.hash&g.mask == 0 && g.seen >= 64 {
			found(i, g.hash)
		}
	}
}
