package app

import (
	"fyne.io/fyne/v2/lang"

	"moult/app/words"
	"moult/core/update"
	"moult/widgets"
)

// text marks a literal as a key of the translations where it can't be looked up
// yet, as in tables that are made before a language is chosen.
func text(key string) string { return key }

// weights are the shares of the time that the stages usually take, for the
// overall progress; the figures are seconds of the demo's update. A stage that is
// not here counts as one.
var weights = map[update.Stage]float64{
	update.StageDownload:    6,
	update.StageExtract:     2,
	update.StagePlan:        2,
	update.StageLock:        0.2,
	update.StageReady:       3,
	update.StageMaintenance: 0.5,
	update.StageBefore:      2,
	update.StageExpand:      5,
	update.StageContract:    3,
	update.StageScripts:     2,
	update.StageCheckResult: 2,
	update.StageAfter:       2,
	update.StageHealth:      2,
	update.StageCommit:      0.5,
	update.StageRollBack:    0.5,
}

// stageName returns what a stage is called in the window.
func stageName(s update.Stage) string { return lang.L(words.Stage(s)) }

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
		return update.ForwardStages()
	case Finishing:
		return update.ForwardStages()[1:] // it was got ready before
	case RollingBack:
		return update.BackwardStages()
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
