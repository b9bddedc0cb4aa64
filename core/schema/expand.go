package schema

import (
	"slices"
	"strings"
)

// expand plans what the old release does not notice: new tables, new columns and
// indexes, columns that take more than before.
func (p *planner) expand() {
	p.phase = Expand
	p.createSequences()
	p.createTables()
	for _, t := range p.target.Tables {
		if cur := p.now(t.Name); cur != nil && p.renames.tables[t.Name] == "" && !sameTable(cur, t) {
			if mid := p.expanded(cur, t); mid != nil {
				p.alter(cur, mid, nil)
			}
		}
	}
}

// createTables adds the tables whose names are free, parents first.
func (p *planner) createTables() {
	ordered, _ := parentsFirst(p.target.Tables)
	for _, t := range ordered {
		if !p.taken(t.Name) && p.renames.tables[t.Name] == "" && !p.checkNameTaken(t) {
			p.createTable(t)
		}
	}
}

// checkNameTaken reports whether a check of another table has the name of one of
// this table's, on a server where they share one space of names. Such a table has
// to wait until the other one is out of the way.
func (p *planner) checkNameTaken(t *Table) bool {
	return p.fl.namesChecksByTable() && slices.ContainsFunc(t.Checks, func(k *Check) bool {
		return !k.AutoName && slices.ContainsFunc(p.cur.Tables, func(o *Table) bool {
			return slices.ContainsFunc(o.Checks, func(c *Check) bool { return strings.EqualFold(c.Name, k.Name) })
		})
	})
}

// createTable adds a table with the foreign keys whose parents are ready; the
// others are added at the end. Its way back sets it aside, so that what the new
// release has written is there if the update is done again.
func (p *planner) createTable(t *Table) {
	n := t.Clone()
	n.ForeignKeys = slices.DeleteFunc(n.ForeignKeys, func(k *ForeignKey) bool { return !p.parentReady(t, k) || p.keyNameTaken(k.Name) })
	name := p.aside()
	var inverse []Statement
	if len(n.ForeignKeys) > 0 {
		inverse = append(inverse, dropForeignKeys(n, n.ForeignKeys))
	}
	if p.fl.namesChecksByTable() {
		if named := slices.DeleteFunc(n.tableChecks(), func(k *Check) bool { return k.AutoName }); len(named) > 0 {
			inverse = append(inverse, p.dropChecks(n, named))
		}
	}
	inverse = append(inverse, renameTable(t.Name, name))
	p.add(Step{
		Statement: Statement{SQL: n.Create(p.fl), Probe: probeOf(tableExists(t.Name))},
		Object:    "table " + t.Name, Change: "create the table", Table: t.Name,
		Inverse: inverse, Discard: []Statement{dropAside(name)},
	})
	p.put(n)
}

// parentReady reports whether a foreign key can be made at this point and need
// not be touched again.
func (p *planner) parentReady(t *Table, k *ForeignKey) bool {
	if k.RefSchema != "" || k.RefTable == t.Name {
		return true
	}
	parent, final := p.now(k.RefTable), p.wanted(k.RefTable)
	if parent == nil || final == nil || p.renames.tables[k.RefTable] != "" {
		return false
	}
	for _, name := range k.RefColumns {
		a, b := parent.Column(name), final.Column(name)
		if a == nil || b == nil || !sameKeyColumn(a, b) {
			return false
		}
	}
	return slices.ContainsFunc(parent.allIndexes(), func(x *Index) bool { return x.leads(k.RefColumns) })
}

// sameKeyColumn compares what a foreign key minds.
func sameKeyColumn(a, b *Column) bool {
	return sameType(a.Type, b.Type) && a.Charset == b.Charset && a.Collation == b.Collation && a.Nullable == b.Nullable && sameGenerated(a.Generated, b.Generated)
}

// expanded returns the table with the additions that can come first, nil if
// there are none.
func (p *planner) expanded(cur, target *Table) *Table {
	mid := cur.Clone()
	changed := false
	for i, c := range target.Columns {
		old := cur.Column(c.Name)
		switch {
		case old == nil:
			if p.renames.column(target.Name, c.Name) == "" && target.addsEarly(c) {
				mid.Columns = slices.Insert(mid.Columns, mid.placeAfter(target.Columns[:i]), c.Clone())
				changed = true
			}
		case old.Name == c.Name && widens(old, c) && !p.involved(cur, target, c.Name):
			n := c.Clone()
			mid.Columns[slices.IndexFunc(mid.Columns, func(m *Column) bool { return m.Name == c.Name })] = n
			changed = true
		}
	}
	if p.addsIndexes(cur, target) {
		for _, pr := range match(cur.Indexes, target.Indexes, indexID) {
			if pr.a == nil && mid.indexReady(pr.b, target) {
				mid.Indexes = append(mid.Indexes, pr.b.Clone())
				changed = true
			}
		}
	}
	if !changed {
		return nil
	}
	return mid
}

