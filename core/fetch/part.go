package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"

	"moult/core/release"
)

// part is a file that is being downloaded: a prefix of it is on the disk, and its
// running hashes are in memory.
type part struct {
	Request
	file  *os.File
	pos   int64     // length of the prefix
	start int64     // where the current piece begins; 0 throughout without chunks
	whole hash.Hash // of the bytes up to pos
	saved hash.Hash // of the bytes up to start
	piece hash.Hash // of the bytes from start to pos; used with chunks only
	total int64     // as the server says, -1 unknown; only counts if Size is 0
	ended bool      // the stream of a file of unknown size came to its end
	skip  int64     // bytes of the stream that are on the disk already
	state partState
}

// partState is kept beside the part so that another process can go on.
type partState struct {
	Size   int64          `json:"size"`
	Digest release.Digest `json:"digest"`
	URL    string         `json:"url"`
	ETag   string         `json:"etag"`
}

func (r *Request) partName() string  { return r.Name + ".part" }
func (r *Request) stateName() string { return r.Name + ".part.json" }

// openPart opens or creates the part of a request and hashes what is there.
func openPart(ctx context.Context, r Request) (*part, error) {
	p := &part{Request: r, total: -1}
	old := p.loadState()
	f, err := r.Dir.OpenFile(r.partName(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	p.file = f
	p.reset()
	p.state = partState{Size: r.Size, Digest: r.Digest}
	same := old.Size == r.Size && old.Digest == r.Digest
	if same && (old.ETag != "" || !r.Digest.IsZero()) {
		p.state = old
		if err := p.rehash(ctx); err != nil {
			f.Close()
			return nil, err
		}
	}
	return p, errors.Join(p.truncate(), p.saveState())
}

func (p *part) loadState() (s partState) {
	b, err := p.Dir.ReadFile(p.stateName())
	if err != nil || json.Unmarshal(b, &s) != nil {
		return partState{Size: -1}
	}
	return s
}

func (p *part) saveState() error {
	b, err := json.Marshal(p.state)
	if err != nil {
		return err
	}
	return final(p.Dir.WriteFile(p.stateName(), b, 0o600))
}

// rehash takes over what an earlier process left: with chunks everything up to the
// first wrong one, without chunks all of it.
func (p *part) rehash(ctx context.Context) error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	left := info.Size()
	if p.Size > 0 {
		left = min(left, p.Size)
	}
	buffer := make([]byte, bufferSize)
	for left > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := p.file.ReadAt(p.room(buffer[:min(left, bufferSize)]), p.pos)
		if n == 0 {
			return err
		}
		left -= int64(n)
		p.take(buffer[:n])
		if p.pieceFull() && !p.closePiece() {
			break
		}
	}
	return p.announce()
}

// room cuts a buffer to what fits the current piece, or the size limit. One byte
// beyond a limit is let in, to notice that there is more.
func (p *part) room(buffer []byte) []byte {
	left := p.MaxSize + 1 - p.pos
	switch {
	case p.skip > 0:
		left = p.skip
	case len(p.Chunks) > 0:
		left = min(p.start+release.ChunkSize, p.Size) - p.pos
	case p.Size > 0:
		left = p.Size - p.pos
	}
	return buffer[:min(int64(len(buffer)), left)]
}

// begin prepares for a stream that starts where the server says.
func (p *part) begin(address string, s *stream) error {
	if p.Size > 0 && s.total >= 0 && s.total != p.Size {
		return fmt.Errorf("%s: %d bytes, want %d: %w", Redacted(address), s.total, p.Size, ErrProtocol)
	}
	if s.total > p.MaxSize {
		return fmt.Errorf("%s: %d bytes, at most %d allowed: %w", Redacted(address), s.total, p.MaxSize, ErrTooLarge)
	}
	changed := s.offset > 0 && s.etag != "" && p.state.URL == address && p.state.ETag != "" && s.etag != p.state.ETag
	p.skip = 0
	switch {
	case len(p.Chunks) > 0:
		p.skip = p.pos - s.offset // what is verified needs no second look, whatever came before
	case changed:
		if err := p.restart(); err != nil {
			return err
		}
		return fmt.Errorf("%s: the file changed on the server: %w", Redacted(address), io.ErrUnexpectedEOF)
	case s.offset < p.pos:
		if err := p.restart(); err != nil {
			return err
		}
	}
	p.total = s.total
	if p.state.URL != address || p.state.ETag != s.etag {
		p.state.URL, p.state.ETag = address, s.etag
		return p.saveState()
	}
	return nil
}

// tagFor returns the entity tag under which the prefix came from address. A prefix
// that hashes protect is asked for without one.
func (p *part) tagFor(address string) string {
	if p.state.URL != address {
		return ""
	}
	return p.state.ETag
}

