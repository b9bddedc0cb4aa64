package schema

import (
	"fmt"
	"slices"
	"strings"
)

// renames are the confirmed ones, from new names to old ones.
type renames struct {
	tables  map[string]string
	columns map[string]map[string]string // by the table's new name
}

// column returns the old name of a column, "" if it is not a renamed one.
func (r renames) column(table, name string) string { return r.columns[table][name] }

// newTable returns what a table will be called.
func (r renames) newTable(old string) string {
	for now, before := range r.tables {
		if before == old {
			return now
		}
	}
	return old
}

// newColumn returns what a column of the table, by its new name, will be called.
func (r renames) newColumn(table, old string) string {
	for now, before := range r.columns[table] {
		if strings.EqualFold(before, old) {
			return now
		}
	}
	return old
}

// findRenames collects what the target declares with @renamed and what the admin
// has confirmed; look-alikes without an answer are noted in the plan.
func (p *planner) findRenames() renames {
	r := renames{tables: map[string]string{}, columns: map[string]map[string]string{}}
	for _, t := range p.target.Tables {
		if old := t.RenamedFrom; old != "" && p.now(t.Name) == nil && p.now(old) != nil && p.wanted(old) == nil {
			r.tables[t.Name] = old
		}
	}
	for _, c := range p.tableCandidates(r) {
		if p.confirmed(c) {
			r.tables[c.To] = c.From
		}
	}
	for _, t := range p.target.Tables {
		old := t.Name
		if o := r.tables[t.Name]; o != "" {
			old = o
		}
		cur := p.now(old)
		if cur == nil {
			continue
		}
		m := map[string]string{}
		for _, c := range t.Columns {
			if o := c.RenamedFrom; o != "" && cur.Column(c.Name) == nil && cur.Column(o) != nil && t.Column(o) == nil {
				m[c.Name] = cur.Column(o).Name
			} else if same := cur.Column(c.Name); same != nil && same.Name != c.Name {
				m[c.Name] = same.Name // another case of the same letters
			}
		}
		for _, c := range columnCandidates(cur, t, m) {
			if p.confirmed(c) {
				m[c.To] = c.From
			}
		}
		if len(m) > 0 {
			r.columns[t.Name] = m
		}
	}
	return r
}

// confirmed asks about a look-alike and notes it when nobody has said yes.
func (p *planner) confirmed(r Rename) bool {
	if p.o.Confirmed != nil && p.o.Confirmed(r) {
		return true
	}
	p.plan.Renames = append(p.plan.Renames, r)
	return false
}

// tableCandidates are pairs of a dropped and an added table of which four fifths
// of the columns and the primary key agree, if no other pair shares a table.
func (p *planner) tableCandidates(r renames) []Rename {
	var dropped, added []*Table
	for _, t := range p.cur.Tables {
		if p.wanted(t.Name) == nil && r.newTable(t.Name) == t.Name {
			dropped = append(dropped, t)
		}
	}
	for _, t := range p.target.Tables {
		if p.now(t.Name) == nil && r.tables[t.Name] == "" {
			added = append(added, t)
		}
	}
	var out []Rename
	uses := map[string]int{}
	for _, a := range dropped {
		for _, b := range added {
			if alikeTables(a, b) {
				out = append(out, Rename{Object: "table " + a.Name, From: a.Name, To: b.Name})
				uses["-"+a.Name]++
				uses["+"+b.Name]++
			}
		}
	}
	return slices.DeleteFunc(out, func(r Rename) bool { return uses["-"+r.From] > 1 || uses["+"+r.To] > 1 })
}

func alikeTables(a, b *Table) bool {
	if len(a.Columns) < 2 || (a.PrimaryKey == nil) != (b.PrimaryKey == nil) || a.PrimaryKey != nil && !sameIndexParts(a.PrimaryKey, b.PrimaryKey) {
		return false
	}
	same := 0
	for _, c := range a.Columns {
		if o := b.Column(c.Name); o != nil && sameType(c.Type, o.Type) {
			same++
		}
	}
	return same*5 >= 4*max(len(a.Columns), len(b.Columns))
}

