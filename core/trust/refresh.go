package trust

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"moult/core/fetch"
)

// What a document may weigh, in bytes. The first three are go-tuf's own defaults;
// targets grows with the number of releases and is as generous as go-tuf's.
const (
	maxRoot      = 512_000
	maxTimestamp = 16_384
	maxSnapshot  = 2_000_000
	maxTargets   = 5_000_000
)

// maxRotations is how many newer roots one refresh follows, as in go-tuf.
const maxRotations = 256

// refresh is one run of the client workflow of the TUF specification, section 5.
type refresh struct {
	Options
	floor       floor
	now         time.Time
	server      time.Time // the server's clock as it said last
	metadataURL string
	trusted     *trustedmetadata.TrustedMetadata
	view        view
}

// online runs the workflow against the server. Expiry is an [*ExpiredError].
func (s *refresh) online(ctx context.Context) (*trustedmetadata.TrustedMetadata, error) {
	if err := s.start(s.now); err != nil {
		return nil, err
	}
	steps := []func(context.Context) error{s.loadRoots, s.loadTimestamp, s.loadSnapshot, s.loadTargets}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := saveView(s.Dir, s.view); err != nil {
		return nil, fmt.Errorf("keep the verified metadata: %w", err)
	}
	return s.trusted, nil
}

// start loads the newest known root (section 5.2). at is the moment against which
// expiry is judged.
func (s *refresh) start(at time.Time) error {
	trusted, err := parseRoot([]byte(s.floor.Root))
	if err != nil {
		return err
	}
	trusted.RefTime = at
	s.trusted = trusted
	s.floor.Version = trusted.Root.Signed.Version
	return nil
}

// loadRoots follows key rotations (section 5.3), one version at a time; each new root
// is recorded before it is used (5.3.8).
func (s *refresh) loadRoots(ctx context.Context) error {
	for range maxRotations {
		next := s.floor.Version + 1
		b, err := s.download(ctx, strconv.FormatInt(next, 10)+".root.json", maxRoot)
		if fetch.NotFound(err) {
			break // 5.3.3: this is the newest
		}
		if err != nil {
			return err
		}
		if err := checkRoot(b); err != nil {
			return untrusted(fmt.Sprintf("root version %d", next), err)
		}
		if _, err := s.trusted.UpdateRoot(b); err != nil {
			return untrusted(fmt.Sprintf("root version %d", next), err)
		}
		s.floor.Version, s.floor.Root = next, string(b)
		if err := saveFloor(s.Dir, s.floor); err != nil {
			return fmt.Errorf("record root version %d: %w", next, err)
		}
	}
	if root := s.trusted.Root.Signed; root.IsExpired(s.trusted.RefTime) { // 5.3.10
		return s.expired(metadata.ROOT, root.Expires)
	}
	return nil
}

// loadTimestamp: section 5.4. The cached one counts even if it has expired, against
// a rollback.
func (s *refresh) loadTimestamp(ctx context.Context) error {
	old, err := cached(s.Dir, metadata.TIMESTAMP)
	if err == nil && checkTimestamp(old) == nil {
		// A cached document that the root no longer vouches for is as if it were not
		// there: that is how a fast-forward attack is recovered from (5.3.11).
		_, _ = s.trusted.UpdateTimestamp(old)
	}
	b, err := s.download(ctx, "timestamp.json", maxTimestamp)
	if err != nil {
		return err
	}
	if err := checkTimestamp(b); err != nil {
		return untrusted("timestamp", err)
	}
	_, err = s.trusted.UpdateTimestamp(b)
	switch {
	case errors.Is(err, &metadata.ErrEqualVersionNumber{}): // 5.4.3.1: the one at hand stays
		s.view.Timestamp = string(old)
		if expires := s.trusted.Timestamp.Signed.Expires; s.trusted.RefTime.After(expires) {
			return s.expired(metadata.TIMESTAMP, expires)
		}
		return nil
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		return s.expired(metadata.TIMESTAMP, s.trusted.Timestamp.Signed.Expires)
	case err != nil:
		return untrusted("timestamp", err)
	}
	s.view.Timestamp = string(b)
	return saveCached(s.Dir, metadata.TIMESTAMP, b)
}

