package app

import (
	"fyne.io/fyne/v2/lang"

	"moult/core/files"
	"moult/core/release"
	"moult/core/update"
)

// Action is something the admin can do with a site.
type Action int

// The actions that are buttons of a state.
const (
	Reopen Action = iota + 1
	Check
	Review
	Update
	Stop
	RollBackLast
	RecoverUndo
	RecoverForward
	Dismiss
	CopyReport
	SaveDiagnostics
)

// Button is an action as it is offered now.
type Button struct {
	Action Action
	Label  string
	// Why is the reason why the button can't be pressed, "" if it can.
	Why string
	// Safe is true if pressing it by mistake does no harm: the first such
	// button has the focus when its state is entered.
	Safe   bool
	Danger bool
}

// buttons returns what can be done in a state, the recommended action first.
func buttons(m Model) []Button {
	switch {
	case m.Broken != nil:
		return []Button{{Action: Reopen, Label: lang.L("Try again"), Safe: true}}
	case m.Doing == OpeningSite:
		return nil
	}
	check := Button{Action: Check, Label: lang.L("Check again"), Safe: true}
	report := Button{Action: CopyReport, Label: lang.L("Copy report"), Safe: true}
	save := Button{Action: SaveDiagnostics, Label: lang.L("Save diagnostics…"), Safe: true}
	switch m.State {
	case update.Idle:
		check.Label = lang.L("Check for updates")
		return []Button{check}
	case update.UpToDate, update.NotInstallable:
		return []Button{check}
	case update.Found:
		return []Button{{Action: Review, Label: lang.L("Review update"), Safe: true}}
	case update.CheckFailed, update.NotBegun:
		check.Label = lang.L("Try again")
		return []Button{check, report}
	case update.Checking, update.Preparing:
		return []Button{stopButton(m)}
	case update.Ready:
		return []Button{updateButton(m)}
	case update.Running:
		return []Button{stopButton(m)}
	case update.Done:
		done := []Button{{Action: Dismiss, Label: lang.L("Close"), Safe: true}}
		if m.Result != nil && m.Result.Site == update.SiteNew && restorable(m.History, m.Result.ID) {
			done = append(done, Button{Action: RollBackLast, Label: lang.L("Roll back…")})
		}
		return done
	case update.RolledBack:
		if retry(m) {
			check.Label = lang.L("Try again")
			return []Button{check, report, save}
		}
		return []Button{report, save, {Action: Dismiss, Label: lang.L("Close"), Safe: true}}
	case update.NeedsAttention:
		return []Button{{Action: RecoverUndo, Label: lang.L("Roll back again")}, report, save}
	case update.Interrupted:
		return interruptedButtons(m.Run)
	}
	return nil
}

// restorable reports whether the restore point of an update is still there.
func restorable(history []update.Record, id string) bool {
	for _, r := range history {
		if r.ID == id {
			return r.CanRollBack
		}
	}
	return false
}

// retry reports whether trying again can help without anything being changed.
func retry(m Model) bool {
	if m.Err != nil {
		return (&update.Error{Kind: update.KindOf(m.Err)}).Recoverable()
	}
	return m.Result != nil && (&update.Error{Kind: m.Result.Kind}).Recoverable()
}

func interruptedButtons(r *update.Run) []Button {
	undo := Button{Action: RecoverUndo, Label: lang.L("Roll back to {{.Version}}", vars{"Version": r.From})}
	forward := Button{Action: RecoverForward, Label: lang.L("Finish the update to {{.Version}}", vars{"Version": r.To})}
	if r.RollingBack {
		undo.Label = lang.L("Finish going back to {{.Version}}", vars{"Version": r.From})
	}
	switch {
	case !r.CanFinish:
		forward.Why = lang.L("Not every prepared file is intact, so the update can't be finished.")
		return []Button{undo, forward}
	case r.Recommended == update.Forward:
		return []Button{forward, undo}
	}
	return []Button{undo, forward}
}

func updateButton(m Model) Button {
	b := Button{Action: Update, Label: lang.L("Update to {{.Version}}", vars{"Version": m.Plan.To})}
	open, blocked := len(m.Undecided()), m.Plan.Blocked()
	switch {
	case m.Doing == ReplanningNow:
		b.Why = lang.L("Working your decisions into the plan…")
	case open > 0:
		b.Why = lang.N("{{.N}} edited files wait for your decision.", open, vars{"N": open})
	case len(blocked) > 0:
		b.Why = sentence(blocked[0].Text)
	case m.Stale:
		b.Why = lang.L("Your decisions are not part of the plan yet.")
	}
	return b
}

// stopButton reads Cancel while nothing on the site has changed.
func stopButton(m Model) Button {
	b := Button{Action: Stop, Label: lang.L("Cancel"), Safe: true}
	switch {
	case m.Doing == RollingBack:
		b.Label, b.Safe = lang.L("Stop"), false
		b.Why = lang.L("Going back is not stopped half-way: the site would be between two releases.")
		return b
	case m.Doing == Finishing, m.Doing == Updating && touched(m.Progress):
		b.Label, b.Safe, b.Danger = lang.L("Stop and roll back"), false, true
	}
	switch {
	case m.Stopping:
		b.Why = lang.L("Stopping at the next safe point…")
	case m.Doing.changes() && m.Progress.Seq > 0 && !m.Progress.Interruptible:
		b.Why = lang.L("This step can't be interrupted; it ends by itself.")
	}
	return b
}

// touched reports whether a step has begun that changes something on the site.
func touched(p Progress) bool {
	for _, s := range p.Steps {
		if s.Stage != update.StageLock && s.Stage != update.StageReady && s.Status != update.StepPending && s.Status != update.StepSkipped {
			return true
		}
	}
	return false
}

// choiceText is what a choice for an edited file is called.
func choiceText(c files.Choice) string {
	switch c {
	case files.ChoiceKeep:
		return lang.L("Keep mine")
	case files.ChoiceNew:
		return lang.L("Use the new one")
	case files.ChoiceBoth:
		return lang.L("Keep mine, save the new one as .new")
	case files.ChoiceMerge:
		return lang.L("Merge both")
	}
	return lang.L("Not decided")
}

// versionText writes a version, or that none is known.
func versionText(v release.Version) string {
	if v.IsZero() {
		return lang.L("no version")
	}
	return v.String()
}
