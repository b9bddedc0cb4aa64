package update

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// maxNotes bounds how many releases' notes are collected for one update.
const maxNotes = 50

// Check asks the publisher for its newest release, or for c.To, and decides how
// the site would get there. It changes nothing but the record of the check.
//
// Three outcomes are told apart: an error means that nothing is known, an offer
// for which [Offer.UpToDate] is true that there is nothing to do, and an offer with
// a Blocked reason that there is a release which can't be installed here.
func (e *Engine) Check(ctx context.Context, c Choices, report Report) (*Offer, error) {
	report.send(Event{Stage: StageCheck, Status: StepRunning, Item: e.site.Config.Source.URL, Interruptible: true})
	o, err := e.check(ctx, c)
	if err != nil {
		report.send(Event{Stage: StageCheck, Status: StepFailed, Log: err.Error(), Interruptible: true})
		return nil, classify(StageCheck, err)
	}
	report.send(Event{Stage: StageCheck, Status: StepDone, Log: o.Strategy.Reason, Interruptible: true})
	return o, nil
}

func (e *Engine) check(ctx context.Context, c Choices) (*Offer, error) {
	src, err := e.openSource(ctx)
	if err != nil {
		return nil, err
	}
	st, err := e.site.State()
	if err != nil {
		return nil, err
	}
	arch, err := release.ParseArch(e.site.Config.Source.Arch)
	if err != nil {
		return nil, settingError("source.arch", err)
	}
	newest, err := src.newest(ctx)
	if err != nil {
		return nil, err
	}
	if st.ID == "" {
		st.ID = rand.Text()
	}
	m, err := pick(ctx, src, newest, c.To, st.ID)
	if err != nil {
		return nil, err
	}
	o := &Offer{Current: st.Version, Latest: newest.Version, Trust: src.trust(), source: src, arch: arch}
	var unsupported *release.UnsupportedArchError
	var stop *release.StopError
	var noWay *release.NoWayError
	o.Strategy, err = release.Decide(m, e.facts(st, arch, c), e.chain(ctx, src, newest))
	switch {
	case errors.As(err, &unsupported), errors.As(err, &stop), errors.As(err, &noWay):
		o.Blocked = sentence(err.Error())
	case err != nil:
		return nil, err
	}
	// A chain or a required stop leads to an earlier release first.
	if hops := o.Strategy.Hops; len(hops) > 0 && hops[0].Compare(m.Version) != 0 {
		if m, err = src.at(ctx, hops[0]); err != nil {
			return nil, fmt.Errorf("release %s: %w", hops[0], err)
		}
	}
	o.Target, o.Released, o.manifest = m.Version, m.Released, m
	if m.Moult != nil {
		o.Critical = m.Moult.Critical
		if need := m.Moult.MinMoult; !e.opts.Program.IsZero() && need.Compare(e.opts.Program) > 0 {
			o.Blocked = fmt.Sprintf("%s needs Moult %s or newer; this is %s.", m.Version, need, e.opts.Program)
		}
	}
	if o.Notes, err = collectNotes(ctx, src, newest, st.Version, m); err != nil {
		return nil, err
	}
	err = e.site.ChangeState(func(now *site.State) {
		now.LastCheck, now.ID = e.opts.Now(), cmp.Or(now.ID, st.ID)
	})
	if err != nil {
		return nil, fmt.Errorf("record the check: %w", err)
	}
	return o, nil
}

// Skip remembers that the admin doesn't want to be told about v again by checks
// that nobody asked for; the zero version forgets it. Check itself goes on to
// offer v.
func (e *Engine) Skip(v release.Version) error {
	if err := e.site.ChangeState(func(st *site.State) { st.Skipped = v }); err != nil {
		return fmt.Errorf("skip %s: %w", v, err)
	}
	return nil
}

// pick returns the manifest of the release that was asked for, or of the newest one
// that its publisher offers to this site already. What somebody asks for by name
// doesn't wait for its rollout.
func pick(ctx context.Context, src source, newest *release.Manifest, asked release.Version, siteID string) (*release.Manifest, error) {
	if !asked.IsZero() && asked.Compare(newest.Version) != 0 {
		m, err := src.at(ctx, asked)
		if err != nil {
			return nil, fmt.Errorf("release %s: %w", asked, err)
		}
		return m, nil
	}
	if !asked.IsZero() || newest.OfferedTo(siteID) || newest.Moult == nil {
		return newest, nil
	}
	for _, earlier := range slices.Backward(newest.Moult.Earlier) {
		m, err := src.at(ctx, earlier.Version)
		if errors.Is(err, fs.ErrNotExist) {
			continue // no longer published
		}
		if err != nil || m.OfferedTo(siteID) {
			return m, err
		}
	}
	return newest, nil // the first release of all can't be held back
}

// facts are what the strategy is decided by.
func (e *Engine) facts(st site.State, arch release.Arch, c Choices) release.Site {
	f := release.Site{Current: st.Version, Arch: arch, ForceFull: c.Full, BaseKnown: e.baseKnown()}
	for _, p := range e.site.Config.Requires {
		if _, err := e.site.Root.Lstat(string(p)); errors.Is(err, fs.ErrNotExist) {
			f.Missing = append(f.Missing, p)
		}
	}
	return f
}

// baseKnown reports whether the shipped contents that deltas start from are
// recorded. Each base is hashed again when a delta is used.
func (e *Engine) baseKnown() bool {
	heading, err := e.site.InventoryOf(release.Operations{})
	return err == nil && heading.BaseKnown
}

// chain returns the function by which the strategy asks for the releases between
// the installed one and the newest, oldest first.
func (e *Engine) chain(ctx context.Context, src source, newest *release.Manifest) func(release.Version) ([]*release.Manifest, error) {
	return func(from release.Version) ([]*release.Manifest, error) {
		var hops []*release.Manifest
		if newest.Moult == nil {
			return nil, nil
		}
		for _, earlier := range newest.Moult.Earlier {
			if earlier.Version.Compare(from) <= 0 {
				continue
			}
			m, err := src.at(ctx, earlier.Version)
			if errors.Is(err, fs.ErrNotExist) {
				continue // no longer published: another way may do without it
			}
			if err != nil {
				return nil, err
			}
			hops = append(hops, m)
		}
		return append(hops, newest), nil
	}
}

// collectNotes gathers the notes of every release after current up to m, newest
// first. Older releases that the publisher has withdrawn are left out.
func collectNotes(ctx context.Context, src source, newest *release.Manifest, current release.Version, m *release.Manifest) ([]Note, error) {
	if m.Version.Compare(current) <= 0 {
		return nil, nil
	}
	notes := []Note{{m.Version, m.Released, m.Notes}}
	if newest.Moult == nil || current.IsZero() {
		return notes, nil
	}
	for _, earlier := range slices.Backward(newest.Moult.Earlier) {
		if earlier.Version.Compare(current) <= 0 || earlier.Version.Compare(m.Version) >= 0 || len(notes) == maxNotes {
			continue
		}
		between, err := src.at(ctx, earlier.Version)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		notes = append(notes, Note{between.Version, between.Released, between.Notes})
	}
	return notes, nil
}

// sentence makes a sentence of a message.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
