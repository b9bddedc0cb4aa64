package site

import (
	"slices"
	"testing"
	"time"
	_ "time/tzdata"
)

func TestUnattendedUpdatesKeepToTheirHours(t *testing.T) {
	for _, c := range []struct {
		hours, at string
		open      bool
	}{
		{"", "12:00", true},
		{"02:00-05:00", "01:59", false},
		{"02:00-05:00", "02:00", true},
		{"02:00-05:00", "04:59", true},
		{"02:00-05:00", "05:00", false},
		{"22:30-01:00", "23:00", true},
		{"22:30-01:00", "00:30", true},
		{"22:30-01:00", "12:00", false},
		{"2-5", "03:00", false},
		{"02:00-02:00", "02:00", false},
	} {
		at, err := time.Parse("15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		if err := (Unattended{Hours: c.hours}).Open(at); (err == nil) != c.open {
			t.Errorf("hours %q at %s: %v, want open %v", c.hours, c.at, err, c.open)
		}
	}
}

// TestHoursAreThoseOfTheClockOnTheWall goes through the two nights of a year in which
// the clock is changed, hour by hour.
func TestHoursAreThoseOfTheClockOnTheWall(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hours, night string
		open         []string
	}{
		// 02:00 is followed by 03:00: of three hours two are left.
		{"01:00-04:00", "2026-03-29", []string{"01:00", "03:00"}},
		{"02:00-03:00", "2026-03-29", nil},
		// 02:00 to 03:00 comes twice.
		{"02:00-03:00", "2026-10-25", []string{"02:00", "02:00"}},
		{"23:00-02:30", "2026-10-25", []string{"00:00", "01:00", "02:00", "02:00", "23:00"}},
		{"23:00-02:30", "2026-03-29", []string{"00:00", "01:00", "23:00"}},
	} {
		day, err := time.ParseInLocation(time.DateOnly, c.night, berlin)
		if err != nil {
			t.Fatal(err)
		}
		var open []string
		for at := day; at.Day() == day.Day(); at = at.Add(time.Hour) {
			if (Unattended{Hours: c.hours}).Open(at) == nil {
				open = append(open, at.Format("15:04"))
			}
		}
		if !slices.Equal(open, c.open) {
			t.Errorf("hours %s on %s: open at %v, want %v", c.hours, c.night, open, c.open)
		}
	}
}

func TestUnattendedUpdatesKeepToTheirReleases(t *testing.T) {
	for _, c := range []struct {
		releases, from, to string
		admitted           bool
	}{
		{"", "1.2.3", "3.0.0", true},
		{"all", "1.2.3", "3.0.0", true},
		{"minor", "1.2.3", "1.9.0", true},
		{"minor", "1.2.3", "2.0.0", false},
		{"patch", "1.2.3", "1.2.4", true},
		{"patch", "1.2.3.1", "1.2.3.2", true},
		{"patch", "1.2.3", "1.3.0", false},
		{"patch", "1.2.3", "2.2.3", false},
	} {
		err := Unattended{Releases: c.releases}.Admits(version(t, c.from), version(t, c.to))
		if (err == nil) != c.admitted {
			t.Errorf("releases %q, %s to %s: %v, want admitted %v", c.releases, c.from, c.to, err, c.admitted)
		}
	}
}
