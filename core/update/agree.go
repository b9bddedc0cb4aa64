package update

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"moult/core/archive"
	"moult/core/release"
)

// errDisagree is wrapped by every failure of manifest, package and archive to agree.
var errDisagree = errors.New("manifest and package disagree")

// agree checks that the manifest, the package's own description and the archive
// say the same, and fills in what the plan is made from. A package without a
// description comes from another tool: there the manifest's operations count, if
// somebody answers for the manifest.
func agree(o *Offer, c *archive.Contents, dst *os.Root, in *intake) error {
	in.Files, in.Dirs = c.Files, c.Dirs
	in.Full = o.Strategy.Kind == release.Full
	in.Ops = o.Strategy.Operations
	text, err := dst.ReadFile(path.Join(archive.PackageDir, archive.InfoName))
	if errors.Is(err, fs.ErrNotExist) {
		switch {
		case !o.source.provesManifests():
			return fmt.Errorf("the package has no %s/%s: it is signed and the manifest is not, so the package itself must say which release it is and what it changes: %w", archive.PackageDir, archive.InfoName, errDisagree)
		case !in.Full:
			return in.Ops.Validate()
		}
		return nil
	}
	if err != nil {
		return err
	}
	info, err := archive.ParsePackageInfo(text)
	if err != nil {
		return fmt.Errorf("%s: %w", archive.InfoName, errors.Join(err, errMalformed))
	}
	switch {
	case info.To.Compare(o.Target) != 0:
		return fmt.Errorf("the package is of release %s, the manifest promised %s: %w", info.To, o.Target, errDisagree)
	case info.Arch != "" && info.Arch != o.arch:
		return fmt.Errorf("the package is for %s, this site is on %s: %w", info.Arch, o.arch, errDisagree)
	case !in.Full && info.From == "" && !o.source.provesManifests():
		return fmt.Errorf("the package doesn't say which versions it applies to, and the manifest is not signed: %w", errDisagree)
	case !in.Full && !info.StartsAt(o.Current):
		return fmt.Errorf("the package starts from %s, this site is at %s: %w", info.From, o.Current, errDisagree)
	case !in.Full && (info.Operations == nil || !info.Operations.Equal(in.Ops)):
		return fmt.Errorf("the package and the manifest list different operations: %w", errDisagree)
	}
	if err := info.Matches(c); err != nil {
		return errors.Join(err, errDisagree)
	}
	return nil
}
