package delta

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"
	"slices"

	"github.com/klauspost/compress/zstd"

	"moult/core/release"
)

// Limits bound the memory that applying a delta takes. A zero field means its
// default, which is four times what [Make] uses.
type Limits struct {
	Base   int64 // bytes of the dictionary of one pack; 0 means 32 MiB
	Window int64 // bytes of the window of one pack; 0 means 64 MiB
}

func (l Limits) withDefaults() Limits {
	if l.Base == 0 {
		l.Base = 32 << 20
	}
	if l.Window == 0 {
		l.Window = 64 << 20
	}
	return l
}

// Applied is what came of a delta.
type Applied struct {
	To    release.Version   // the new release, as the delta says
	Files []release.File    // that were written, in order of paths
	Gone  []release.Path    // files of the old release that the new one does not have, in order
	Meta  map[string][]byte // the files that describe the package, by path below ".moult-package"
	// Lost are the files that could not be made, in order of paths; they have to come
	// from another package.
	Lost []Lost
}

// Lost is a file that a delta could not make, as something that it starts from is
// not as it was shipped.
type Lost struct {
	Path release.Path
	Base release.Path // the file to blame
	Err  error        // what is wrong with it
}

// Apply makes the files of a new release that differ from those of an old one, and
// writes them into dst, which should be empty. Want are all files of the new release.
// old.Files must be those of the old release as it was shipped, and old.Open give
// their contents as they were shipped; what it gives is hashed before it is used.
// Report is called with bytes of the delta, and may be nil.
//
// A delta at fault, also one that leads from or to other releases, gives an error for
// which errors.Is(err, ErrMalformed) holds. Other errors come from the disk or from the
// context. After an error the caller throws away what is in dst.
func Apply(ctx context.Context, src io.ReaderAt, size int64, old Tree, want []release.File, dst *os.Root, lim Limits, report func(done, total int64)) (*Applied, error) {
	index, at, err := readIndex(src, size, newLists(old.Files, want))
	if err != nil {
		return nil, err
	}
	if !old.Version.IsZero() && index.From.Compare(old.Version) != 0 {
		return nil, fmt.Errorf("%w: it leads from %s, not from %s", ErrMalformed, index.From, old.Version)
	}
	if report == nil {
		report = func(int64, int64) {}
	}
	a := application{
		ctx: ctx, src: src, old: old, dst: dst, lim: lim.withDefaults(), to: index.To,
		oldFiles: byPath(old.Files), want: byPath(want),
		checked: map[release.Path]error{}, made: map[release.Path]bool{}, lost: map[release.Path]Lost{},
	}
	if err := a.meta(index, at); err != nil {
		return nil, err
	}
	at += index.MetaLength
	for _, s := range index.Same {
		if err := a.same(s); err != nil {
			return nil, err
		}
	}
	for _, p := range index.Packs {
		report(at, size)
		if err := a.pack(p, at); err != nil {
			return nil, errors.Join(err, a.drop())
		}
		at += p.Length
	}
	report(size, size)
	return a.finish(want)
}

type application struct {
	ctx            context.Context
	src            io.ReaderAt
	old            Tree
	dst            *os.Root
	lim            Limits
	to             release.Version
	oldFiles, want map[release.Path]release.File
	described      map[string][]byte

	checked map[release.Path]error // old files of which parts are used: what is wrong with them
	base    []byte                 // kept from pack to pack
	made    map[release.Path]bool
	lost    map[release.Path]Lost
	part    *partial // the file that the next pack goes on with
}

func malformed(p release.Path, reason string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrMalformed, p, fmt.Sprintf(reason, args...))
}

func (a *application) meta(index *Index, at int64) error {
	if len(index.Meta) == 0 {
		return nil
	}
	frame := make([]byte, index.MetaLength)
	if err := readAt(a.src, frame, at, at+index.MetaLength); err != nil {
		return fmt.Errorf("read the description: %w", err)
	}
	contents, err := unpackSmall(frame, maxMeta)
	if err != nil {
		return fmt.Errorf("%w: description: %w", ErrMalformed, err)
	}
	a.described = map[string][]byte{}
	for _, m := range index.Meta {
		if m.Size > int64(len(contents)) {
			return fmt.Errorf("%w: the description ends within %s", ErrMalformed, m.Name)
		}
		a.described[m.Name], contents = contents[:m.Size:m.Size], contents[m.Size:]
	}
	if len(contents) > 0 {
		return fmt.Errorf("%w: something follows the description", ErrMalformed)
	}
	return nil
}

