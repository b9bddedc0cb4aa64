package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"moult/core/archive"
	"moult/core/fetch"
	"moult/core/trust"
)

// mediumDir is where a repository that was carried here in one file is unpacked, in
// .moult, for as long as the engine is open.
const mediumDir = "medium"

// openMedium returns the address of the repository on [Options.Medium].
func (e *Engine) openMedium(ctx context.Context) (*url.URL, error) {
	dir, err := filepath.Abs(e.opts.Medium)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, &Error{Kind: KindPath, Stage: StageCheck, Err: err}
	}
	if !info.IsDir() {
		if dir, err = e.unpackMedium(ctx, dir, info.Size()); err != nil {
			return nil, fmt.Errorf("%s: %w", e.opts.Medium, err)
		}
	}
	address, err := fetch.FileURL(dir)
	if err != nil {
		return nil, err
	}
	return url.Parse(address)
}

// unpackMedium unpacks a repository in one file. Nothing of it is believed: what its
// metadata does not prove is refused as if a server had sent it.
func (e *Engine) unpackMedium(ctx context.Context, file string, size int64) (string, error) {
	if err := e.dropMedium(); err != nil {
		return "", err
	}
	dst, err := e.site.SubDir(mediumDir)
	if err != nil {
		return "", err
	}
	defer dst.Close()
	src, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer src.Close()
	_, err = archive.Extract(ctx, src, size, dst, archive.Limits{}, nil)
	return dst.Name(), err
}

// dropMedium removes what unpackMedium has made.
func (e *Engine) dropMedium() error {
	dir, err := e.site.SubDir(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.RemoveAll(mediumDir)
}

// explainMedium adds what the admin can do about a medium that is refused.
func explainMedium(err error) error {
	switch {
	case errors.Is(err, trust.ErrRolledBack):
		return fmt.Errorf("the medium holds an older state of the publisher than this site has seen: it has to be made again (moult publish carry): %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the medium holds no repository that is complete: %w", err)
	}
	return err
}

// carried is what is known of a publisher whose word came on a medium.
const carried = "This release was carried here on a medium: who made it is proven, that there is none newer is not."
