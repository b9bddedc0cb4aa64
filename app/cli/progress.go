package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"moult/app/words"
	"moult/core/publish"
	"moult/core/update"
)

// redrawEvery keeps the progress line from costing more than the work.
const redrawEvery = 100 * time.Millisecond

// progress shows how far a run is on standard error: one line that is drawn again
// and again on a terminal, one line for each stage elsewhere.
type progress struct {
	out   io.Writer
	live  bool // a terminal
	width func() int

	mu      sync.Mutex
	stage   string // what is being done, in words
	status  update.StepStatus
	began   time.Time // of the stage
	drawn   time.Time
	pending bool // the line has not been ended
}

// report receives the events of an update.
func (p *progress) report(e update.Event) { p.show(words.Stage(e.Stage), e) }

// making receives the progress of a release that is being published.
func (p *progress) making(m publish.Progress) {
	p.show("Making "+m.Making, update.Event{Time: time.Now(), Status: update.StepRunning, Done: m.Done, Total: m.Total, Unit: update.Bytes})
}

// show shows an event of a stage. It may be called from any goroutine.
func (p *progress) show(stage string, e update.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if stage != p.stage {
		p.stage, p.status, p.began, p.drawn = stage, "", e.Time, time.Time{}
		if !p.live && e.Status == update.StepRunning {
			fmt.Fprintln(p.out, stage)
		}
	}
	changed := e.Status != p.status
	p.status = e.Status
	if !p.live || (!changed && e.Time.Sub(p.drawn) < redrawEvery) {
		return
	}
	p.drawn, p.pending = e.Time, true
	line := []rune(stage + p.line(e))
	if w := p.width(); w > 0 && len(line) >= w {
		line = line[:w-1]
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", string(line))
}

// line is what the terminal shows behind the name of the stage.
func (p *progress) line(e update.Event) (s string) {
	switch {
	case e.Status != update.StepRunning:
		return ": " + string(e.Status)
	case e.Total > 0:
		s = fmt.Sprintf("  %3d %%  %s", 100*e.Done/e.Total, amount(e))
		if left, ok := timeLeft(e.Time.Sub(p.began), e.Done, e.Total); ok {
			s += ", " + left.String() + " left"
		}
		if e.Unit == update.Bytes {
			s += rate(e.Time.Sub(p.began), e.Done)
		}
	case e.Done > 0:
		s = "  " + amount(e)
	}
	if e.Item != "" {
		s += "  " + e.Item
	}
	return s
}

// end leaves the terminal on a line of its own.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pending {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.pending = false
	}
}

func amount(e update.Event) string {
	if e.Unit == update.Bytes {
		if e.Total > 0 {
			return size(e.Done) + " of " + size(e.Total)
		}
		return size(e.Done)
	}
	if e.Total > 0 {
		return fmt.Sprintf("%d of %s", e.Done, plural(int(e.Total), singular(e.Unit)))
	}
	return plural(int(e.Done), singular(e.Unit))
}

// singular is the noun of a unit.
func singular(u update.Unit) string { return strings.TrimSuffix(string(u), "s") }

// timeLeft estimates from what was done so far. It says nothing in the first
// second, when the estimate would jump about.
func timeLeft(elapsed time.Duration, done, total int64) (time.Duration, bool) {
	if elapsed < time.Second || done <= 0 || done >= total {
		return 0, false
	}
	left := time.Duration(float64(elapsed) * float64(total-done) / float64(done))
	return max(left.Round(time.Second), time.Second), true
}

func rate(elapsed time.Duration, done int64) string {
	if elapsed < time.Second {
		return ""
	}
	return ", " + size(int64(float64(done)/elapsed.Seconds())) + "/s"
}
