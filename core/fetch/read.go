package fetch

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Document is a small file and what the server said about it.
type Document struct {
	Body []byte
	// Date is the server's clock, zero when it doesn't say. Nothing proves it: it may
	// explain a refusal and must never decide one.
	Date time.Time
}

// Read brings a document of at most limit bytes into memory; a longer one is
// [ErrTooLarge]. A missing one satisfies [NotFound].
func (c *Client) Read(ctx context.Context, address string, limit int64) ([]byte, error) {
	d, err := c.Get(ctx, address, limit)
	if err != nil {
		return nil, err
	}
	return d.Body, nil
}

// Get is [Client.Read] with what the server said beside the bytes.
func (c *Client) Get(ctx context.Context, address string, limit int64) (*Document, error) {
	for attempt := 1; ; attempt++ {
		d, err := c.getOnce(ctx, address, limit)
		if err == nil {
			return d, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if permanent(err) || attempt >= c.o.Attempts {
			return nil, &ReadError{err}
		}
		if err := c.pause(ctx, attempt, err); err != nil {
			return nil, &ReadError{err}
		}
	}
}

func (c *Client) getOnce(ctx context.Context, address string, limit int64) (*Document, error) {
	s, err := c.open(ctx, address, 0, "")
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.total > limit {
		return nil, fmt.Errorf("%s: %d bytes, at most %d expected: %w", Redacted(address), s.total, limit, ErrTooLarge)
	}
	body, err := io.ReadAll(io.LimitReader(s, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Redacted(address), err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes: %w", Redacted(address), limit, ErrTooLarge)
	}
	return &Document{Body: body, Date: s.date}, nil
}
