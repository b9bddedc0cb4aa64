package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"moult/core/schema"
)

// Journal is where a run writes down what it is about to do and what it has
// done. Recovery does not depend on it: marks and probes in the database decide.
type Journal interface {
	Append(kind string, data any) error
	Sync() error
}

// The kinds of record in a journal.
const (
	RecordBegin   = "statement begin"
	RecordRefused = "statement refused" // as shown before; what follows is the plain statement
	RecordEnd     = "statement end"
)

// Record is the data of a record in a journal.
type Record struct {
	Statement string        `json:"statement"` // a step's ID, with "/n" for its n-th inverse
	SQL       string        `json:"sql"`
	Took      time.Duration `json:"took,omitempty"`
	Found     bool          `json:"found,omitempty"` // it had happened already
	Error     string        `json:"error,omitempty"`
}

// Progress is one look at a run.
type Progress struct {
	Step   string // ID
	Object string
	Change string
	SQL    string
	Done   int // statements
	Total  int
	// Fraction is how much of the running statement is done, 0 to 1; below 0
	// nobody knows. Estimated tells that it is computed from the number of
	// rows and not reported by the server.
	Fraction  float64
	Estimated bool
	// Waiting names what the statement waits for, "" while it works.
	Waiting string
	// Refused is the server's refusal to do the statement in the way that was
	// found on the empty copy, as with too many instant changes of one table.
	// The statement was then done in the way that the server chose.
	Refused string
}

// StepError is a statement that failed, after all attempts.
type StepError struct {
	Step   string
	Object string
	Change string
	SQL    string
	// Blockers are who may hold the lock that was waited for in vain.
	Blockers []Blocker
	Err      error
}

