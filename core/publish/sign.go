package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/release"
	"moult/core/trust"
)

// pendingFile holds targets metadata that too few keys have signed. Sites don't know of
// it, and the name keeps it from being served.
const pendingFile = ".pending.targets.json"

// PendingError says that a change was made and waits for signatures.
type PendingError struct {
	Repo    string
	Missing []string // what it waits for, in words
}

// Error says what is missing and how it is added.
func (e *PendingError) Error() string {
	return fmt.Sprintf("the change of %s waits for %s: moult publish sign %s", e.Repo, strings.Join(e.Missing, " and "), e.Repo)
}

// ErrPending says that a repository can't be changed, as an earlier change waits for
// signatures.
var ErrPending = errors.New("an earlier change waits for signatures: sign or drop it first (moult publish sign)")

// ErrNoChange says that there is no change to be signed or dropped.
var ErrNoChange = errors.New("no change waits for signatures")

// openToChange opens a repository in which no change waits for signatures.
func openToChange(dir string, date time.Time, mends ...string) (*repository, error) {
	r, err := lockRepository(dir, date, append(mends, onlineRoles...)...)
	if err != nil {
		return nil, err
	}
	pending, err := r.pending()
	if err == nil && pending != nil {
		err = fmt.Errorf("%s: %w", dir, ErrPending)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// pending reads the targets that wait for signatures, nil if there are none.
func (r *repository) pending() (*metadata.Metadata[metadata.TargetsType], error) {
	b, err := os.ReadFile(r.path("metadata", pendingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := trust.CheckDocument(metadata.TARGETS, b); err != nil {
		return nil, fmt.Errorf("the change that waits for signatures: %w", err)
	}
	m, err := metadata.Targets().FromBytes(b)
	if err == nil {
		err = checkTargets(m)
	}
	if err != nil {
		return nil, fmt.Errorf("the change that waits for signatures: %w", err)
	}
	return m, nil
}

// suspend keeps targets until the rest of those who must sign have done so.
func (r *repository) suspend(targets *metadata.Metadata[metadata.TargetsType], missing []string) error {
	b, err := targets.ToBytes(false)
	if err != nil {
		return err
	}
	if err := r.write(pendingFile, b); err != nil {
		return err
	}
	return &PendingError{r.dir, missing}
}

// missing lists what targets still need to be published with the keys at hand.
func (r *repository) missing(ring *keyring, targets *metadata.Metadata[metadata.TargetsType]) ([]string, error) {
	var missing []string
	role := r.root.Signed.Roles[metadata.TARGETS]
	signed := 0
	for _, s := range targets.Signatures {
		if slices.Contains(role.KeyIDs, s.KeyID) {
			signed++
		}
	}
	if n := role.Threshold - signed; n > 0 {
		missing = append(missing, fmt.Sprintf("%d more of the %d signatures of the role targets", n, role.Threshold))
	}
	for _, online := range onlineRoles {
		keys, err := ring.atHand(r.root, online)
		if err != nil {
			return nil, err
		}
		if len(keys) < r.root.Signed.Roles[online].Threshold {
			missing = append(missing, "the key of the role "+online)
		}
	}
	return missing, nil
}

// Sign adds the signatures of further keys to a change that waits for them, and publishes
// it when none is missing; until then it returns a [*PendingError]. It signs nothing whose
// files are not there as the change says. What it changes is returned in any case.
func Sign(ctx context.Context, repo string, keys KeySource, date time.Time) ([]Change, error) {
	if date.IsZero() {
		date = time.Now()
	}
	r, err := lockRepository(repo, date, onlineRoles...)
	if err != nil {
		return nil, err
	}
	defer r.close()
	pending, err := r.pending()
	if err != nil {
		return nil, err
	}
	if pending == nil {
		return nil, fmt.Errorf("%s: %w", repo, ErrNoChange)
	}
	if pending.Signed.Version != r.targets.Signed.Version+1 {
		return nil, fmt.Errorf("%s: the change that waits for signatures starts from another state than the published one: drop it and make it again", repo)
	}
	changes, err := r.changes(ctx, pending)
	if err != nil {
		return changes, err
	}
	keys.HandOn = true
	ring, err := loadKeys(keysOf(repo, keys))
	if err != nil {
		return changes, err
	}
	held, err := ring.atHand(r.root, metadata.TARGETS)
	if err != nil {
		return changes, err
	}
	if len(held) > 0 {
		if err := r.vouches(ring, metadata.TARGETS, metadata.ROOT); err != nil {
			return changes, err
		}
	}
	if err := cosign(pending, held); err != nil {
		return changes, err
	}
	missing, err := r.missing(ring, pending)
	if err != nil {
		return changes, err
	}
	if len(missing) > 0 {
		return changes, r.suspend(pending, missing)
	}
	if err := r.root.VerifyDelegate(metadata.TARGETS, pending); err != nil {
		return changes, fmt.Errorf("a signature of the change is wrong, drop it and make it again: %w", err)
	}
	r.targets = pending
	if err := r.placeTargets(); err != nil {
		return changes, err
	}
	if err := r.commitOnline(ctx, ring); err != nil {
		return changes, err
	}
	return changes, os.Remove(r.path("metadata", pendingFile))
}

// Drop forgets a change that waits for signatures. The files that were made for it stay
// until the next [Prune].
func Drop(repo string) error {
	r, err := lockRepository(repo, time.Now())
	if err != nil {
		return err
	}
	defer r.close()
	err = os.Remove(r.path("metadata", pendingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", repo, ErrNoChange)
	}
	return err
}

// Change is one thing that a change of the repository adds, replaces or removes: a file,
// or the list of mirrors.
type Change struct {
	Target  string
	Kind    ChangeKind
	Size    int64          // of the new file
	Digest  release.Digest // of the new file
	Mirrors []string       // all of them from then on, for [Mirrored]
}

// ChangeKind says what happens to a file of the repository, or to what else is signed.
type ChangeKind string

// The kinds of changes.
const (
	Added    ChangeKind = "added"
	Replaced ChangeKind = "replaced"
	Removed  ChangeKind = "removed"
	Mirrored ChangeKind = "mirrors" // other mirrors are named
)

// clockTolerance is how far the clocks of two people who sign may differ.
const clockTolerance = 24 * time.Hour

// changes compares targets with the published ones, in order of names, and makes sure
// that the new files are what it says. Whoever signs sees all that is different: what
// these commands never change is refused.
func (r *repository) changes(ctx context.Context, next *metadata.Metadata[metadata.TargetsType]) ([]Change, error) {
	if err := r.unexpected(next); err != nil {
		return nil, fmt.Errorf("the change that waits for signatures %w: drop it and find out who made it", err)
	}
	var all []Change
	before := r.targets.Signed.Targets
	for name, t := range next.Signed.Targets {
		c := Change{Target: name, Kind: Added, Size: t.Length, Digest: release.Digest(t.Hashes["sha256"])}
		if old, ok := before[name]; ok {
			if release.Digest(old.Hashes["sha256"]) == c.Digest && old.Length == t.Length {
				continue
			}
			c.Kind = Replaced
		}
		if err := r.checkTarget(ctx, c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	for name := range before {
		if _, ok := next.Signed.Targets[name]; !ok {
			all = append(all, Change{Target: name, Kind: Removed})
		}
	}
	slices.SortFunc(all, func(a, b Change) int { return strings.Compare(a.Target, b.Target) })
	old, err := mirrors(r.targets)
	if err != nil {
		return nil, err
	}
	list, err := mirrors(next)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(old, list) {
		all = append(all, Change{Kind: Mirrored, Mirrors: list})
	}
	return all, nil
}

// unexpected returns what a pending change has besides what [Change] can tell of.
func (r *repository) unexpected(next *metadata.Metadata[metadata.TargetsType]) error {
	now, was := next.Signed, r.targets.Signed
	switch last := r.date.Add(targetsLife + clockTolerance); {
	case !reflect.DeepEqual(now.Delegations, was.Delegations):
		return errors.New("delegates targets to other keys than the published one")
	case now.Expires.After(last):
		return fmt.Errorf("expires on %s, later than a change that is made today (%s)", now.Expires.Format(time.DateOnly), last.Format(time.DateOnly))
	case now.SpecVersion != was.SpecVersion:
		return fmt.Errorf("follows version %q of TUF, the published one %q", now.SpecVersion, was.SpecVersion)
	case !reflect.DeepEqual(otherFields(now.UnrecognizedFields), otherFields(was.UnrecognizedFields)):
		return fmt.Errorf("has other fields (%v) than the published one (%v)", otherFields(now.UnrecognizedFields), otherFields(was.UnrecognizedFields))
	}
	for name, t := range now.Targets {
		old := was.Targets[name]
		if plain := len(t.Hashes) == 1 && t.Custom == nil && len(t.UnrecognizedFields) == 0; !plain && !reflect.DeepEqual(t, old) {
			return fmt.Errorf("says more of %s than its size and hash", name)
		}
	}
	return nil
}

// otherFields are those besides the mirrors.
func otherFields(fields map[string]any) map[string]any {
	other := map[string]any{}
	for name, value := range fields {
		if name != trust.MirrorsField {
			other[name] = value
		}
	}
	return other
}

// checkTarget hashes the file of a target that is about to be signed.
func (r *repository) checkTarget(ctx context.Context, c Change) error {
	f, err := os.Open(r.path("targets", filepath.FromSlash(trust.ConsistentName(c.Target, c.Digest))))
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && (n != c.Size || release.Digest(h.Sum(nil)) != c.Digest) {
		err = trust.ErrHash
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.Target, err)
	}
	return nil
}
