package cli

import (
	"errors"
	"fmt"
	"strings"

	"moult/app/words"
	"moult/core/release"
	"moult/core/schema/parse"
	"moult/core/site"
	"moult/core/update"
)

// The exit codes. Package comment: what they mean to a script.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitAttention = 3
	exitLocked    = 4
	exitUntrusted = 5
	exitWaiting   = 6
	exitDiffers   = 10
)

// exitMeanings are what the codes mean to a script, for the manual and the reference.
var exitMeanings = []struct {
	code    int
	meaning string
}{
	{exitOK, "done, or up to date"},
	{exitFailed, "failed; the site is unchanged or was rolled back, and the message says which"},
	{exitUsage, "wrong usage or malformed input"},
	{exitAttention, "failed; the site needs attention: roll back or recover"},
	{exitLocked, "locked by another process"},
	{exitUntrusted, "not trusted: signature, hash or metadata"},
	{exitWaiting, "a statement waits for the online tool that it is left to (schema apply, resume and undo)"},
	{exitDiffers, "an update is available (check --exit-code); the site differs from its release (verify); there are differences (schema diff --exit-code)"},
}

// exitHelp lists the codes, each in a paragraph of its own, as manual pages want it.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:")
	for _, e := range exitMeanings {
		fmt.Fprintf(&b, "\n\n%4d  %s", e.code, e.meaning)
	}
	return b.String()
}

// codes are the kinds that don't simply mean "failed".
var codes = map[update.Kind]int{
	update.KindMalformed:      exitUsage,
	update.KindUndecided:      exitUsage,
	update.KindNoSource:       exitUsage,
	update.KindNotOffered:     exitUsage,
	update.KindUnknown:        exitUsage,
	update.KindPassword:       exitUsage,
	update.KindRollbackFailed: exitAttention,
	update.KindLocked:         exitLocked,
	update.KindHash:           exitUntrusted,
	update.KindSignature:      exitUntrusted,
	update.KindUntrusted:      exitUntrusted,
	update.KindExpired:        exitUntrusted,
}

// exitCode returns the code for the outcome of a command.
func exitCode(err error) int {
	var usage usageError
	var run runError
	var locked *site.LockedError
	var malformed *parse.Error
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDiffers):
		return exitDiffers
	case errors.Is(err, errWaiting):
		return exitWaiting
	case update.KindOf(err) == update.KindInterrupted: // also when the question about it was not answered
		return exitAttention
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &malformed) && update.KindOf(err) == "":
		return exitUsage // a schema of whoever asks
	case errors.As(err, &run) && run.result != nil && (run.result.State == update.NeedsAttention || run.result.Site == update.SiteMixed):
		return exitAttention
	case errors.As(err, &locked):
		return exitLocked
	}
	if code, ok := codes[update.KindOf(err)]; ok {
		return code
	}
	return exitFailed
}

// errDiffers is the outcome of a command that was asked to report differences by
// its exit code and has printed them. It is no failure and prints nothing.
var errDiffers = errors.New("there are differences")

// errWaiting is the outcome of a run of which something is left to another tool,
// and the command has printed what. It is no failure either.
var errWaiting = errors.New("the run waits for another tool")

// errTold is the outcome of a command that failed and has printed what, as JSON.
var errTold = errors.New("it failed")

// usageError is a wrong flag, a wrong argument, malformed input, or a question
// that nobody is there to answer.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// runError is a run that failed, with how it ended.
type runError struct {
	error
	begun  bool             // false: the failure came before anything was touched
	result *update.Result   // nil if the run never began
	done   []*update.Result // the runs of this command that ended well before it
}

// standing says where the site is after the error.
func (e runError) standing() string {
	if e.result == nil {
		return standingAfter(e.done)
	}
	return words.Standing(e.result)
}

// standingAfter says where the site is after some runs, of which there may be none.
func standingAfter(done []*update.Result) string {
	if len(done) == 0 {
		return words.Standing(nil)
	}
	return words.Standing(done[len(done)-1])
}

func (e runError) Unwrap() error { return e.error }

// versionFlag reads the text of a flag that takes a version; "" is the zero version.
func versionFlag(name, text string) (release.Version, error) {
	if text == "" {
		return release.Version{}, nil
	}
	v, err := release.ParseVersion(text)
	if err != nil {
		return release.Version{}, usagef("--%s: %w", name, err)
	}
	return v, nil
}
