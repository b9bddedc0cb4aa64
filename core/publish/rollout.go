package publish

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"
)

// RolloutOptions change how many sites are offered the newest release of a channel.
type RolloutOptions struct {
	Channel string // "": stable
	Percent int    // 0 halts the release: no further site is offered it
	// Critical offers it to all sites at once, whatever the percentage.
	Critical bool
	Keys     KeySource
	Date     time.Time // zero: the clock
}

// Rollout widens, narrows or halts a staged rollout. Sites that have the release keep it;
// a wider share includes the sites of a narrower one. The manifest changes in nothing
// else.
func Rollout(ctx context.Context, repo string, o RolloutOptions) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if o.Percent < 0 || o.Percent > 100 {
		return fmt.Errorf("rollout of %d per cent: want 0 to 100", o.Percent)
	}
	if o.Channel == "" {
		o.Channel = defaultChannel
	}
	if o.Date.IsZero() {
		o.Date = time.Now()
	}
	r, err := openToChange(repo, o.Date)
	if err != nil {
		return err
	}
	defer r.close()
	ring, err := loadKeys(keysOf(repo, o.Keys))
	if err != nil {
		return err
	}
	if _, err := r.changers(ring); err != nil {
		return err
	}
	m, err := r.manifest(channelName(o.Channel))
	if err != nil {
		return err
	}
	if m == nil {
		return fmt.Errorf("channel %s has no release", o.Channel)
	}
	if m, err = r.releaseManifest(m.Version); err != nil {
		return err
	}
	m.Moult.Rollout, m.Moult.Critical = o.Percent, o.Critical
	if err := r.putManifest(m, true); err != nil {
		return err
	}
	return r.commit(ctx, ring, true)
}

// PackageKeys returns the public keys that sign packages, as a site on a server without
// TUF pins them in source.keys.
func PackageKeys(repo string) ([]string, error) {
	r, err := openRepository(repo, time.Now())
	if err != nil {
		return nil, err
	}
	keys, err := r.targetsKeys()
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, k := range keys {
		texts = append(texts, "ed25519:"+base64.StdEncoding.EncodeToString(k))
	}
	return texts, nil
}
