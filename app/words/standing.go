package words

import (
	"fmt"

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

// Stage names a stage of the pipeline as something that is going on.
func Stage(s update.Stage) string {
	if name, ok := stages[s]; ok {
		return name
	}
	return string(s)
}

var stages = map[update.Stage]string{
	update.StageCheck:       "Checking for updates",
	update.StageDownload:    "Downloading",
	update.StageVerify:      "Verifying the package",
	update.StageExtract:     "Unpacking",
	update.StagePlan:        "Planning",
	update.StagePreflight:   "Checking the site",
	update.StageLock:        "Locking the site",
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
	update.StageRollBack:    "Rolling back",
}

// Change names what an update does to a file.
func Change(e files.Entry) string {
	switch e.Change {
	case files.Add:
		return "new"
	case files.Replace:
		return "changed"
	case files.Delete:
		return "removed"
	case files.Keep:
		return "kept"
	case files.Mkdir:
		return "new directory"
	case files.Rmdir:
		return "removed directory"
	default:
		return string(e.Change)
	}
}

// Cost says in words what a step costs, as "instant" or "copies 1200000 rows, writes wait".
func Cost(s schema.Step) string {
	cost := ""
	switch s.Algorithm {
	case "":
		return ""
	case "INSTANT":
		cost = "instant"
	case "NOCOPY", "INPLACE":
		cost = "in place"
	default:
		cost = "copies the table"
		if s.Rows >= 0 {
			cost = fmt.Sprintf("copies %d rows", s.Rows)
		}
	}
	if s.Blocks {
		cost += ", writes wait"
	}
	if s.Estimated {
		cost += ", estimated"
	}
	return cost
}
