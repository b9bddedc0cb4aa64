package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"moult/core/schema"
)

// An update that was taken back, as a whole or in part, and is then run again
// finds names of its own in use: what it had added was set aside under them on the
// way back. That is moved to further names, which end in a number; nothing is
// dropped.

// moved is the end of a further name.
var moved = regexp.MustCompile(`~[0-9]+$`)

// isKept reports whether a name is one of the given ones or a further name of one.
func isKept(name string, names []string) bool {
	return slices.Contains(names, name) || slices.Contains(names, moved.ReplaceAllString(name, ""))
}

// makeRoom prepares a run after an undo. A step whose undo was begun is undone to
// its end first: a statement may only be judged from the state in which it was
// planned.
func (r *run) makeRoom(ctx context.Context) error {
	for i := range r.plan.Steps {
		if r.undoBegan(&r.plan.Steps[i]) {
			if err := r.back(ctx, &r.plan.Steps[i]); err != nil {
				return err
			}
		}
	}
	names := keptNames(r.plan)
	if len(r.marks) > 0 {
		names = namesOfInverses(r.plan)
	}
	return r.moveLeftovers(ctx, names)
}

// namesOfInverses returns the names that only the way back gives. None of them
// can be in use while a step that gives it is yet to be undone.
func namesOfInverses(p *schema.Plan) []string {
	there := &schema.Plan{}
	for _, s := range p.Steps {
		there.Steps = append(there.Steps, schema.Step{Statement: s.Statement})
	}
	forward := keptNames(there)
	return slices.DeleteFunc(keptNames(p), func(name string) bool { return slices.Contains(forward, name) })
}

// moveLeftovers makes names free.
func (r *run) moveLeftovers(ctx context.Context, names []string) error {
	return r.d.insist(ctx, func() error {
		conn, err := r.d.session(ctx)
		if err != nil {
			return err
		}
		kept, err := keptObjects(ctx, conn, names)
		if err != nil {
			return fmt.Errorf("look for what an earlier run has kept aside: %w", err)
		}
		for _, o := range kept {
			if moved.MatchString(o.table) || moved.MatchString(o.column) {
				continue
			}
			statement := fmt.Sprintf("RENAME TABLE %s TO %s", schema.Quote(o.table), schema.Quote(freeName(kept, o.table)))
			if o.column != "" {
				statement = fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s", schema.Quote(o.table), schema.Quote(o.column), schema.Quote(freeName(kept, o.column)))
			}
			if err := r.d.execute(ctx, schema.Statement{SQL: statement}, nil); err != nil {
				return fmt.Errorf("make room for what is kept aside: %w", err)
			}
		}
		return nil
	})
}

// freeName returns the first further name that no kept object has.
func freeName(kept []keptObject, name string) string {
	for n := 2; ; n++ {
		further := fmt.Sprintf("%s~%d", name, n)
		taken := func(o keptObject) bool { return o.table == further || o.column == further }
		if !slices.ContainsFunc(kept, taken) {
			return further
		}
	}
}
