package publish

import (
	"io"

	"moult/core/archive"
	"moult/core/delta"
	"moult/core/release"
)

// addDelta makes the delta from exactly one older release. It carries the same
// description as a patch from there.
func (a *adding) addDelta(old *unpacked, rangeText string) error {
	var c changes
	c.add(old.files, a.source.files)
	ops, files := c.operations(a.source.files)
	info := archive.PackageInfo{
		Product: a.repo.product(), From: rangeText, To: a.Version, Arch: a.Arch, Operations: &ops, Files: files,
	}
	text, err := info.Encode()
	if err != nil {
		return err
	}
	meta := a.source.meta(old.schema)
	meta[archive.InfoName] = text
	from := delta.Tree{Version: old.version, Files: old.files, Open: old.open}
	to := delta.Tree{Version: a.Version, Files: a.source.files, Open: a.source.open}
	p, err := a.store("delta-from-"+old.version.String()+a.suffix()+".zst", func(w io.Writer) error {
		_, err := delta.Make(a.ctx, w, from, to, delta.Options{Meta: meta, GoOnly: a.GoOnly})
		return err
	})
	if err != nil {
		return err
	}
	a.manifest.Moult.Deltas = append(a.manifest.Moult.Deltas, release.Delta{Package: p, From: old.version, Arch: a.Arch})
	return nil
}
