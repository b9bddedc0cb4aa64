package update

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"moult/core/site"
)

// before runs the admin's commands that precede a change.
func (r *run) before(ctx context.Context) error { return r.hooks(ctx, r.site.Config.Hooks.Before) }

// maintenanceOn raises the site's maintenance flag, if it has one.
func (r *run) maintenanceOn(context.Context) error {
	if r.lease == nil {
		r.skipped = true
		return nil
	}
	return r.lease.Raise(r.plan.ID)
}

// after runs the admin's commands that follow a change, and ends maintenance, so
// that what they start is reachable.
func (r *run) after(ctx context.Context) error {
	if r.lease != nil {
		if err := r.lease.Lower(); err != nil {
			return err
		}
	}
	return r.hooks(ctx, r.site.Config.Hooks.After)
}

// hooks runs commands one after the other in the site's directory. What they
// print goes to the log as they print it.
func (r *run) hooks(ctx context.Context, commands []string) error {
	if len(commands) == 0 {
		r.skipped = true
		return nil
	}
	timeout := time.Duration(cmp.Or(r.site.Config.Hooks.Timeout, site.DefaultHookTimeout))
	for i, text := range commands {
		r.send(Event{Status: StepRunning, Item: text, Done: int64(i), Total: int64(len(commands)), Interruptible: true})
		if err := r.hook(ctx, text, timeout); err != nil {
			return hookError{fmt.Errorf("hook %q: %w", text, err)}
		}
	}
	return nil
}

// hook runs one command and ends it, with all that it started, when its time is up.
func (r *run) hook(ctx context.Context, text string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("not done after %s", timeout))
	defer cancel()
	cmd := shell(ctx, text)
	cmd.Dir = r.site.Dir
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	cmd.WaitDelay = 2 * time.Second
	lines := make(chan struct{})
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			r.log.Info("hook output", "hook", text, "line", s.Text())
			r.send(Event{Status: StepRunning, Item: text, Log: s.Text(), Interruptible: true})
		}
		io.Copy(io.Discard, out) // a line too long for the scanner must not block the command
	}()
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it ended well; what it has started in the background holds its output
	}
	in.Close()
	<-lines
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// hookError marks what a hook made fail.
type hookError struct{ error }

// Unwrap returns the cause.
func (e hookError) Unwrap() error { return e.error }
