package delta

import (
	"bytes"
	"compress/bzip2"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// differ makes patches with the bsdiff command. A program that is compiled anew has
// other addresses everywhere; bsdiff sends how much they differ, which is nearly
// always the same, where zstd finds hardly a match.
type differ struct {
	path string
	dir  string // for its input and output files
}

func (d *differ) patch(ctx context.Context, base, contents []byte) ([]byte, error) {
	in, old, out := filepath.Join(d.dir, "new"), filepath.Join(d.dir, "old"), filepath.Join(d.dir, "patch")
	if err := errors.Join(os.WriteFile(in, contents, 0o600), os.WriteFile(old, base, 0o600)); err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, d.path, old, in, out)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", d.path, err, strings.TrimSpace(said.String())))
	}
	return os.ReadFile(out)
}

// isBinary reports whether contents are more likely those of a program than text.
func isBinary(contents []byte) bool {
	return bytes.IndexByte(contents[:min(len(contents), 64<<10)], 0) >= 0
}

// Parts of a patch of bsdiff 4.3: bspatch.c.
const (
	patchMagic      = "BSDIFF40"
	patchHeadLength = 32
	// maxIdle is how many steps without effect a patch may have; bsdiff writes one at most.
	maxIdle = 1000
)

// patchReader unpacks a patch. Each step of it adds bytes to those of the old
// contents, takes bytes as they are, and moves within the old contents.
type patchReader struct {
	steps, diff, extra io.Reader
	old                []byte
	at                 int64 // in old
	left               int64 // bytes of the new contents that are still to come
	add, take, move    int64 // what is left of the current step
	idle               int
}

func newPatchReader(src io.ReaderAt, at, length int64, old []byte) (*patchReader, error) {
	head := make([]byte, patchHeadLength)
	if err := readAt(src, head, at, at+length); err != nil {
		return nil, err
	}
	steps, diff, size := offset(head[8:]), offset(head[16:]), offset(head[24:])
	rest := length - patchHeadLength
	if string(head[:8]) != patchMagic || steps < 0 || diff < 0 || size < 0 || steps > rest || diff > rest-steps {
		return nil, errors.New("it is no patch of bsdiff")
	}
	at += patchHeadLength
	part := func(from, length int64) io.Reader { return bzip2.NewReader(io.NewSectionReader(src, at+from, length)) }
	return &patchReader{
		steps: part(0, steps), diff: part(steps, diff), extra: part(steps+diff, rest-steps-diff),
		old: old, left: size,
	}, nil
}

// offset reads a number as bsdiff writes it: a sign and 63 bits, least significant
// byte first.
func offset(b []byte) int64 {
	n := binary.LittleEndian.Uint64(b)
	if n>>63 == 1 {
		return -int64(n &^ (1 << 63))
	}
	return int64(n)
}

// Read implements [io.Reader].
func (p *patchReader) Read(b []byte) (int, error) {
	for p.add == 0 && p.take == 0 {
		if p.left == 0 {
			return 0, io.EOF
		}
		if err := p.step(); err != nil {
			return 0, err
		}
	}
	from, n := p.extra, min(int64(len(b)), p.take)
	if p.add > 0 {
		from, n = p.diff, min(int64(len(b)), p.add)
	}
	b = b[:n]
	if _, err := io.ReadFull(from, b); err != nil {
		return 0, fmt.Errorf("the patch is cut off: %w", err)
	}
	p.left -= n
	if p.add == 0 {
		p.take -= n
		return int(n), nil
	}
	for i := range b {
		if at := p.at + int64(i); at >= 0 && at < int64(len(p.old)) {
			b[i] += p.old[at]
		}
	}
	p.at += n
	p.add -= n
	return int(n), nil
}

// step reads what to do next, after the move that ends the step before.
func (p *patchReader) step() error {
	b := make([]byte, 24)
	if _, err := io.ReadFull(p.steps, b); err != nil {
		return fmt.Errorf("the patch is cut off: %w", err)
	}
	p.at += p.move
	p.add, p.take, p.move = offset(b), offset(b[8:]), offset(b[16:])
	if p.add == 0 && p.take == 0 {
		p.idle++
	}
	const far = 1 << 40 // no old contents are as long, and sums stay in range
	if p.add < 0 || p.take < 0 || p.add > p.left || p.take > p.left-p.add || max(p.at, -p.at, p.move, -p.move) > far || p.idle > maxIdle {
		return errors.New("the patch is damaged")
	}
	return nil
}
