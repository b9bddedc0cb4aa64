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
// with it. What ReadAt gives has passed the hash of its chunk; without chunks, and with
// [Request.Prove], it gives nothing before all of the file is verified.
//
// What was read is as trustworthy as [Request.Chunks]. What is made of it counts only
// once [Transfer.Wait] has returned without an error.
type Transfer struct {
	stop context.CancelCauseFunc
	done chan struct{}

	mu       sync.Mutex
	changed  *sync.Cond
	size     int64    // 0 until it is known
	verified int64    // length of the prefix that may be read
	file     *os.File // for reading; nil until the part exists
	digest   release.Digest
	err      error // why the download ended; io.EOF for success
}

// Start begins a download and returns at once. The caller calls [Transfer.Close] in the
// end. report is as in [Client.Download]; it is called from another goroutine, never
// after Wait has returned.
func (c *Client) Start(ctx context.Context, r Request, report func(done, total int64)) *Transfer {
	ctx, cancel := context.WithCancelCause(ctx)
	t := &Transfer{size: r.Size, stop: cancel, done: make(chan struct{})}
	t.changed = sync.NewCond(&t.mu)
	if r.Prove == nil {
		r.verified = t.advance
	}
	go func() {
		defer close(t.done)
		d, err := c.Download(ctx, r, report)
		if err == nil {
			err = t.complete(r.Dir, r.Name)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.digest, t.err = d, err
		if err == nil {
			t.err = io.EOF
		}
		t.changed.Broadcast()
	}()
	return t
}

// complete makes all of a finished file readable.
func (t *Transfer) complete(dir *os.Root, name string) error {
	info, err := dir.Stat(name)
	if err != nil {
		return err
	}
	return t.advance(dir, name, info.Size())
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
	t.size = max(t.size, verified)
	t.changed.Broadcast()
	return nil
}

// Size returns the size of the whole file. Where the request doesn't say it, that is
// known when the download has ended.
func (t *Transfer) Size() (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.size == 0 && t.err == nil {
		t.changed.Wait()
	}
	if t.size == 0 && t.err != io.EOF {
		return 0, t.err
	}
	return t.size, nil
}

// ReadAt implements [io.ReaderAt]. It waits until the bytes have been verified. When
// the download fails it returns that error.
func (t *Transfer) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read before the beginning")
	}
	size, err := t.Size()
	if err != nil {
		return 0, err
	}
	end := min(off+int64(len(p)), size)
	t.mu.Lock()
	for t.verified < end && t.err == nil {
		t.changed.Wait()
	}
	file, verified, err := t.file, t.verified, t.err
	t.mu.Unlock()
	if verified < end {
		return 0, err
	}
	if off >= size {
		return 0, io.EOF
	}
	n, err := file.ReadAt(p[:end-off], off)
	switch {
	case err == io.EOF && int64(n) < end-off:
		return n, io.ErrUnexpectedEOF // the file was emptied, as its hash is wrong
	case err == nil && n < len(p):
		err = io.EOF
	}
	return n, err
}

// Wait returns when the download has ended, with what [Client.Download] returns.
func (t *Transfer) Wait() (release.Digest, error) {
	<-t.done
	if t.err == io.EOF {
		return t.digest, nil
	}
	return t.digest, t.err
}

// Stop ends the download with [context.Canceled]; what has arrived stays for the next
// one.
func (t *Transfer) Stop() { t.stop(context.Canceled) }

// Close stops the download if it still runs, and waits for its end. ReadAt must not be
// called any more.
func (t *Transfer) Close() error {
	t.Stop()
	<-t.done
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
