package publish

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/archive"
	"moult/core/delta"
	"moult/core/fetch"
	"moult/core/release"
	"moult/core/trust"
)

// Played is one way from an older release to the newest, tried in an empty directory.
type Played struct {
	Channel string
	From    release.Version // zero: a new site
	To      release.Version
	Kind    release.StrategyKind
	Arch    release.Arch
	Bytes   int64 // of the package
	Err     error // nil: the directory was the newest release to the last byte
}

// Verify checks a repository as the sites will see it: the metadata with the client's
// own eyes from the first root on, the hash of every file, the signature of every
// package, and every full package, patch and delta that leads to the newest release of a
// channel, each played on the release that it starts from, whatever channel that is of.
// Releases that a manifest sends sites to must be there. It returns what it played; the
// error joins everything that failed.
//
// A zero date is the clock: metadata that has expired is a failure.
func Verify(ctx context.Context, repo string, date time.Time) ([]Played, error) {
	if date.IsZero() {
		date = time.Now()
	}
	r, err := openRepository(repo, date)
	if err != nil {
		return nil, err
	}
	if err := r.verifyTrust(ctx, date); err != nil {
		return nil, err
	}
	keys, err := r.targetsKeys()
	if err != nil {
		return nil, err
	}
	v := &verification{ctx: ctx, repo: r, pinned: &trust.Pinned{Keys: keys}, date: date}
	v.files()
	for _, name := range r.channels() {
		m, err := r.manifest(channelName(name))
		if err == nil {
			m, err = r.releaseManifest(m.Version)
		}
		if err == nil {
			v.leads(name, m)
			err = v.channel(name, m)
		}
		if err != nil {
			v.fail(fmt.Errorf("channel %s: %w", name, err))
		}
	}
	return v.played, errors.Join(v.errs...)
}

// verifyTrust reads the repository as a new site would, with the first root pinned.
func (r *repository) verifyTrust(ctx context.Context, date time.Time) error {
	first, err := os.ReadFile(r.path("metadata", "1.root.json"))
	if err != nil {
		return err
	}
	address, err := fetch.FileURL(r.dir)
	if err != nil {
		return err
	}
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "moult-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	_, err = trust.Open(ctx, trust.Options{
		Client: client, URL: address, Dir: root, PinnedRoot: first, Now: func() time.Time { return date },
	})
	return err
}

// targetsKeys are the public keys that sign packages.
func (r *repository) targetsKeys() ([]ed25519.PublicKey, error) {
	var keys []ed25519.PublicKey
	for _, id := range r.root.Signed.Roles[metadata.TARGETS].KeyIDs {
		b, err := hex.DecodeString(r.root.Signed.Keys[id].Value.PublicKey)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", id, err)
		}
		keys = append(keys, b)
	}
	return keys, nil
}

// channels lists the channels that have a release.
func (r *repository) channels() []string {
	var all []string
	for name := range r.targets.Signed.Targets {
		if dir, base := path.Split(name); base == "manifest.json" && path.Dir(path.Clean(dir)) == "." {
			all = append(all, path.Clean(dir))
		}
	}
	slices.Sort(all)
	return all
}

type verification struct {
	ctx    context.Context
	repo   *repository
	pinned *trust.Pinned
	date   time.Time
	played []Played
	errs   []error
}

func (v *verification) fail(err error) {
	if err != nil {
		v.errs = append(v.errs, err)
	}
}

// files checks every file of the repository, and those that are packages as sites check
// packages.
func (v *verification) files() {
	packages := map[string]release.Package{}
	for _, version := range v.repo.versions() {
		m, err := v.repo.releaseManifest(version)
		if err != nil {
			continue // it is found to be wrong as a file, below
		}
		for _, p := range m.Packages {
			packages[p.URL] = p
		}
		for _, p := range slices.Concat(slices.Collect(maps.Values(m.Patches)), m.Moult.Patches) {
			packages[p.URL] = p.Package
		}
		for _, d := range m.Moult.Deltas {
			packages[d.URL] = d.Package
		}
	}
	for name := range v.repo.targets.Signed.Targets {
		if _, ok := packages[name]; !ok {
			v.fail(v.close(v.repo.openTarget(name)))
		}
	}
	for _, p := range packages {
		v.fail(v.close(v.open(p)))
	}
}

