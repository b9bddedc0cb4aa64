package site

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"

	"moult/core/release"
)

// Pristine keeps contents as a release shipped them, by hash: the base of
// three-way comparisons and of deltas. A copy that was damaged is reported as
// [fs.ErrNotExist], since all that can be done about it is the same, and removed
// by whoever finds that out, so that the next Put stores it again.
//
// The store is compressed and flat: xx/HEX.zst. Putting does not wait for the
// disk; [Pristine.Sync] does, once for all.
type Pristine struct {
	root    *os.Root
	encoder *zstd.Encoder // for any number of goroutines; a new one costs more than a text
}

// Pristine opens the site's store. The caller closes it.
func (s *Site) Pristine() (*Pristine, error) {
	root, err := subDir(s.state, "pristine")
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return &Pristine{root, z}, nil
}

// Close closes the store.
func (p *Pristine) Close() error { return p.root.Close() }

// Sync makes everything put so far durable.
func (p *Pristine) Sync() error { return Barrier(p.root) }

func pristineName(d release.Digest) string {
	hex := d.Hex()
	return hex[:2] + "/" + hex + ".zst"
}

// Has reports whether a copy is there, without reading whether it is sound. One that
// is empty, as a power cut leaves it, is not there.
func (p *Pristine) Has(d release.Digest) bool {
	if d.IsZero() {
		return false
	}
	info, err := p.root.Lstat(pristineName(d))
	return err == nil && (info.Size() > 0 || d == release.DigestOf(nil))
}

// Put stores a text, which must hash to d. What is there already is not written
// again. Any number of goroutines may put at the same time.
func (p *Pristine) Put(d release.Digest, text []byte) error {
	if d.IsZero() {
		return errors.New("pristine copy: the hash is not known")
	}
	if p.Has(d) {
		return nil
	}
	if release.DigestOf(text) != d {
		return fmt.Errorf("pristine copy %s: contents don't have this hash", d)
	}
	if err := p.put(d, text); err != nil {
		return fmt.Errorf("pristine copy %s: %w", d, err)
	}
	return nil
}

func (p *Pristine) put(d release.Digest, text []byte) (err error) {
	name := pristineName(d)
	if err := p.root.Mkdir(path.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	temp := name + tempMark + rand.Text()[:8]
	f, err := p.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			p.root.Remove(temp)
		}
	}()
	if _, err := f.Write(p.encoder.EncodeAll(text, nil)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return p.root.Rename(temp, name)
}

// Get returns a copy whole. It is for texts: max is the most bytes accepted.
func (p *Pristine) Get(d release.Digest, max int64) ([]byte, error) {
	r, err := p.Open(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(r, max+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > max {
		return nil, fmt.Errorf("pristine copy %s is longer than %d bytes", d, max)
	}
	return b.Bytes(), nil
}

// Open opens a copy. Reading it to its end fails with an error that is
// [fs.ErrNotExist] if the contents don't have the hash.
func (p *Pristine) Open(d release.Digest) (io.ReadCloser, error) {
	if d.IsZero() {
		return nil, fmt.Errorf("pristine copy: %w", fs.ErrNotExist)
	}
	f, err := p.root.Open(pristineName(d))
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1))
	if err != nil {
		f.Close()
		return nil, err
	}
	return &pristineReader{root: p.root, f: f, z: z, h: sha256.New(), want: d}, nil
}

type pristineReader struct {
	root    *os.Root
	f       *os.File
	z       *zstd.Decoder
	h       hash.Hash
	want    release.Digest
	damaged bool
}

func (r *pristineReader) Read(b []byte) (int, error) {
	n, err := r.z.Read(b)
	r.h.Write(b[:n])
	switch {
	case err == io.EOF && release.Digest(r.h.Sum(nil)) == r.want:
		return n, io.EOF
	case err == io.EOF:
		err = errors.New("contents don't have this hash")
	case err == nil:
		return n, nil
	}
	// A disk that can't be read now says nothing about what is on it.
	r.damaged = !errors.As(err, new(*fs.PathError))
	return n, fmt.Errorf("pristine copy %s is damaged (%v): %w", r.want, err, fs.ErrNotExist)
}

func (r *pristineReader) Close() error {
	r.z.Close()
	info, err := r.f.Stat()
	err = errors.Join(err, r.f.Close())
	if err != nil || !r.damaged {
		return err
	}
	name := pristineName(r.want)
	if now, err := r.root.Lstat(name); err == nil && os.SameFile(info, now) { // not one that was put since
		_ = r.root.Remove(name) // one that can't be removed is reported again
	}
	return nil
}

// Prune removes every copy that keep does not want, and what writers that died
// left behind. It returns how many bytes that freed.
func (p *Pristine) Prune(keep func(release.Digest) bool) (freed int64, err error) {
	err = fs.WalkDir(p.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		d, err := release.ParseDigest(strings.TrimSuffix(path.Base(name), ".zst"))
		if err == nil && !d.IsZero() && keep(d) {
			return nil
		}
		if info, err := e.Info(); err == nil {
			freed += info.Size()
		}
		return p.root.Remove(name)
	})
	return freed, err
}
