package release

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Version is the version of a release: three or four numbers, an optional
// pre-release and optional metadata, as in "1.5.0", "v1.5.0.2" or "2.0.0-rc.1+a1".
//
// The zero Version means "no version"; [Version.IsZero] reports it.
type Version struct {
	sem   *semver.Version // the first three numbers, pre-release and metadata
	build uint64          // the fourth number
	four  bool            // whether a fourth number was written
}

// ParseVersion reads a version. A leading "v" is accepted and dropped.
func ParseVersion(s string) (Version, error) {
	text := strings.TrimPrefix(s, "v")
	core, rest := text, ""
	if i := strings.IndexAny(text, "-+"); i >= 0 {
		core, rest = text[:i], text[i:]
	}
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 && len(numbers) != 4 {
		return Version{}, fmt.Errorf("version %q: want three or four numbers, as in 1.5.0 or 1.5.0.2", s)
	}
	var v Version
	if len(numbers) == 4 {
		n, err := strconv.ParseUint(numbers[3], 10, 64)
		if err != nil || strconv.FormatUint(n, 10) != numbers[3] {
			return Version{}, fmt.Errorf("version %q: the fourth part %q is not a plain number", s, numbers[3])
		}
		v.build, v.four = n, true
	}
	sem, err := semver.StrictNewVersion(strings.Join(numbers[:3], ".") + rest)
	if err != nil {
		return Version{}, fmt.Errorf("version %q: %w", s, err)
	}
	v.sem = sem
	return v, nil
}

// IsZero reports whether v is the zero Version.
func (v Version) IsZero() bool { return v.sem == nil }

// String returns the version in its canonical form, without a leading "v".
// The zero Version is "".
func (v Version) String() string {
	if v.sem == nil {
		return ""
	}
	s := fmt.Sprintf("%d.%d.%d", v.sem.Major(), v.sem.Minor(), v.sem.Patch())
	if v.four {
		s += "." + strconv.FormatUint(v.build, 10)
	}
	if p := v.sem.Prerelease(); p != "" {
		s += "-" + p
	}
	if m := v.sem.Metadata(); m != "" {
		s += "+" + m
	}
	return s
}

// Compare orders by semantic version first and by the fourth number second.
// The zero Version sorts before all others.
func (v Version) Compare(w Version) int {
	switch {
	case v.sem == nil && w.sem == nil:
		return 0
	case v.sem == nil:
		return -1
	case w.sem == nil:
		return 1
	}
	if c := v.sem.Compare(w.sem); c != 0 {
		return c
	}
	switch {
	case v.build < w.build:
		return -1
	case v.build > w.build:
		return 1
	}
	return 0
}

// Base returns v without its fourth number.
func (v Version) Base() Version { return Version{sem: v.sem} }

// SameMajor reports whether v and w have the same first number.
func (v Version) SameMajor(w Version) bool {
	return v.sem != nil && w.sem != nil && v.sem.Major() == w.sem.Major()
}

// SameMinor reports whether v and w have the same first two numbers.
func (v Version) SameMinor(w Version) bool {
	return v.SameMajor(w) && v.sem.Minor() == w.sem.Minor()
}

// Build returns the fourth number, 0 where none was written.
func (v Version) Build() uint64 { return v.build }

// Satisfies reports whether the first three numbers and the pre-release of v
// are admitted by c.
func (v Version) Satisfies(c *semver.Constraints) bool { return v.sem != nil && c.Check(v.sem) }

// MarshalText implements [encoding.TextMarshaler].
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]. An empty text is the zero Version.
func (v *Version) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = Version{}
		return nil
	}
	p, err := ParseVersion(string(b))
	if err != nil {
		return err
	}
	*v = p
	return nil
}
