package update

// ForwardStages lists the stages that [Engine.Apply] reports, in their order. What
// a site has no need of is reported too, as skipped.
func ForwardStages() []Stage { return append([]Stage{StageReady}, stagesOf(forward)...) }

// BackwardStages lists the stages that [Engine.RollBack] reports for each update
// that it undoes, in their order.
func BackwardStages() []Stage { return stagesOf(backward) }

func stagesOf(steps []step) []Stage {
	stages := make([]Stage, len(steps))
	for i, s := range steps {
		stages[i] = s.stage
	}
	return stages
}
