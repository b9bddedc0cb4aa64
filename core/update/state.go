package update

import (
	"sync"
	"time"
)

// State is the state of one site as its screen shows it.
type State string

// The states. Up to date, check failed and not installable are three different
// outcomes of a check and never look alike.
const (
	Idle           State = "idle"
	Checking       State = "checking"
	UpToDate       State = "up to date"
	Found          State = "update found"
	CheckFailed    State = "check failed"
	NotInstallable State = "not installable"
	Preparing      State = "preparing"
	NotBegun       State = "not begun" // preparing failed, or something stood in the way of a run
	Ready          State = "ready to review"
	Running        State = "running"
	Done           State = "done"
	RolledBack     State = "failed and rolled back"
	NeedsAttention State = "needs attention"
	Interrupted    State = "interrupted run found"
)

// Stage is a step of the pipeline.
type Stage string

// The stages of an update in their order, and after them those of a roll back.
const (
	StageCheck       Stage = "check"
	StageDownload    Stage = "download"
	StageVerify      Stage = "verify package"
	StageExtract     Stage = "extract"
	StagePlan        Stage = "plan"
	StagePreflight   Stage = "preflight"
	StageLock        Stage = "lock"
	StageReady       Stage = "get ready" // compare with the plan, set the new files out
	StageBefore      Stage = "hooks before"
	StageMaintenance Stage = "maintenance"
	StageExpand      Stage = "expand schema"
	StageFiles       Stage = "switch files"
	StageContract    Stage = "contract schema"
	StageScripts     Stage = "data scripts"
	StageCheckResult Stage = "verify result"
	StageAfter       Stage = "hooks after"
	StageHealth      Stage = "health check"
	StageCommit      Stage = "commit"
	StageRollBack    Stage = "roll back"
)

// StepStatus is how far one stage is.
type StepStatus string

// The statuses of a step.
const (
	StepPending    StepStatus = "pending"
	StepRunning    StepStatus = "running"
	StepDone       StepStatus = "done"
	StepSkipped    StepStatus = "skipped"
	StepFailed     StepStatus = "failed"
	StepRolledBack StepStatus = "rolled back"
)

// Event is one report of progress. Events are small values; nobody waits for
// their receiver. A receiver that is slow must drop, not block.
type Event struct {
	Time   time.Time  `json:"time"`
	Stage  Stage      `json:"stage"`
	Status StepStatus `json:"status"`
	Item   string     `json:"item,omitempty"` // the file, statement or address in hand
	Done   int64      `json:"done,omitempty"` // of Total, in Unit
	Total  int64      `json:"total,omitempty"`
	Unit   Unit       `json:"unit,omitempty"`
	// Share is how much of the item in hand is done, 0 to 1; 0 when nobody knows.
	Share float64 `json:"share,omitempty"`
	// Interruptible is false while a cancel has to wait, as during a statement
	// that the server can't stop or the switch of the files.
	Interruptible bool `json:"interruptible"`
	// Log is a line for the log, "" for pure progress.
	Log string `json:"log,omitempty"`
}

// Unit is what Event.Done counts.
type Unit string

// The units.
const (
	Bytes      Unit = "bytes"
	Files      Unit = "files"
	Statements Unit = "statements"
)

// Report receives events, from any goroutine but one at a time. A nil Report is
// allowed everywhere.
type Report func(Event)

// serial makes events come one at a time.
func (r Report) serial() Report {
	if r == nil {
		return nil
	}
	var mu sync.Mutex
	return func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		r(e)
	}
}

// send fills in the time and reports e, if anybody listens.
func (r Report) send(e Event) {
	if r == nil {
		return
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	r(e)
}
