package parse

import (
	"fmt"

	"moult/core/schema"
)

// Error is a place in a source that can't be read, and why.
type Error struct {
	Pos    schema.Pos
	Near   string // the words around the place, on one line; "" at the end of the source
	Reason string
}

// Error returns "file:line:column: reason near …".
func (e *Error) Error() string {
	name := e.Pos.File
	if name == "" {
		name = "sql"
	}
	s := fmt.Sprintf("%s:%d:%d: %s", name, e.Pos.Line, e.Pos.Column, e.Reason)
	if e.Near != "" {
		s += fmt.Sprintf(", near %q", e.Near)
	}
	return s
}
