package schema

import (
	"fmt"
	"slices"
	"strings"
)

// sideTable keeps the old values of a column that a change would cut, by the
// table's key.
type sideTable struct {
	name  string
	table *Table   // as it is before the change
	key   []string // columns that find a row again
	a, b  *Column  // b is nil for a column that is dropped
	loss  *loss
	fl    Flavor
}

// keyFor returns columns by which a row is found again after a change: a unique
// index without NULLs whose columns keep their values.
func keyFor(from, to *Table, changed string) []string {
	for _, x := range from.allIndexes() {
		if x.Kind != PrimaryIndex && x.Kind != UniqueIndex || x.has(changed) {
			continue
		}
		var key []string
		for _, p := range x.Parts {
			c := from.Column(p.Column)
			if c == nil || c.Nullable || p.Prefix > 0 || !keepsIdentity(c, to.Column(p.Column)) {
				key = nil
				break
			}
			key = append(key, c.Name)
		}
		if key != nil {
			return key
		}
	}
	return nil
}

// keepsIdentity reports whether a column of a key means the same rows after a
// change. Whole numbers of any width compare equal; a row whose number does not fit
// the new width stops the change by a hazard of its own.
func keepsIdentity(a, b *Column) bool {
	if b == nil || sameKeyColumn(a, b) {
		return b != nil
	}
	return a.Type.isInteger() && b.Type.isInteger() && !b.Nullable && sameGenerated(a.Generated, b.Generated)
}

func (s *sideTable) create() Statement {
	var lines, names []string
	for i, k := range s.key {
		c := plainForm(s.table.Column(k), fmt.Sprint("k", i+1), false)
		lines, names = append(lines, c.define(s.table, s.fl, true)), append(names, c.Name)
	}
	lines = append(lines, plainForm(s.a, "old", true).define(s.table, s.fl, true))
	if s.b != nil {
		lines = append(lines, plainForm(s.b, "new", true).define(s.table, s.fl, true))
	}
	lines = append(lines, "PRIMARY KEY ("+quoteAll(names)+")")
	return Statement{
		SQL:   fmt.Sprintf("CREATE TABLE %s (\n  %s\n) ENGINE=InnoDB", Quote(s.name), strings.Join(lines, ",\n  ")),
		Probe: probeOf(tableExists(s.name)),
	}
}

// plainForm is a column with the type alone.
func plainForm(c *Column, name string, nullable bool) *Column {
	n := &Column{Name: name, Type: c.Type, Charset: c.Charset, Collation: c.Collation, Nullable: nullable, OnUpdateNow: -1, SRID: c.SRID}
	if nullable {
		n.Default.Kind = NullDefault
	}
	return n
}

func (s *sideTable) drop() Statement {
	return Statement{SQL: "DROP TABLE " + Quote(s.name), Probe: probeOf(not(tableExists(s.name)))}
}

func (s *sideTable) join() string {
	on := make([]string, len(s.key))
	for i, k := range s.key {
		on[i] = fmt.Sprintf("t.%s=s.%s", Quote(k), Quote(fmt.Sprint("k", i+1)))
	}
	return fmt.Sprintf("%s t JOIN %s s ON %s", Quote(s.table.Name), Quote(s.name), strings.Join(on, " AND "))
}

// still keeps ON UPDATE CURRENT_TIMESTAMP from noticing.
func (s *sideTable) still(prefix string) string {
	var b strings.Builder
	for _, c := range s.table.Columns {
		if c.OnUpdateNow >= 0 && c.Name != s.a.Name {
			fmt.Fprintf(&b, ", %s%s=%s%s", prefix, Quote(c.Name), prefix, Quote(c.Name))
		}
	}
	return b.String()
}

func dml(sql string) Statement { return Statement{SQL: sql, DML: true} }

// changing is a statement on rows that speaks of the loss.
func (s *sideTable) changing(sql string) Statement {
	st := dml(sql)
	if s.loss.relaxed {
		st.Session = relaxedMode()
	}
	return st
}

// fill copies the values that will change.
func (s *sideTable) fill() Statement {
	names := make([]string, len(s.key))
	for i := range s.key {
		names[i] = fmt.Sprint("k", i+1)
	}
	return s.changing(fmt.Sprintf("INSERT INTO %s (%s,`old`)\nSELECT %s,%s FROM %s WHERE %s",
		Quote(s.name), quoteAll(names), quoteAll(s.key), Quote(s.a.Name), Quote(s.table.Name), s.loss.where))
}

// cut writes what the new form can hold.
func (s *sideTable) cut() Statement {
	return s.changing(fmt.Sprintf("UPDATE %s SET %s=%s%s WHERE %s", Quote(s.table.Name), Quote(s.a.Name), s.loss.fix, s.still(""), s.loss.where))
}

// remember notes what the rows have now, so that roll back can tell what was
// written since.
func (s *sideTable) remember() Statement {
	return dml(fmt.Sprintf("UPDATE %s SET s.`new`=t.%s", s.join(), Quote(s.b.Name)))
}

