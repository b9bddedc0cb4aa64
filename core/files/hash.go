package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"moult/core/release"
)

// errNotFile is returned for what is neither a file nor a symbolic link.
var errNotFile = errors.New("is neither a file nor a link")

// stateOf reads the state of what lies at a path, hashing a file whole. Nothing
// there gives an error that is [fs.ErrNotExist].
func stateOf(t *tree, p string) (State, error) {
	info, err := t.lstat(p)
	if err != nil {
		return State{}, err
	}
	return stateOfLooked(t, p, info)
}

// stateOfLooked is [stateOf] for what was just looked at.
func stateOfLooked(t *tree, p string, info fs.FileInfo) (State, error) {
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		h, name, err := t.parent(p)
		if err != nil {
			return State{}, err
		}
		target, err := h.root.Readlink(name)
		if err != nil {
			return State{}, fmt.Errorf("%s: %w", p, unwrapPath(err))
		}
		return State{Mode: release.LocalMode(info.Mode()), SHA256: release.DigestOf([]byte(target)), Link: target}, nil
	case !info.Mode().IsRegular():
		return State{}, fmt.Errorf("%s %w", p, errNotFile)
	}
	f, info, err := t.openLooked(p, info)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	sum, n, err := hashOf(f, info.Size())
	if err != nil {
		return State{}, fmt.Errorf("%s: %w", p, unwrapPath(err))
	}
	return State{Size: n, Mode: release.LocalMode(info.Mode()), SHA256: sum}, nil
}

// bufferSize keeps memory flat, whatever the size of a file.
const bufferSize = 64 << 10

// buffers are those that nobody reads into at the moment.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// hashOf hashes what r, a file of about size bytes, has left. For a small file one
// read is enough: that it comes back short says that this was all.
func hashOf(r io.Reader, size int64) (release.Digest, int64, error) {
	h := sha256.New()
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	first := 0
	if size < bufferSize {
		var err error
		first, err = io.ReadAtLeast(r, buf[:], max(int(size), 1))
		h.Write(buf[:first])
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF || err == nil && first < bufferSize:
			return release.Digest(h.Sum(nil)), int64(first), nil
		case err != nil:
			return release.Digest{}, int64(first), err
		}
	}
	rest, err := io.CopyBuffer(h, struct{ io.Reader }{r}, buf[:])
	return release.Digest(h.Sum(nil)), int64(first) + rest, err
}

// eachParallel calls do for 0 … n-1 on every processor. Neighbouring numbers mostly
// go to one worker, with twins of the trees that it alone uses.
func eachParallel(ctx context.Context, trees []*tree, n int, do func(t []*tree, i int) error) error {
	run := min(max(n/(8*runtime.GOMAXPROCS(0)), 1), 64)
	g, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	g.Go(func() error {
		defer close(next)
		for i := 0; i < n; i += run {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			t := make([]*tree, len(trees))
			for i, like := range trees {
				t[i] = like.twin()
				defer t[i].close()
			}
			for first := range next {
				for i := first; i < min(first+run, n); i++ {
					if err := ctx.Err(); err != nil {
						return err
					}
					if err := do(t, i); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return g.Wait()
}
