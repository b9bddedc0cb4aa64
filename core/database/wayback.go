package database

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"moult/core/schema"
)

// undoChecks are those before a way back.
var undoChecks = slices.Concat(serverChecks, []check{
	(*preflight).since,
	(*preflight).lossesBack,
	(*preflight).orphansBack,
})

// WayBack is what taking an update back would do. Nothing has changed yet.
type WayBack struct {
	// Steps are the statements in the order in which they run, each as a step of
	// its own: of what was begun, the inverses.
	Steps    []schema.Step
	Findings []Finding
	Former   Former
}

// Former is what the database is to be after Undo. It is asked for once, before
// the first attempt: after half of a way back it can't be told any more.
type Former struct {
	Start string // canonical SQL: what it was before the update
	// With is Start together with Since: what somebody changed here after the
	// update, which stays. It is Start if there is nothing.
	With  string
	Since []schema.Left
}

// WayBack looks for everything that would make Undo fail or hurt, as Preflight
// does for Run: rows that the old definitions can't hold, rows without a parent,
// changes that were made here since. It has to be asked before Undo begins.
func (d *DB) WayBack(ctx context.Context, p *schema.Plan) (*WayBack, error) {
	conn, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	marks, err := readMarks(ctx, conn, p.UpdateID)
	if err != nil {
		return nil, d.noteLoss(err)
	}
	w := &WayBack{Steps: mirrored(p, marks), Former: Former{Start: p.Start, With: p.Start}}
	// In the middle of an update nobody can tell what is its own and what is not.
	var lost []Finding
	if !slices.ContainsFunc(p.Steps, func(s schema.Step) bool { return marks[s.ID] != done }) {
		if lost, err = d.compareSince(ctx, p, &w.Former); err != nil {
			return nil, err
		}
	}
	f := &preflight{ctx: ctx, d: d, q: conn, plan: &schema.Plan{UpdateID: p.UpdateID, Steps: w.Steps, Start: p.Target, Target: p.Start}, kept: w.Former.Since}
	w.Findings, err = f.look(undoChecks)
	w.Findings = append(w.Findings, lost...)
	return w, err
}

// Begun reports whether any statement of a plan was begun and not taken back.
func (d *DB) Begun(ctx context.Context, p *schema.Plan) (bool, error) {
	conn, err := d.session(ctx)
	if err != nil {
		return false, err
	}
	marks, err := readMarks(ctx, conn, p.UpdateID)
	return len(marks) > 0, d.noteLoss(err)
}

// mirrored returns the inverses of the steps that were begun, as steps.
func mirrored(p *schema.Plan, marks map[string]mark) []schema.Step {
	var steps []schema.Step
	for _, s := range undoOrder(p, "") {
		if marks[s.ID] == "" {
			continue
		}
		for n, inverse := range s.Inverse {
			back := schema.Step{ID: inverseKey(s, n), Statement: inverse, Object: s.Object, Change: "take back: " + s.Change, Phase: s.Phase, Table: s.Table, Rows: s.Rows, Risk: s.Risk}
			if isAlter(inverse.SQL) {
				back.Algorithm, back.Blocks, back.Estimated = s.Algorithm, s.Blocks, true
			}
			steps = append(steps, back)
		}
	}
	return steps
}

// compareSince finds what was changed here since the update was complete, and of that
// what the way back can't do without.
func (d *DB) compareSince(ctx context.Context, p *schema.Plan, f *Former) ([]Finding, error) {
	err := d.Matches(ctx, p.Target)
	var differs *Mismatch
	if !errors.As(err, &differs) {
		return nil, err
	}
	live, err := d.Introspect(ctx)
	if err != nil {
		return nil, err
	}
	target, err := d.expected(p.Target, live)
	if err != nil {
		return nil, err
	}
	start, err := d.expected(p.Start, live)
	if err != nil {
		return nil, err
	}
	merged := schema.Merge(target, live, start, d.flavor)
	f.With = schema.Emit(merged.Target, d.flavor)
	f.Since = slices.Concat(merged.Kept, merged.Drift, merged.Conflicts)
	return obstacles(p, target, live, start), nil
}