// placeAfter returns the index behind the last of the columns that the table has.
func (t *Table) placeAfter(before []*Column) int {
	for i := len(before) - 1; i >= 0; i-- {
		if at := slices.IndexFunc(t.Columns, func(c *Column) bool { return c.Name == before[i].Name }); at >= 0 {
			return at + 1
		}
	}
	return 0
}

// addsEarly reports whether a new column depends on nothing that comes later:
// keys, other columns.
func (t *Table) addsEarly(c *Column) bool {
	if c.AutoInc || c.Generated != nil || c.RowStart || c.RowEnd || t.inlineCheck(c.Name) != nil || t.PrimaryKey != nil && t.PrimaryKey.has(c.Name) {
		return false
	}
	return c.Default.Kind != ExprDefault || !t.mentions(c.Default.Text)
}

// mentions reports whether a text names one of the table's columns.
func (t *Table) mentions(text string) bool {
	words := names(text)
	return slices.ContainsFunc(t.Columns, func(c *Column) bool { return slices.Contains(words, strings.ToLower(c.Name)) })
}

// involved reports whether a column is part of anything that would have to be
// changed with it.
func (p *planner) involved(cur, target *Table, column string) bool {
	for _, t := range []*Table{cur, target} {
		if slices.ContainsFunc(t.allIndexes(), func(x *Index) bool { return x.has(column) }) {
			return true
		}
		for _, c := range t.Columns {
			if c.Generated != nil && slices.Contains(names(c.Generated.Expr.Raw), strings.ToLower(column)) {
				return true
			}
		}
		for _, k := range t.Checks {
			if slices.Contains(names(k.Expr.Raw), strings.ToLower(column)) {
				return true
			}
		}
		if t.Partition != nil {
			return true
		}
	}
	return false
}

// addsIndexes reports whether indexes may be added before others are dropped. An
// index that serves a foreign key is dropped silently when a better one comes,
// so additions and removals have to be one statement.
func (p *planner) addsIndexes(cur, target *Table) bool {
	for _, pr := range match(cur.Indexes, target.Indexes, indexID) {
		if pr.a != nil && (pr.b == nil || !sameIndex(pr.a, pr.b)) {
			return false
		}
	}
	return true
}

// indexReady reports whether an index that restricts nothing can be added: its
// columns are there in their final form.
func (t *Table) indexReady(x *Index, target *Table) bool {
	if x.Kind == UniqueIndex || x.Kind == PrimaryIndex {
		return false
	}
	for _, part := range x.Parts {
		c := t.Column(part.Column)
		if c == nil || !sameColumn(c, target.Column(part.Column), t, target) {
			return false
		}
	}
	return t.Engine == target.Engine
}

// widens reports whether every value of a fits b unchanged and nothing else of
// the column changes.
func widens(a, b *Column) bool {
	n := b.Clone()
	n.Type, n.Nullable, n.Default = a.Type, a.Nullable, a.Default
	if b.Nullable != a.Nullable && !b.Nullable {
		return false
	}
	if len(columnDifferences(a, n, &Table{}, &Table{})) > 0 || a.Generated != nil || a.AutoInc {
		return false
	}
	if !sameDefault(a.Default, b.Default) && a.Default.Kind != NoDefault {
		return false
	}
	return (!sameType(a.Type, b.Type) || a.Nullable != b.Nullable || !sameDefault(a.Default, b.Default)) && fits(a.Type, b.Type)
}

// fits reports whether every value of type a is a value of type b and looks the
// same.
func fits(a, b Type) bool {
	switch {
	case sameType(a, b):
		return true
	case a.Zerofill || b.Zerofill:
		return false
	case a.isInteger() && b.isInteger():
		x, y := integerBits[a.Base], integerBits[b.Base]
		switch {
		case a.Unsigned == b.Unsigned:
			return x <= y
		case a.Unsigned:
			return x < y
		}
		return false
	case a.Base == b.Base && (a.Base == "varchar" || a.Base == "varbinary"):
		return a.Length <= b.Length
	case a.Base == b.Base && a.Base == "decimal":
		return a.Unsigned == b.Unsigned && a.Scale == b.Scale && a.Length <= b.Length
	case a.Base == b.Base && a.Base == "enum":
		return appends(a.Values, b.Values)
	case a.Base == b.Base && a.Base == "set":
		return appends(a.Values, b.Values)
	case textBytes[a.Base] > 0 && textBytes[b.Base] > 0:
		return textBytes[a.Base] <= textBytes[b.Base]
	case blobBytes[a.Base] > 0 && blobBytes[b.Base] > 0:
		return blobBytes[a.Base] <= blobBytes[b.Base]
	}
	return false
}