// same copies a file that the old release has under another name.
func (a *application) same(s Same) error {
	f, err := a.wanted(s.New)
	if err != nil {
		return err
	}
	from, ok := a.oldFiles[s.Old]
	if !ok || from.SHA256 != f.SHA256 || from.Size != f.Size {
		return malformed(s.New, "is not the same as %s", s.Old)
	}
	r, err := a.old.Open(s.Old)
	if err != nil {
		a.lose(s.New, s.Old, err)
		return nil
	}
	defer r.Close()
	part, err := a.begin(f)
	if err != nil {
		return err
	}
	n, err := io.Copy(part, io.LimitReader(&patient{a.ctx, r}, f.Size+1))
	switch {
	case part.failed != nil || a.ctx.Err() != nil:
		return errors.Join(part.failed, a.ctx.Err(), part.drop())
	case err != nil:
		a.lose(s.New, s.Old, err)
		return part.drop()
	case n != f.Size || part.digest() != f.SHA256:
		a.lose(s.New, s.Old, errChanged)
		return part.drop()
	}
	a.made[f.Path] = true
	return part.done()
}

// errChanged says why an old file can't be used.
var errChanged = errors.New("it is not as it was shipped")

// wanted returns what the new release says of a file that the delta is about to make.
func (a *application) wanted(p release.Path) (release.File, error) {
	f, ok := a.want[p]
	switch {
	case !ok:
		return f, malformed(p, "is no file of the new release")
	case a.made[p]:
		return f, malformed(p, "is made twice")
	}
	if _, lost := a.lost[p]; lost {
		return f, malformed(p, "is made twice")
	}
	return f, nil
}

func (a *application) lose(p, base release.Path, err error) {
	a.lost[p] = Lost{p, base, err}
}

func (a *application) pack(p Pack, at int64) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	blame, err := a.loadBase(p.Base)
	if err != nil && (a.ctx.Err() != nil || errors.Is(err, ErrMalformed)) {
		return err
	}
	if err != nil {
		return a.losePack(p, blame, err)
	}
	r, err := a.open(p, at)
	if err != nil {
		return malformed(p.Files[0].Path, "can't be unpacked: %v", err)
	}
	defer r.Close()
	for _, piece := range p.Files {
		if err := a.piece(piece, r); err != nil {
			return err
		}
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return malformed(p.Files[len(p.Files)-1].Path, "its pack is longer than its files: %v", err)
	}
	return nil
}

// open returns what a pack unpacks to, with the dictionary that is loaded.
func (a *application) open(p Pack, at int64) (io.ReadCloser, error) {
	if p.Bsdiff {
		r, err := newPatchReader(a.src, at, p.Length, a.base)
		return io.NopCloser(r), err
	}
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeBuffersBelow(0),
		zstd.WithDecoderMaxWindow(uint64(a.lim.Window)),
	}
	if len(a.base) > 0 {
		options = append(options, zstd.WithDecoderDictRaw(0, a.base))
	}
	d, err := zstd.NewReader(io.NewSectionReader(a.src, at, p.Length), options...)
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// losePack leaves out all files of a pack.
func (a *application) losePack(p Pack, base release.Path, cause error) error {
	for _, piece := range p.Files {
		if _, lost := a.lost[piece.Path]; lost && piece.At > 0 {
			continue
		}
		if a.part != nil && a.part.file.Path == piece.Path {
			if err := a.drop(); err != nil {
				return err
			}
		} else if _, err := a.wanted(piece.Path); err != nil {
			return err
		}
		a.lose(piece.Path, base, cause)
	}
	return nil
}

// loadBase reads the dictionary of a pack. Where that fails it also returns the
// file to blame.
func (a *application) loadBase(pieces []Piece) (release.Path, error) {
	a.base = a.base[:0]
	for _, p := range pieces {
		f, ok := a.oldFiles[p.Path]
		switch {
		case !ok:
			return p.Path, malformed(p.Path, "is no file of the old release")
		case !p.isWhole() && (p.At > f.Size || p.Size > f.Size-p.At):
			return p.Path, malformed(p.Path, "has no bytes from %d to %d", p.At, p.At+p.Size)
		}
		size := p.Size
		if p.isWhole() {
			size = f.Size
		}
		if int64(len(a.base))+size > a.lim.Base {
			return p.Path, malformed(p.Path, "brings what a pack starts from to more than %d bytes", a.lim.Base)
		}
		if err := a.loadPiece(p, f, size); err != nil {
			return p.Path, err
		}
	}
	return "", nil
}

func (a *application) loadPiece(p Piece, f release.File, size int64) error {
	if !p.isWhole() {
		if err := a.check(f); err != nil {
			return err
		}
	}
	r, err := openPiece(a.old.Open, p)
	if err != nil {
		return err
	}
	defer r.Close()
	start := len(a.base)
	a.base = slices.Grow(a.base, int(size))[:start+int(size)]
	if _, err := io.ReadFull(&patient{a.ctx, r}, a.base[start:]); err != nil {
		return fmt.Errorf("%w: %w", errChanged, err)
	}
	if p.isWhole() && release.DigestOf(a.base[start:]) != f.SHA256 {
		return errChanged
	}
	return nil
}

