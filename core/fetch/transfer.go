package fetch

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"moult/core/release"
)

// Transfer is a download that can be read while it runs, so that unpacking overlaps
// with it. What ReadAt gives has passed the hash of its chunk.
//
// It is as trustworthy as [Request.Chunks]: use it when these come from signed
// metadata, and wait for [Client.Download] where the signature is that of the file.
type Transfer struct {
	size int64
	stop context.CancelCauseFunc
	done chan struct{}

	mu       sync.Mutex
	changed  *sync.Cond
	verified int64    // length of the prefix that may be read
	file     *os.File // for reading; nil until the part exists
	digest   release.Digest
	err      error // why the download ended; io.EOF for success
}

// Start begins a download and returns at once. The size must be known. The caller
// calls [Transfer.Wait] in the end, also after an error of ReadAt.
func (c *Client) Start(ctx context.Context, r Request, report func(done, total int64)) (*Transfer, error) {
	if r.Size <= 0 {
		return nil, errors.New("a transfer needs the size of the file")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	t := &Transfer{size: r.Size, stop: cancel, done: make(chan struct{})}
	t.changed = sync.NewCond(&t.mu)
	r.verified = t.advance
	go func() {
		defer close(t.done)
		d, err := c.Download(ctx, r, report)
		if err == nil {
			err = t.advance(r.Dir, r.Name, r.Size)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.digest, t.err = d, err
		if err == nil {
			t.err = io.EOF
		}
		t.changed.Broadcast()
	}()
	return t, nil
}

// advance is told how much of a file may be read.
func (t *Transfer) advance(dir *os.Root, name string, verified int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		f, err := dir.Open(name)
		if err != nil {
			return err
		}
		t.file = f
	}
	t.verified = max(t.verified, verified)
	t.changed.Broadcast()
	return nil
}

// Size is the size of the whole file.
func (t *Transfer) Size() int64 { return t.size }

// ReadAt implements [io.ReaderAt]. It waits until the bytes have been verified. When
// the download fails it returns that error.
func (t *Transfer) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	end := min(off+int64(len(p)), t.size)
	t.mu.Lock()
	for t.verified < end && t.err == nil {
		t.changed.Wait()
	}
	file, verified, err := t.file, t.verified, t.err
	t.mu.Unlock()
	if verified < end {
		return 0, err
	}
	if off >= t.size {
		return 0, io.EOF
	}
	n, err := file.ReadAt(p[:end-off], off)
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

// Stop ends the download; what has arrived stays for the next one.
func (t *Transfer) Stop() { t.stop(context.Canceled) }

// Wait returns when the download has ended, with what [Client.Download] returns. ReadAt
// must not be called any more.
func (t *Transfer) Wait() (release.Digest, error) {
	<-t.done
	t.stop(nil)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != nil {
		t.file.Close()
	}
	if t.err == io.EOF {
		return t.digest, nil
	}
	return t.digest, t.err
}
