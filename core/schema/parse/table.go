package parse

import (
	"strings"

	"moult/core/schema"
)

// table reads what follows CREATE TABLE [IF NOT EXISTS] name.
func (c *cursor) table(t *schema.Table) {
	if !c.is("(") {
		c.fail("table %s: a list of columns is expected here", t.Name)
	}
	open := c.i
	c.i++
	if c.is(")") {
		c.failAt(open, "table %s has no columns", t.Name)
	}
	for {
		c.definition(t)
		if !c.accept(",") {
			break
		}
	}
	if !c.is(")") {
		c.fail("table %s: a comma or the closing parenthesis is expected here", t.Name)
	}
	closed := c.i
	c.i++
	if len(t.Columns) == 0 {
		c.failAt(open, "table %s has no columns", t.Name)
	}
	c.tableOptions(t)
	if c.is("PARTITION", "BY") {
		c.i += 2
		t.Partition = c.partitioning()
	}
	if c.isAny("AS", "SELECT", "IGNORE", "REPLACE", "WITH", "(") {
		c.fail("table %s is made from a query: its columns can't be told from the text", t.Name)
	}
	c.done()
	for n := range c.renames {
		r := &c.renames[n]
		if !r.used && (r.next <= open || r.next == open+1 && r.trailing || r.next > closed) {
			r.used = true
			t.RenamedFrom = r.from
		}
	}
	c.finish(t)
}

// definition reads one column, index or constraint of a table.
func (c *cursor) definition(t *schema.Table) {
	from := c.i
	if c.item(t) {
		if old := c.takeRename(from, c.i); old != "" {
			c.failAt(from, "@renamed from=%s stands at a constraint: only tables, columns and indexes can be renamed", old)
		}
		return
	}
	if x := c.index(t); x != nil {
		x.RenamedFrom = c.takeRename(from, c.i)
		return
	}
	col := c.column(t)
	if i := columnIndex(t, col.Name); i >= 0 {
		c.failAt(from, "table %s has two columns %s", t.Name, col.Name)
	}
	t.Columns = append(t.Columns, col)
	col.RenamedFrom = c.takeRename(from, c.i)
}

// columnIndex returns the index of a column, whose name means the same in any
// case; -1 if there is none.
func columnIndex(t *schema.Table, name string) int {
	for i, col := range t.Columns {
		if col.Name == name || strings.EqualFold(col.Name, name) {
			return i
		}
	}
	return -1
}

// item reads a foreign key, check or period, and reports whether there was one.
func (c *cursor) item(t *schema.Table) bool {
	switch {
	case c.is("PERIOD", "FOR"):
		c.needs(periods, c.i)
		c.i += 2
		p := schema.Period{Name: c.name("a period")}
		cols := c.names("a column")
		if len(cols) != 2 {
			c.fail("PERIOD FOR %s wants two columns", p.Name)
		}
		p.Start, p.End = cols[0], cols[1]
		t.Periods = append(t.Periods, p)
		return true
	case c.is("CONSTRAINT"), c.is("FOREIGN", "KEY"), c.is("CHECK", "("):
	default:
		return false
	}
	start, name := c.i, ""
	if c.accept("CONSTRAINT") {
		c.ifNotExists()
		if c.isName() && !c.isAny("PRIMARY", "UNIQUE", "FOREIGN", "CHECK") {
			name = c.name("a constraint")
		}
	}
	switch {
	case c.accept("FOREIGN", "KEY"):
		t.ForeignKeys = append(t.ForeignKeys, c.foreignKey(name))
	case c.accept("CHECK"):
		t.Checks = append(t.Checks, c.check(name, ""))
	case c.isAny("PRIMARY", "UNIQUE"):
		c.i = start
		return false
	default:
		c.fail("PRIMARY KEY, UNIQUE, FOREIGN KEY or CHECK is expected here")
	}
	return true
}

func (c *cursor) ifNotExists() bool { return c.accept("IF", "NOT", "EXISTS") }

// check reads what follows CHECK; column is "" for a check of the table.
func (c *cursor) check(name, column string) *schema.Check {
	k := &schema.Check{Name: name, AutoName: name == "", Column: column, Enforced: true}
	k.Expr = c.expr(c.group("CHECK"))
	switch {
	case c.is("NOT", "ENFORCED"):
		c.needs(unenforced, c.i)
		c.i += 2
		k.Enforced = false
	case c.accept("ENFORCED"):
	}
	return k
}

// finish settles what can only be told once the whole table is known.
func (c *cursor) finish(t *schema.Table) {
	for _, col := range t.Columns {
		col.NoSysVer = col.NoSysVer && t.SystemVer
		if col.Collation == binaryAttribute {
			col.Collation = c.binaryCollation(t, col)
		}
	}
	if !c.explicitTimestamps() {
		c.implicitTimestamps(t)
	}
}