// columnCandidates are pairs of a dropped and an added column of one type that
// stand behind the same column or have similar names. Of pairs that share a column
// the one that is more alike is taken, none if two are equally so.
func columnCandidates(cur, target *Table, known map[string]string) []Rename {
	old := map[string]bool{}
	for _, o := range known {
		old[o] = true
	}
	var out []Rename
	var scores []float64
	for i, a := range cur.Columns {
		if target.Column(a.Name) != nil || old[a.Name] || a.Generated != nil {
			continue
		}
		for j, b := range target.Columns {
			if cur.Column(b.Name) != nil || known[b.Name] != "" || b.Generated != nil {
				continue
			}
			if a.Type.Base != b.Type.Base || a.Type.Unsigned != b.Type.Unsigned || a.AutoInc != b.AutoInc {
				continue
			}
			left := i > 0 && j > 0 && strings.EqualFold(cur.Columns[i-1].Name, target.Columns[j-1].Name) || i == 0 && j == 0
			score := similarity(a.Name, b.Name)
			if !left && score < 0.6 {
				continue
			}
			if left {
				score += 0.5
			}
			if sameType(a.Type, b.Type) {
				score += 0.2
			}
			out = append(out, Rename{Object: fmt.Sprintf("table %s, column %s", target.Name, a.Name), From: a.Name, To: b.Name})
			scores = append(scores, score)
		}
	}
	return mostAlike(out, scores)
}

// mostAlike returns the pairs that score higher than every other one that shares
// a name with them.
func mostAlike(pairs []Rename, scores []float64) []Rename {
	var out []Rename
	for i, r := range pairs {
		best := true
		for j, o := range pairs {
			best = best && (i == j || r.From != o.From && r.To != o.To || scores[i] > scores[j])
		}
		if best {
			out = append(out, r)
		}
	}
	return out
}