// check hashes a whole old file of which only parts are going to be read. Should it
// change afterwards, the hash of the new file tells.
func (a *application) check(f release.File) error {
	if err, done := a.checked[f.Path]; done {
		return err
	}
	r, err := a.old.Open(f.Path)
	if err == nil {
		h := sha256.New()
		_, err = io.Copy(h, &patient{a.ctx, r})
		if err == nil && release.Digest(h.Sum(nil)) != f.SHA256 {
			err = errChanged
		}
		err = errors.Join(err, r.Close())
	}
	if a.ctx.Err() != nil {
		return a.ctx.Err()
	}
	a.checked[f.Path] = err
	return err
}

// piece writes the next bytes of a pack to the file that they belong to.
func (a *application) piece(p Piece, r io.Reader) error {
	if _, lost := a.lost[p.Path]; lost && p.At > 0 {
		_, err := io.CopyN(io.Discard, &patient{a.ctx, r}, p.Size)
		if err != nil && a.ctx.Err() == nil {
			return malformed(p.Path, "can't be unpacked: %v", err)
		}
		return err
	}
	part, err := a.partFor(p)
	if err != nil {
		return err
	}
	size := p.Size
	if p.isWhole() {
		size = part.file.Size
	}
	n, err := io.Copy(part, &patient{a.ctx, io.LimitReader(r, size)})
	switch {
	case part.failed != nil || a.ctx.Err() != nil:
		return errors.Join(part.failed, a.ctx.Err())
	case err != nil:
		return malformed(p.Path, "can't be unpacked: %v", err)
	case n != size:
		return malformed(p.Path, "its pack ends %d bytes early", size-n)
	case part.written < part.file.Size:
		return nil
	case part.digest() != part.file.SHA256:
		return malformed(p.Path, "what was made is not what the new release has")
	}
	a.part = nil
	a.made[p.Path] = true
	return part.done()
}

// partFor returns the file that a piece is the next part of.
func (a *application) partFor(p Piece) (*partial, error) {
	if a.part != nil {
		if a.part.file.Path != p.Path || p.isWhole() || p.At != a.part.written || p.Size > a.part.file.Size-p.At {
			return nil, malformed(p.Path, "stands where more of %s is due", a.part.file.Path)
		}
		return a.part, nil
	}
	f, err := a.wanted(p.Path)
	if err != nil {
		return nil, err
	}
	if p.At != 0 || p.Size > f.Size {
		return nil, malformed(p.Path, "does not begin at its beginning")
	}
	a.part, err = a.begin(f)
	return a.part, err
}

func (a *application) drop() error {
	if a.part == nil {
		return nil
	}
	part := a.part
	a.part = nil
	return part.drop()
}

// finish makes sure that nothing is missing from the new release that is not
// known to be lost.
func (a *application) finish(want []release.File) (*Applied, error) {
	if a.part != nil {
		return nil, errors.Join(malformed(a.part.file.Path, "ends too early"), a.drop())
	}
	r := &Applied{To: a.to, Meta: a.described}
	for _, f := range sorted(want) {
		lost, isLost := a.lost[f.Path]
		switch {
		case a.made[f.Path]:
			r.Files = append(r.Files, f)
		case isLost:
			r.Lost = append(r.Lost, lost)
		case !unchanged(f, a.oldFiles):
			return nil, malformed(f.Path, "differs in the new release, and the delta does not make it")
		}
	}
	for _, f := range sorted(a.old.Files) {
		if _, kept := a.want[f.Path]; !kept {
			r.Gone = append(r.Gone, f.Path)
		}
	}
	return r, nil
}

// partial is a file that is being written.
type partial struct {
	file    release.File
	dst     *os.Root
	f       *os.File
	hash    hash.Hash
	written int64
	failed  error // of writing, to tell it from errors of reading
}

func (a *application) begin(f release.File) (*partial, error) {
	if dir := path.Dir(string(f.Path)); dir != "." {
		if err := a.dst.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make directory %s: %w", dir, err)
		}
	}
	w, err := a.dst.OpenFile(string(f.Path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", f.Path, err)
	}
	return &partial{file: f, dst: a.dst, f: w, hash: sha256.New()}, nil
}

// Write implements [io.Writer].
func (p *partial) Write(b []byte) (int, error) {
	n, err := p.f.Write(b)
	p.hash.Write(b[:n])
	p.written += int64(n)
	if err != nil {
		p.failed = fmt.Errorf("write %s: %w", p.file.Path, err)
	}
	return n, err
}

func (p *partial) digest() release.Digest { return release.Digest(p.hash.Sum(nil)) }

func (p *partial) done() error {
	if err := errors.Join(p.f.Chmod(os.FileMode(p.file.Mode)), p.f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", p.file.Path, err)
	}
	return nil
}

func (p *partial) drop() error {
	return errors.Join(p.f.Close(), p.dst.Remove(string(p.file.Path)))
}

// patient is a reader that gives up when its context ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

// Read implements [io.Reader].
func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
