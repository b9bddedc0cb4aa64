package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"moult/core/schema"
)

// Undo takes back what Run has done of one phase of a plan, or of all phases when
// phase is "", last step first, whichever steps those are; a step in doubt is
// decided by its probe. Undo that was cut off is continued by calling it again. The
// notes are sentences for the admin: what came back but differs from before, most
// of which [DB.WayBack] can tell earlier. The table of marks forgets the update with its first phase, the last one to go back.
func (d *DB) Undo(ctx context.Context, p *schema.Plan, phase schema.Phase, j Journal, report func(Progress)) (notes []string, err error) {
	if p.Empty() {
		return nil, nil
	}
	err = d.exclusively(ctx, d.statementsOf(p), func() error {
		r, err := d.newRun(ctx, p.UpdateID, j, report)
		if err != nil {
			return err
		}
		steps := undoOrder(p, phase)
		r.plan, r.total = p, len(steps)
		for i := range steps {
			if err := r.back(ctx, steps[i]); err != nil {
				notes = r.notes
				return errors.Join(err, r.sync())
			}
			r.done++
		}
		notes = r.notes
		if phase == "" || phase == schema.Expand {
			err = r.forget(ctx)
		}
		return errors.Join(err, r.sync())
	})
	return notes, err
}

// forget removes the marks of the whole update.
func (r *run) forget(ctx context.Context) error {
	return r.d.insist(ctx, func() error {
		conn, err := r.d.session(ctx)
		if err != nil {
			return err
		}
		return forget(ctx, conn, r.update)
	})
}

// phaseOrder is the order in which phases run.
var phaseOrder = []schema.Phase{schema.Expand, schema.Contract, schema.Scripts}

// undoOrder returns the steps of one phase, or of all, last first, as they ran
// phase by phase.
func undoOrder(p *schema.Plan, only schema.Phase) []*schema.Step {
	var steps []*schema.Step
	for _, phase := range phaseOrder {
		for i := range p.Steps {
			if p.Steps[i].Phase == phase && (only == "" || only == phase) {
				steps = append(steps, &p.Steps[i])
			}
		}
	}
	slices.Reverse(steps)
	return steps
}

// back undoes one step, if it was begun.
func (r *run) back(ctx context.Context, s *schema.Step) error {
	state, any := r.marks[s.ID]
	if !any {
		return nil
	}
	if state == begun && !r.undoBegan(s) && s.Probe != "" {
		happened, err := r.insistProbe(ctx, s.Statement)
		if err != nil {
			return &StepError{Step: s.ID, Object: s.Object, Change: s.Change, SQL: s.SQL, Err: err}
		}
		if !happened {
			return r.unmarkStep(ctx, s)
		}
		if err := r.renameKeys(ctx); err != nil { // a tool may have done it
			return err
		}
	}
	for i, inverse := range s.Inverse {
		key := inverseKey(s, i)
		waits, err := r.waits(ctx, s, key, inverse)
		if err != nil {
			return err
		}
		if waits {
			step := *s
			step.Statement = inverse
			return &LeftError{[]schema.Step{step}}
		}
		if err := r.inverse(ctx, s, key, inverse); err != nil {
			return err
		}
	}
	return r.unmarkStep(ctx, s)
}

// insistProbe asks a probe however often it takes.
func (r *run) insistProbe(ctx context.Context, st schema.Statement) (happened bool, err error) {
	err = r.d.insist(ctx, func() error {
		happened, err = r.d.probe(ctx, st)
		return err
	})
	return happened, err
}

// inverse runs one inverse statement. Two refusals would leave the site between
// two releases for the sake of rows that were written since the update, or that
// the old column never held rightly. There the definition comes back all the same,
// and the notes say what has become of the rows.
func (r *run) inverse(ctx context.Context, s *schema.Step, key string, st schema.Statement) error {
	err := r.statement(ctx, s, key, st, st.SQL)
	if isFull(err) {
		conn, lost := r.d.session(ctx)
		if lost != nil || dropReserve(ctx, conn) != nil {
			return err // the full disk is what has to be told
		}
		err = r.statement(ctx, s, key, st, st.SQL)
	}
	if err == nil || st.DML {
		return err
	}
	cause := err
	var failure *StepError
	if errors.As(err, &failure) {
		cause = failure.Err
	}
	variable, value := "", ""
	switch {
	case isCode(codeOrphan)(err):
		variable, value = "foreign_key_checks", "0"
		r.notes = append(r.notes, r.orphans(ctx, st.SQL, err))
	case isCode(valueRefusals...)(err):
		variable, value = "sql_mode", "NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"
		r.notes = append(r.notes, fmt.Sprintf("In %s, values that the old definition can't hold were changed to the nearest that it can: %v.", s.Object, cause))
	default:
		return err
	}
	st.Session = maps.Clone(st.Session)
	if st.Session == nil {
		st.Session = map[string]string{}
	}
	st.Session[variable] = value
	return r.statement(ctx, s, key, st, st.SQL)
}

// valueRefusals are what a strict server says to values that a column can't hold:
// out of range, truncated, no valid date, no valid value, too long.
var valueRefusals = []uint16{1264, 1265, 1292, 1366, 1406}

// codeOrphan is the server's refusal of a foreign key over rows without a parent.
const codeOrphan = 1452

// orphanMessage is the part of the refusal that names a key of one column.
var orphanMessage = regexp.MustCompile("CONSTRAINT `((?:[^`]|``)+)` FOREIGN KEY \\(`((?:[^`]|``)+)`\\) REFERENCES `((?:[^`]|``)+)` \\(`((?:[^`]|``)+)`\\)")

// alteredTable is the table of an ALTER. The refusal names a temporary copy of it.
var alteredTable = regexp.MustCompile("^ALTER TABLE `((?:[^`]|``)+)`")

// orphans describes the rows that have lost their parents.
func (r *run) orphans(ctx context.Context, statement string, refusal error) string {
	key, table := orphanMessage.FindStringSubmatch(refusal.Error()), alteredTable.FindStringSubmatch(statement)
	if key == nil || table == nil {
		return "A foreign key came back unchecked, because rows written since the update have no parent: " + refusal.Error()
	}
	name, column, parent, parentColumn, child := key[1], key[2], key[3], key[4], table[1]
	note := fmt.Sprintf("The foreign key %s of %s came back unchecked, because rows have a %s that no row of %s has any more", name, child, column, parent)
	conn, err := r.d.session(ctx)
	if err != nil {
		return note + "."
	}
	rows, err := conn.QueryContext(ctx, "SELECT c."+schema.Quote(column)+
		orphansOf(schema.Quote(child), schema.Quote(parent), []string{schema.Quote(column)}, []string{schema.Quote(parentColumn)})+fmt.Sprintf(" LIMIT %d", maxSamples))
	if err != nil {
		return note + "."
	}
	samples, err := readSamples(rows)
	if err != nil || len(samples) == 0 {
		return note + "."
	}
	return note + ", as in " + strings.Join(samples, "; ") + "."
}
