package app

import (
	"slices"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"

	"moult/core/update"
)

// Progress is one snapshot of something that runs: everything that the running
// screen shows, so that its bar, its numbers and its steps never disagree.
type Progress struct {
	Seq      uint64 // grows with every event; 0: nothing has been reported
	Steps    []StepProgress
	Fraction float64 // of the whole, 0 to 1
	// Step is the index of the step in hand, -1 for none.
	Step    int
	Item    string        // the file, statement or address in hand
	Rate    float64       // of the step in hand, units per second; 0 unknown
	Left    time.Duration // of the step in hand; 0 unknown
	Elapsed time.Duration
	// Interruptible is false while a wish to stop has to wait.
	Interruptible bool
	Log           []string
}

// StepProgress is how far one step is.
type StepProgress struct {
	Stage       update.Stage
	Status      update.StepStatus
	Done, Total int64
	Unit        update.Unit
}

// same is the comparator of the binding that carries snapshots.
func same(a, b Progress) bool { return a.Seq == b.Seq }

// maxLog is how many lines of a log the window keeps. The whole log is in the
// site, beside the journal.
const maxLog = 5000

// rateWindow is over how long a rate is measured.
const rateWindow = 4 * time.Second

// tracker sums events up. Report may be called from any goroutines.
type tracker struct {
	mu      sync.Mutex
	p       Progress
	started time.Time
	now     time.Time
	marks   []mark // of the step in hand, oldest first
}

// mark is how much was done at some time.
type mark struct {
	at   time.Time
	done int64
}

// newTracker makes a tracker that shows steps as pending.
func newTracker(steps []update.Stage, start time.Time) *tracker {
	t := &tracker{started: start, now: start}
	t.p.Step, t.p.Interruptible = -1, true
	for _, s := range steps {
		t.p.Steps = append(t.p.Steps, StepProgress{Stage: s, Status: update.StepPending})
	}
	return t
}

// report takes one event in.
func (t *tracker) report(e update.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p.Seq++
	if e.Time.After(t.now) {
		t.now = e.Time
	}
	i := t.step(e.Stage)
	s := &t.p.Steps[i]
	if e.Status != "" && e.Status != s.Status {
		s.Status = e.Status
		if e.Log == "" {
			t.log(t.now, stageName(e.Stage)+": "+lang.L(stepLooks[e.Status].word))
		}
	}
	if e.Total > 0 || e.Done > 0 {
		s.Done, s.Total, s.Unit = e.Done, e.Total, e.Unit
	}
	if s.Status == update.StepRunning {
		if t.p.Step != i {
			t.p.Step, t.marks = i, t.marks[:0]
		}
		t.p.Interruptible = e.Interruptible
		if e.Item != "" {
			t.p.Item = e.Item
		}
		t.mark(s.Done)
	} else if t.p.Step == i {
		t.p.Step, t.p.Item, t.p.Interruptible = -1, "", true
	}
	if e.Log != "" {
		t.log(e.Time, e.Log)
	}
}

// step returns the index of a stage, adding it at the end if it is not listed.
func (t *tracker) step(s update.Stage) int {
	i := slices.IndexFunc(t.p.Steps, func(p StepProgress) bool { return p.Stage == s })
	if i < 0 {
		i = len(t.p.Steps)
		t.p.Steps = append(t.p.Steps, StepProgress{Stage: s, Status: update.StepPending})
	}
	return i
}

// mark notes how much is done, a few times a second at most.
func (t *tracker) mark(done int64) {
	if n := len(t.marks); n > 0 && t.now.Sub(t.marks[n-1].at) < rateWindow/20 {
		return
	}
	t.marks = append(t.marks, mark{t.now, done})
	for len(t.marks) > 2 && t.now.Sub(t.marks[0].at) > rateWindow {
		t.marks = slices.Delete(t.marks, 0, 1)
	}
}

// log appends a line. Snapshots share the lines, so the slice only grows until
// it is replaced by a copy of its end.
func (t *tracker) log(at time.Time, line string) {
	if len(t.p.Log) >= 2*maxLog {
		t.p.Log = slices.Clone(t.p.Log[len(t.p.Log)-maxLog:])
	}
	t.p.Log = append(t.p.Log, at.Format("15:04:05 ")+line)
}

// snapshot returns what is known now.
func (t *tracker) snapshot() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.p
	p.Steps = slices.Clone(t.p.Steps)
	p.Log = t.p.Log[:len(t.p.Log):len(t.p.Log)]
	p.Elapsed = t.now.Sub(t.started)
	p.Fraction = fraction(p.Steps)
	if p.Step >= 0 {
		p.Rate, p.Left = t.pace(p.Steps[p.Step])
	}
	return p
}

// pace returns units per second over the last seconds, and the time left at it.
func (t *tracker) pace(s StepProgress) (rate float64, left time.Duration) {
	if len(t.marks) < 2 {
		return 0, 0
	}
	first, last := t.marks[0], t.marks[len(t.marks)-1]
	took := last.at.Sub(first.at).Seconds()
	if took <= 0 || last.done <= first.done {
		return 0, 0
	}
	rate = float64(last.done-first.done) / took
	if s.Total > s.Done {
		left = time.Duration(float64(s.Total-s.Done) / rate * float64(time.Second))
	}
	return rate, left
}

// fraction weighs the steps and returns how much of the whole is done.
func fraction(steps []StepProgress) float64 {
	var done, all float64
	for _, s := range steps {
		w, known := weights[s.Stage]
		if !known {
			w = 1
		}
		all += w
		switch s.Status {
		case update.StepDone, update.StepSkipped, update.StepRolledBack:
			done += w
		case update.StepRunning:
			if s.Total > 0 {
				done += w * min(float64(s.Done)/float64(s.Total), 1)
			}
		}
	}
	if all == 0 {
		return 0
	}
	return done / all
}