// add takes the next bytes of a stream.
func (p *part) add(b []byte, address string) error {
	if p.skip > 0 {
		p.skip -= int64(len(b))
		return nil
	}
	if p.Size == 0 && p.pos+int64(len(b)) > p.MaxSize {
		return errors.Join(fmt.Errorf("%s: more than %d bytes: %w", Redacted(address), p.MaxSize, ErrTooLarge), p.restart())
	}
	if _, err := p.file.WriteAt(b, p.pos); err != nil {
		return final(err)
	}
	p.take(b)
	if !p.pieceFull() {
		return nil
	}
	if !p.closePiece() {
		return errors.Join(fmt.Errorf("%s: bytes from %d on: %w", Redacted(address), p.start, ErrHash), p.truncate())
	}
	return p.announce()
}

// announce tells who reads along how far the verified pieces reach.
func (p *part) announce() error {
	if p.verified == nil || p.start == 0 {
		return nil
	}
	return final(p.verified(p.Dir, p.partName(), p.start))
}

func (p *part) take(b []byte) {
	p.piece.Write(b)
	p.whole.Write(b)
	p.pos += int64(len(b))
}

func (p *part) pieceFull() bool {
	return len(p.Chunks) > 0 && (p.pos == p.Size || p.pos == p.start+release.ChunkSize)
}

// closePiece checks a full piece and goes on to the next, or back to its beginning.
func (p *part) closePiece() bool {
	if release.Digest(p.piece.Sum(nil)) != p.Chunks[p.start/release.ChunkSize] {
		p.pos = p.start
		p.whole = clone(p.saved)
		p.piece.Reset()
		return false
	}
	p.start = p.pos
	p.saved = clone(p.whole)
	p.piece.Reset()
	return true
}

// clone copies the state of a running SHA-256.
func clone(h hash.Hash) hash.Hash {
	c, err := h.(hash.Cloner).Clone()
	if err != nil {
		panic("SHA-256 can't be cloned: " + err.Error()) // crypto/sha256 documents that it can
	}
	return c
}

// resumable reports whether something will notice if the prefix and what address
// sends next belong to different files.
func (p *part) resumable(address string) bool {
	return len(p.Chunks) > 0 || !p.Digest.IsZero() || p.tagFor(address) != ""
}

// reset makes the part empty in memory.
func (p *part) reset() {
	p.pos, p.start, p.skip, p.ended = 0, 0, 0, false
	p.whole, p.saved, p.piece = sha256.New(), sha256.New(), sha256.New()
}

// restart makes the part empty on the disk too.
func (p *part) restart() error {
	p.reset()
	return p.truncate()
}

func (p *part) truncate() error { return final(p.file.Truncate(p.pos)) }

func (p *part) done() bool { return p.ended || (p.Size > 0 && p.pos == p.Size) }

// length is the size of the whole file, -1 while that is unknown.
func (p *part) length() int64 {
	if p.Size > 0 {
		return p.Size
	}
	return p.total
}

// end is told that the stream is over.
func (p *part) end(address string) error {
	if p.Size > 0 || (p.total >= 0 && p.pos < p.total) {
		return fmt.Errorf("%s: ended after %d of %d bytes: %w", Redacted(address), p.pos, p.length(), io.ErrUnexpectedEOF)
	}
	p.ended = true
	return p.verify(address)
}

// verify checks the whole file; a wrong one is emptied.
func (p *part) verify(address string) error {
	if p.Digest.IsZero() || release.Digest(p.whole.Sum(nil)) == p.Digest {
		return nil
	}
	err := fmt.Errorf("%s: %w: want %s, got %x", Redacted(address), ErrHash, p.Digest.Hex(), p.whole.Sum(nil))
	if len(p.Chunks) > 0 {
		// Every piece is as it should be: another mirror would send the same. Nobody may
		// write here again either, as what was verified may be being read.
		err = final(err)
	}
	return errors.Join(err, p.restart())
}

// prove asks the caller about the whole file; one that is refused is emptied.
func (p *part) prove() error {
	if p.Prove == nil {
		return nil
	}
	if err := p.Prove(p.file); err != nil {
		return errors.Join(err, p.restart())
	}
	return nil
}

// finish gives the verified file its name. It is not synced: a power loss may leave less
// of it, and then its digest tells the next download so.
func (p *part) finish() (release.Digest, error) {
	err := p.file.Close()
	p.file = nil
	if err == nil {
		err = p.Dir.Rename(p.partName(), p.Name)
	}
	if err == nil {
		err = p.Dir.Remove(p.stateName())
	}
	if err != nil {
		return release.Digest{}, fmt.Errorf("download %s: %w", p.Name, err)
	}
	return release.Digest(p.whole.Sum(nil)), nil
}

// suspend leaves what another process can go on with, and nothing if there is nothing.
func (p *part) suspend() error {
	if p.pos > 0 {
		return nil
	}
	p.close()
	return errors.Join(ignoreMissing(p.Dir.Remove(p.partName())), ignoreMissing(p.Dir.Remove(p.stateName())))
}

func (p *part) close() {
	if p.file != nil {
		p.file.Close()
		p.file = nil
	}
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func digestOf(r io.Reader) (release.Digest, error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return release.Digest{}, err
	}
	return release.Digest(h.Sum(nil)), nil
}