// forget leaves rows alone that were written since.
func (s *sideTable) forget() Statement {
	return dml(fmt.Sprintf("DELETE s FROM %s WHERE NOT (t.%s <=> s.`new`)", s.join(), Quote(s.b.Name)))
}

// restore puts the old values back.
func (s *sideTable) restore() Statement {
	return dml(fmt.Sprintf("UPDATE %s SET t.%s=s.`old`%s", s.join(), Quote(s.a.Name), s.still("t.")))
}

// losses finds the columns of which values are cut by a change, with a side
// table for each that has a key.
// A column that goes and can't be hidden on this server loses every value.
func (p *planner) losses(from, to *Table) []*sideTable {
	var out []*sideTable
	for _, a := range from.Columns {
		if !p.fl.hasInvisibleColumn() && to.Column(a.Name) == nil && hides(a) && !Hidden(a.Name) {
			l := &loss{code: "D2", text: "the column is dropped", where: Quote(a.Name) + " IS NOT NULL"}
			if a.Nullable && a.Default.Kind != NullDefault && a.Default.Kind != NoDefault {
				l.where = "TRUE" // a NULL would come back as the default
			}
			out = append(out, &sideTable{table: from, key: keyFor(from, to, a.Name), a: a, loss: l, fl: p.fl})
		}
	}
	for _, b := range to.Columns {
		a := from.Column(b.Name)
		if a == nil || a.Name != b.Name || Hidden(a.Name) {
			continue
		}
		if l := lossOf(a, b); l != nil {
			out = append(out, &sideTable{table: from, key: keyFor(from, to, a.Name), a: a, b: b, loss: l, fl: p.fl})
		}
	}
	return out
}

// keepValues plans the copies before a change and returns what is to follow it.
func (p *planner) keepValues(sides []*sideTable) {
	for _, s := range sides {
		if s.key == nil {
			continue
		}
		s.name = p.aside()
		object, what := "table "+s.table.Name, "column "+s.a.Name
		step := Step{Object: object, Table: s.table.Name, Risk: KeepsData, KeepsData: true}
		step.Statement, step.Change = s.create(), "make room for old values of "+what
		step.Inverse, step.Discard = []Statement{s.drop()}, []Statement{s.drop()}
		p.add(step)
		step.Discard = nil
		step.Statement, step.Change, step.Inverse = s.fill(), "copy the values of "+what+" that will change", []Statement{s.restore()}
		p.add(step)
		if s.loss.fix != "" {
			step.Statement, step.Change, step.Inverse = s.cut(), "change the values of "+what+" that do not fit", []Statement{}
			p.add(step)
		}
	}
}

// compareValues plans to note what became of the values.
func (p *planner) compareValues(sides []*sideTable) {
	for _, s := range sides {
		if s.key != nil && s.b != nil {
			p.add(Step{
				Statement: s.remember(), Object: "table " + s.table.Name, Change: "note the new values of column " + s.a.Name, Table: s.table.Name,
				Inverse: []Statement{s.forget()}, Risk: KeepsData, KeepsData: true,
			})
		}
	}
}

// hazards are the risks of a change of values. Without a key there is no copy,
// and the plan must not run while there are such rows.
func (s *sideTable) hazards(count bool) []Hazard {
	h := Hazard{Code: s.loss.code, Text: fmt.Sprintf("Column %s of %s: %s.", s.a.Name, s.table.Name, s.loss.text), Blocks: s.key == nil}
	from := " FROM " + Quote(s.table.Name) + " WHERE "
	if s.key == nil {
		h.Text += " The table has no key by which the old values could be kept."
	} else {
		h.Text += " The old values are kept until the restore point is discarded."
	}
	if count {
		h.Count, h.Sample = "SELECT COUNT(*)"+from+s.loss.where, "SELECT *"+from+s.loss.where+" LIMIT 5"
	}
	return []Hazard{h}
}

// converting reports whether the ALTER itself converts values that are kept.
func converting(sides []*sideTable) bool {
	return slices.ContainsFunc(sides, func(s *sideTable) bool { return s.key != nil && s.loss.converts })
}

// narrowing returns the statements that prepare the way back where the old form
// holds less than the new one, and what keeps the values that are cut there.
func (p *planner) narrowing(sides []*sideTable, forth *Table) (before, after, discard []Statement) {
	changes := false
	for _, s := range sides {
		if s.key == nil {
			continue
		}
		s.name = p.aside()
		before = append(before, s.create(), s.fill())
		if s.loss.fix != "" {
			before = append(before, s.cut())
			changes = true
		}
		discard = append(discard, s.drop())
	}
	if !changes {
		return before, nil, discard
	}
	// The rows are changed by us and not by the site: its triggers stay out of it.
	for _, g := range p.cur.Triggers {
		if g.Table == forth.Name {
			o := g.stored()
			before = slices.Insert(before, 0, o.dropped())
			after = append(after, o.created())
		}
	}
	return before, after, discard
}
