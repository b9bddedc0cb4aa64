package app

import (
	"math"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"
	"github.com/dustin/go-humanize"
)

// vars fills the gaps of a translated sentence.
type vars = map[string]any

// bytesText writes a size as people say it, in decimal units.
func bytesText(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// countText writes a number with separators between thousands.
func countText(n int64) string { return humanize.Comma(n) }

// filesText writes a number of files.
func filesText(n int) string {
	return lang.N("{{.N}} files", n, vars{"N": countText(int64(n))})
}

// statementsText writes a number of statements.
func statementsText(n int) string {
	return lang.N("{{.N}} statements", n, vars{"N": countText(int64(n))})
}

// spanText writes how long something takes, in the one or two largest units.
func spanText(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return lang.L("{{.N}} ms", vars{"N": max(d.Milliseconds(), 1)})
	case d < 10*time.Second:
		return lang.L("{{.N}} s", vars{"N": strconv.FormatFloat(math.Round(d.Seconds()*10)/10, 'f', -1, 64)})
	case d < time.Minute:
		return lang.L("{{.N}} s", vars{"N": int(d.Round(time.Second).Seconds())})
	case d < time.Hour:
		d = d.Round(time.Second)
		return lang.L("{{.M}} min {{.S}} s", vars{"M": int(d.Minutes()), "S": int(d.Seconds()) % 60})
	}
	d = d.Round(time.Minute)
	return lang.L("{{.H}} h {{.M}} min", vars{"H": int(d.Hours()), "M": int(d.Minutes()) % 60})
}

// dateText writes a day; whenText a day and a time of the user's zone.
func dateText(t time.Time) string {
	if t.IsZero() {
		return lang.L("an unknown date")
	}
	return t.Local().Format("2006-01-02")
}

func whenText(t time.Time) string {
	if t.IsZero() {
		return lang.L("never")
	}
	return t.Local().Format("2006-01-02 15:04")
}

// savedPercent returns how much smaller part is than whole, in whole per cent
// and rounded down, so that it never promises too much.
func savedPercent(part, whole int64) int {
	if whole <= 0 || part >= whole {
		return 0
	}
	return int((whole - part) * 100 / whole)
}

// percentText writes a fraction. It says 100 only when all is done.
func percentText(f float64) string {
	return strconv.Itoa(int(min(max(f, 0), 1)*100)) + " %"
}

// oneLine joins a statement or path that has line breaks into one line.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// modeText writes permission bits in octal.
func modeText(mode uint32) string { return "0" + strconv.FormatUint(uint64(mode), 8) }
