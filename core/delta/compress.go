package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// library makes frames with the Go library. Its tables take 64 MiB, so one of them
// serves all packs of a delta, one after the other.
type library struct {
	encoder *zstd.Encoder
	window  int
}

// pack makes a frame with contents that refers to a raw dictionary. A base of no
// bytes is no dictionary.
func (l *library) pack(_ context.Context, base, contents []byte) ([]byte, error) {
	// Every offset, also from the last byte back to the first of the dictionary, has
	// to be within the window.
	if need := windowFor(len(base) + len(contents)); l.encoder == nil || l.window < need {
		l.window = max(need, packWindow)
		e, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(l.window), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
		if err != nil {
			return nil, err
		}
		l.encoder = e
	}
	dictionary := zstd.WithEncoderDictDelete()
	if len(base) > 0 {
		// The identifier 0 is what makes the frame one that "zstd --patch-from" reads.
		dictionary = zstd.WithEncoderDictRaw(0, base)
	}
	var frame bytes.Buffer
	if err := l.encoder.ResetWithOptions(&frame, dictionary); err != nil {
		return nil, err
	}
	l.encoder.ResetContentSize(&frame, int64(len(contents)))
	if _, err := l.encoder.Write(contents); err != nil {
		return nil, err
	}
	if err := l.encoder.Close(); err != nil {
		return nil, err
	}
	return frame.Bytes(), nil
}

// packWindow is enough for every pack of usualCut and commandCut.
const packWindow = 16 << 20

// windowFor returns the smallest power of two that is at least n and a valid
// window.
func windowFor(n int) int {
	return max(1<<bits.Len(uint(max(n, 1)-1)), zstd.MinWindowSize)
}

// command makes frames with the zstd command, which takes longer and finds 10 to
// 25 % more than the Go library.
type command struct {
	path string
	dir  string // for its input and output files
	// library makes the frames that the command can't make.
	library *library
}

// level is the highest that needs no --ultra.
const level = "-19"

// pack makes a frame as that of library does. The command gives up on a patch
// without contents (zstd 1.5.4, FIO_highbit64), which needs no effort anyway.
func (c *command) pack(ctx context.Context, base, contents []byte) ([]byte, error) {
	if len(contents) == 0 {
		return c.library.pack(ctx, base, contents)
	}
	in, old, out := filepath.Join(c.dir, "new"), filepath.Join(c.dir, "old"), filepath.Join(c.dir, "frame")
	if err := os.WriteFile(in, contents, 0o600); err != nil {
		return nil, err
	}
	args := []string{"--quiet", "--force", "--single-thread", level, "--check",
		fmt.Sprintf("--long=%d", max(bits.Len(uint(windowFor(len(base)+len(contents))))-1, minLong))}
	if len(base) > 0 {
		if err := os.WriteFile(old, base, 0o600); err != nil {
			return nil, err
		}
		args = append(args, "--patch-from="+old)
	}
	args = append(args, in, "-o", out)
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", c.path, err, strings.TrimSpace(said.String())))
	}
	return os.ReadFile(out)
}

// minLong is the smallest window that --long takes, as a power of two.
const minLong = 10
