package schema

// Phase orders the steps of a plan around the switch of the files.
type Phase string

// The phases in order. Between Expand and Contract the files are switched: the
// old release runs on an expanded schema, the new one on either.
const (
	Expand   Phase = "expand"
	Contract Phase = "contract"
	Scripts  Phase = "scripts"
)

// Statement is one SQL statement and the question whether it has happened.
type Statement struct {
	SQL string `json:"sql"`
	// Probe is a query that returns one row with one number: 1 when the
	// statement has happened, 0 when it has not. Inside it @moult_db is not
	// needed: it is asked in the site's database and uses DATABASE().
	// It is "" for a statement that changes rows: those run in a transaction
	// together with their mark. It is also "" for a change of definitions that
	// the catalogues don't show, as of an expression: such a statement and its
	// inverse may be run twice. A probe answers for the moment between its
	// statement and the next; a later step may make it 0 again, as when a
	// foreign key is dropped and added.
	Probe string `json:"probe,omitempty"`
	// DML is true for a statement that changes rows and not definitions.
	DML bool `json:"dml,omitempty"`
	// Session sets variables before the statement and is undone after it, as
	// in sql_mode for a trigger.
	Session map[string]string `json:"session,omitempty"`
}

// Risk says how much care a step needs.
type Risk string

// The risks, mildest first.
const (
	Safe      Risk = "safe"
	Slow      Risk = "slow"       // copies or rebuilds the table, or blocks writes
	KeepsData Risk = "keeps data" // something goes out of sight and is kept for roll back
	CantUndo  Risk = "can't undo" // part of the old state can't come back; see Step.Notes
)

// Step is one change of a plan.
type Step struct {
	ID string `json:"id"` // "s01", "s02", … in order
	Statement
	Object  string      `json:"object"` // "table users", "view v", …
	Change  string      `json:"change"` // "add column email", …
	Phase   Phase       `json:"phase"`
	Inverse []Statement `json:"inverse"` // in the order to run them
	// Algorithm is what the server does: INSTANT, NOCOPY, INPLACE, REBUILD or
	// COPY; "" for what is not an ALTER. Estimated tells who says so.
	Algorithm string   `json:"algorithm,omitempty"`
	Blocks    bool     `json:"blocks,omitempty"`    // writes wait while it runs
	Estimated bool     `json:"estimated,omitempty"` // from the table of rules, not asked of the server
	Rows      int64    `json:"rows"`                // of the table; -1 unknown
	Risk      Risk     `json:"risk"`
	KeepsData bool     `json:"keeps_data,omitempty"`
	Hazards   []Hazard `json:"hazards,omitempty"`
	Notes     []string `json:"notes,omitempty"` // sentences for people
	// Discard is what really removes the data that the step keeps aside, run
	// when the restore point is discarded.
	Discard []Statement `json:"discard,omitempty"`
	// Table is the table that the step works on, for cost and counting; "" if none.
	Table string `json:"table,omitempty"`
}

// Hazard is a rule of the risk table that applies to a step. The codes:
//
//	D1 D2 D3 D4   a table, column, partition or piece of stored code goes; kept or made again on the way back
//	D6            past versions of rows go for good
//	L1 L2 L3 L4   values longer or out of range, signs, members of a list, characters
//	L5            values that another collation takes for equal, in a unique index
//	L6 L7 L8      another family of types, spatial reference, padding of bytes
//	N1 N2         NULL where none may be; a new column without a default
//	U1 F1 C1 P1   rows that a unique index, foreign key, check or partition would refuse
//	E1 G2         another engine; a computed value that a default takes the place of
//
// Those of L, N, U, F, C and P have a query that counts the rows, unless it would
// speak of a column that is not there before the plan, or only the server knows
// what a value turns into.
//
// A target that no server would take is refused instead: F2 (a foreign key
// without a fitting parent), P2 (a key that lacks what divides the table), K2 and
// E2 (a character set, collation or engine that is not there), K3 (names). Warned
// of are V1 (code that seems to use what goes) and K3 (case of tables' names).
//
// Other codes of the table have no place in a plan. D5, a table that could not be
// read, is an error of the reader. G1 and R1, what depends on a column, is a
// matter of the order of steps. K1, reserved words, can't occur: every name is
// quoted. M1, a definer who is not there, and S1, the session's sql_mode, are
// found by core/database, which has the server; X1, a site that has changed since
// the plan was shown, by core/update, which plans once more. R2 is Plan.Renames. T1 and T2, copies and locks, are
// Step.Algorithm, Blocks and Rows, which the server is asked for. Z1, dates that
// are none, can't stop a plan, since the modes that mind them are off while it runs.
type Hazard struct {
	Code   string `json:"code"`
	Text   string `json:"text"`             // one sentence
	Count  string `json:"count,omitempty"`  // SELECT COUNT(*) … : rows in the way; "" when rows don't decide
	Sample string `json:"sample,omitempty"` // SELECT … LIMIT 5 : some of them
	Blocks bool   `json:"blocks,omitempty"` // the plan may not run while Count > 0
}

// Left is an object that the plan leaves as it is on this server.
type Left struct {
	Object string `json:"object"` // "table users, index idx_fax"
	Reason string `json:"reason"`
}

// Plan is an ordered way from one schema to another, and back.
type Plan struct {
	UpdateID  string   `json:"update_id"` // part of the names of what is kept aside
	Steps     []Step   `json:"statements"`
	Kept      []Left   `json:"kept,omitempty"`      // the admin's own
	Drift     []Left   `json:"drift,omitempty"`     // differs from the installed release, left alone
	Conflicts []Left   `json:"conflicts,omitempty"` // changed on both sides; the rule that was used
	Renames   []Rename `json:"renames,omitempty"`   // look-alikes that nobody has confirmed
	Warnings  []string `json:"warnings,omitempty"`
	// Target is the canonical SQL of what the live schema is when all steps
	// are done: what the run is compared with at its end.
	Start  string `json:"start"`
	Target string `json:"target"`
}

// Rename is a dropped and an added object that look like one renamed object.
type Rename struct {
	Object string `json:"object"` // "table t" or "table t, column c"
	From   string `json:"from"`
	To     string `json:"to"`
}

// Declaration is the comment that says in the target's text, on the new object,
// that it is the old one.
func (r Rename) Declaration() string { return "/* @renamed from=" + r.From + " */" }

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return p == nil || len(p.Steps) == 0 }
