package publish

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/trust"
)

// Release is what [Add] publishes.
type Release struct {
	Version release.Version
	Tree    string       // directory of the release's files
	Schema  string       // SQL file with the whole schema; "" if there is no database
	Notes   string       // Markdown file; "" for none
	Arch    release.Arch // "" if the files suit any
	Channel string       // "": stable
	// PatchFrom are published versions from which a patch is made. Each patch applies
	// to every published version with the same first three numbers.
	PatchFrom []release.Version
	// PatchLast adds the newest so many releases of the channel to PatchFrom, of those
	// that have a package for the architecture.
	PatchLast int
	// Delta makes a delta from each of PatchFrom too, with the zstd command if it is
	// there, whose deltas are smaller. GoOnly leaves that out: the bytes then don't
	// depend on which zstd a machine has.
	Delta, GoOnly bool
	// Scripts is a directory of NN-name.sql with NN-name.undo.sql; "" for none.
	Scripts string
	Format  archive.Format // "": tar.zst
	// Date is the release date and the date of everything in the packages. Zero:
	// SOURCE_DATE_EPOCH if that is set, else the clock.
	Date time.Time
	// Now is when the metadata is signed, from which on it lives. Zero: the clock.
	Now  time.Time
	Keys KeySource
	// Stops are versions that may not be skipped, besides those of earlier releases: this
	// one, or published ones of the channel.
	Stops    []release.Version
	Critical bool
	Rollout  int  // per cent of sites that are offered the release; 0: 100
	Halted   bool // no site is offered the release until [Rollout] says so
	MinMoult release.Version
	// Report is told how far the work is. It may be nil.
	Report func(Progress)
}

// Progress is how far one of the packages of a release is.
type Progress struct {
	Making      string // its target, as in "releases/1.5.0/full.tar.zst"
	Done, Total int64  // bytes of contents
}

// defaultChannel is where releases go that name none.
const defaultChannel = "stable"

func (r *Release) complete(repo string) error {
	if r.Version.IsZero() {
		return errors.New("the release has no version")
	}
	if r.Channel == "" {
		r.Channel = defaultChannel
	}
	if p, err := release.ParsePath(r.Channel); err != nil || p.String() != r.Channel || r.Channel == "releases" || strings.Contains(r.Channel, "/") {
		return fmt.Errorf("channel %q: want a plain name", r.Channel)
	}
	if r.Format == "" {
		r.Format = archive.TarZstd
	}
	if r.Rollout < 0 || r.Rollout > 100 {
		return fmt.Errorf("rollout of %d per cent: want 0 to 100", r.Rollout)
	}
	if r.Halted && r.Rollout > 0 {
		return fmt.Errorf("rollout of %d per cent of a release that is halted", r.Rollout)
	}
	r.Keys = keysOf(repo, r.Keys)
	if r.Date.IsZero() {
		date, err := sourceDate()
		if err != nil {
			return err
		}
		r.Date = date
	}
	r.Date = r.Date.UTC().Truncate(time.Second)
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	return nil
}

// sourceDate follows reproducible-builds.org/specs/source-date-epoch.
func sourceDate() (time.Time, error) {
	text, set := os.LookupEnv("SOURCE_DATE_EPOCH")
	if !set {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH=%q is not a number of seconds", text)
	}
	return time.Unix(seconds, 0), nil
}

// Add publishes a release: packages, manifest, metadata. If it fails, clients see the
// repository as it was before.
//
// A version that is published already is refused, except for another architecture of
// the same release, which must not say anything else of it; what is left out stays. Missing signing keys are [ErrNoKey], or with [KeySource.HandOn] a
// [*PendingError].
func Add(ctx context.Context, repo string, rel Release) error {
	if err := rel.complete(repo); err != nil {
		return err
	}
	r, err := openToChange(repo, rel.Now)
	if err != nil {
		return err
	}
	defer r.close()
	ring, err := loadKeys(rel.Keys)
	if err != nil {
		return err
	}
	// Whether everything can be signed is known before the work begins.
	signers, err := r.changers(ring)
	if err != nil {
		return err
	}
	a := &adding{Release: rel, repo: r, ctx: ctx, key: signers[0]}
	if err := a.run(); err != nil {
		return fmt.Errorf("publish %s: %w", rel.Version, err)
	}
	return r.commit(ctx, ring, true)
}

// adding is one run of Add.
type adding struct {
	Release
	ctx      context.Context
	repo     *repository
	key      ed25519.PrivateKey
	source   *source
	newest   *release.Manifest // of the channel, before; nil for its first release
	manifest *release.Manifest
}

