package update

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"moult/core/fetch"
	"moult/core/release"
	"moult/core/site"
	"moult/core/trust"
)

// pinnedRoot is where the root metadata that the admin compared lies, in .moult/trust.
const pinnedRoot = "pinned.root.json"

// source is a publisher's server as the pipeline sees it.
type source interface {
	// newest reads the manifest of the newest release of the channel.
	newest(ctx context.Context) (*release.Manifest, error)
	// at reads the manifest of one release, or an error that wraps
	// fs.ErrNotExist if the publisher no longer has it.
	at(ctx context.Context, v release.Version) (*release.Manifest, error)
	// start begins to fetch p into dir under name. What can be read of it before it
	// has arrived is what the publisher signed; that it has arrived proves the same of
	// the whole.
	start(ctx context.Context, p release.Package, dir *os.Root, name string, report func(done, total int64)) (*fetch.Transfer, error)
	// provesManifests reports whether somebody the site trusts answers for what the
	// manifests say. If not, only what a package says of itself counts.
	provesManifests() bool
	trust() Trust
}

// openSource opens the publisher's server that the site names: a signed
// repository if a root was pinned when the site was added, a plain server if not.
func (e *Engine) openSource(ctx context.Context) (source, error) {
	cfg := e.site.Config.Source
	if cfg.URL == "" && e.opts.Medium == "" {
		return nil, &Error{Kind: KindNoSource, Stage: StageCheck, Err: errors.New("site.toml has no source.url: set the address of the publisher's releases")}
	}
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, settingError("source.url", err)
	}
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		return nil, err
	}
	dir, err := e.site.SubDir("trust")
	if err != nil {
		return nil, err
	}
	pinned, err := dir.ReadFile(pinnedRoot)
	if err != nil {
		dir.Close()
		if errors.Is(err, fs.ErrNotExist) && e.opts.Medium != "" {
			return nil, &Error{Kind: KindUntrusted, Stage: StageCheck, Err: errors.New("what was carried here is proven by the publisher's root.json, and this site has none")}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return newPlainSource(client, base, cfg, e.opts.Now)
		}
		return nil, fmt.Errorf("read the publisher's root: %w", err)
	}
	if e.opts.Medium != "" {
		if base, err = e.openMedium(ctx); err != nil {
			dir.Close()
			return nil, err
		}
	}
	// From here on the directory is the repository's: it lasts as long as the offer
	// that the repository made, and closes itself when nothing refers to it.
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	arch, err := release.ParseArch(cfg.Arch)
	if err != nil {
		return nil, fmt.Errorf("site.toml, source.arch: %w", err)
	}
	repo, err := trust.Open(ctx, trust.Options{Client: client, URL: base.String(), Dir: dir, PinnedRoot: pinned, Now: e.opts.Now, Offline: base.Scheme == "file"})
	if err != nil && e.opts.Medium != "" {
		err = explainMedium(err)
	}
	if err != nil {
		return nil, err
	}
	return &signedSource{repo: repo, client: client, base: base.JoinPath("targets/"), channel: cfg.Channel, arch: arch, carried: e.opts.Medium != ""}, nil
}

// settingError says which setting of site.toml can't be meant.
func settingError(name string, err error) error {
	return &Error{Kind: KindMalformed, Stage: StageCheck, Err: fmt.Errorf("site.toml, %s: %w", name, err)}
}

// filesOf returns the files of a release. A channel's manifest leaves them out, as it
// is read at every check; the release's own manifest has them.
func filesOf(ctx context.Context, src source, m *release.Manifest) ([]release.File, error) {
	if m.Moult == nil {
		return nil, nil
	}
	if len(m.Moult.Files) > 0 {
		return m.Moult.Files, nil
	}
	own, err := src.at(ctx, m.Version)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("files of release %s: %w", m.Version, err)
	}
	if own.Moult == nil {
		return nil, nil
	}
	return own.Moult.Files, nil
}

// errMalformed is wrapped when what the publisher says can't be read.
var errMalformed = errors.New("the publisher's answer is malformed")

// signedSource is a TUF repository.
type signedSource struct {
	repo    *trust.Repository
	client  *fetch.Client
	base    *url.URL // of targets
	channel string
	arch    release.Arch
	carried bool // on a medium
}

func (s *signedSource) newest(ctx context.Context) (*release.Manifest, error) {
	return s.read(ctx, s.channel+"/manifest.json")
}

func (s *signedSource) at(ctx context.Context, v release.Version) (*release.Manifest, error) {
	return s.read(ctx, "releases/"+v.String()+"/manifest.json")
}

