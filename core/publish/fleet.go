package publish

import (
	"fmt"
	"os"
	"time"

	"moult/core/release"
)

// FleetCosts are what a site transfers, in bytes.
type FleetCosts struct {
	Quiet int64 // documents of a check when only the daily refresh has happened
	News  int64 // documents of a check when something was published
	Files int64 // the release's own manifest, read by sites that install it
	Full  int64 // packages of the newest release; 0: not offered
	Patch int64
	Delta int64
	// Request is what one request costs in headers, both ways together.
	Request int64
}

// Requests of a check: the probe for a newer root, timestamp and snapshot; with news
// the targets and the manifest too.
const (
	quietRequests = 3
	newsRequests  = 5
)

// headerBytes is what a request and its answer carry in headers. Go's own client and
// server need 260 together; the rest is what CDNs add.
const headerBytes = 700

// MeasureFleet takes the costs from the newest release of a channel.
func MeasureFleet(repo, channel string) (release.Version, FleetCosts, error) {
	r, err := openRepository(repo, time.Now())
	if err != nil {
		return release.Version{}, FleetCosts{}, err
	}
	m, err := r.manifest(channelName(channel))
	if err == nil && m == nil {
		err = fmt.Errorf("channel %s has no release", channel)
	}
	if err != nil {
		return release.Version{}, FleetCosts{}, err
	}
	costs, err := r.costs(m, channel)
	return m.Version, costs, err
}

func (r *repository) costs(m *release.Manifest, channel string) (FleetCosts, error) {
	c := FleetCosts{Request: headerBytes}
	snapshot := fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version)
	targets := fmt.Sprintf("%d.targets.json", r.targets.Signed.Version)
	for _, name := range []string{"timestamp.json", snapshot} {
		info, err := os.Stat(r.path("metadata", name))
		if err != nil {
			return c, err
		}
		c.Quiet += info.Size()
	}
	info, err := os.Stat(r.path("metadata", targets))
	if err != nil {
		return c, err
	}
	c.News = c.Quiet + info.Size() + r.targets.Signed.Targets[channelName(channel)].Length
	c.Files = r.targets.Signed.Targets[manifestName(m.Version)].Length
	for _, p := range m.Packages {
		c.Full = max(c.Full, p.Size)
	}
	for _, p := range m.Patches {
		c.Patch = max(c.Patch, p.Size)
	}
	for _, d := range m.Moult.Deltas {
		if c.Delta == 0 || d.Size < c.Delta {
			c.Delta = d.Size
		}
	}
	return c, nil
}

// Fleet is a simulation of many sites that follow one release. All shares are per cent.
type Fleet struct {
	Sites, Days int
	Version     release.Version
	Costs       FleetCosts
	// Ramp is the share of sites that the release is offered to on each day, from day
	// 0 on; the last value stays. Each change is a publication.
	Ramp   []int
	Weekly int // sites that look once a week instead of daily
	Edited int // sites where an edited file rules the delta out
	Behind int // sites too old for delta and patch
}

// FleetDay is what one day costs the publisher.
type FleetDay struct {
	Day      int                          `json:"day"`
	Checks   int                          `json:"checks"`
	Requests int                          `json:"requests"`
	Metadata int64                        `json:"metadata_bytes"` // headers included
	Packages int64                        `json:"package_bytes"`  // headers included
	Updated  map[release.StrategyKind]int `json:"updated"`
	Current  int                          `json:"current"` // sites that have the release in the evening
}

// Run plays the fleet. The same fleet gives the same days.
func (f Fleet) Run() []FleetDay {
	days := make([]FleetDay, f.Days)
	for d := range days {
		days[d] = FleetDay{Day: d, Updated: map[release.StrategyKind]int{}}
	}
	stages := make([]*release.Manifest, len(f.Ramp))
	for i, share := range f.Ramp {
		stages[i] = &release.Manifest{Version: f.Version, Moult: &release.Extension{Rollout: share}}
	}
	for site := range f.Sites {
		f.follow(site, stages, days)
	}
	for d := 1; d < len(days); d++ {
		days[d].Current += days[d-1].Current
	}
	return days
}

// follow plays one site through all days.
func (f Fleet) follow(site int, stages []*release.Manifest, days []FleetDay) {
	id := fmt.Sprintf("site-%d", site)
	every, seen, updated := 1, -1, false
	if f.share(id, "weekly", f.Weekly) {
		every = 7
	}
	for d := site % every; d < len(days); d += every {
		day, stage := &days[d], min(d, len(stages)-1)
		requests, bytes := quietRequests, f.Costs.Quiet
		if changed(stages, seen, stage) {
			requests, bytes = newsRequests, f.Costs.News
		}
		seen = stage
		day.Checks++
		day.Requests += requests
		day.Metadata += bytes + int64(requests)*f.Costs.Request
		if updated || !stages[stage].OfferedTo(id) {
			continue
		}
		updated = true
		kind, size := f.choose(id)
		day.Requests += 2
		day.Metadata += f.Costs.Files + f.Costs.Request
		day.Packages += size + f.Costs.Request
		day.Updated[kind]++
		day.Current++
	}
}

// changed reports whether the manifest is another one than at the last visit.
func changed(stages []*release.Manifest, seen, now int) bool {
	return seen < 0 || stages[seen].Moult.Rollout != stages[now].Moult.Rollout
}

// choose is what a site fetches.
func (f Fleet) choose(id string) (release.StrategyKind, int64) {
	switch behind := f.share(id, "behind", f.Behind); {
	case !behind && f.Costs.Delta > 0 && !f.share(id, "edited", f.Edited):
		return release.DeltaPack, f.Costs.Delta
	case !behind && f.Costs.Patch > 0:
		return release.PatchPack, f.Costs.Patch
	}
	return release.Full, f.Costs.Full
}

// share draws whether a site belongs to a share of the fleet, always alike.
func (f Fleet) share(id, what string, percent int) bool {
	d := release.DigestOf([]byte(what + "\x00" + id))
	return (int(d[0])<<8|int(d[1]))%100 < percent
}
