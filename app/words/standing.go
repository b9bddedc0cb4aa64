package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"moult/core/files"
	"moult/core/schema"
	"moult/core/update"
)

// Standing says what state the site is in after a run, from what was verified.
// A nil result means that the run never began.
func Standing(r *update.Result) string {
	if r == nil {
		return "Nothing on the site has changed."
	}
	switch {
	case r.State == update.NeedsAttention || r.Site == update.SiteMixed:
		return "The site needs attention: it is between two releases. Roll back or recover it."
	case r.Site == update.SiteNew:
		return fmt.Sprintf("The site is at %s.", r.To)
	case r.Kind == "":
		return fmt.Sprintf("The site is back at %s.", r.From)
	default:
		return fmt.Sprintf("The site is at %s, as it was before.", r.From)
	}
}

// WentBack reports whether a run ended with the old release because somebody asked
// for that, so that nothing failed.
func WentBack(r *update.Result) bool {
	return r.State == update.RolledBack && r.Kind == ""
}

// Stage names a stage of the pipeline as something that is going on.
func Stage(s update.Stage) string {
	return named(stages, s)
}

// named returns the words for a value, or the value itself if there are none.
func named[T ~string](words map[T]string, v T) string {
	if name, ok := words[v]; ok {
		return name
	}
	return string(v)
}

var stages = map[update.Stage]string{
	update.StageCheck:       "Checking for updates",
	update.StageDownload:    "Downloading",
	update.StageVerify:      "Verifying the package",
	update.StageExtract:     "Unpacking",
	update.StagePlan:        "Planning",
	update.StagePreflight:   "Checking the site",
	update.StageLock:        "Locking the site",
	update.StageReady:       "Getting ready",
	update.StageMaintenance: "Maintenance page",
	update.StageBefore:      "Commands before",
	update.StageExpand:      "Extending the database",
	update.StageFiles:       "Switching the files",
	update.StageContract:    "Tidying the database",
	update.StageScripts:     "Data scripts",
	update.StageCheckResult: "Verifying the result",
	update.StageAfter:       "Commands after",
	update.StageHealth:      "Health check",
	update.StageCommit:      "Keeping the restore point",
	update.StageRollBack:    "Recording the old release",
}

// Change names what an update does to a file.
func Change(c files.Change) string {
	return named(changes, c)
}

var changes = map[files.Change]string{
	files.Add:     "new",
	files.Replace: "changed",
	files.Delete:  "removed",
	files.Keep:    "kept",
	files.Same:    "already there",
	files.Mkdir:   "new directory",
	files.Rmdir:   "removed directory",
}

// algorithms says what each way of changing a table costs.
var algorithms = map[string]string{
	"INSTANT": "instant",
	"NOCOPY":  "without copying",
	"INPLACE": "in place",
	"REBUILD": "rebuilds the table",
	"COPY":    "copies the table",
}

// Cost says in words what a step costs, as in "copies the table, 1.2 M rows, writes
// wait". It is "" where there is nothing to choose, as for a new table.
func Cost(s schema.Step) string {
	algorithm, known := algorithms[s.Algorithm]
	if !known {
		return ""
	}
	parts := []string{algorithm}
	if s.Algorithm != "INSTANT" && s.Rows >= 0 {
		parts = append(parts, rows(s.Rows))
	}
	if s.Blocks {
		parts = append(parts, "writes wait")
	}
	if s.Estimated {
		parts = append(parts, "estimated")
	}
	return strings.Join(parts, ", ")
}

// fewRows is how many rows a server copies before anybody notices: a tenth of a
// second's work where a million take ten.
const fewRows = 10_000

// Risk returns the risk of a step on the table as it is: a statement that copies it
// is slow only if there is something to copy. It is slow as well where nobody knows
// how many rows there are.
func Risk(s schema.Step) schema.Risk {
	if s.Risk == schema.Slow && s.Rows >= 0 && s.Rows < fewRows {
		return schema.Safe
	}
	return s.Risk
}

// rows writes a number of rows, a large one in short, as in "1.2 M rows".
func rows(n int64) string {
	switch {
	case n == 1:
		return "1 row"
	case n < 10_000:
		return humanize.Comma(n) + " rows"
	case n < 1_000_000:
		return short(n, 1e3) + " k rows"
	}
	return short(n, 1e6) + " M rows"
}

func short(n int64, unit float64) string {
	return strconv.FormatFloat(math.Round(float64(n)/unit*10)/10, 'f', -1, 64)
}