func (s *signedSource) read(ctx context.Context, target string) (*release.Manifest, error) {
	b, err := s.repo.Read(ctx, target, release.MaxManifest)
	if errors.Is(err, trust.ErrNoTarget) {
		return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	m, err := release.ParseManifest(b, s.base)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, errors.Join(err, errMalformed))
	}
	if m.Moult != nil {
		m.Moult.Files = m.FilesFor(s.arch)
	}
	return m, nil
}

func (s *signedSource) start(ctx context.Context, p release.Package, dir *os.Root, name string, report func(done, total int64)) (*fetch.Transfer, error) {
	target, found := strings.CutPrefix(p.URL, s.base.String())
	if !found {
		return nil, fmt.Errorf("package %s lies outside of the signed repository %s: %w", p.URL, s.base, trust.ErrUntrusted)
	}
	t, err := s.repo.Target(target)
	if err != nil {
		return nil, err
	}
	if !p.Digest.IsZero() && p.Digest != t.Digest {
		return nil, fmt.Errorf("package %s: the manifest and the signed metadata name different hashes: %w", target, trust.ErrUntrusted)
	}
	return s.client.Start(ctx, fetch.Request{URLs: t.URLs, Size: t.Length, Digest: t.Digest, Chunks: p.Chunks, Dir: dir, Name: name}, report), nil
}

func (s *signedSource) provesManifests() bool { return true }

func (s *signedSource) trust() Trust {
	st := s.repo.Status()
	t := Trust{Level: Trusted, Signer: st.Signer, Expires: st.Expires, Detail: st.Detail}
	if s.carried && st.Fresh {
		t.Detail = carried
	}
	if s.carried || !st.Fresh {
		t.Level = NotFresh
	}
	return t
}

// plainSource is a server without signed metadata: a manifest at a fixed address
// and packages that carry a signature each.
type plainSource struct {
	client   *fetch.Client
	manifest *url.URL
	pinned   *trust.Pinned
	unsigned bool
	now      func() time.Time
}

func newPlainSource(client *fetch.Client, manifest *url.URL, cfg site.Source, now func() time.Time) (*plainSource, error) {
	pinned, err := trust.ParsePinned(cfg.Keys)
	if err != nil {
		return nil, settingError("source", err)
	}
	s := &plainSource{client: client, manifest: manifest, pinned: pinned, unsigned: cfg.Unsigned == "allow", now: now}
	if pinned.Empty() && !s.unsigned {
		return nil, &Error{Kind: KindUntrusted, Stage: StageCheck, Err: errors.New("nothing says who may publish for this site: add the publisher's root.json, or its key under source.keys")}
	}
	return s, nil
}

func (s *plainSource) newest(ctx context.Context) (*release.Manifest, error) {
	b, err := s.client.Read(ctx, s.manifest.String(), release.MaxManifest)
	if err != nil {
		return nil, err
	}
	m, err := release.ParseManifest(b, s.manifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.manifest, errors.Join(err, errMalformed))
	}
	if m.Moult != nil {
		// Nobody has signed these, and deltas are made into what they list.
		m.Moult.Files, m.Moult.Deltas = nil, nil
	}
	return m, nil
}

func (s *plainSource) at(_ context.Context, v release.Version) (*release.Manifest, error) {
	return nil, fmt.Errorf("release %s: a plain server offers its newest release only: %w", v, fs.ErrNotExist)
}

// start: the manifest is not signed, so nothing of the package counts before its own
// signature has been checked.
func (s *plainSource) start(ctx context.Context, p release.Package, dir *os.Root, name string, report func(done, total int64)) (*fetch.Transfer, error) {
	prove := func(f *os.File) error {
		if s.unsigned {
			return nil
		}
		if _, err := trust.VerifyPackage(s.pinned, p.Signature, f, s.now()); err != nil {
			return fmt.Errorf("package %s: %w", p.URL, err)
		}
		return nil
	}
	r := fetch.Request{URLs: []string{p.URL}, Size: p.Size, Digest: p.Digest, Chunks: p.Chunks, Dir: dir, Name: name, Prove: prove}
	return s.client.Start(ctx, r, report), nil
}

// provesManifests is true for a site whose admin lets everybody publish.
func (s *plainSource) provesManifests() bool { return s.unsigned }

func (s *plainSource) trust() Trust {
	if s.unsigned {
		return Trust{Level: UnsignedOpen, Detail: "This site accepts packages that nobody has signed: anyone who controls the server or the network can change it."}
	}
	return Trust{Level: NotFresh, Detail: "Packages are signed; nothing proves that the server shows the newest release."}
}