func (a *adding) run() (err error) {
	if a.newest, err = a.repo.manifest(channelName(a.Channel)); err != nil {
		return err
	}
	if a.source, err = readSource(a.ctx, &a.Release); err != nil {
		return err
	}
	defer a.source.close()
	if err := a.begin(); err != nil {
		return err
	}
	full, err := a.pack("full", "", nil, a.source.files, a.source.dirs, a.source.meta(nil))
	if err != nil {
		return err
	}
	a.manifest.Packages[a.Arch] = full
	bases, err := a.bases()
	if err != nil {
		return err
	}
	for i, from := range bases {
		if err := a.addPatch(from, i == 0); err != nil {
			return fmt.Errorf("patch from %s: %w", from, err)
		}
	}
	return a.finish()
}

// begin makes the manifest without packages, or takes up that of another architecture.
func (a *adding) begin() error {
	existing, err := a.repo.manifest(manifestName(a.Version))
	if err != nil {
		return err
	}
	if existing != nil {
		return a.join(existing)
	}
	if a.newest != nil && a.newest.Version.Compare(a.Version) >= 0 {
		return fmt.Errorf("channel %s has %s already, which is not older", a.Channel, a.newest.Version)
	}
	x := &release.Extension{
		Product: a.repo.product(), Channel: a.Channel, Files: a.source.files,
		Schema: a.source.digests(), Scripts: a.source.scriptDigests(),
		Stops: slices.Clone(a.Stops), Critical: a.Critical, Rollout: a.share(), MinMoult: a.MinMoult,
	}
	if err := a.checkStops(); err != nil {
		return err
	}
	if a.newest != nil {
		x.Earlier = append(slices.Clone(a.newest.Moult.Earlier), release.Earlier{
			Version: a.newest.Version, Released: a.newest.Released, Manifest: manifestName(a.newest.Version),
		})
		x.Schema.Base = a.newest.Moult.Schema.Target
		x.Stops = append(slices.Clone(a.newest.Moult.Stops), x.Stops...)
	}
	slices.SortFunc(x.Stops, release.Version.Compare)
	x.Stops = slices.CompactFunc(x.Stops, func(v, w release.Version) bool { return v.Compare(w) == 0 })
	a.manifest = &release.Manifest{
		Version: a.Version, Released: a.Date, Notes: a.source.notes, Moult: x,
		Packages: map[release.Arch]release.Package{}, Patches: map[release.Arch]release.Patch{},
	}
	return nil
}

// share is the per cent of sites that the release begins with.
func (r *Release) share() int {
	if r.Rollout == 0 && !r.Halted {
		return 100
	}
	return r.Rollout
}

// checkStops refuses a version that was never published: no site could go through it, and
// every later release of the channel would keep it.
func (a *adding) checkStops() error {
	known := []release.Version{a.Version}
	if a.newest != nil {
		known = append(known, a.newest.Version)
		for _, e := range a.newest.Moult.Earlier {
			known = append(known, e.Version)
		}
	}
	for _, stop := range a.Stops {
		if !contains(known, stop) {
			return fmt.Errorf("stop %s is not published in channel %s", stop, a.Channel)
		}
	}
	return nil
}

// contains compares as sites do, to whom build metadata says nothing.
func contains(list []release.Version, v release.Version) bool {
	return slices.ContainsFunc(list, func(w release.Version) bool { return w.Compare(v) == 0 })
}

// bases are the versions that patches start from, without repetition. Of the newest
// releases those count that the architecture had.
func (a *adding) bases() ([]release.Version, error) {
	list := slices.Clone(a.PatchFrom)
	last := a.PatchLast
	for _, e := range slices.Backward(a.manifest.Moult.Earlier) {
		if last <= 0 {
			break
		}
		m, err := a.repo.releaseManifest(e.Version)
		if err != nil {
			return nil, err
		}
		if m.SupportsArch(a.Arch) {
			list = append(list, e.Version)
			last--
		}
	}
	var distinct []release.Version
	for _, v := range list {
		if !contains(distinct, v) {
			distinct = append(distinct, v)
		}
	}
	return distinct, nil
}

// join adds an architecture to a release that is published already.
func (a *adding) join(m *release.Manifest) error {
	_, has := m.Packages[a.Arch]
	_, any := m.Packages[""]
	if has || any || a.Arch == "" {
		return errors.New("it is published already")
	}
	if other := a.differs(m); other != "" {
		return fmt.Errorf("it is published already, with another %s", other)
	}
	x := m.Moult
	if x.ArchFiles == nil && !slices.Equal(x.Files, a.source.files) {
		x.ArchFiles = map[release.Arch][]release.File{}
		for arch := range m.Packages {
			x.ArchFiles[arch] = x.Files
		}
		x.Files = nil
	}
	if x.ArchFiles != nil {
		x.ArchFiles[a.Arch] = a.source.files
	}
	a.manifest = m
	return nil
}