// similarity is the share of letters that two names have in common in order.
func similarity(a, b string) float64 {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for i := range a {
		diagonal := 0
		for j := range b {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return 2 * float64(row[len(b)]) / float64(len(a)+len(b))
}

// finalTable returns what a table of the current schema becomes, nil if it is
// set aside.
func (p *planner) finalTable(current string) *Table {
	if p.renames.tables[current] != "" && p.now(p.renames.tables[current]) != nil {
		return nil // its name will be another table's
	}
	return p.wanted(p.renames.newTable(current))
}

// renamedKey returns a foreign key with the names that its tables and columns
// will have.
func (p *planner) renamedKey(table string, k *ForeignKey) *ForeignKey {
	n := k.Clone()
	for i, c := range n.Columns {
		n.Columns[i] = p.renames.newColumn(p.renames.newTable(table), c)
	}
	if n.RefSchema == "" {
		n.RefTable = p.renames.newTable(k.RefTable)
		for i, c := range n.RefColumns {
			n.RefColumns[i] = p.renames.newColumn(n.RefTable, c)
		}
	}
	return n
}

func renameTable(from, to string) Statement {
	return Statement{SQL: "RENAME TABLE " + Quote(from) + " TO " + Quote(to), Probe: probeOf(tableExists(to))}
}

// rename changes a table's name in the current schema, and with it what servers
// change along: references to it, and the names they made up from its name.
func (p *planner) rename(from, to string) {
	for _, t := range p.cur.Tables {
		for _, k := range t.ForeignKeys {
			if k.RefTable == from && k.RefSchema == "" {
				k.RefTable = to
			}
		}
		if t.Name != from {
			continue
		}
		t.Name = to
		p.at[to] = p.at[from]
		delete(p.at, from)
		for _, k := range t.ForeignKeys {
			if numbered(k.Name, from+"_ibfk_") {
				k.Name = to + k.Name[len(from):]
			}
		}
		for _, k := range t.Checks {
			if p.fl.namesChecksByTable() && numbered(k.Name, from+"_chk_") {
				k.Name = to + k.Name[len(from):]
			}
		}
	}
	for _, g := range p.cur.Triggers {
		if g.Table == from {
			g.Table = to
		}
	}
}

// renameTables gives tables their new names, one per statement: MySQL 5.7 and
// MariaDB 10.5 were left with unreadable tables when they were killed within a
// RENAME of several.
func (p *planner) renameTables() {
	pending := make([]string, 0, len(p.renames.tables))
	for now := range p.renames.tables {
		pending = append(pending, now)
	}
	slices.Sort(pending)
	for len(pending) > 0 {
		i := slices.IndexFunc(pending, func(now string) bool { return !p.taken(now) })
		if i < 0 {
			p.refuse("tables %s can't get each other's names", strings.Join(pending, ", "))
			return
		}
		now := pending[i]
		old := p.renames.tables[now]
		pending = slices.Delete(pending, i, i+1)
		p.add(Step{
			Statement: renameTable(old, now), Object: "table " + old, Change: "rename the table to " + now, Table: old,
			Inverse: []Statement{renameTable(now, old)},
		})
		p.rename(old, now)
	}
}

// renameColumns gives columns their new names in a statement of its own, since
// no other clause of the same ALTER may speak of the new name.
func (p *planner) renameColumns() {
	for _, t := range p.target.Tables {
		pairs := p.renames.columns[t.Name]
		cur := p.now(t.Name)
		if len(pairs) == 0 || cur == nil {
			continue
		}
		moved := map[string]string{}
		for now, old := range pairs {
			moved[old] = now
		}
		if p.fl.Vendor != MariaDB {
			// MySQL refuses to rename what an expression uses (3959, 3108).
			if bare := cur.withoutExpressions(moved); bare != nil {
				p.alter(cur, bare, nil)
				cur = p.now(t.Name)
			}
		}
		from, to := cur.Clone(), cur.Clone()
		to.renameColumns(moved)
		// Expressions follow by themselves, so they are no difference.
		for i := range from.Checks {
			from.Checks[i] = to.Checks[i]
		}
		p.alter(from, to, moved)
		p.renameReferences(t.Name, moved)
	}
}

func (p *planner) renameReferences(table string, moved map[string]string) {
	for _, t := range p.cur.Tables {
		for _, k := range t.ForeignKeys {
			if k.RefTable == table && k.RefSchema == "" {
				renameAll(k.RefColumns, moved)
			}
		}
	}
}

func renameAll(list []string, moved map[string]string) {
	for i, name := range list {
		if now := moved[name]; now != "" {
			list[i] = now
		}
	}
}

// renameColumns changes names wherever the table speaks of its columns.
func (t *Table) renameColumns(moved map[string]string) {
	for _, c := range t.Columns {
		if now := moved[c.Name]; now != "" {
			c.Name = now
		}
		if c.Generated != nil {
			c.Generated.Expr = renameInExpr(c.Generated.Expr, moved)
		}
	}
	for _, x := range t.allIndexes() {
		for i := range x.Parts {
			if now := moved[x.Parts[i].Column]; now != "" {
				x.Parts[i].Column = now
			}
			x.Parts[i].Expr = renameInExpr(x.Parts[i].Expr, moved)
		}
	}
	for _, k := range t.ForeignKeys {
		renameAll(k.Columns, moved)
	}
	for _, k := range t.Checks {
		k.Expr = renameInExpr(k.Expr, moved)
		if now := moved[k.Column]; now != "" {
			k.Column, k.Name = now, now
		}
	}
	if t.Partition != nil {
		renameAll(t.Partition.Columns, moved)
		t.Partition.Expr = renameInExpr(t.Partition.Expr, moved)
	}
}

// renameInExpr changes the names of columns in an expression.
func renameInExpr(e Expr, moved map[string]string) Expr {
	if e.Raw == "" {
		return e
	}
	var b strings.Builder
	changed := false
	for i, t := range tokens(e.Raw) {
		if i > 0 {
			b.WriteByte(' ')
		}
		text := t.text
		if t.kind == tokName || t.kind == tokWord {
			for old, now := range moved {
				if strings.EqualFold(t.value(), old) {
					text, changed = Quote(now), true
				}
			}
		}
		b.WriteString(text)
	}
	if !changed {
		return e
	}
	return canonExpr(Expr{Raw: b.String()})
}

// withoutExpressions returns the table without the checks and generated columns
// that use any of the columns, nil if there are none.
func (t *Table) withoutExpressions(columns map[string]string) *Table {
	uses := func(raw string) bool {
		return slices.ContainsFunc(names(raw), func(n string) bool {
			for c := range columns {
				if strings.EqualFold(c, n) {
					return true
				}
			}
			return false
		})
	}
	n := t.Clone()
	n.Checks = slices.DeleteFunc(n.Checks, func(k *Check) bool { return uses(k.Expr.Raw) })
	n.Columns = slices.DeleteFunc(n.Columns, func(c *Column) bool { return c.Generated != nil && uses(c.Generated.Expr.Raw) })
	n.Indexes = slices.DeleteFunc(n.Indexes, func(x *Index) bool {
		return slices.ContainsFunc(x.Parts, func(p IndexPart) bool { return p.Column != "" && n.Column(p.Column) == nil || uses(p.Expr.Raw) })
	})
	if len(n.Checks) == len(t.Checks) && len(n.Columns) == len(t.Columns) && len(n.Indexes) == len(t.Indexes) {
		return nil
	}
	return n
}