// close ends the look at a file, and all of them when the context has ended.
func (v *verification) close(f *os.File, err error) error {
	if err == nil {
		err = f.Close()
	}
	return cmp.Or(v.ctx.Err(), err)
}

// leads makes sure that the releases are there that a manifest sends sites to.
func (v *verification) leads(channel string, m *release.Manifest) {
	published := v.repo.versions()
	for _, stop := range m.Moult.Stops {
		if !contains(published, stop) {
			v.fail(fmt.Errorf("channel %s: no update may skip %s, which is not published: no older site gets any further", channel, stop))
		}
	}
	for _, e := range m.Moult.Earlier {
		if !contains(published, e.Version) {
			v.fail(fmt.Errorf("channel %s: %s lists %s, which is not published", channel, m.Version, e.Version))
		}
	}
}

// channel plays every way to the newest release of a channel.
func (v *verification) channel(name string, m *release.Manifest) error {
	for _, arch := range slices.Sorted(maps.Keys(m.Packages)) {
		full := m.Packages[arch]
		want, err := v.full(name, m, arch, full)
		if err != nil {
			return err
		}
		if err := v.earlier(name, m, arch, want); err != nil {
			return err
		}
	}
	return nil
}

// full plays the full package and returns the files of the release.
func (v *verification) full(channel string, m *release.Manifest, arch release.Arch, p release.Package) ([]release.File, error) {
	played := Played{Channel: channel, To: m.Version, Kind: release.Full, Arch: arch, Bytes: p.Size}
	dir, err := tempRoot()
	if err != nil {
		return nil, err
	}
	defer dir.remove()
	contents, err := v.unpack(p, dir.Root)
	if err == nil {
		var text []byte
		if text, err = readMeta(dir.Root, schemaTo); err == nil {
			err = checkSchema(schemaTo, text)
		}
	}
	if list := m.FilesFor(arch); err == nil && list != nil && !slices.Equal(contents.Files, list) {
		err = errors.New("the full package does not hold the files that the manifest lists")
	}
	v.record(played, err)
	if err != nil {
		return nil, nil
	}
	return contents.Files, nil
}

func (v *verification) earlier(channel string, m *release.Manifest, arch release.Arch, want []release.File) error {
	if want == nil {
		return nil // the full package failed, and there is nothing to compare with
	}
	for _, from := range v.repo.versions() {
		old, err := v.repo.releaseManifest(from)
		if err != nil {
			return err
		}
		if from.Compare(m.Version) >= 0 || !old.SupportsArch(arch) {
			continue
		}
		for _, p := range m.PatchesFrom(from, arch) {
			v.record(Played{Channel: channel, From: from, To: m.Version, Kind: release.PatchPack, Arch: arch, Bytes: p.Size},
				v.playPatch(old, arch, p, want))
		}
		if d, ok := m.DeltaFrom(from, arch); ok {
			v.record(Played{Channel: channel, From: from, To: m.Version, Kind: release.DeltaPack, Arch: arch, Bytes: d.Size},
				v.playDelta(old, d, arch, want))
		}
	}
	return nil
}

// playDelta applies a delta to the release it starts from.
func (v *verification) playDelta(from *release.Manifest, d release.Delta, arch release.Arch, want []release.File) error {
	site, err := v.repo.unpack(v.ctx, from, arch)
	if err != nil {
		return err
	}
	defer site.close()
	dir, err := tempRoot()
	if err != nil {
		return err
	}
	defer dir.remove()
	f, err := v.open(d.Package)
	if err != nil {
		return err
	}
	defer f.Close()
	old := delta.Tree{Version: d.From, Files: site.files, Open: site.open}
	applied, err := delta.Apply(v.ctx, f, d.Size, old, want, dir.Root, delta.Limits{}, nil)
	if err != nil {
		return err
	}
	if len(applied.Lost) > 0 {
		return fmt.Errorf("%s can't be made: %w", applied.Lost[0].Path, applied.Lost[0].Err)
	}
	return compare(apply(site.files, release.Operations{DeleteFiles: applied.Gone}, applied.Files), want)
}

