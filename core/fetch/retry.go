package fetch

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// pause waits before attempt n (counted from 1) after err. It returns err when
// the server asks for a longer wait than is allowed, and the context's cause when
// that ends first.
func (c *Client) pause(ctx context.Context, n int, err error) error {
	wait := c.o.Backoff << min(n-1, 6)
	wait += time.Duration(rand.Int64N(int64(wait)/2 + 1)) // so that many sites don't come back in step
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		if status.RetryAfter > c.o.MaxWait {
			return err
		}
		wait = max(wait, status.RetryAfter)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