// obstacles are tables, columns and indexes that the way back says and that somebody
// has removed here since, and those that were made here where it brings one back:
// its statements would fail on them.
func obstacles(p *schema.Plan, target, live, start *schema.Schema) []Finding {
	isNew, isThere := map[part]bool{}, map[part]bool{}
	for _, o := range parts(target) {
		isNew[o] = true
	}
	for _, o := range parts(live) {
		isThere[o] = true
	}
	var found []Finding
	for _, o := range parts(target) {
		if !isThere[o] && o.isIn(p) {
			found = append(found, Finding{Code: "schema gone", Level: levelBlock, Text: fmt.Sprintf("The way back needs %s, which was removed here after the update", o),
				Hint: "make it again as the release has it"})
		}
	}
	for _, o := range parts(start) {
		if !isNew[o] && isThere[o] {
			found = append(found, Finding{Code: "schema in the way", Level: levelBlock, Text: fmt.Sprintf("The way back brings %s back, and another one was made here after the update", o),
				Hint: "rename the one that was made here"})
		}
	}
	return found
}

// part is a table, or a column or index of one.
type part struct{ table, kind, name string }

func (o part) String() string {
	if o.kind == "" {
		return "table " + o.table
	}
	return fmt.Sprintf("table %s, %s %s", o.table, o.kind, o.name)
}

// isIn reports whether an inverse of the plan says the part.
func (o part) isIn(p *schema.Plan) bool {
	for _, s := range p.Steps {
		for _, inverse := range s.Inverse {
			says := func(name string) bool { return name == "" || strings.Contains(inverse.SQL, schema.Quote(name)) }
			if says(o.table) && says(o.name) {
				return true
			}
		}
	}
	return false
}

func parts(s *schema.Schema) []part {
	var all []part
	for _, t := range s.Tables {
		all = append(all, part{table: t.Name})
		for _, c := range t.Columns {
			all = append(all, part{t.Name, "column", c.Name})
		}
		for _, x := range t.Indexes {
			all = append(all, part{t.Name, "index", x.Name})
		}
	}
	return all
}

// MatchesFormer compares the database with what it is to be after Undo. A
// difference is a *[Mismatch].
func (d *DB) MatchesFormer(ctx context.Context, f Former) error {
	err := d.Matches(ctx, f.Start)
	var differs *Mismatch
	if errors.As(err, &differs) && f.With != f.Start && d.Matches(ctx, f.With) == nil {
		return nil
	}
	return err
}

// since tells what was changed here after the update.
func (f *preflight) since() ([]Finding, error) {
	if len(f.kept) == 0 {
		return nil, nil
	}
	finding := Finding{Code: "schema since", Level: levelWarn, Text: "The schema was changed here after the update; that stays as it is"}
	for _, l := range f.kept {
		finding.Rows = append(finding.Rows, l.Object)
	}
	return []Finding{finding}, nil
}

// stopsBack are the hazards that the way back can't get over: duplicates under a
// unique key, rows that break a check, rows outside of every partition. What a
// definition can't hold is changed to the nearest that it can.
var stopsBack = []string{"U1", "C1", "P1"}

