package delta

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"

	"moult/core/release"
)

// Tree is the files of a release and a way to open them. If what Open returns is
// an [io.Seeker], parts of large files are read without what stands before them.
type Tree struct {
	Version release.Version
	Files   []release.File
	Open    func(release.Path) (io.ReadCloser, error)
}

// Options change how a delta is made. The zero value takes the commands zstd and
// bsdiff if they are there.
type Options struct {
	// Meta are the files that describe the package, by path below ".moult-package".
	Meta map[string][]byte
	// Zstd is the zstd command: a path, or "" for the one that is found in PATH, if any.
	Zstd string
	// Bsdiff is the bsdiff command, in the same way. It is tried on what doesn't look
	// like text, and taken where it gives less than zstd.
	Bsdiff string
	// GoOnly makes the delta without any command. The bytes then depend on nothing but
	// the trees and this code.
	GoOnly bool
	// Report is told after each pack how many bytes of new contents are packed, and of
	// how many. It may be nil.
	Report func(done, total int64)

	cut cut // zero: usualCut, or commandCut with the zstd command
}

// Make writes the delta that leads from one release to another. It needs about 100
// MiB of memory, whatever the size of the trees. Frames wait in a temporary file
// until the index, which stands before them, is complete.
func Make(ctx context.Context, w io.Writer, old, new Tree, o Options) (*Index, error) {
	m := maker{ctx: ctx, report: o.Report, cut: cmp.Or(o.cut, usualCut), old: old, new: new, oldFiles: byPath(old.Files), newFiles: byPath(new.Files)}
	dir, err := os.MkdirTemp("", "moult-delta-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	l := &library{}
	if err := m.tools(o, dir, l); err != nil {
		return nil, err
	}
	if m.frames, err = os.CreateTemp(dir, "frames"); err != nil {
		return nil, err
	}
	defer m.frames.Close()
	if err := m.make(o.Meta); err != nil {
		return nil, fmt.Errorf("delta from %s to %s: %w", old.Version, new.Version, err)
	}
	head, err := m.index.encode(ctx, newLists(old.Files, new.Files), m.encode)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(head); err != nil {
		return nil, err
	}
	if _, err := m.frames.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := io.Copy(w, m.frames); err != nil {
		return nil, err
	}
	return &m.index, nil
}

// encode makes a frame of contents that refers to a base.
type encode func(ctx context.Context, base, contents []byte) ([]byte, error)

// tools finds the commands to make a delta with.
func (m *maker) tools(o Options, dir string, l *library) error {
	m.encode = l.pack
	if o.GoOnly {
		return nil
	}
	zstd, err := find(o.Zstd, "zstd")
	if err != nil {
		return err
	}
	if zstd != "" {
		m.encode = (&command{zstd, dir, l}).pack
		m.cut = cmp.Or(o.cut, commandCut)
	}
	bsdiff, err := find(o.Bsdiff, "bsdiff")
	if bsdiff != "" {
		m.differ = &differ{bsdiff, dir}
	}
	return err
}

// find returns the path of a command that was asked for, or else of the usual one,
// or "" if that isn't there.
func find(asked, usual string) (string, error) {
	path, err := exec.LookPath(cmp.Or(asked, usual))
	if err != nil && asked != "" {
		return "", fmt.Errorf("command %s: %w", usual, err)
	}
	if err != nil {
		return "", nil
	}
	return path, nil
}

type maker struct {
	cut                cut
	ctx                context.Context
	report             func(done, total int64) // nil: nobody asks
	old, new           Tree
	oldFiles, newFiles map[release.Path]release.File
	encode             encode
	differ             *differ // nil: there is none
	frames             *os.File
	index              Index

	known          *landmarks // of the old file that was searched last
	hash           hash.Hash  // of the file that is being cut
	base, contents []byte     // kept from pack to pack, to be filled again
}

func (m *maker) make(meta map[string][]byte) error {
	m.index = Index{From: m.old.Version, To: m.new.Version}
	if len(meta) > 0 {
		m.contents = m.contents[:0]
		for _, name := range slices.Sorted(maps.Keys(meta)) {
			m.index.Meta = append(m.index.Meta, MetaFile{name, int64(len(meta[name]))})
			m.contents = append(m.contents, meta[name]...)
		}
		frame, err := m.encode(m.ctx, nil, m.contents)
		if err == nil {
			_, err = m.frames.Write(frame)
		}
		if err != nil {
			return fmt.Errorf("pack the description: %w", err)
		}
		m.index.MetaLength = int64(len(frame))
	}
	same, jobs := divide(m.old.Files, m.new.Files, m.cut)
	m.index.Same = same
	var packed, total int64
	for _, j := range jobs {
		total += m.size(j)
	}
	for _, j := range jobs {
		if err := m.pack(j); err != nil {
			return fmt.Errorf("pack %s: %w", j.files[0].Path, err)
		}
		if packed += m.size(j); m.report != nil {
			m.report(packed, total)
		}
	}
	return nil
}

// size is how many bytes of new contents a pack holds.
func (m *maker) size(j job) (n int64) {
	for _, p := range j.files {
		if p.isWhole() {
			n += m.newFiles[p.Path].Size
		} else {
			n += p.Size
		}
	}
	return n
}

func (m *maker) pack(j job) error {
	err := m.ctx.Err()
	if err != nil {
		return err
	}
	if m.contents, err = m.read(m.contents[:0], m.new, m.newFiles, j.files); err != nil {
		return err
	}
	if err := m.checkSegment(j.files[0]); err != nil {
		return err
	}
	if j.search != "" {
		if m.known == nil || m.known.path != j.search {
			if m.known, err = m.survey(j.search); err != nil {
				return err
			}
		}
		j.base = m.known.base(m.contents, max(j.files[0].At, 0))
	}
	if m.base, err = m.read(m.base[:0], m.old, m.oldFiles, j.base); err != nil {
		return err
	}
	frame, err := m.encode(m.ctx, m.base, m.contents)
	if err != nil {
		return err
	}
	p := Pack{Files: j.files, Base: j.base}
	if m.differ != nil && len(m.base) > 0 && isBinary(m.contents) {
		patch, err := m.differ.patch(m.ctx, m.base, m.contents)
		if err != nil {
			return err
		}
		if len(patch) < len(frame) {
			frame, p.Bsdiff = patch, true
		}
	}
	p.Length = int64(len(frame))
	m.index.Packs = append(m.index.Packs, p)
	_, err = m.frames.Write(frame)
	return err
}

// errChanging says that a tree is not what its list of files says.
var errChanging = errors.New("its contents are not those of the release")

// checkSegment hashes the pieces of a file that is cut, and compares after the last.
func (m *maker) checkSegment(p Piece) error {
	if p.isWhole() {
		return nil
	}
	if p.At == 0 {
		m.hash = sha256.New()
	}
	m.hash.Write(m.contents)
	f := m.newFiles[p.Path]
	if p.At+p.Size == f.Size && release.Digest(m.hash.Sum(nil)) != f.SHA256 {
		return errChanging
	}
	return nil
}

func (m *maker) survey(p release.Path) (*landmarks, error) {
	r, err := m.old.Open(p)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	h := sha256.New()
	l, err := survey(m.ctx, io.TeeReader(r, h), m.oldFiles[p], m.cut)
	if err == nil && release.Digest(h.Sum(nil)) != m.oldFiles[p].SHA256 {
		err = fmt.Errorf("%s: %w", p, errChanging)
	}
	return l, err
}

// read appends pieces of files. A whole file must be as the list says.
func (m *maker) read(b []byte, t Tree, files map[release.Path]release.File, pieces []Piece) ([]byte, error) {
	for _, p := range pieces {
		f := files[p.Path]
		r, err := openPiece(t.Open, p)
		if err != nil {
			return b, err
		}
		size := p.Size
		if p.isWhole() {
			size = f.Size
		}
		start := len(b)
		b = slices.Grow(b, int(size))[:start+int(size)]
		_, err = io.ReadFull(r, b[start:])
		if err == nil && p.isWhole() && release.DigestOf(b[start:]) != f.SHA256 {
			err = errChanging
		}
		if err := errors.Join(err, r.Close()); err != nil {
			return b, fmt.Errorf("read %s: %w", p.Path, err)
		}
	}
	return b, nil
}

// openPiece opens a file where a piece of it begins.
func openPiece(open func(release.Path) (io.ReadCloser, error), p Piece) (io.ReadCloser, error) {
	r, err := open(p.Path)
	if err != nil || p.At == 0 {
		return r, err
	}
	if s, ok := r.(io.Seeker); ok {
		_, err = s.Seek(p.At, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, r, p.At)
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}