// playPatch applies a patch to the release it starts from, as its description says.
func (v *verification) playPatch(from *release.Manifest, arch release.Arch, p release.Patch, want []release.File) error {
	site, err := v.repo.unpack(v.ctx, from, arch)
	if err != nil {
		return err
	}
	defer site.close()
	dir, err := tempRoot()
	if err != nil {
		return err
	}
	defer dir.remove()
	contents, err := v.unpack(p.Package, dir.Root)
	if err != nil {
		return err
	}
	text, err := readMeta(dir.Root, archive.InfoName)
	if err != nil {
		return err
	}
	info, err := archive.ParsePackageInfo(text)
	if err != nil {
		return err
	}
	if info.Operations == nil || !info.Operations.Equal(p.Operations) {
		return errors.New("package and manifest disagree about the operations")
	}
	if err := info.Matches(contents); err != nil {
		return err
	}
	return compare(apply(site.files, p.Operations, contents.Files), want)
}

// apply computes the files of a site after a patch.
func apply(before []release.File, ops release.Operations, brought []release.File) []release.File {
	after := map[release.Path]release.File{}
	for _, f := range before {
		after[f.Path] = f
	}
	for _, p := range ops.DeleteFiles {
		delete(after, p)
	}
	for _, f := range brought {
		after[f.Path] = f
	}
	return sortedFiles(after)
}

func sortedFiles(m map[release.Path]release.File) []release.File {
	var list []release.File
	for _, f := range m {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b release.File) int {
		if a.Path < b.Path {
			return -1
		}
		return 1
	})
	return list
}

// compare names the first file that is not as it should be.
func compare(got, want []release.File) error {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("%s is missing afterwards", want[i].Path)
		case i >= len(want):
			return fmt.Errorf("%s is left over afterwards", got[i].Path)
		case got[i] != want[i]:
			return fmt.Errorf("%s is not as released afterwards", got[i].Path)
		}
	}
	return nil
}

// unpack checks a package as a site would and extracts it.
func (v *verification) unpack(p release.Package, dst *os.Root) (*archive.Contents, error) {
	f, err := v.open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return archive.Extract(v.ctx, f, p.Size, dst, archive.Limits{}, nil)
}

// open returns a package of the repository after checking its size, its hashes and
// its signature.
func (v *verification) open(p release.Package) (*os.File, error) {
	file, ok := v.repo.targetFile(p.URL)
	if !ok {
		return nil, fmt.Errorf("%s is not in the repository", p.URL)
	}
	if t := v.repo.targets.Signed.Targets[p.URL]; t.Length != p.Size || release.Digest(t.Hashes["sha256"]) != p.Digest {
		return nil, fmt.Errorf("%s: targets and manifest disagree about it: %w", p.URL, trust.ErrHash)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	if err := v.check(p, f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", p.URL, err)
	}
	return f, nil
}

func (v *verification) check(p release.Package, f *os.File) error {
	sums := newSums()
	if _, err := io.Copy(sums, f); err != nil {
		return err
	}
	digest, chunks := sums.finish()
	if digest != p.Digest || sums.size != p.Size || !slices.Equal(chunks, p.Chunks) {
		return trust.ErrHash
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := trust.VerifyPackage(v.pinned, p.Signature, f, v.date)
	return err
}

func (v *verification) record(p Played, err error) {
	p.Err = err
	v.played = append(v.played, p)
	if err != nil {
		from := "a new site"
		if !p.From.IsZero() {
			from = p.From.String()
		}
		v.fail(fmt.Errorf("%s from %s to %s: %w", p.Kind, from, p.To, err))
	}
}

// removableRoot is a temporary directory.
type removableRoot struct{ *os.Root }

func tempRoot() (*removableRoot, error) {
	dir, err := os.MkdirTemp("", "moult-verify-")
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &removableRoot{root}, nil
}

func (r *removableRoot) remove() {
	r.Close()
	os.RemoveAll(r.Name())
}
