package app

import (
	"fyne.io/fyne/v2/lang"

	"moult/core/update"
	"moult/widgets"
)

// text marks a literal as a key of the translations where it can't be looked up
// yet, as in tables that are made before a language is chosen.
func text(key string) string { return key }

// stage is what the window knows about a stage of the pipeline.
type stage struct {
	name string // a key of the translations
	// weight is the share of the time that the stage usually takes, for the
	// overall progress; figures are seconds of the demo's update.
	weight float64
}

var stages = map[update.Stage]stage{
	update.StageCheck:       {text("Ask for the newest release"), 1},
	update.StageDownload:    {text("Download the package"), 6},
	update.StageVerify:      {text("Verify hash and signature"), 1},
	update.StageExtract:     {text("Unpack"), 2},
	update.StagePlan:        {text("Compare with this site"), 2},
	update.StagePreflight:   {text("Check that nothing stands in the way"), 1},
	update.StageLock:        {text("Reserve the site"), 0.2},
	update.StageMaintenance: {text("Maintenance page"), 0.5},
	update.StageBefore:      {text("Commands before"), 2},
	update.StageExpand:      {text("Extend the database"), 5},
	update.StageFiles:       {text("Switch the files"), 1},
	update.StageContract:    {text("Tidy the database"), 3},
	update.StageScripts:     {text("Convert data"), 2},
	update.StageCheckResult: {text("Verify the result"), 2},
	update.StageAfter:       {text("Commands after"), 2},
	update.StageHealth:      {text("See that the site answers"), 2},
	update.StageCommit:      {text("Keep a restore point"), 0.5},
	update.StageRollBack:    {text("Put everything back"), 6},
}

// stageName returns what a stage is called in the window.
func stageName(s update.Stage) string {
	if known, ok := stages[s]; ok {
		return lang.L(known.name)
	}
	return string(s)
}

// stagesOf lists the steps that an activity shows from its start. Stages that
// report without being listed are added when they do.
func stagesOf(a Activity) []update.Stage {
	switch a {
	case CheckingNow:
		return []update.Stage{update.StageCheck}
	case PreparingNow:
		return []update.Stage{update.StageDownload, update.StageVerify, update.StageExtract, update.StagePlan, update.StagePreflight}
	case ReplanningNow:
		return []update.Stage{update.StagePlan, update.StagePreflight}
	case Updating:
		return []update.Stage{
			update.StageLock, update.StageMaintenance, update.StageBefore, update.StageExpand, update.StageFiles, update.StageContract,
			update.StageScripts, update.StageCheckResult, update.StageAfter, update.StageHealth, update.StageCommit,
		}
	case RollingBack:
		return []update.Stage{
			update.StageLock, update.StageMaintenance, update.StageBefore, update.StageRollBack,
			update.StageCheckResult, update.StageAfter, update.StageHealth, update.StageCommit,
		}
	}
	return nil
}

// stepLooks holds for each status of a step what the list of steps shows.
var stepLooks = map[update.StepStatus]struct {
	status widgets.StepStatus
	word   string // a key of the translations
}{
	update.StepPending:    {widgets.StepPending, text("waiting")},
	update.StepRunning:    {widgets.StepRunning, text("running")},
	update.StepDone:       {widgets.StepDone, text("done")},
	update.StepSkipped:    {widgets.StepSkipped, text("not needed")},
	update.StepFailed:     {widgets.StepFailed, text("failed")},
	update.StepRolledBack: {widgets.StepUndone, text("rolled back")},
}
