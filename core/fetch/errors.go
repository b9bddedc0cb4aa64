package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"
)

// Errors that callers tell apart with errors.Is. Errors of the local disk are
// passed on as they are, so errors.Is(err, syscall.ENOSPC) works.
var (
	// ErrHash: every byte arrived and the SHA-256 is not the expected one.
	ErrHash = errors.New("the hash is not the expected one")
	// ErrTooLarge: the document is longer than the caller allows.
	ErrTooLarge = errors.New("it is larger than allowed")
	// ErrStalled: the server sends nothing, or so little that it would never end.
	ErrStalled = errors.New("the server sends too slowly")
	// ErrProtocol: the answer contradicts the question: another range, another
	// length, compressed although plain was asked for.
	ErrProtocol = errors.New("the server's answer does not fit the question")
	// ErrInsecureRedirect: the server redirects from https to something else.
	ErrInsecureRedirect = errors.New("redirect from https to an unprotected address refused")
	// ErrAddress: no server was asked, as the address can't be meant.
	ErrAddress = errors.New("the address is not usable")
)

// ReadError is in the chain of every error of [Client.Read] and [Client.Get] that the
// server, the network or the address made, so that a caller can tell it from one of
// its own.
type ReadError struct{ Err error }

// Error is that of the cause.
func (e *ReadError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }

// StatusError is an answer other than success.
type StatusError struct {
	URL  string
	Code int // an HTTP status; for file URLs 404 or 403
	// RetryAfter is how long the server asks to wait; 0 when it doesn't say.
	RetryAfter time.Duration
}

// Error names the address and the status.
func (e *StatusError) Error() string {
	if text := http.StatusText(e.Code); text != "" {
		return fmt.Sprintf("%s: %d %s", e.URL, e.Code, text)
	}
	return fmt.Sprintf("%s: status %d", e.URL, e.Code)
}

// Temporary reports whether asking the same server again can help.
func (e *StatusError) Temporary() bool {
	switch e.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// Is makes a missing document match [fs.ErrNotExist].
func (e *StatusError) Is(target error) bool {
	return target == fs.ErrNotExist && (e.Code == http.StatusNotFound || e.Code == http.StatusGone)
}

// NotFound reports whether err says that the server answers and does not have the
// document. Some object stores answer 403 for what does not exist; that counts.
func NotFound(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && (s.Code == http.StatusNotFound || s.Code == http.StatusGone || s.Code == http.StatusForbidden)
}

// finalError is a failure that no other mirror can mend: of this machine's disk, or of
// hashes that contradict each other.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

func final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}
