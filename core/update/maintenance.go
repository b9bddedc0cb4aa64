package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// leaseTime is how long a maintenance flag is good for. A site that reads it knows
// that a longer one was forgotten; a run renews it at every stage.
const leaseTime = 15 * time.Minute

// lease is what a maintenance flag holds, so that a site can tell its visitors and
// see for itself when it has outlived its reason.
type lease struct {
	Update  string    `json:"update"`
	Expires time.Time `json:"expires"`
}

// maintenanceOn raises the site's maintenance flag, if it has one.
func (r *run) maintenanceOn(context.Context) error {
	if r.site.Config.Maintenance.File == "" {
		r.skipped = true
		return nil
	}
	return r.raise()
}

// raise writes the flag with a fresh expiry.
func (r *run) raise() error {
	name := string(r.site.Config.Maintenance.File)
	text, err := json.Marshal(lease{Update: r.plan.ID, Expires: r.e.opts.Now().Add(leaseTime).UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	if err := r.site.Root.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("raise the maintenance flag %s: %w", name, err)
	}
	r.raised = true
	return nil
}

// maintenanceOff lowers the flag.
func (r *run) maintenanceOff() error {
	name := string(r.site.Config.Maintenance.File)
	if name == "" {
		return nil
	}
	if err := r.site.Root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("lower the maintenance flag %s: %w", name, err)
	}
	r.raised = false
	return nil
}
