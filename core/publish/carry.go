package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/trust"
)

// CarryOptions say which part of a repository is taken along.
type CarryOptions struct {
	Channel string          // "": stable
	From    release.Version // of the site; zero: any, which takes full packages only
	Arch    release.Arch    // "": all
}

// Carry writes the part of a repository that leads a site to the newest release of a
// channel into one zip file, to be brought to where no server can be reached: the signed
// metadata, the manifests, the full packages, and the patches and deltas from the version
// that the site has. Releases that may not be skipped come along, all of them where From
// doesn't say which sites are past.
//
// Such a file proves who made the release. It can't prove that there is none newer, and a
// site that has seen a newer one refuses it. The names of its packages are returned.
func Carry(ctx context.Context, repo string, w io.Writer, o CarryOptions) (packages []string, err error) {
	if o.Channel == "" {
		o.Channel = defaultChannel
	}
	r, err := openRepository(repo, time.Now())
	if err != nil {
		return nil, err
	}
	c := &carrying{repo: r, CarryOptions: o, files: map[release.Path]string{}, digests: map[release.Path]release.Digest{}}
	if err := c.choose(); err != nil {
		return nil, fmt.Errorf("carry the newest release of %s: %w", o.Channel, err)
	}
	tree := archive.Tree{Open: func(p release.Path) (io.ReadCloser, error) { return os.Open(c.files[p]) }}
	for p, name := range c.files {
		f, err := c.file(ctx, p, name)
		if err != nil {
			return nil, err
		}
		tree.Files = append(tree.Files, f)
	}
	return c.packages, archive.Create(ctx, w, archive.Zip, tree, r.timestamp.Signed.Expires.Add(-timestampLife))
}

// carrying is one run of Carry.
type carrying struct {
	CarryOptions
	repo     *repository
	files    map[release.Path]string         // on the disk, by their place in the repository
	digests  map[release.Path]release.Digest // of those that are targets
	packages []string
}

func (c *carrying) choose() error {
	r := c.repo
	newest, err := r.manifest(channelName(c.Channel))
	if err != nil {
		return err
	}
	if newest == nil {
		return errors.New("the channel has no release")
	}
	for version := int64(1); version <= r.root.Signed.Version; version++ {
		c.metadata(strconv.FormatInt(version, 10) + ".root.json")
	}
	c.metadata("timestamp.json")
	c.metadata(strconv.FormatInt(r.snapshot.Signed.Version, 10) + ".snapshot.json")
	c.metadata(strconv.FormatInt(r.targets.Signed.Version, 10) + ".targets.json")
	c.target(channelName(c.Channel))
	at := c.From
	for _, to := range append(c.stops(newest), newest.Version) {
		m, err := c.published(to)
		if err != nil {
			return err
		}
		c.target(manifestName(m.Version))
		c.release(m, at)
		if !at.IsZero() {
			at = to // from here on every site has the stop
		}
	}
	return nil
}

// stops are the releases that the sites must go through, lowest first.
func (c *carrying) stops(newest *release.Manifest) []release.Version {
	if !c.From.IsZero() {
		return newest.StopsAfter(c.From)
	}
	stops := slices.DeleteFunc(slices.Clone(newest.Moult.Stops), func(v release.Version) bool { return v.Compare(newest.Version) >= 0 })
	slices.SortFunc(stops, release.Version.Compare)
	return slices.CompactFunc(stops, func(v, w release.Version) bool { return v.Compare(w) == 0 })
}

// published reads the manifest of a release. Without that of a stop no site would get past
// it, see [release.Decide].
func (c *carrying) published(v release.Version) (*release.Manifest, error) {
	for _, published := range c.repo.versions() {
		if published.Compare(v) == 0 {
			return c.repo.releaseManifest(published)
		}
	}
	return nil, fmt.Errorf("no update may skip %s, which is not published", v)
}

func (c *carrying) metadata(name string) {
	c.files[release.Path("metadata/"+name)] = c.repo.path("metadata", name)
}

func (c *carrying) target(name string) {
	t, ok := c.repo.targets.Signed.Targets[name]
	if !ok {
		return
	}
	digest := release.Digest(t.Hashes["sha256"])
	place := trust.ConsistentName(name, digest)
	c.digests[release.Path("targets/"+place)] = digest
	c.files[release.Path("targets/"+place)] = c.repo.path("targets", filepath.FromSlash(place))
}

// release takes along what leads from one version to the release of a manifest.
func (c *carrying) release(m *release.Manifest, from release.Version) {
	take := func(p release.Package) {
		c.packages = append(c.packages, p.URL)
		c.target(p.URL)
	}
	for arch, full := range m.Packages {
		if arch != "" && c.Arch != "" && arch != c.Arch {
			continue
		}
		take(full)
		if delta, ok := m.DeltaFrom(from, arch); ok {
			take(delta.Package)
		}
		for _, patch := range m.PatchesFrom(from, arch) {
			take(patch.Package)
		}
	}
	slices.Sort(c.packages)
	c.packages = slices.Compact(c.packages)
}

// file describes a file of the repository for the archive.
func (c *carrying) file(ctx context.Context, p release.Path, name string) (release.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return release.File{}, err
	}
	defer f.Close()
	sums := newSums()
	if _, err := io.Copy(sums, f); err != nil {
		return release.File{}, fmt.Errorf("%s: %w", name, err)
	}
	digest, _ := sums.finish()
	if want, ok := c.digests[p]; ok && want != digest {
		return release.File{}, fmt.Errorf("%s: %w", name, trust.ErrHash)
	}
	return release.File{Path: p, Size: sums.size, Mode: 0o644, SHA256: digest}, ctx.Err()
}
