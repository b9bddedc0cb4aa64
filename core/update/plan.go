package update

import (
	"time"

	"moult/core/database"
	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
)

// Offer is the outcome of a successful check.
type Offer struct {
	Current  release.Version  `json:"current"`
	Target   release.Version  `json:"target"` // equal to Current when up to date
	Released time.Time        `json:"released"`
	Strategy release.Strategy `json:"strategy"`
	Notes    []Note           `json:"notes"` // newest first, one for each release passed
	Trust    Trust            `json:"trust"`
	Critical bool             `json:"critical,omitempty"`
	// Blocked is why the offered release can't be installed here, "" if it can.
	Blocked string `json:"blocked,omitempty"`

	// Latest is the newest release of the channel; it differs from Target when
	// an older one was asked for or a required stop lies on the way.
	Latest release.Version `json:"latest"`

	source   source
	arch     release.Arch
	manifest *release.Manifest
}

// UpToDate reports whether there is nothing to install.
func (o *Offer) UpToDate() bool { return o.Strategy.Kind == release.None }

// Note is the release notes of one release.
type Note struct {
	Version  release.Version `json:"version"`
	Released time.Time       `json:"released"`
	Markdown string          `json:"markdown"`
}

// TrustLevel says what is known about where a release comes from.
type TrustLevel string

// The levels of trust: green, amber, red.
const (
	Trusted      TrustLevel = "trusted"
	NotFresh     TrustLevel = "not fresh" // signed, but nothing proves that it is the newest
	NotTrusted   TrustLevel = "not trusted"
	UnsignedOpen TrustLevel = "unsigned allowed" // the site says unsigned = "allow"
)

// Trust is the trust line of the window.
type Trust struct {
	Level   TrustLevel `json:"level"`
	Signer  string     `json:"signer"`           // the publisher's name or key fingerprint
	Expires time.Time  `json:"expires,omitzero"` // when the metadata must have been renewed
	Detail  string     `json:"detail"`           // one sentence
}

// Plan is everything an update will do. It is what the window shows, what is
// journaled and what is done.
type Plan struct {
	ID       string           `json:"id"` // of the update and its restore point
	From     release.Version  `json:"from"`
	To       release.Version  `json:"to"`
	Strategy release.Strategy `json:"strategy"`
	Notes    []Note           `json:"notes,omitempty"`
	Trust    Trust            `json:"trust"`
	Files    *files.Plan      `json:"files"`
	Schema   *schema.Plan     `json:"schema,omitempty"` // nil: the site has no database
	Proof    Proof            `json:"proof"`
	Scripts  []Script         `json:"scripts,omitempty"`
	Checks   []Check          `json:"checks"`
	// DiskBytes is the room needed beside the site; FreeBytes what there is.
	DiskBytes int64 `json:"disk_bytes"`
	FreeBytes int64 `json:"free_bytes"`
	// Takes and Downtime are estimates: the whole run, and the part of it in
	// which visitors can notice.
	Takes    time.Duration `json:"takes"`
	Downtime time.Duration `json:"downtime"`
	// Hash pins the plan: Apply refuses a site for which a new plan would differ.
	Hash string `json:"hash"`
}

// Script is a data script of the release: it runs in one transaction after the
// schema has its new form.
type Script = database.Script

// Proof says whether the schema plan was tried on an empty clone.
type Proof struct {
	Proved bool   `json:"proved"`
	Reason string `json:"reason"` // how, or why not
}

// CheckLevel is the outcome of one preflight check.
type CheckLevel string

// The outcomes. A plan with a Block can't be applied.
const (
	CheckOK   CheckLevel = "ok"
	CheckWarn CheckLevel = "warn"
	CheckStop CheckLevel = "block"
)

// Check is one line of the preflight checklist.
type Check struct {
	Code  string     `json:"code"` // stable, as in "disk", "permissions", "database"
	Level CheckLevel `json:"level"`
	Text  string     `json:"text"`           // what was found
	Hint  string     `json:"hint,omitempty"` // how to fix it
	Rows  []string   `json:"rows,omitempty"` // sample rows in the way
}

// Blocked returns the checks that stop the plan.
func (p *Plan) Blocked() []Check {
	var stop []Check
	for _, c := range p.Checks {
		if c.Level == CheckStop {
			stop = append(stop, c)
		}
	}
	return stop
}

// SiteState says what a site is after a run, from what was verified.
type SiteState string

// The three possible answers.
const (
	SiteOld   SiteState = "old release"
	SiteNew   SiteState = "new release"
	SiteMixed SiteState = "between two releases" // only while a run is interrupted
)

// Result is how a run ended. It is kept as result.json of the restore point.
type Result struct {
	ID       string          `json:"id"`
	From     release.Version `json:"from"`
	To       release.Version `json:"to"`
	Started  time.Time       `json:"started"`
	Ended    time.Time       `json:"ended"`
	State    State           `json:"state"` // Done, RolledBack or NeedsAttention
	Site     SiteState       `json:"site"`
	Kind     Kind            `json:"kind,omitempty"` // of the failure
	Message  string          `json:"message,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	// Window is how long the files were between two releases.
	Window time.Duration `json:"window"`
	// SetAside counts, after a roll back, the tables and columns that hold what the old
	// schema has no place for. They stay in the database until the update is discarded.
	SetAside int `json:"set_aside,omitempty"`
	// Unsure: the health check could not tell whether the new release works. Somebody
	// should look at the site and decide whether it is rolled back.
	Unsure bool `json:"unsure,omitempty"`
}

// Record is one line of a site's history.
type Record struct {
	Result
	// CanRollBack is true while the restore point is there.
	CanRollBack bool  `json:"can_roll_back"`
	DiskBytes   int64 `json:"disk_bytes"` // that discarding the restore point frees
}

// Run is an interrupted run that was found.
type Run struct {
	ID          string          `json:"id"`
	From        release.Version `json:"from"`
	To          release.Version `json:"to"`
	Started     time.Time       `json:"started"`
	Stage       Stage           `json:"stage"`        // the last one that was begun
	RollingBack bool            `json:"rolling_back"` // it was going back when it stopped
	CanFinish   bool            `json:"can_finish"`   // every staged file is intact
	Recommended Direction       `json:"recommended"`
	Reason      string          `json:"reason"` // for the recommendation
}

// Direction is the way out of an interrupted run.
type Direction string

// The directions.
const (
	Undo    Direction = "undo"
	Forward Direction = "forward"
)

// Choices are the admin's answers for a plan.
type Choices struct {
	Full     bool            // take the full package even if a patch would do
	To       release.Version // zero: the newest
	OnEdited files.Choice    // for edited files without an answer of their own
	Files    map[release.Path]files.Choice
	Renames  map[string]bool // schema.Rename.Object+"→"+To: confirmed
}
