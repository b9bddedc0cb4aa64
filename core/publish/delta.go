package publish

import (
	"io"

	"moult/core/delta"
	"moult/core/release"
)

// addDelta makes the delta from exactly one older release. What it does follows from the
// lists of files that a site has of both releases, so it carries no description but the
// schemas and scripts: with names and hashes it would be more than twice as large.
func (a *adding) addDelta(old *unpacked) error {
	from := delta.Tree{Version: old.version, Files: old.files, Open: old.open}
	to := delta.Tree{Version: a.Version, Files: a.source.files, Open: a.source.open}
	p, err := a.store("delta-from-"+old.version.String()+a.suffix()+".zst", func(w io.Writer, report func(done, total int64)) error {
		_, err := delta.Make(a.ctx, w, from, to, delta.Options{Meta: a.source.meta(old.schema), GoOnly: a.GoOnly, Report: report})
		return err
	})
	if err != nil {
		return err
	}
	a.manifest.Moult.Deltas = append(a.manifest.Moult.Deltas, release.Delta{Package: p, From: old.version, Arch: a.Arch})
	return nil
}
