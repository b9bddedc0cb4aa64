package parse

import (
	"slices"
	"strings"

	"moult/core/schema"
)

// drop applies DROP …: dumps drop what they create next, and a placeholder
// before the view that it stands for.
func (r *reader) drop(c *cursor) {
	c.expect("DROP")
	c.accept("TEMPORARY")
	c.acceptAny("ONLINE", "OFFLINE")
	what := c.tok().upper
	if elsewhere[what] || c.is("SPATIAL", "REFERENCE") {
		return
	}
	c.i++
	switch what {
	case "TABLE", "TABLES":
		r.dropEach(c, r.dropTable)
	case "VIEW":
		r.dropEach(c, func(name string) { dropNamed(&r.out.Views, name, func(v *schema.View) string { return v.Name }) })
	case "SEQUENCE":
		r.dropEach(c, func(name string) {
			dropNamed(&r.out.Sequences, name, func(q *schema.Sequence) string { return q.Name })
		})
	case "TRIGGER":
		r.dropEach(c, func(name string) { dropNamed(&r.out.Triggers, name, func(g *schema.Trigger) string { return g.Name }) })
	case "EVENT":
		r.dropEach(c, func(name string) { dropNamed(&r.out.Events, name, func(e *schema.Event) string { return e.Name }) })
	case "PROCEDURE", "FUNCTION":
		r.dropEach(c, func(name string) { r.dropRoutine(name, what == "FUNCTION") })
	case "PACKAGE":
	case "DATABASE", "SCHEMA":
		c.accept("IF", "EXISTS")
		delete(r.databases, c.name("a database"))
	case "INDEX":
		r.dropIndexOn(c)
	default:
		c.i--
		c.fail("DROP %s is nothing that Moult can read", c.tok().text)
	}
}

// dropEach reads [IF EXISTS] a, b, … and drops each. What is not there is
// dropped from the server that the text was made for, if at all.
func (r *reader) dropEach(c *cursor, drop func(string)) {
	c.accept("IF", "EXISTS")
	for {
		db, name := c.qualified("what is dropped")
		r.own(c, db)
		drop(name)
		if !c.accept(",") {
			break
		}
	}
	if c.acceptAny("CASCADE", "RESTRICT", "NOWAIT") == "" && c.accept("WAIT") {
		c.i++
	}
	c.done()
}

// dropNamed removes the objects of that name.
func dropNamed[T any](list *[]T, name string, nameOf func(T) string) {
	*list = slices.DeleteFunc(*list, func(o T) bool { return nameOf(o) == name })
}

// dropTable removes a table with its triggers.
func (r *reader) dropTable(name string) {
	if r.tables[name] != nil {
		delete(r.tables, name)
		dropNamed(&r.out.Tables, name, func(t *schema.Table) string { return t.Name })
		dropNamed(&r.out.Triggers, name, func(g *schema.Trigger) string { return g.Table })
	}
	dropNamed(&r.out.Sequences, name, func(q *schema.Sequence) string { return q.Name })
}

func (r *reader) dropRoutine(name string, function bool) {
	r.out.Routines = slices.DeleteFunc(r.out.Routines, func(p *schema.Routine) bool {
		return p.Function == function && strings.EqualFold(p.Name, name)
	})
}

// dropIndexOn reads what follows DROP INDEX.
func (r *reader) dropIndexOn(c *cursor) {
	exists := c.accept("IF", "EXISTS")
	at := c.i
	name := c.name("an index")
	c.expect("ON")
	t := r.known(c)
	if t != nil && !dropIndex(t, name) && !exists {
		c.failAt(at, "table %s has no index %s", t.Name, name)
	}
}

// known reads the name of a table that must be there.
func (r *reader) known(c *cursor) *schema.Table {
	at := c.i
	db, name := c.qualified("a table")
	r.own(c, db)
	t := r.tables[name]
	if t == nil {
		c.failAt(at, "the table %s is not known at this place", name)
	}
	return t
}

// dropIndex removes an index, and reports whether it was there.
func dropIndex(t *schema.Table, name string) bool {
	if strings.EqualFold(name, "PRIMARY") {
		was := t.PrimaryKey != nil
		t.PrimaryKey = nil
		return was
	}
	for i := range t.Indexes {
		if strings.EqualFold(indexName(t, i), name) {
			t.Indexes = slices.Delete(t.Indexes, i, i+1)
			return true
		}
	}
	return false
}

// rename applies RENAME TABLE a TO b, ….
func (r *reader) rename(c *cursor) {
	c.expect("RENAME")
	if c.is("USER") {
		return
	}
	if c.acceptAny("TABLE", "TABLES") == "" {
		c.fail("RENAME %s is nothing that Moult can read", c.tok().text)
	}
	c.accept("IF", "EXISTS")
	for {
		db, from := c.qualified("a table")
		r.own(c, db)
		if c.accept("WAIT") {
			c.i++
		}
		c.accept("NOWAIT")
		at := c.i
		c.expect("TO")
		db, to := c.qualified("a table")
		r.own(c, db)
		if !r.renameTable(from, to) {
			c.failAt(at, "the table %s is not known at this place", from)
		}
		if !c.accept(",") {
			break
		}
	}
	c.done()
}

// renameTable renames a table or view and what points to it, and reports
// whether it was there.
func (r *reader) renameTable(from, to string) bool {
	for _, v := range r.out.Views {
		if v.Name == from {
			v.Name = to
			return true
		}
	}
	t := r.tables[from]
	if t == nil {
		return false
	}
	t.Name = to
	delete(r.tables, from)
	r.tables[to] = t
	for _, other := range r.out.Tables {
		for _, f := range other.ForeignKeys {
			if f.RefTable == from && f.RefSchema == "" {
				f.RefTable = to
			}
		}
	}
	for _, g := range r.out.Triggers {
		if g.Table == from {
			g.Table = to
		}
	}
	return true
}