// lossesBack counts the rows that the old definitions can't hold as they are. A
// plan from the new schema to the old one knows the questions.
func (f *preflight) lossesBack() ([]Finding, error) {
	from, err := f.d.expected(f.plan.Start, &schema.Schema{})
	if err != nil {
		return nil, err
	}
	to, err := f.d.expected(f.plan.Target, &schema.Schema{})
	if err != nil {
		return nil, err
	}
	back, err := schema.NewPlan(from, to, schema.Options{Flavor: f.d.flavor, UpdateID: f.plan.UpdateID})
	if err != nil {
		return nil, fmt.Errorf("count the rows that can't go back: %w", err)
	}
	var found []Finding
	for _, s := range back.Steps {
		for _, h := range s.Hazards {
			if h.Count == "" || h.Code == orphanHazard {
				continue
			}
			h.Blocks = slices.Contains(stopsBack, h.Code)
			finding, err := f.hazard(h)
			if isCode(codeNoSuchTable, codeNoSuchColumn)(err) {
				continue // not there yet, or there no more: an update that was cut off
			}
			if err != nil {
				return found, err
			}
			if finding != nil {
				finding.Text = "On the way back: " + finding.Text
				found = append(found, *finding)
			}
		}
	}
	return found, nil
}

// orphanHazard is the hazard that orphansBack looks at for every key, those of
// tables that are kept aside included.
const orphanHazard = "F1"

// codeNoSuchColumn is the refusal of a name that no column has.
const codeNoSuchColumn = 1054

// The parts of an inverse statement that names come from.
var (
	addedKey     = regexp.MustCompile("ADD CONSTRAINT (`(?:[^`]|``)+`) FOREIGN KEY \\(([^)]+)\\) REFERENCES (`(?:[^`]|``)+`) \\(([^)]+)\\)")
	renamedTable = regexp.MustCompile("^RENAME TABLE (`(?:[^`]|``)+`) TO (`(?:[^`]|``)+`)")
	quotedTable  = regexp.MustCompile("^ALTER TABLE (`(?:[^`]|``)+`)")
)

// orphansBack counts the rows that would come back without their parents.
func (f *preflight) orphansBack() ([]Finding, error) {
	now := map[string]string{} // what tables are called until they are renamed back
	for _, s := range f.plan.Steps {
		if m := renamedTable.FindStringSubmatch(s.SQL); m != nil {
			now[m[2]] = m[1]
		}
	}
	called := func(table string) string {
		if name, ok := now[table]; ok {
			return name
		}
		return table
	}
	var found []Finding
	for _, s := range f.plan.Steps {
		child := quotedTable.FindStringSubmatch(s.SQL)
		if child == nil {
			continue
		}
		for _, k := range addedKey.FindAllStringSubmatch(s.SQL, -1) {
			rows := orphansOf(called(child[1]), called(k[3]), strings.Split(k[2], ","), strings.Split(k[4], ","))
			h := schema.Hazard{Code: orphanHazard, Count: "SELECT COUNT(*)" + rows, Sample: "SELECT c.*" + rows + fmt.Sprintf(" LIMIT %d", maxSamples),
				Text: fmt.Sprintf("The foreign key %s of %s comes back unchecked: rows have no parent in %s any more", bare(k[1]), bare(child[1]), bare(k[3]))}
			finding, err := f.hazard(h)
			if isCode(codeNoSuchTable, codeNoSuchColumn)(err) {
				continue
			}
			if err != nil {
				return found, err
			}
			if finding != nil {
				finding.Text = "On the way back: " + finding.Text
				found = append(found, *finding)
			}
		}
	}
	return found, nil
}

// bare takes the quotes off a name.
func bare(quoted string) string {
	return strings.ReplaceAll(strings.Trim(quoted, "`"), "``", "`")
}

// orphansOf selects the rows of a child that have no parent.
func orphansOf(child, parent string, columns, parents []string) string {
	on, set := make([]string, len(columns)), make([]string, len(columns))
	for i := range columns {
		on[i] = "p." + strings.TrimSpace(parents[i]) + " = c." + strings.TrimSpace(columns[i])
		set[i] = "c." + strings.TrimSpace(columns[i]) + " IS NOT NULL"
	}
	return fmt.Sprintf(" FROM %s c LEFT JOIN %s p ON %s WHERE %s AND p.%s IS NULL", child, parent, strings.Join(on, " AND "), strings.Join(set, " AND "), strings.TrimSpace(parents[0]))
}
