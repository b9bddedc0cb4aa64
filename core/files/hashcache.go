package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"moult/core/release"
	"moult/core/site"
)

// hashCache remembers the hashes of files that were read before, so that planning
// an update of a large site doesn't read every file that the release leaves alone.
// A file counts as unchanged while its inode, size and both times are the same; one
// that was changed too recently for the times to tell is not remembered.
//
// It is never asked about a file that the update is going to change.
type hashCache struct {
	mu    sync.Mutex
	known map[release.Path]cachedHash
	added int
}

type cachedHash struct {
	stamp stamp
	sum   release.Digest
}

// stamp is what changes whenever a file is written to. ctime can't be set by a
// program, so a file that was changed and given its old times back is found out.
type stamp struct{ inode, size, mtime, ctime int64 }

// settled reports whether the file was changed long enough ago for its times to tell
// of the next change.
func (s stamp) settled() bool {
	return time.Since(time.Unix(0, max(s.mtime, s.ctime))) >= settling
}

const (
	hashesDir     = "cache"
	hashesFile    = "hashes.zst"
	hashesHeading = "moult hashes 1\n"
	// settling is how long ago a file must have been changed for its times to be
	// trusted: FAT counts in 2 s, all others in less.
	settling = 3 * time.Second
	// usualHash is how many bytes an entry usually has at least.
	usualHash = 80
	// maxHashes is the longest cache read, in bytes when unpacked.
	maxHashes = 1 << 30
)

// loadHashes reads the site's cache. One that is missing or damaged is an empty one.
func loadHashes(s *site.Site) *hashCache {
	c := &hashCache{known: map[release.Path]cachedHash{}}
	dir, err := s.SubDir(hashesDir)
	if err != nil {
		return c
	}
	defer dir.Close()
	f, err := dir.Open(hashesFile)
	if err != nil {
		return c
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return c
	}
	defer z.Close()
	b, err := io.ReadAll(io.LimitReader(z, maxHashes))
	if err != nil || c.parse(b) != nil {
		c.known = map[release.Path]cachedHash{}
	}
	return c
}

var errHashes = errors.New("the cache of hashes is damaged")

// parse reads the entries: four numbers, the hash, the length of the path, the path.
func (c *hashCache) parse(b []byte) error {
	b, ok := bytes.CutPrefix(b, []byte(hashesHeading))
	if !ok {
		return errHashes
	}
	c.known = make(map[release.Path]cachedHash, len(b)/usualHash)
	for len(b) > 0 {
		var numbers [5]int64
		for i := range numbers {
			v, n := binary.Varint(b)
			if n <= 0 {
				return errHashes
			}
			numbers[i], b = v, b[n:]
		}
		var e cachedHash
		length := numbers[4]
		if length <= 0 || int64(len(b)) < length+int64(len(e.sum)) {
			return errHashes
		}
		e.stamp = stamp{numbers[0], numbers[1], numbers[2], numbers[3]}
		b = b[copy(e.sum[:], b):]
		c.known[release.Path(b[:length])] = e
		b = b[length:]
	}
	return nil
}

func (c *hashCache) encode() []byte {
	b := []byte(hashesHeading)
	for p, e := range c.known {
		for _, v := range []int64{e.stamp.inode, e.stamp.size, e.stamp.mtime, e.stamp.ctime, int64(len(p))} {
			b = binary.AppendVarint(b, v)
		}
		b = append(append(b, e.sum[:]...), p...)
	}
	return b
}

// save writes the cache, if anything was added. That it can't be written is no
// reason not to plan.
func (c *hashCache) save(s *site.Site) {
	if c.added == 0 {
		return
	}
	dir, err := s.SubDir(hashesDir)
	if err != nil {
		return
	}
	defer dir.Close()
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return
	}
	_ = site.WriteFile(dir, hashesFile, z.EncodeAll(c.encode(), nil))
}

// stateOf is [stateOf] for a file that the update leaves alone.
func (c *hashCache) stateOf(t *tree, p release.Path, info fs.FileInfo) (State, error) {
	now, can := stampOf(info)
	if can && info.Mode().IsRegular() {
		c.mu.Lock()
		e, known := c.known[p]
		c.mu.Unlock()
		if known && e.stamp == now {
			return State{Size: info.Size(), Mode: release.LocalMode(info.Mode()), SHA256: e.sum}, nil
		}
	}
	st, err := stateOfLooked(t, string(p), info)
	if err != nil || !can || st.Link != "" || !now.settled() {
		return st, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[p] = cachedHash{now, st.SHA256}
	c.added++
	return st, nil
}