// Error names the step and its object, the cause, and who is in the way.
func (e *StepError) Error() string {
	s := fmt.Sprintf("%s (%s: %s): %v", e.Step, e.Object, e.Change, e.Err)
	if len(e.Blockers) == 0 {
		return s
	}
	names := make([]string, len(e.Blockers))
	for i, b := range e.Blockers {
		names[i] = b.String()
	}
	return s + "; in the way: " + strings.Join(names, "; ")
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// Run brings the steps of one phase about. Steps that are done already are
// passed over, so a run that was cut off is continued by calling Run again. When
// ctx ends, the running statement is killed and then either has happened or has
// not. The error is a *[StepError], a *[LockedError], a *[ConnectError], or after
// [DB.Leave] a *[LeftError].
func (d *DB) Run(ctx context.Context, p *schema.Plan, phase schema.Phase, j Journal, report func(Progress)) error {
	var steps []schema.Step
	for _, s := range p.Steps {
		if s.Phase == phase {
			steps = append(steps, s)
		}
	}
	if len(steps) == 0 {
		return nil
	}
	return d.exclusively(ctx, d.statementsOf(p), func() error {
		r, err := d.newRun(ctx, p.UpdateID, j, report)
		if err != nil {
			return err
		}
		r.plan, r.total = p, len(steps)
		err = r.reserve(ctx)
		if err == nil {
			err = r.makeRoom(ctx)
		}
		if err == nil {
			err = r.forward(ctx, steps)
		}
		return errors.Join(err, r.sync())
	})
}

// reserve takes what the way back will need on a full disk.
func (r *run) reserve(ctx context.Context) error {
	return r.d.insist(ctx, func() error {
		conn, err := r.d.session(ctx)
		if err != nil {
			return err
		}
		if err := takeReserve(ctx, conn); err != nil {
			return err
		}
		return reserveMarks(ctx, conn, r.plan)
	})
}

// forward does steps in their order. What is left to a tool and has not happened
// holds back only what may need it.
func (r *run) forward(ctx context.Context, steps []schema.Step) error {
	var left []schema.Step
	var waiting held
	for i := range steps {
		s := &steps[i]
		if waiting.holds(s) {
			continue
		}
		waits, err := r.waits(ctx, s, s.ID, s.Statement)
		if err != nil {
			return err
		}
		if waits {
			left, waiting = append(left, *s), append(waiting, s.Table)
			continue
		}
		if err := r.statement(ctx, s, s.ID, s.Statement, r.d.promised(s)); err != nil {
			return err
		}
		r.done++
	}
	if left != nil {
		return &LeftError{left}
	}
	return nil
}

// statementsOf returns every statement of a plan, for telling a left-over
// connection of the same update.
func (d *DB) statementsOf(p *schema.Plan) []string {
	var all []string
	for i := range p.Steps {
		s := &p.Steps[i]
		all = append(all, s.SQL, d.promised(s))
		for _, inverse := range s.Inverse {
			all = append(all, inverse.SQL)
		}
	}
	return all
}

// run is one pass over the steps of an update, in either direction.
type run struct {
	d      *DB
	update string
	plan   *schema.Plan // nil for scripts
	j      Journal
	report func(Progress)
	marks  map[string]mark

	done, total int
	notes       []string
	refused     string // see Progress
}

func (d *DB) newRun(ctx context.Context, update string, j Journal, report func(Progress)) (*run, error) {
	r := &run{d: d, update: update, j: j, report: report}
	err := d.insist(ctx, func() error {
		conn, err := d.session(ctx)
		if err != nil {
			return err
		}
		if _, err := conn.ExecContext(ctx, createMarks); err != nil {
			return fmt.Errorf("create the table of marks: %w", err)
		}
		r.marks, err = readMarks(ctx, conn, update)
		return err
	})
	return r, err
}

// undoBegan reports whether an inverse of the step was begun.
func (r *run) undoBegan(s *schema.Step) bool {
	for key := range r.marks {
		if strings.HasPrefix(key, s.ID+"/") {
			return true
		}
	}
	return false
}

// statement brings one statement about, however often it takes. promised is what
// is sent for it first.
func (r *run) statement(ctx context.Context, s *schema.Step, key string, st schema.Statement, promised string) error {
	if r.marks[key] == done {
		return nil
	}
	started := time.Now()
	progress := Progress{Step: s.ID, Object: s.Object, Change: s.Change, SQL: st.SQL, Done: r.done, Total: r.total, Fraction: -1}
	r.send(progress)
	r.refused = ""
	if err := r.note(RecordBegin, Record{Statement: key, SQL: promised}); err != nil {
		return err
	}
	found := false
	err := r.d.insist(ctx, func() (err error) {
		look := r.watcher(ctx, s, progress, started)
		if st.DML {
			found, err = r.change(ctx, key, st, look)
		} else {
			found, err = r.define(ctx, key, st, promised, look)
		}
		return err
	})
	record := Record{Statement: key, SQL: promised, Took: time.Since(started), Found: found}
	if err != nil {
		failure := &StepError{Step: s.ID, Object: s.Object, Change: s.Change, SQL: st.SQL, Err: err}
		if codeOf(err) == codeLockWait {
			failure.Blockers, _ = r.d.Blockers(ctx) // the names are a help, not the failure
		}
		record.Error = failure.Error()
		return errors.Join(failure, r.note(RecordEnd, record))
	}
	progress.Done, progress.Fraction, progress.Refused = r.done+1, 1, r.refused
	r.send(progress)
	return r.note(RecordEnd, record)
}

// define tries a statement on definitions. The probe is asked before, since
// another tool or an earlier run may have done the work, and after an error.
func (r *run) define(ctx context.Context, key string, st schema.Statement, promised string, look func()) (found bool, err error) {
	happened, err := r.d.probe(ctx, st)
	if err != nil {
		return false, err
	}
	if happened {
		return true, r.mark(ctx, key, done)
	}
	if r.marks[key] != begun {
		if err := r.mark(ctx, key, begun); err != nil {
			return false, err
		}
	}
	failure := r.keepPromise(ctx, key, st, promised, look)
	if failure == nil {
		return false, r.mark(ctx, key, done)
	}
	// A cancelled run still has to know where it stands.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), killPatience)
	defer cancel()
	if happened, err := r.d.probe(after, st); err == nil && happened {
		return false, r.mark(after, key, done)
	}
	return false, failure
}

// keepPromise runs a statement in the way that was shown before. Without that the
// server may silently do it in a dearer way. If the site's table does not take what
// its empty copy took, nothing has happened yet, and the plain statement is run:
// the update goes on, and whoever reads its journal sees why it took longer.
func (r *run) keepPromise(ctx context.Context, key string, st schema.Statement, promised string, look func()) error {
	asked := st
	asked.SQL = promised
	err := r.d.execute(ctx, asked, look)
	if promised == st.SQL || !isCode(algorithmRefusals...)(err) {
		return err
	}
	r.refused = err.Error()
	if err := r.note(RecordRefused, Record{Statement: key, SQL: promised, Error: r.refused}); err != nil {
		return err
	}
	return r.d.execute(ctx, st, look)
}

// change tries a statement on rows, in one transaction with its mark.
func (r *run) change(ctx context.Context, key string, st schema.Statement, look func()) (found bool, err error) {
	return r.transaction(ctx, key, done, func() error { return r.d.execute(ctx, st, look) })
}

// transaction runs do and writes the mark, or removes it for "", both or neither.
// If that is so already, nothing is run.
func (r *run) transaction(ctx context.Context, key string, to mark, do func() error) (found bool, err error) {
	conn, err := r.d.session(ctx)
	if err != nil {
		return false, err
	}
	marks, err := readMarks(ctx, conn, r.update)
	if err != nil {
		return false, r.d.noteLoss(err)
	}
	if marks[key] == to {
		r.marks = marks
		return true, nil
	}
	if _, err := conn.ExecContext(ctx, "START TRANSACTION"); err != nil {
		return false, r.d.noteLoss(err)
	}
	err = do()
	if err == nil && r.d.conn != conn {
		err = errors.New("the connection was lost inside a transaction")
	}
	if err == nil && to == "" {
		err = unmark(ctx, conn, r.update, []string{key})
	} else if err == nil {
		err = setMark(ctx, conn, r.update, key, to)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		r.rollBack(ctx)
		return false, r.d.noteLoss(err)
	}
	marks[key] = to
	if to == "" {
		delete(marks, key)
	}
	r.marks = marks
	return false, nil
}

// rollBack ends a transaction that failed. If that is not possible the
// connection is given up, which ends it as well.
func (r *run) rollBack(ctx context.Context) {
	if r.d.conn == nil {
		return
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialPatience)
	defer cancel()
	if _, err := r.d.conn.ExecContext(after, "ROLLBACK"); err != nil {
		r.d.drop()
	}
}

func (r *run) mark(ctx context.Context, key string, to mark) error {
	conn, err := r.d.session(ctx)
	if err != nil {
		return err
	}
	if err := setMark(ctx, conn, r.update, key, to); err != nil {
		return r.d.noteLoss(err)
	}
	r.marks[key] = to
	return nil
}

// unmarkStep forgets a step and its inverses: it is as if never begun.
func (r *run) unmarkStep(ctx context.Context, s *schema.Step) error {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(r.marks)) {
		if key == s.ID || strings.HasPrefix(key, s.ID+"/") {
			keys = append(keys, key)
		}
	}
	err := r.d.insist(ctx, func() error {
		conn, err := r.d.session(ctx)
		if err != nil {
			return err
		}
		return unmark(ctx, conn, r.update, keys)
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		delete(r.marks, key)
	}
	return nil
}

func (r *run) send(p Progress) {
	if r.report != nil {
		r.report(p)
	}
}

func (r *run) note(kind string, record Record) error {
	if r.j == nil {
		return nil
	}
	if err := r.j.Append(kind, record); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

func (r *run) sync() error {
	if r.j == nil {
		return nil
	}
	if err := r.j.Sync(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}
