package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// threads starts the window's workers, waits for them, and is the way back to
// Fyne's thread.
type threads struct {
	ctx     context.Context // ends when the window wants to close
	cancel  context.CancelFunc
	workers sync.WaitGroup
	active  atomic.Int64 // workers that run
	queue   func(func()) // fyne.Do, or a test's queue
}

func newThreads(queue func(func())) *threads {
	ctx, cancel := context.WithCancel(context.Background())
	return &threads{ctx: ctx, cancel: cancel, queue: queue}
}

// run starts a worker. It must be called on Fyne's thread, so that no worker
// starts once join waits.
func (t *threads) run(job func()) {
	if t.ctx.Err() != nil {
		return
	}
	t.active.Add(1)
	t.workers.Go(func() {
		defer t.active.Add(-1)
		job()
	})
}

// every runs f on Fyne's thread at an interval until the window wants to close.
// It must be called on Fyne's thread. What waits for the next time doesn't count
// as a worker, but join waits for it too.
func (t *threads) every(interval time.Duration, f func()) {
	if t.ctx.Err() != nil {
		return
	}
	t.workers.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				t.do(f)
			case <-t.ctx.Done():
				return
			}
		}
	})
}

// do runs f on Fyne's thread, later.
func (t *threads) do(f func()) { t.queue(f) }

// join tells all workers to stop and calls then on Fyne's thread when they have.
// What they queued before has run by then.
func (t *threads) join(then func()) {
	t.cancel()
	go func() {
		t.workers.Wait()
		t.queue(then)
	}()
}
