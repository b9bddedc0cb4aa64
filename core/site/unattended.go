package site

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"moult/core/release"
)

// Unattended says what may be installed while nobody looks, as from cron. What an
// admin asks for is not bound by it.
type Unattended struct {
	// Releases is "all", which "" means too, "minor": the major version stays, or
	// "patch": only the last of the three numbers, or the fourth, changes.
	Releases string `toml:"releases,omitempty"`
	// Hours is when: "02:00-05:00" by the clock on the wall, which may cross midnight.
	// An hour that the change to summer time leaves out is not made up for, and one that
	// comes twice in autumn counts twice. "": always.
	Hours string `toml:"hours,omitempty"`
}

// Admits reports whether an update from one release to another may be installed
// unattended, and if not, why.
func (u Unattended) Admits(from, to release.Version) error {
	switch {
	case u.Releases == "patch" && !from.SameMinor(to):
		return fmt.Errorf("%s is more than a patch release of %s, and site.toml admits no more unattended", to, from)
	case u.Releases == "minor" && !from.SameMajor(to):
		return fmt.Errorf("%s is another major release than %s, and site.toml admits none unattended", to, from)
	}
	return nil
}

// Open reports whether t lies in the hours, and if not, why. The end is not part of them.
func (u Unattended) Open(t time.Time) error {
	from, until, err := parseHours(u.Hours)
	if err != nil || from == until {
		return err
	}
	hour, minute, _ := t.Clock()
	at := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	inside := at >= from && at < until
	if from > until {
		inside = at >= from || at < until
	}
	if !inside {
		return fmt.Errorf("it is %s, and site.toml admits unattended updates at %s", t.Format("15:04"), u.Hours)
	}
	return nil
}

// parseHours reads "02:00-05:00" into times since midnight; "" gives twice the same.
func parseHours(s string) (from, until time.Duration, err error) {
	if s == "" {
		return 0, 0, nil
	}
	first, second, found := strings.Cut(s, "-")
	if !found {
		return 0, 0, fmt.Errorf("%q is no span of hours, as in 02:00-05:00", s)
	}
	for text, d := range map[string]*time.Duration{first: &from, second: &until} {
		t, err := time.Parse("15:04", strings.TrimSpace(text))
		if err != nil {
			return 0, 0, fmt.Errorf("%q is no span of hours, as in 02:00-05:00", s)
		}
		*d = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	if from == until {
		return 0, 0, errors.New("the hours begin when they end")
	}
	return from, until, nil
}
