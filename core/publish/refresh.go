package publish

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Renewal says when each role of a repository expires, and what deserves a warning.
type Renewal struct {
	Expires  map[string]time.Time // by role
	Warnings []string             // sentences, sorted
}

// offlineNotice is how long before the end of root and targets Refresh begins to warn;
// their keys may lie in a safe of somebody on holiday.
const offlineNotice = 45 * 24 * time.Hour

// Refresh renews the snapshot and the timestamp. It needs their keys only and is meant
// to run daily. A zero date is the clock. If sites would not accept the repository
// afterwards, as when root or targets have expired, that is the error.
func Refresh(ctx context.Context, repo string, keys KeySource, date time.Time) (*Renewal, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if date.IsZero() {
		date = time.Now()
	}
	r, err := lockRepository(repo, date, onlineRoles...)
	if err != nil {
		return nil, err
	}
	defer r.close()
	ring, err := loadKeys(keysOf(repo, keys))
	if err != nil {
		return nil, err
	}
	if err := r.commitOnline(ctx, ring); err != nil {
		return nil, err
	}
	return r.renewal(), nil
}

func (r *repository) renewal() *Renewal {
	n := &Renewal{Expires: map[string]time.Time{
		metadata.ROOT:      r.root.Signed.Expires,
		metadata.TARGETS:   r.targets.Signed.Expires,
		metadata.SNAPSHOT:  r.snapshot.Signed.Expires,
		metadata.TIMESTAMP: r.timestamp.Signed.Expires,
	}}
	for _, role := range []string{metadata.ROOT, metadata.TARGETS} {
		if end := n.Expires[role]; end.Before(r.date.Add(offlineNotice)) {
			n.Warnings = append(n.Warnings, fmt.Sprintf("the %s metadata ends on %s: renew it with its offline keys (moult publish rotate --role %s)", role, end.Format(time.DateOnly), role))
		}
	}
	slices.Sort(n.Warnings)
	return n
}

// keysOf fills in the default place of a repository's keys.
func keysOf(repo string, keys KeySource) KeySource {
	if keys.Place == "" {
		keys.Place = DefaultKeys(repo)
	}
	return keys
}
