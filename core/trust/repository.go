package trust

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"moult/core/fetch"
	"moult/core/release"
)

// Options say whom to trust and where to look.
type Options struct {
	Client *fetch.Client
	// URL of the repository: the folder that holds metadata/ and targets/.
	URL string
	// Mirrors are further addresses of the same repository, for packages only, in front
	// of those that the publisher names. None of them needs to be trusted.
	Mirrors []string
	// Dir is the site's trust directory.
	Dir *os.Root
	// PinnedRoot is the root metadata that the admin accepted.
	PinnedRoot []byte
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Offline takes expired metadata for genuine but not fresh, without an earlier
	// view to fall back on: for a repository that was carried here on a medium.
	Offline bool
}

// Status says what is known about the publisher.
type Status struct {
	Signer      string    // the product's name as the root names it, else the first root key
	Fingerprint string    // of the root keys, see [Fingerprint]
	Expires     time.Time // when the first of the documents ends
	Fresh       bool      // whether this is proven to be the newest state
	Detail      string    // a sentence when Fresh is false; else ""
	RootVersion int
}

// Target is one file that the publisher offers.
type Target struct {
	Name   string
	Length int64
	Digest release.Digest
	URL    string
	// URLs are all addresses of it, URL first, then those of the mirrors.
	URLs []string
}

// Repository is a publisher's repository as its keys vouch for it. It does not
// change; a later state is another Open. It is safe for concurrent use.
type Repository struct {
	client  *fetch.Client
	refresh *refresh
	mu      sync.Mutex // guards the delegated roles in trusted
	bases   []*url.URL // of the targets: the repository's own, then the mirrors'
	trusted *trustedmetadata.TrustedMetadata
	status  Status
}

// Open brings the metadata up to date and returns the repository.
//
// It fails with [ErrExpired] if the metadata has expired and no earlier view exists,
// with [ErrUntrusted] if something is forged or rolled back, and with the errors of
// [fetch.Client.Get] if the server can't be reached.
func Open(ctx context.Context, o Options) (*Repository, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Repository{client: o.Client}
	for _, address := range append([]string{o.URL}, o.Mirrors...) {
		base, err := targetsOf(address)
		if err != nil {
			return nil, err
		}
		r.bases = append(r.bases, base)
	}
	f, err := loadFloor(o.Dir, o.PinnedRoot)
	if err != nil {
		return nil, err
	}
	s := &refresh{Options: o, floor: f, now: o.Now().UTC(), metadataURL: strings.TrimSuffix(o.URL, "/") + "/metadata/"}
	r.refresh = s
	r.trusted, err = s.online(ctx)
	var expired *ExpiredError
	switch {
	case err == nil:
		r.status = describe(r.trusted)
		r.status.Fresh = true
	case errors.As(err, &expired):
		view, viewErr := s.lastGood(ctx)
		if viewErr != nil {
			return nil, fmt.Errorf("%s: %w", fetch.Redacted(o.URL), err)
		}
		r.trusted = view
		r.status = describe(r.trusted)
		r.status.Detail = expired.Error()
	default:
		return nil, fmt.Errorf("%s: %w", fetch.Redacted(o.URL), err)
	}
	if err := r.addMirrors(); err != nil {
		return nil, err
	}
	return r, nil
}

// MirrorsField is where a publisher's targets metadata lists mirrors of the repository,
// best first. It stands among the fields that TUF lets a repository add.
const MirrorsField = "x-moult-mirrors"

// addMirrors takes over the mirrors that the publisher names. They are https only:
// nothing depends on their honesty, and yet no publisher should make a site speak in
// the open about what it fetches, or read files of its own.
func (r *Repository) addMirrors() error {
	list, _ := r.trusted.Targets[metadata.TARGETS].Signed.UnrecognizedFields[MirrorsField].([]any)
	for _, entry := range list {
		address, _ := entry.(string)
		base, err := targetsOf(address)
		if err != nil || base.Scheme != "https" {
			return untrusted("targets", fmt.Errorf("mirror %q is not an https address", fetch.Redacted(address)))
		}
		r.bases = append(r.bases, base)
	}
	return nil
}

func targetsOf(address string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/") + "/")
	if err != nil {
		return nil, errors.New("the repository's address can't be read") // err would repeat its password
	}
	return u.JoinPath("targets/"), nil
}

// Status returns what is known about the publisher.
func (r *Repository) Status() Status { return r.status }

// Names lists the targets whose names begin with prefix, sorted.
func (r *Repository) Names(prefix string) []string {
	var names []string
	for name := range r.trusted.Targets[metadata.TARGETS].Signed.Targets {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Target returns what is known of a target of the top-level role. An unknown one is
// [ErrNoTarget]; [Repository.Find] looks further.
func (r *Repository) Target(name string) (Target, error) {
	t, ok := r.trusted.Targets[metadata.TARGETS].Signed.Targets[name]
	if !ok {
		return Target{}, fmt.Errorf("%s: %w", name, ErrNoTarget)
	}
	return r.target(name, t)
}

func (r *Repository) target(name string, t *metadata.TargetFiles) (Target, error) {
	sum, ok := t.Hashes["sha256"]
	if !ok || len(sum) != len(release.Digest{}) {
		return Target{}, untrusted(name, errors.New("no SHA-256 hash"))
	}
	target := Target{Name: name, Length: t.Length, Digest: release.Digest(sum)}
	remote := name
	if r.trusted.Root.Signed.ConsistentSnapshot {
		remote = ConsistentName(name, target.Digest)
	}
	for _, base := range r.bases {
		target.URLs = append(target.URLs, resolve(base, remote))
	}
	target.URL = target.URLs[0]
	return target, nil
}

// ConsistentName is the name of a target's file in a repository with consistent
// snapshots: the hash stands before the last part (TUF specification, section 3.6).
func ConsistentName(name string, d release.Digest) string {
	dir, base := path.Split(name)
	return dir + hex.EncodeToString(d[:]) + "." + base
}

// resolve appends a target name to an address. Each part is escaped, so that a name
// is a name and never a query or a way up.
func resolve(base *url.URL, name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return base.String() + strings.Join(parts, "/")
}

// Read brings a target of at most limit bytes into memory, verified. Each mirror is
// tried in turn. What was read is kept, so that a check that finds nothing new costs a
// few small documents; use [fetch.Client.Download] for packages.
func (r *Repository) Read(ctx context.Context, name string, limit int64) ([]byte, error) {
	t, err := r.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	if t.Length > limit {
		return nil, fmt.Errorf("%s: %d bytes, at most %d expected: %w", name, t.Length, limit, fetch.ErrTooLarge)
	}
	if b, err := cachedTarget(r.refresh.Dir, t.Digest); err == nil {
		return b, nil
	}
	var failures []error
	for _, address := range t.URLs {
		b, err := r.client.Read(ctx, address, t.Length)
		if err == nil && (int64(len(b)) != t.Length || release.DigestOf(b) != t.Digest) {
			err = fmt.Errorf("%s: %w", fetch.Redacted(address), ErrHash)
		}
		if err == nil {
			return b, r.keepTarget(t.Digest, b)
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// keepTarget keeps a target for the next check, and drops those that the publisher no
// longer offers.
func (r *Repository) keepTarget(d release.Digest, b []byte) error {
	offered := map[release.Digest]bool{d: true}
	for _, t := range r.trusted.Targets[metadata.TARGETS].Signed.Targets {
		if sum := t.Hashes["sha256"]; len(sum) == len(d) {
			offered[release.Digest(sum)] = true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return saveTarget(r.refresh.Dir, d, b, offered)
}
