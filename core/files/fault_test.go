package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"moult/core/site"
)

// errKilled is what a disk answers after its process was killed. Nothing may be
// done about it: whoever gets it is dead.
var errKilled = errors.New("killed")

// faultyDisk counts the calls that change anything and fails one of them, or stops
// at it: then that call and all that follow are refused, as if the process had been
// killed just before it.
type faultyDisk struct {
	real realDisk
	u    *site.Update

	mu    sync.Mutex
	n     int
	at    int   // the call to fail; 0: none
	with  error // errKilled stops for good; any other fails once
	after bool  // a killed call is still done: the process died on its way back
	dead  bool
	calls []string
}

var _ disk = (*faultyDisk)(nil)

// next counts a call. It returns whether to do it, and what to answer instead.
func (f *faultyDisk) next(what string) (do bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead {
		return false, errKilled
	}
	f.n++
	f.calls = append(f.calls, what)
	if f.n != f.at {
		return true, nil
	}
	if errors.Is(f.with, errKilled) {
		f.dead = true
		return f.after, errKilled
	}
	return false, f.with
}

// call does one call, or what stands for it.
func (f *faultyDisk) call(what string, do func() error) error {
	doIt, err := f.next(what)
	if doIt {
		if really := do(); err == nil {
			return really
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (f *faultyDisk) create(t *tree, p string) (w io.WriteCloser, err error) {
	err = f.call("create "+p, func() (err error) {
		w, err = f.real.create(t, p)
		return err
	})
	if err != nil {
		if w != nil {
			w.Close()
		}
		return nil, err
	}
	return &faultyFile{w, f, p}, nil
}

// faultyFile tears the write that fails: half of it arrives.
type faultyFile struct {
	io.WriteCloser
	f *faultyDisk
	p string
}

func (w *faultyFile) Write(b []byte) (int, error) {
	n := 0
	err := w.f.call("write "+w.p, func() (err error) {
		n, err = w.WriteCloser.Write(b)
		return err
	})
	if err != nil && n == 0 {
		n, _ = w.WriteCloser.Write(b[:len(b)/2])
	}
	return n, err
}

func (f *faultyDisk) mkdir(t *tree, p string, a attrs) error {
	return f.call("mkdir "+p, func() error { return f.real.mkdir(t, p, a) })
}

func (f *faultyDisk) setAttrs(t *tree, p string, a attrs) error {
	return f.call("attrs "+p, func() error { return f.real.setAttrs(t, p, a) })
}

func (f *faultyDisk) exchange(a *tree, p string, b *tree, q string) error {
	return f.call("exchange "+p+" "+q, func() error { return f.real.exchange(a, p, b, q) })
}

func (f *faultyDisk) move(a *tree, p string, b *tree, q string) error {
	return f.call("move "+p+" "+q, func() error { return f.real.move(a, p, b, q) })
}

func (f *faultyDisk) replace(a *tree, p string, b *tree, q string) error {
	return f.call("replace "+p+" "+q, func() error { return f.real.replace(a, p, b, q) })
}

func (f *faultyDisk) link(a *tree, p string, b *tree, q string) error {
	return f.call("link "+p+" "+q, func() error { return f.real.link(a, p, b, q) })
}

func (f *faultyDisk) remove(t *tree, p string) error {
	return f.call("remove "+p, func() error { return f.real.remove(t, p) })
}

// barrier does not wait for a disk: what a power cut does is another test's.
func (f *faultyDisk) barrier(*tree) error {
	return f.call("barrier", func() error { return nil })
}

// reserve takes no room: thousands of sites are made.
func (f *faultyDisk) reserve(*site.Site) error {
	return f.call("reserve", func() error { return nil })
}

func (f *faultyDisk) note(j *site.Journal, kind string, data any) error {
	doIt, err := f.next("note " + kind)
	switch {
	case doIt:
		if really := f.real.note(j, kind, data); err == nil {
			return really
		}
	case errors.Is(err, errKilled) && f.u != nil:
		f.tear()
	}
	return err
}

// tear leaves half a record at the end of the journal.
func (f *faultyDisk) tear() {
	file, err := f.u.Root.OpenFile(site.JournalFile, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	defer file.Close()
	_, _ = file.WriteString(`0badc0de {"kind":"files.intent","time":"2026-`)
}

func (f *faultyDisk) flush(*site.Journal) error {
	return f.call("flush", func() error { return nil })
}

// fallbackDisk can't swap two files, as on many systems.
type fallbackDisk struct{ disk }

func (f fallbackDisk) exchange(*tree, string, *tree, string) error { return errNoExchange }

// way is how a scenario is switched.
type way struct {
	name   string
	choice string // of site.toml
	wrap   func(*faultyDisk) disk
}

// ways are whole directories where that can be, file by file, and without the exchange
// of the system.
var ways = []way{
	{"trees", "auto", func(f *faultyDisk) disk { return f }},
	{"files", "file", func(f *faultyDisk) disk { return f }},
	{"fallback", "auto", func(f *faultyDisk) disk { return fallbackDisk{f} }},
}

// attempt makes a world, and stages and switches in it on a disk. All worlds of a
// scenario have the same plan; nil makes it.
func attempt(t testing.TB, base string, sc scenario, p *Plan, f *faultyDisk, wrap func(*faultyDisk) disk) (*world, string, error) {
	w := build(t, base, sc)
	before := w.digest()
	if w.plan = p; p == nil {
		w.makePlan()
	}
	f.u = w.u
	err := w.stage(wrap(f))
	if err == nil {
		err = w.switchOver(wrap(f))
	}
	return w, before, err
}

// calls counts the calls of a whole update, and returns its plan.
func calls(t testing.TB, base string, sc scenario, wrap func(*faultyDisk) disk) (int, *Plan) {
	f := &faultyDisk{}
	w, _, err := attempt(t, base, sc, nil, f, wrap)
	defer w.close()
	if err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	return f.n, w.plan
}

// stride thins the points out for the short run; the long one takes all.
func stride(every int) int {
	if torture() {
		return 1
	}
	return every
}

// torture reports whether the long run is asked for.
func torture() bool { return os.Getenv("MOULT_TORTURE") != "" }
