package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"moult/core/release"
)

// Request says what to download and where to.
type Request struct {
	// URLs are the places that have the file, best first.
	URLs []string
	// Size in bytes; 0 when it is not known.
	Size int64
	// Digest of the file; zero when it is not known, which only a site that allows
	// unsigned packages should accept.
	Digest release.Digest
	// Chunks are the hashes of the pieces of [release.ChunkSize] bytes. They count
	// only together with Size.
	Chunks []release.Digest
	// Dir and Name are where the file goes.
	Dir  *os.Root
	Name string
	// MaxSize caps a file whose Size is not known. 0: 8 GiB.
	MaxSize int64
	// Prove, when set, has the last word on a file whose hashes are right, before it
	// gets its name. It is for signatures over the whole file.
	Prove func(*os.File) error

	// verified, when set, is told how much of which file has passed its hashes.
	verified func(dir *os.Root, name string, length int64) error
}

// defaultMaxSize is far above any package of a site and below what fills a usual disk.
const defaultMaxSize = 8 << 30

// bufferSize is how much is read, hashed and written at a time.
const bufferSize = 128 << 10

// progressStep is how many bytes a connection has to bring to count as progress;
// fewer, and the failures before it still count towards [Options.Attempts].
const progressStep = 16 << 10

// Download brings a file to r.Dir under r.Name and returns its digest. A file that is
// there already with the right digest is not fetched again. report gets the bytes at
// hand and the size, -1 while that is unknown.
//
// The errors are [ErrHash], [ErrTooLarge], [ErrStalled], [ErrProtocol],
// [ErrInsecureRedirect], [*StatusError], those of the network, of the local disk, of
// the context and of r.Prove. With several URLs it is the error of each. When the disk
// is full, what is on it is kept for the next attempt.
func (c *Client) Download(ctx context.Context, r Request, report func(done, total int64)) (release.Digest, error) {
	if err := r.check(); err != nil {
		return release.Digest{}, err
	}
	if report == nil {
		report = func(done, total int64) {}
	}
	if d, ok := complete(r); ok {
		report(r.Size, r.Size)
		return d, nil
	}
	p, err := openPart(ctx, r)
	if err != nil {
		return release.Digest{}, fmt.Errorf("download %s: %w", r.Name, err)
	}
	defer p.close()
	if err := c.fill(ctx, p, report); err != nil {
		return release.Digest{}, errors.Join(fmt.Errorf("download %s: %w", r.Name, err), p.suspend())
	}
	if err := p.prove(); err != nil {
		return release.Digest{}, errors.Join(fmt.Errorf("download %s: %w", r.Name, err), p.suspend())
	}
	return p.finish()
}

func (r *Request) check() error {
	switch {
	case len(r.URLs) == 0:
		return fmt.Errorf("download %s: no address", r.Name)
	case len(r.Chunks) > 0 && r.Size > 0 && int64(len(r.Chunks)) != (r.Size+release.ChunkSize-1)/release.ChunkSize:
		return fmt.Errorf("download %s: %d chunk hashes do not fit %d bytes: %w", r.Name, len(r.Chunks), r.Size, ErrProtocol)
	}
	if r.Size == 0 {
		r.Chunks = nil
	}
	if r.MaxSize == 0 {
		r.MaxSize = defaultMaxSize
	}
	if r.Size > r.MaxSize {
		return fmt.Errorf("download %s: %d bytes, at most %d allowed: %w", r.Name, r.Size, r.MaxSize, ErrTooLarge)
	}
	return nil
}

// complete reports whether the file is there with the right digest already.
func complete(r Request) (release.Digest, bool) {
	if r.Digest.IsZero() {
		return release.Digest{}, false
	}
	f, err := r.Dir.Open(r.Name)
	if err != nil {
		return release.Digest{}, false
	}
	defer f.Close()
	d, err := digestOf(f)
	if err != nil || d != r.Digest {
		return d, false
	}
	if r.Prove == nil {
		return d, true
	}
	_, err = f.Seek(0, io.SeekStart)
	return d, err == nil && r.Prove(f) == nil
}

// Discard removes what downloads to name in dir have left: the file, finished or not.
func Discard(dir *os.Root, name string) error {
	r := Request{Name: name}
	var errs []error
	for _, file := range []string{name, r.partName(), r.stateName()} {
		errs = append(errs, ignoreMissing(dir.Remove(file)))
	}
	return errors.Join(errs...)
}

// mirror is one of the addresses and what became of it.
type mirror struct {
	url      string
	failures int   // in a row, without progress between
	wrong    int   // wrong hashes, without a verified piece between
	rejected error // why it is not asked any more
}

// fill brings the missing bytes of p from the mirrors.
func (c *Client) fill(ctx context.Context, p *part, report func(done, total int64)) error {
	mirrors := make([]*mirror, len(p.URLs))
	for i, u := range p.URLs {
		mirrors[i] = &mirror{url: u}
	}
	for {
		m := firstUsable(mirrors)
		if m == nil {
			return rejections(mirrors)
		}
		before, verified := p.pos, p.start
		err := c.fillFrom(ctx, p, m, report)
		if err == nil {
			return nil
		}
		var end *finalError
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &end):
			return err
		}
		if p.pos-before >= progressStep {
			m.failures = 0
		}
		m.failures++
		if p.start > verified {
			m.wrong = 0
		}
		if errors.Is(err, ErrHash) {
			m.wrong++
		}
		if permanent(err) || m.failures >= c.o.Attempts || m.wrong > 1 {
			m.rejected = err
			continue
		}
		if wait := c.pause(ctx, m.failures, err); wait != nil {
			if ctx.Err() != nil {
				return wait
			}
			m.rejected = wait
		}
	}
}

func firstUsable(mirrors []*mirror) *mirror {
	for _, m := range mirrors {
		if m.rejected == nil {
			return m
		}
	}
	return nil
}

func rejections(mirrors []*mirror) error {
	if len(mirrors) == 1 {
		return mirrors[0].rejected
	}
	var all []error
	for _, m := range mirrors {
		all = append(all, m.rejected)
	}
	return fmt.Errorf("every mirror failed: %w", errors.Join(all...))
}

// fillFrom takes as much as one connection to one mirror gives. nil means that p is
// complete and verified.
func (c *Client) fillFrom(ctx context.Context, p *part, m *mirror, report func(done, total int64)) error {
	if p.done() {
		return p.verify(m.url)
	}
	if p.pos > 0 && !p.resumable(m.url) {
		if err := p.restart(); err != nil {
			return err
		}
	}
	s, err := c.open(ctx, m.url, p.pos, p.tagFor(m.url))
	if err != nil {
		var status *StatusError
		if errors.As(err, &status) && status.Code == 416 && p.pos > 0 && len(p.Chunks) == 0 {
			// The server's file ends before our position: it is another file, and
			// without hashes of pieces nothing tells which of our bytes are good.
			return errors.Join(fmt.Errorf("%s: shorter than what is here already: %w", Redacted(m.url), io.ErrUnexpectedEOF), p.restart())
		}
		return err
	}
	defer s.Close()
	if err := p.begin(m.url, s); err != nil {
		return err
	}
	report(p.pos, p.length())
	buffer := make([]byte, bufferSize)
	for !p.done() {
		n, err := s.Read(p.room(buffer))
		if n > 0 {
			if err := p.add(buffer[:n], m.url); err != nil {
				return err
			}
			report(p.pos, p.length())
		}
		if err == io.EOF {
			return p.end(m.url)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", Redacted(m.url), err)
		}
	}
	return p.verify(m.url)
}
