package trust

import (
	"errors"
	"fmt"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/fetch"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrExpired: the publisher's metadata is genuine and too old, so nobody can prove
	// that it describes the newest release. Errors of this kind are [*ExpiredError].
	ErrExpired = errors.New("the publisher's metadata has expired")
	// ErrUntrusted: the metadata is not what the publisher made, or older than what
	// was seen before.
	ErrUntrusted = errors.New("the publisher's metadata is not trustworthy")
	// ErrRolledBack: the metadata is older than what was seen before. It is an
	// ErrUntrusted too.
	ErrRolledBack = errors.New("it is older than what was seen before")
	// ErrSignature: a package has no valid signature of a pinned key.
	ErrSignature = errors.New("the package is not signed by a trusted key")
	// ErrCertificate: the signing certificate does not lead to a pinned one, is not
	// for this purpose, is out of date or revoked.
	ErrCertificate = errors.New("the signing certificate is not trusted")
	// ErrHash: a file is not the one that was signed.
	ErrHash = fetch.ErrHash
	// ErrNoTarget: the publisher does not offer a file of that name.
	ErrNoTarget = errors.New("the publisher offers no such file")
)

// ExpiredError is an [ErrExpired] with what is known of the two clocks.
type ExpiredError struct {
	Role    string    // "root", "timestamp", "snapshot" or "targets"
	Expires time.Time // when it ended
	Now     time.Time // this machine's clock
	Server  time.Time // the server's clock, zero when it did not say
}

// skewTolerance is how far two clocks may differ before it is worth a word.
const skewTolerance = 5 * time.Minute

// Skew is how far this machine's clock is ahead of the server's, 0 when the
// server's is not known.
func (e *ExpiredError) Skew() time.Duration {
	if e.Server.IsZero() {
		return 0
	}
	return e.Now.Sub(e.Server)
}

// Error says which metadata has ended and, if the clocks disagree about that, whose
// clock to look at.
func (e *ExpiredError) Error() string {
	s := fmt.Sprintf("the publisher's %s metadata expired on %s", e.Role, e.Expires.UTC().Format(time.RFC3339))
	if skew := e.Skew(); skew.Abs() > skewTolerance {
		s += fmt.Sprintf("; this computer's clock (%s) and the server's (%s) differ by %s",
			e.Now.UTC().Format(time.RFC3339), e.Server.UTC().Format(time.RFC3339), skew.Abs().Round(time.Minute))
		if e.Server.Before(e.Expires) {
			s += ", and by the server's clock it is still valid: check the date and time of this computer"
		}
	}
	return s
}

// Is makes every ExpiredError match [ErrExpired].
func (e *ExpiredError) Is(target error) bool { return target == ErrExpired }

// untrusted marks what go-tuf refuses.
func untrusted(what string, err error) error {
	if errors.Is(err, &metadata.ErrBadVersionNumber{}) {
		err = fmt.Errorf("%w: %w", ErrRolledBack, err)
	}
	return fmt.Errorf("%s: %w: %w", what, ErrUntrusted, err)
}
