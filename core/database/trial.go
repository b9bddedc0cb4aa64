package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"moult/core/schema"
)

// trial runs a plan on an empty copy.
type trial struct {
	d       *DB // of the site
	scratch *DB
	plan    *schema.Plan
	live    *schema.Schema // the part of the site's schema that is copied
	partial bool           // it is not the whole schema
	asked   map[string]bool
}

// doubt is why a plan could not be proved; it is not an error of the trial.
type doubt struct{ reason string }

func (e *doubt) Error() string { return e.reason }

func doubtf(format string, args ...any) error { return &doubt{fmt.Sprintf(format, args...)} }

// run returns why the plan is not proved, "" if it is.
func (t *trial) run(ctx context.Context) (string, error) {
	err := t.thereAndBack(ctx)
	var why *doubt
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &why):
		t.estimateRest()
		return "not proved: " + why.reason, nil
	default:
		return "", fmt.Errorf("try the plan on a copy: %w", err)
	}
}

// estimateRest marks the steps of which the server was not asked.
func (t *trial) estimateRest() {
	for i := range t.plan.Steps {
		s := &t.plan.Steps[i]
		s.Estimated = s.Algorithm != "" && !t.asked[s.ID]
	}
}

func (t *trial) thereAndBack(ctx context.Context) error {
	if err := t.scratch.clone(ctx, t.live); err != nil {
		return t.refused(ctx, err, "the copy could not be made")
	}
	if err := t.compare(ctx, t.plan.Start, "the copy differs from the database"); err != nil {
		return err
	}
	order := undoOrder(t.plan, "")
	for i := len(order) - 1; i >= 0; i-- {
		if err := t.forward(ctx, order[i]); err != nil {
			return err
		}
	}
	if err := t.compare(ctx, t.plan.Target, "the steps do not lead to the new schema"); err != nil {
		return err
	}
	for _, s := range order {
		for n, inverse := range s.Inverse {
			if err := t.statement(ctx, fmt.Sprintf("%s taken back (%d)", s.ID, n+1), inverse, t.plain); err != nil {
				return err
			}
		}
	}
	return t.compare(ctx, t.plan.Start, "taking the steps back does not lead to the old schema")
}

// refused turns an error of the server into a doubt; the end of the context and
// a lost server stay errors.
func (t *trial) refused(ctx context.Context, err error, what string) error {
	if ctx.Err() != nil || isLost(err) {
		return err
	}
	return doubtf("%s: %v", what, err)
}

// forward runs a step by the cheapest algorithm that the server takes.
func (t *trial) forward(ctx context.Context, s *schema.Step) error {
	return t.statement(ctx, s.ID, s.Statement, func(ctx context.Context, st schema.Statement) error {
		if !isAlter(st.SQL) || st.DML {
			return t.plain(ctx, st)
		}
		return t.ask(ctx, s)
	})
}

// statement runs one statement between two questions of its probe.
func (t *trial) statement(ctx context.Context, name string, st schema.Statement, do func(context.Context, schema.Statement) error) error {
	before, err := t.scratch.probe(ctx, st)
	if err != nil {
		return t.refused(ctx, err, name)
	}
	if before {
		return doubtf("%s counts as done before it is run: %s", name, shorten(st.SQL, 160))
	}
	if err := do(ctx, st); err != nil {
		return t.refused(ctx, err, name+" fails ("+shorten(st.SQL, 160)+")")
	}
	after, err := t.scratch.probe(ctx, st)
	if err != nil {
		return t.refused(ctx, err, name)
	}
	if st.Probe != "" && !after {
		return doubtf("%s does not count as done after it was run: %s", name, shorten(st.SQL, 160))
	}
	return nil
}

func (t *trial) plain(ctx context.Context, st schema.Statement) error {
	return t.scratch.execute(ctx, st, nil)
}

// ask runs an ALTER by the first algorithm that is accepted and notes it.
func (t *trial) ask(ctx context.Context, s *schema.Step) error {
	before := t.tableIDs(ctx)
	for _, a := range algorithmsOf(t.d.flavor) {
		asked, ok := withAlgorithm(s.SQL, a.clause)
		if !ok {
			break
		}
		err := t.scratch.execute(ctx, schema.Statement{SQL: asked, Session: s.Session}, nil)
		if isCode(algorithmRefusals...)(err) {
			continue
		}
		if err != nil {
			return err
		}
		t.asked[s.ID] = true
		s.Algorithm, s.Blocks, s.Estimated = a.name, a.blocks, false
		if a.name == "INPLACE" && rebuilt(before, t.tableIDs(ctx)) {
			s.Algorithm = "REBUILD"
		}
		return nil
	}
	// What takes no algorithm copies the table or moves partitions.
	err := t.plain(ctx, s.Statement)
	if err == nil && s.Algorithm == "" {
		s.Algorithm, s.Blocks, s.Estimated = "COPY", true, true
	}
	return err
}

// tableIDs returns the inner numbers of the copy's tables, which change when a
// table is rebuilt. Without the right PROCESS there are none.
func (t *trial) tableIDs(ctx context.Context) map[string]int64 {
	ids := map[string]int64{}
	table := "innodb_sys_tables"
	if t.d.flavor.Vendor == schema.MySQL && t.d.flavor.AtLeast(8) {
		table = "innodb_tables"
	}
	conn, err := t.scratch.session(ctx)
	if err != nil {
		return nil
	}
	rows, err := conn.QueryContext(ctx, "SELECT name, table_id FROM information_schema."+table+" WHERE name LIKE CONCAT(DATABASE(), '/%')")
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var id int64
		if rows.Scan(&name, &id) == nil {
			ids[name] = id
		}
	}
	if rows.Err() != nil {
		return nil
	}
	return ids
}

// rebuilt reports whether a table has got another number.
func rebuilt(before, after map[string]int64) bool {
	for name, id := range before {
		if now, ok := after[name]; ok && now != id {
			return true
		}
	}
	return false
}

// compare holds the copy against an expected definition, as far as it is cloned.
func (t *trial) compare(ctx context.Context, canonicalSQL, otherwise string) error {
	got, err := t.scratch.Introspect(ctx)
	if err != nil {
		return t.refused(ctx, err, "the copy can't be read")
	}
	want, err := t.scratch.expected(canonicalSQL, got)
	if err != nil {
		return t.refused(ctx, err, "the expected definition can't be read")
	}
	t.restrict(want, got)
	if same, differences := schema.Equal(got, want); !same {
		return doubtf("%s: %s", otherwise, strings.Join(differences[:min(len(differences), 5)], "; "))
	}
	return nil
}

// restrict takes from want what is outside of the clone: events, and of a large
// database the tables that were not copied and all that may depend on them.
func (t *trial) restrict(want, got *schema.Schema) {
	want.Events = nil
	if !t.partial {
		return
	}
	tables := want.Tables[:0]
	for _, table := range want.Tables {
		if got.Table(table.Name) != nil {
			tables = append(tables, table)
		}
	}
	triggers := want.Triggers[:0]
	for _, trigger := range want.Triggers {
		if got.Table(trigger.Table) != nil {
			triggers = append(triggers, trigger)
		}
	}
	want.Tables, want.Triggers, want.Views, want.Routines = tables, triggers, nil, nil
}
