package app

import (
	"sync"
	"time"
)

// Feed hands the newest of many values to the window, at most once per interval.
//
// Fyne's bindings do not coalesce: each change is one more closure in the
// window's queue, and 600 000 of them keep it stale for nine seconds. A Feed keeps
// one timer and takes the value only when it fires, so that a writer pays for a
// lock and nothing else.
type Feed[T any] struct {
	every time.Duration
	take  func() T
	apply func(T)

	mu     sync.Mutex
	dirty  bool
	armed  bool
	closed bool
	flight sync.WaitGroup // calls of apply

	turn sync.Mutex // held by the call of apply that is under way
}

// NewFeed makes a feed that calls apply with what take returns, at most once in
// every and one call at a time, so that an older value never follows a newer one.
// Both are called on a goroutine of the feed, and may call Poke.
func NewFeed[T any](every time.Duration, take func() T, apply func(T)) *Feed[T] {
	return &Feed[T]{every: every, take: take, apply: apply}
}

// Poke says that there is something new to take. It never blocks.
func (f *Feed[T]) Poke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.dirty = true
	if !f.armed {
		f.armed = true
		time.AfterFunc(f.every, f.flush)
	}
}

// flush applies the newest value if there is one.
func (f *Feed[T]) flush() {
	f.mu.Lock()
	send := f.dirty && !f.closed
	f.dirty, f.armed = false, false
	if send {
		f.flight.Add(1)
	}
	f.mu.Unlock()
	if send {
		defer f.flight.Done()
		f.turn.Lock()
		defer f.turn.Unlock()
		f.apply(f.take())
	}
}

// Close applies what is still to be taken and returns when no call of apply is
// under way. No call comes after it. It must not be called by apply.
func (f *Feed[T]) Close() {
	f.flush()
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.flight.Wait()
}
