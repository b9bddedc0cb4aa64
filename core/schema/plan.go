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

// Hazard is a rule of the risk table that applies to a step.
type Hazard struct {
	Code   string `json:"code"`             // D1, L1, N1, U1, F1, …
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
