package app

import (
	"sync"

	"fyne.io/fyne/v2/lang"
)

// listed carries what is added to the list of sites and taken off it to the list
// on disk, on one worker and in the order in which it happened.
type listed struct {
	app     *App
	mu      sync.Mutex
	waiting []func() error
	writing bool // a worker is at it, and takes up what comes meanwhile
}

// change adds or removes a site. It is called on Fyne's thread.
func (l *listed) change(do func(dir string) error, dir string) {
	l.mu.Lock()
	l.waiting = append(l.waiting, func() error { return do(dir) })
	begin := !l.writing
	l.writing = true
	l.mu.Unlock()
	if begin {
		l.app.threads.run(l.write)
	}
}

func (l *listed) write() {
	for next := l.next(); next != nil; next = l.next() {
		if err := next(); err != nil {
			l.app.threads.do(func() { l.app.showError(lang.L("The list of sites can't be saved."), err) })
		}
	}
}

// next takes the oldest change, nil if there is none.
func (l *listed) next() func() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.writing = false
		return nil
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	return next
}
