package update

import (
	"encoding/json"
	"time"

	"moult/core/site"
)

// The records of a run's life in its journal. Between them lie those of the files
// and the database, which decide for themselves what has happened.
const (
	recordBegin     = "begin"     // the site may change from here on
	recordStage     = "stage"     // a stage was begun
	recordVerified  = "verified"  // everything is as planned
	recordCommitted = "committed" // the new release counts
	recordUndo      = "undo"      // going back was begun
	recordUndone    = "undone"    // the old release counts
)

// life is how far the run of an update got, read from its journal.
type life struct {
	begun     time.Time // zero: prepared only
	stage     Stage     // begun last
	verified  bool
	committed bool
	undoing   bool // going back was begun and has not ended
	undone    bool
	served    bool // it was committed once, so visitors have written to the new release
}

// open reports whether the run was begun and has not ended.
func (l life) open() bool { return !l.begun.IsZero() && (l.undoing || !l.committed && !l.undone) }

// lifeOf reads the journal of an update.
func lifeOf(u *site.Update) (life, error) {
	var l life
	records, err := u.Records()
	if err != nil {
		return l, err
	}
	for _, rec := range records {
		switch rec.Kind {
		case recordBegin:
			l = life{begun: rec.Time, served: l.served}
		case recordStage:
			if err := json.Unmarshal(rec.Data, &l.stage); err != nil {
				return l, err
			}
		case recordVerified:
			l.verified = true
		case recordCommitted:
			l.committed, l.served, l.undoing = true, true, false
		case recordUndo:
			l.undoing, l.verified = true, false
		case recordUndone:
			l.undone, l.undoing, l.committed = true, false, false
		}
	}
	return l, nil
}
