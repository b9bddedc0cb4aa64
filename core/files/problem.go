package files

// Level says how bad a [Problem] is.
type Level string

// The levels. A plan with a block can't be done.
const (
	Warn  Level = "warn"
	Block Level = "block"
)

// Problem is something that stands in the way of a plan, in words for people.
type Problem struct {
	Code  string `json:"code"` // stable, as in "disk", "permissions", "symlink"
	Level Level  `json:"level"`
	Text  string `json:"text"`           // what was found
	Hint  string `json:"hint,omitempty"` // how to fix it
}
