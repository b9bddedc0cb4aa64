package app

import (
	"context"
	"errors"
	"time"

	"moult/app/words"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// Activity is what a site's worker is busy with.
type Activity int

// The activities. None leaves the site to the admin.
const (
	None Activity = iota
	OpeningSite
	CheckingNow
	CheckingQuietly // nobody asked for it, so it gives way to whatever the admin does
	PreparingNow
	ReplanningNow
	Updating
	RollingBack // or undoing what was interrupted
	Finishing   // what was interrupted
	Discarding
	Skipping
)

// changes reports whether the activity changes the site, so that it can't just
// be dropped.
func (a Activity) changes() bool { return a == Updating || a == RollingBack || a == Finishing }

// Model is everything the screens of one site show.
type Model struct {
	Dir     string
	Config  site.Config
	Current release.Version
	Checked time.Time       // the last check that got an answer
	Skipped release.Version // what the admin doesn't want to be offered unasked

	State update.State
	Doing Activity
	// Stopping is true from the admin's wish to stop until the worker has come
	// to a safe point.
	Stopping bool

	Offer   *update.Offer
	Plan    *update.Plan
	Choices update.Choices
	// Stale is true while choices are not yet part of the plan.
	Stale bool

	Err     error          // what the last failure was, for CheckFailed, NotBegun and outcomes
	Result  *update.Result // of the last run
	Back    bool           // the last run was to go back
	Run     *update.Run    // that was found interrupted
	History []update.Record
	Broken  error // why the site can't be opened at all

	Progress Progress
}

// Name returns the site's name, or its directory until that is known.
func (m Model) Name() string {
	if m.Config.Name != "" {
		return m.Config.Name
	}
	return m.Dir
}

// Unsigned reports whether the site takes releases that nobody signed.
func (m Model) Unsigned() bool { return m.Config.Source.Unsigned == "allow" }

// Target returns the version that is offered or planned, zero if there is none.
func (m Model) Target() release.Version {
	switch {
	case m.Plan != nil:
		return m.Plan.To
	case m.Offer != nil && !m.Offer.UpToDate():
		return m.Offer.Target
	}
	return release.Version{}
}

// Choice returns the answer for an edited file: the admin's if there is one,
// else what is in force in the plan.
func (m Model) Choice(e files.Entry) files.Choice {
	if c, ok := m.Choices.Files[e.Path]; ok {
		return c
	}
	return e.Choice
}

// Skips reports whether the site waits for a release after the one that the
// admin skips, so far as is known.
func (m Model) Skips() bool {
	return m.State == update.Idle && m.Skipped.Compare(m.Current) > 0
}

// AtRest reports whether a check that nobody asked for may begin: nothing runs
// and nothing is in sight that the admin has still to read or to decide.
func (m Model) AtRest() bool {
	if m.Doing != None || m.Broken != nil {
		return false
	}
	switch m.State {
	case update.Idle, update.UpToDate, update.Found, update.NotInstallable, update.CheckFailed:
		return true
	}
	return false
}

// Undecided lists the edited files that wait for an answer.
func (m Model) Undecided() []files.Entry {
	if m.Plan == nil || m.Plan.Files == nil {
		return nil
	}
	var open []files.Entry
	for _, e := range m.Plan.Files.Undecided() {
		if m.Choice(e) == files.ChoiceAsk {
			open = append(open, e)
		}
	}
	return open
}

// event is what a model changes by.
type event interface{ isEvent() }

// The events, in about the order in which they come.
type (
	// opened: the engine is there.
	opened struct {
		config  site.Config
		current release.Version
		checked time.Time
		skipped release.Version
		run     *update.Run
		history []update.Record
	}
	// broken: the site can't be opened.
	broken struct{ err error }
	// begun: a worker has started.
	begun struct{ activity Activity }
	// stopping: the worker was told to stop.
	stopping struct{}
	// progressed: the worker has come further.
	progressed struct{ progress Progress }
	// checked: a check has ended, with an offer or an error.
	checked struct {
		offer *update.Offer
		at    time.Time
		err   error
	}
	// noticed: a check that nobody asked for has ended.
	noticed struct {
		offer *update.Offer
		at    time.Time
		err   error
	}
	// skipped: the admin wants to hear no more of a version, zero: of all again.
	skipped struct {
		version release.Version
		err     error
	}
	// prepared: preparing or planning again has ended.
	prepared struct {
		plan *update.Plan
		err  error
	}
	// chosen: the admin answered for a file.
	chosen struct {
		path   release.Path
		choice files.Choice
	}
	// confirmed: the admin said whether a look-alike is a rename.
	confirmed struct {
		key string
		yes bool
	}
	// ended: a run that changes the site has ended.
	ended struct {
		result  *update.Result
		err     error
		current release.Version
		run     *update.Run
		history []update.Record
	}
	// discarded: a restore point is gone, or could not be discarded.
	discarded struct {
		history []update.Record
		err     error
	}
	// configured: the settings were saved.
	configured struct{ config site.Config }
	// dismissed: the admin has read an outcome.
	dismissed struct{}
)

func (opened) isEvent()     {}
func (broken) isEvent()     {}
func (begun) isEvent()      {}
func (stopping) isEvent()   {}
func (progressed) isEvent() {}
func (checked) isEvent()    {}
func (noticed) isEvent()    {}
func (skipped) isEvent()    {}
func (prepared) isEvent()   {}
func (chosen) isEvent()     {}
func (confirmed) isEvent()  {}
func (ended) isEvent()      {}
func (discarded) isEvent()  {}
func (configured) isEvent() {}
func (dismissed) isEvent()  {}

// busyStates holds the state that an activity puts a site in. Activities that
// are not here leave the state as it is.
var busyStates = map[Activity]update.State{
	CheckingNow:  update.Checking,
	PreparingNow: update.Preparing,
	Updating:     update.Running,
	RollingBack:  update.Running,
	Finishing:    update.Running,
}

// reduce returns the model after e. It is the only place where models change.
func reduce(m Model, e event) Model {
	switch e := e.(type) {
	case opened:
		m.Config, m.Current, m.Checked, m.History, m.Run = e.config, e.current, e.checked, e.history, e.run
		m.Skipped = e.skipped
		m.State, m.Doing, m.Broken = update.Idle, None, nil
		if e.run != nil {
			m.State = update.Interrupted
		}
	case broken:
		m.Broken, m.Doing = e.err, None
	case begun:
		m.Doing, m.Stopping, m.Progress = e.activity, false, Progress{}
		if e.activity == CheckingNow || e.activity == PreparingNow {
			m.Err, m.Result = nil, nil
		}
		if s, ok := busyStates[e.activity]; ok {
			m.State = s
		}
	case stopping:
		m.Stopping = true
	case progressed:
		m.Progress = e.progress
	case checked:
		m = afterCheck(m, e)
	case noticed:
		m = afterNotice(m, e)
	case skipped:
		m = afterSkip(m, e)
	case prepared:
		m = afterPrepare(m, e)
	case chosen:
		m.Choices.Files = with(m.Choices.Files, e.path, e.choice)
		m.Stale = true
	case confirmed:
		m.Choices.Renames = with(m.Choices.Renames, e.key, e.yes)
		m.Stale = true
	case ended:
		m = afterRun(m, e)
	case discarded:
		m.Doing, m.Err = None, e.err
		if e.err == nil {
			m.History = e.history
		}
	case configured:
		m.Config = e.config
	case dismissed:
		m.State, m.Err, m.Result = update.Idle, nil, nil
	}
	return m
}

// with returns a copy of answers with one more, because the old one may be in
// the hands of a worker.
func with[K comparable, V any](answers map[K]V, key K, value V) map[K]V {
	next := make(map[K]V, len(answers)+1)
	for k, v := range answers {
		next[k] = v
	}
	next[key] = value
	return next
}

func afterCheck(m Model, e checked) Model {
	m.Doing, m.Stopping, m.Err = None, false, e.err
	m.Plan, m.Offer, m.Choices, m.Stale = nil, nil, update.Choices{}, false
	switch {
	case cancelled(e.err):
		m.State, m.Err = update.Idle, nil
		return m
	case e.err != nil:
		m.State = update.CheckFailed
		return m
	case e.offer.Blocked != "":
		m.State = update.NotInstallable
	case e.offer.UpToDate():
		m.State = update.UpToDate
	default:
		m.State = update.Found
	}
	m.Offer, m.Checked = e.offer, e.at
	return m
}

// afterNotice is afterCheck for a check that nobody asked for: what the admin
// skips is no news, and a failure doesn't hide an update that is known.
func afterNotice(m Model, e noticed) Model {
	switch {
	case cancelled(e.err), e.err != nil && m.State == update.Found:
		m.Doing = None
		return m
	case e.err == nil && m.State != update.Found && !e.offer.UpToDate() && skips(m, e.offer.Target):
		m.Doing, m.State, m.Offer, m.Err, m.Checked = None, update.Idle, nil, nil, e.at
		return m
	}
	return afterCheck(m, checked(e))
}

// skips reports whether the admin wants to hear nothing of v.
func skips(m Model, v release.Version) bool {
	return !m.Skipped.IsZero() && m.Skipped.Compare(v) == 0
}

// afterSkip leaves an update that is skipped out of sight.
func afterSkip(m Model, e skipped) Model {
	m.Doing = None
	if e.err != nil {
		return m
	}
	m.Skipped = e.version
	if m.State == update.Found && !e.version.IsZero() {
		m.State, m.Offer = update.Idle, nil
	}
	return m
}

func afterPrepare(m Model, e prepared) Model {
	replanned := m.Doing == ReplanningNow
	m.Doing, m.Stopping = None, false
	switch {
	case e.err == nil:
		m.State, m.Plan, m.Stale, m.Err = update.Ready, e.plan, false, nil
	case replanned && cancelled(e.err):
		m.Stale = true
	case replanned:
		m.Err = e.err
	case cancelled(e.err):
		m.State, m.Plan = update.Found, nil
	default:
		m.State, m.Plan, m.Err = update.NotBegun, nil, e.err
	}
	return m
}

func afterRun(m Model, e ended) Model {
	m.Back = m.Doing == RollingBack
	m.Doing, m.Stopping, m.Result, m.Err = None, false, e.result, e.err
	m.Current, m.History, m.Run = e.current, e.history, e.run
	m.Offer, m.Plan, m.Choices, m.Stale = nil, nil, update.Choices{}, false
	switch {
	case e.run != nil && e.result == nil:
		m.State = update.Interrupted
	case e.result != nil && e.err == nil && words.WentBack(e.result):
		m.State = update.Done // going back was asked for, and is no failure
	case e.result != nil:
		m.State = e.result.State
	case e.err != nil:
		m.State = update.NotBegun // as when another process holds the site
	default:
		m.State = update.Idle
	}
	return m
}

// cancelled reports whether an error only says that the admin wished to stop.
func cancelled(err error) bool {
	return errors.Is(err, context.Canceled) || update.KindOf(err) == update.KindCancelled
}
