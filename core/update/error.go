package update

import (
	"errors"
	"fmt"
)

// Kind classifies an [Error]. Scripts see it in JSON; the window and the command
// line turn it into a sentence.
type Kind string

// The kinds, with what they mean for a run in the table below.
const (
	KindIO             Kind = "io"
	KindPath           Kind = "path"
	KindPermission     Kind = "permission"
	KindDiskFull       Kind = "disk full"
	KindAtomic         Kind = "atomic operation failed"
	KindDownload       Kind = "download failed"
	KindHTTP           Kind = "http"
	KindVerification   Kind = "verification failed"
	KindExtraction     Kind = "extraction failed"
	KindMalformed      Kind = "malformed"
	KindHash           Kind = "hash mismatch"
	KindSignature      Kind = "signature"
	KindUntrusted      Kind = "untrusted metadata"
	KindExpired        Kind = "expired metadata"
	KindUnsupported    Kind = "unsupported operation"
	KindNoBackup       Kind = "backup not enabled"
	KindNoSource       Kind = "patch source not set"
	KindRollbackFailed Kind = "rollback failed"
	KindDatabase       Kind = "database"
	KindMigration      Kind = "migration"
	KindHook           Kind = "hook failed"
	KindUnhealthy      Kind = "unhealthy"
	KindLocked         Kind = "locked by another process"
	KindCancelled      Kind = "cancelled"
	KindUndecided      Kind = "undecided"              // a question to the admin is open
	KindInterrupted    Kind = "interrupted"            // an earlier run has to be ended first
	KindBlocked        Kind = "blocked"                // a preflight finding stops the update
	KindNotOffered     Kind = "not offered"            // the publisher has no such release or channel
	KindUnknown        Kind = "release not recognised" // which one is installed could not be found out
	KindPassword       Kind = "password"               // of the database; it is not where it was said to be
)

// verdict is a row of the table of error kinds.
type verdict struct{ recoverable, rollback bool }

// verdicts says for each kind whether trying again can help and whether a run
// that has begun to change the site must be undone.
var verdicts = map[Kind]verdict{
	KindIO:             {true, true},
	KindPath:           {true, true},
	KindPermission:     {false, true},
	KindDiskFull:       {true, true},
	KindAtomic:         {true, true},
	KindDownload:       {true, false},
	KindHTTP:           {true, false},
	KindVerification:   {false, false},
	KindExtraction:     {true, true},
	KindMalformed:      {false, false},
	KindHash:           {false, false},
	KindSignature:      {false, false},
	KindUntrusted:      {false, false},
	KindExpired:        {true, false},
	KindUnsupported:    {false, true},
	KindNoBackup:       {false, false},
	KindNoSource:       {false, false},
	KindRollbackFailed: {true, false},
	KindDatabase:       {true, true},
	KindMigration:      {true, true},
	KindHook:           {true, true},
	KindUnhealthy:      {true, true},
	KindLocked:         {true, false},
	KindCancelled:      {true, true},
	KindUndecided:      {true, false},
	KindInterrupted:    {true, false},
	KindBlocked:        {true, false},
	KindNotOffered:     {false, false},
	KindUnknown:        {false, false},
	KindPassword:       {false, false},
}

// Error is what every method of [Engine] returns when it fails.
type Error struct {
	Kind  Kind
	Stage Stage // where it happened
	Err   error // what happened, with the thing and the place
	// RollBackErr is what went wrong while undoing, for KindRollbackFailed.
	RollBackErr error
}

// Error returns the stage and the cause.
func (e *Error) Error() string {
	if e.RollBackErr != nil {
		return fmt.Sprintf("%s: %v; and undoing it failed: %v", e.Stage, e.Err, e.RollBackErr)
	}
	return fmt.Sprintf("%s: %v", e.Stage, e.Err)
}

// Unwrap gives both causes to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.RollBackErr != nil {
		return []error{e.Err, e.RollBackErr}
	}
	return []error{e.Err}
}

// Recoverable reports whether trying again can help without anything else being changed.
func (e *Error) Recoverable() bool { return verdicts[e.Kind].recoverable }

// RollbackRequired reports whether a run that has begun to change the site has
// to be undone after this error.
func (e *Error) RollbackRequired() bool { return verdicts[e.Kind].rollback }

// KindOf returns the kind of err, or "" if no [Error] is in its chain.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
