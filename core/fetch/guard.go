package fetch

import (
	"context"
	"io"
	"math"
	"sync/atomic"
	"time"
)

// guard is a body that ends with [ErrStalled] when fewer than minRate bytes per
// second arrive within a window. One rule covers a server that goes silent and one
// that drips: to the admin both are a download that never ends.
type guard struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	recent atomic.Int64 // bytes since the window began
}

func newGuard(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser, window time.Duration, minRate int64) *guard {
	g := &guard{body: body, ctx: ctx, cancel: cancel}
	least := max(1, int64(window.Seconds()*float64(minRate)))
	// Started only once the field is set, since the function uses it.
	g.timer = time.AfterFunc(math.MaxInt64, func() {
		if g.recent.Swap(0) < least {
			cancel(ErrStalled)
			return
		}
		g.timer.Reset(window)
	})
	g.timer.Reset(window)
	return g
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.body.Read(p)
	g.recent.Add(int64(n))
	if err != nil && err != io.EOF {
		if cause := context.Cause(g.ctx); cause != nil {
			err = cause
		}
	}
	return n, err
}

func (g *guard) Close() error {
	g.timer.Stop()
	g.cancel(context.Canceled)
	return g.body.Close()
}
