package site

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as site.toml writes it: what
// [time.ParseDuration] reads, or whole days, as in "90d".
type Duration time.Duration

const day = 24 * time.Hour

// maxDays keeps a number of days from overflowing; 100 years is as good as for ever.
const maxDays = 36500

// UnmarshalText reads a duration. A negative one is an error.
func (d *Duration) UnmarshalText(b []byte) error {
	text := string(b)
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(digits)
		if err != nil || n < 0 || n > maxDays {
			return fmt.Errorf("%q is no number of days between 0 and %d", text, maxDays)
		}
		*d = Duration(time.Duration(n) * day)
		return nil
	}
	v, err := time.ParseDuration(text)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no span of time, as in 90s, 2m, 12h or 90d", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes whole days as days and all others as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the duration as site.toml writes it.
func (d Duration) String() string {
	v := time.Duration(d)
	if v > 0 && v%day == 0 {
		return strconv.FormatInt(int64(v/day), 10) + "d"
	}
	return v.String()
}