// differs names what the release says otherwise than the manifest that it joins. Schema
// and scripts are in the packages, so leaving them out is a difference too.
func (a *adding) differs(m *release.Manifest) string {
	x := m.Moult
	for _, d := range []struct {
		what  string
		other bool
	}{
		{"schema", x.Schema.Target != a.source.digests().Target},
		{"set of scripts", !slices.Equal(x.Scripts, a.source.scriptDigests())},
		{fmt.Sprintf("channel, %s", x.Channel), x.Channel != a.Channel},
		{fmt.Sprintf("rollout, %d per cent", x.Rollout), (a.Rollout > 0 || a.Halted) && a.share() != x.Rollout},
		{"urgency: it is not critical", a.Critical && !x.Critical},
		{fmt.Sprintf("oldest version of Moult, %s", cmp.Or(x.MinMoult.String(), "none")), !a.MinMoult.IsZero() && a.MinMoult.Compare(x.MinMoult) != 0},
		{"set of stops", slices.ContainsFunc(a.Stops, func(v release.Version) bool { return !contains(x.Stops, v) })},
		{"text of notes", a.Notes != "" && a.source.notes != m.Notes},
	} {
		if d.other {
			return d.what
		}
	}
	return ""
}

// finish writes the manifest; an architecture may have been added to an older release.
func (a *adding) finish() error {
	newest := a.newest == nil || a.newest.Version.Compare(a.Version) <= 0
	return a.repo.putManifest(a.manifest, newest)
}

// pack builds one package, adds it as a target and returns what the manifest says of it.
func (a *adding) pack(kind, from string, ops *release.Operations, files []release.File, dirs []release.Path, meta map[string][]byte) (release.Package, error) {
	info := archive.PackageInfo{
		Product: a.repo.product(), From: from, To: a.Version, Arch: a.Arch, Operations: ops, Files: files,
	}
	text, err := info.Encode()
	if err != nil {
		return release.Package{}, err
	}
	meta[archive.InfoName] = text
	var done, total int64
	for _, f := range files {
		total += f.Size
	}
	return a.store(kind+a.suffix()+"."+string(a.Format), func(w io.Writer, report func(done, total int64)) error {
		open := func(p release.Path) (io.ReadCloser, error) {
			f, err := a.source.open(p)
			return counted{f, func(n int) { done += int64(n); report(done, total) }}, err
		}
		return archive.Create(a.ctx, w, a.Format, archive.Tree{Files: files, Dirs: dirs, Meta: meta, Open: open}, a.Date)
	})
}

// counted is a file that says how much of it is read.
type counted struct {
	io.ReadCloser
	read func(n int)
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.read(n)
	return n, err
}

// suffix tells the files of architectures apart.
func (a *adding) suffix() string {
	if a.Arch == "" {
		return ""
	}
	return "-" + string(a.Arch)
}

// store writes a package, hashes and signs it, and adds it as a target.
func (a *adding) store(file string, write func(w io.Writer, report func(done, total int64)) error) (release.Package, error) {
	name := "releases/" + a.Version.String() + "/" + file
	report := func(done, total int64) {
		if a.Report != nil {
			a.Report(Progress{Making: name, Done: done, Total: total})
		}
	}
	report(0, 0)
	temp, err := a.repo.temp()
	if err != nil {
		return release.Package{}, err
	}
	sums := newSums()
	err = write(io.MultiWriter(temp, sums), report)
	var signature []byte
	if err == nil {
		signature, err = trust.SignPackage(a.key, temp)
	}
	if err != nil {
		return release.Package{}, errors.Join(fmt.Errorf("%s: %w", name, err), temp.Close(), os.Remove(temp.Name()))
	}
	p := release.Package{URL: name, Signature: signature, Size: sums.size}
	p.Digest, p.Chunks = sums.finish()
	return p, a.repo.put(name, temp, p.Size, p.Digest)
}

// sums hashes a stream as a whole and in chunks.
type sums struct {
	size   int64
	whole  hasher
	chunk  hasher
	left   int // bytes that the current chunk still takes
	chunks []release.Digest
}

type hasher interface {
	io.Writer
	Sum([]byte) []byte
	Reset()
}

func newSums() *sums {
	return &sums{whole: sha256.New(), chunk: sha256.New(), left: release.ChunkSize}
}

func (s *sums) Write(p []byte) (int, error) {
	n := len(p)
	s.size += int64(n)
	s.whole.Write(p)
	for len(p) > 0 {
		piece := p[:min(len(p), s.left)]
		s.chunk.Write(piece)
		p, s.left = p[len(piece):], s.left-len(piece)
		if s.left == 0 {
			s.endChunk()
		}
	}
	return n, nil
}

func (s *sums) endChunk() {
	s.chunks = append(s.chunks, release.Digest(s.chunk.Sum(nil)))
	s.chunk.Reset()
	s.left = release.ChunkSize
}

func (s *sums) finish() (release.Digest, []release.Digest) {
	if s.left < release.ChunkSize {
		s.endChunk()
	}
	return release.Digest(s.whole.Sum(nil)), s.chunks
}
