//go:build !unix

package database

import "errors"

// tortureChild is never started where a process can't be killed by a signal.
func tortureChild() error { return errors.ErrUnsupported }