// loadSnapshot: section 5.5.
func (s *refresh) loadSnapshot(ctx context.Context) error {
	if old, err := cached(s.Dir, metadata.SNAPSHOT); err == nil && checkDocument(old) == nil {
		if _, err := s.trusted.UpdateSnapshot(old, true); err == nil {
			s.view.Snapshot = string(old)
			return nil
		}
	}
	meta, ok := s.trusted.Timestamp.Signed.Meta["snapshot.json"]
	if !ok {
		return untrusted("timestamp", errors.New("it does not name a snapshot"))
	}
	b, err := s.download(ctx, s.versioned(meta.Version, "snapshot.json"), limit(meta.Length, maxSnapshot))
	if err != nil {
		return err
	}
	if err := checkDocument(b); err != nil {
		return untrusted("snapshot", err)
	}
	if _, err := s.trusted.UpdateSnapshot(b, false); err != nil {
		if errors.Is(err, &metadata.ErrExpiredMetadata{}) {
			return s.expired(metadata.SNAPSHOT, s.trusted.Snapshot.Signed.Expires)
		}
		return untrusted("snapshot", err)
	}
	s.view.Snapshot = string(b)
	return saveCached(s.Dir, metadata.SNAPSHOT, b)
}

// loadTargets: section 5.6. A cached document is checked like a new one.
func (s *refresh) loadTargets(ctx context.Context) error {
	if old, err := cached(s.Dir, metadata.TARGETS); err == nil && checkDocument(old) == nil {
		if _, err := s.trusted.UpdateTargets(old); err == nil {
			s.view.Targets = string(old)
			return nil
		}
	}
	meta, ok := s.trusted.Snapshot.Signed.Meta["targets.json"]
	if !ok {
		return untrusted("snapshot", errors.New("it does not name the targets"))
	}
	b, err := s.download(ctx, s.versioned(meta.Version, "targets.json"), limit(meta.Length, maxTargets))
	if err != nil {
		return err
	}
	if err := checkDocument(b); err != nil {
		return untrusted("targets", err)
	}
	if _, err := s.trusted.UpdateTargets(b); err != nil {
		if errors.Is(err, &metadata.ErrExpiredMetadata{}) {
			return s.expired(metadata.TARGETS, targetsExpiry(b))
		}
		return untrusted("targets", err)
	}
	s.view.Targets = string(b)
	return saveCached(s.Dir, metadata.TARGETS, b)
}

// lastGood rebuilds the last view that passed every check, without judging expiry:
// signatures, versions and hashes are checked again, against the newest root. Offline,
// what the medium holds counts as well.
func (s *refresh) lastGood(ctx context.Context) (*trustedmetadata.TrustedMetadata, error) {
	var never time.Time // before every expiry
	if s.Offline {
		if err := s.start(never); err != nil {
			return nil, err
		}
		for _, step := range []func(context.Context) error{s.loadRoots, s.loadTimestamp, s.loadSnapshot, s.loadTargets} {
			if err := step(ctx); err != nil {
				return nil, err
			}
		}
		return s.trusted, nil
	}
	v, err := loadView(s.Dir)
	if err != nil {
		return nil, err
	}
	if err := s.start(never); err != nil {
		return nil, err
	}
	if _, err := s.trusted.UpdateTimestamp([]byte(v.Timestamp)); err != nil {
		return nil, err
	}
	if _, err := s.trusted.UpdateSnapshot([]byte(v.Snapshot), true); err != nil {
		return nil, err
	}
	if _, err := s.trusted.UpdateTargets([]byte(v.Targets)); err != nil {
		return nil, err
	}
	return s.trusted, nil
}

func (s *refresh) download(ctx context.Context, name string, most int64) ([]byte, error) {
	d, err := s.Client.Get(ctx, s.metadataURL+name, most)
	if err != nil {
		return nil, err
	}
	s.server = d.Date
	return d.Body, nil
}

// versioned is the name of a document under consistent snapshots (section 6.2).
func (s *refresh) versioned(version int64, name string) string {
	if s.trusted.Root.Signed.ConsistentSnapshot {
		return strconv.FormatInt(version, 10) + "." + name
	}
	return name
}

func (s *refresh) expired(role string, expires time.Time) error {
	return &ExpiredError{Role: role, Expires: expires, Now: s.now, Server: s.server}
}

func limit(signed, most int64) int64 {
	if signed > 0 {
		return min(signed, most)
	}
	return most
}

func targetsExpiry(b []byte) time.Time {
	t, err := metadata.Targets().FromBytes(b)
	if err != nil {
		return time.Time{}
	}
	return t.Signed.Expires
}
