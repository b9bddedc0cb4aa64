package parse

import (
	"slices"
	"strings"

	"moult/core/schema"
)

// stored returns the session state that a stored object keeps, with the whole
// statement.
func (r *reader) stored(c *cursor) schema.Stored {
	v := r.session.values
	return schema.Stored{
		SQLMode: v["sql_mode"], Charset: v["character_set_client"], Collation: v["collation_connection"],
		Database: v["collation_database"], Raw: c.statement(),
	}
}

// statement returns the statement as the server sees it: without version
// comments, when it is pieced together from several.
func (c *cursor) statement() string {
	if len(c.toks) < 2 {
		return c.st.Text
	}
	return c.verbatim(0, len(c.toks)-1)
}

// createTrigger reads what follows CREATE … TRIGGER.
func (r *reader) createTrigger(c *cursor, h head) {
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("a trigger")
	r.own(c, db)
	g := &schema.Trigger{Name: name, Definer: h.definer, Stored: r.stored(c), Pos: c.st.Pos}
	if g.Timing = c.acceptAny("BEFORE", "AFTER"); g.Timing == "" {
		c.fail("trigger %s: BEFORE or AFTER is expected here", name)
	}
	for {
		event := c.acceptAny("INSERT", "UPDATE", "DELETE")
		if event == "" {
			c.fail("trigger %s: INSERT, UPDATE or DELETE is expected here", name)
		}
		g.Event += event
		if event == "UPDATE" && c.is("OF") {
			c.fail("trigger %s: UPDATE OF columns is not supported", name)
		}
		if !c.accept("OR") {
			break
		}
		g.Event += " OR "
	}
	c.expect("ON")
	db, g.Table = c.qualified("a table")
	r.own(c, db)
	c.expect("FOR", "EACH", "ROW")
	if order := c.acceptAny("FOLLOWS", "PRECEDES"); order != "" {
		g.Order = order + " " + schema.Quote(c.name("a trigger"))
	}
	g.Body = c.body("trigger " + name)
	i := slices.IndexFunc(r.out.Triggers, func(o *schema.Trigger) bool { return o.Name == name })
	insert(&r.out.Triggers, i, g, h.replace, exists, func() {
		c.failAt(at, "the trigger %s is created a second time", name)
	})
}

// body takes the rest of the statement.
func (c *cursor) body(what string) string {
	if c.tok().kind == end {
		c.fail("%s has no body", what)
	}
	return c.rest()
}

// insert puts an object into its list: it replaces the one at i, gives way to
// it, or is refused.
func insert[T any](list *[]T, i int, o T, replace, exists bool, twice func()) {
	switch {
	case i < 0:
		*list = append(*list, o)
	case replace:
		(*list)[i] = o
	case !exists:
		twice()
	}
}

// createRoutine reads what follows CREATE … PROCEDURE or FUNCTION.
func (r *reader) createRoutine(c *cursor, h head, function bool) {
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("a routine")
	r.own(c, db)
	if c.is("RETURNS") {
		return // a loadable function: SONAME installs it in the server
	}
	p := &schema.Routine{Name: name, Function: function, Aggregate: h.aggregate, Definer: h.definer, Stored: r.stored(c), Pos: c.st.Pos}
	from := c.i
	if !c.is("(") {
		c.fail("routine %s: the parameters are expected here", name)
	}
	c.parens()
	if function {
		c.expect("RETURNS")
		c.returns()
	}
	c.characteristics()
	p.Header = c.verbatim(from, c.i)
	if c.is("AS") || c.is("USING") {
		c.fail("routine %s is written in another language than SQL, which is not supported", name)
	}
	p.Body = c.body("routine " + name)
	i := slices.IndexFunc(r.out.Routines, func(o *schema.Routine) bool { return o.Function == function && strings.EqualFold(o.Name, name) })
	insert(&r.out.Routines, i, p, h.replace, exists, func() {
		c.failAt(at, "the routine %s is created a second time", name)
	})
}

// returns reads the type that a function returns.
func (c *cursor) returns() {
	col := &schema.Column{Name: "of the result"}
	if c.isAny("BOOL", "BOOLEAN") {
		c.i++
		return
	}
	c.dataType(col)
	for {
		switch {
		case c.is("CHARACTER", "SET"), c.is("CHARSET"):
			c.textAttributes(col)
		case c.accept("COLLATE"):
			c.charsetName()
		default:
			return
		}
	}
}

// characteristics reads what stands between a routine's head and its body.
func (c *cursor) characteristics() {
	for {
		switch {
		case c.accept("COMMENT"):
			c.string("COMMENT")
		case c.accept("LANGUAGE"):
			c.name("a language")
		case c.accept("NOT", "DETERMINISTIC"), c.accept("DETERMINISTIC"), c.accept("CONTAINS", "SQL"), c.accept("NO", "SQL"),
			c.accept("READS", "SQL", "DATA"), c.accept("MODIFIES", "SQL", "DATA"):
		case c.accept("SQL", "SECURITY"):
			if c.acceptAny("DEFINER", "INVOKER") == "" {
				c.fail("SQL SECURITY wants DEFINER or INVOKER")
			}
		default:
			return
		}
	}
}

// createEvent reads what follows CREATE … EVENT.
func (r *reader) createEvent(c *cursor, h head) {
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("an event")
	r.own(c, db)
	e := &schema.Event{Name: name, Definer: h.definer, Status: "ENABLE", Stored: r.stored(c), TimeZone: r.session.values["time_zone"], Pos: c.st.Pos}
	c.expect("ON", "SCHEDULE")
	from := c.i
	for c.tok().kind != end && !c.isAny("DO", "ON", "ENABLE", "DISABLE", "COMMENT") {
		if c.is("(") {
			c.parens()
			continue
		}
		c.i++
	}
	e.Schedule = c.verbatim(from, c.i)
	if e.Schedule == "" {
		c.fail("event %s: AT or EVERY is expected here", name)
	}
	for !c.accept("DO") {
		switch {
		case c.accept("ON", "COMPLETION", "PRESERVE"):
			e.Preserve = true
		case c.accept("ON", "COMPLETION", "NOT", "PRESERVE"):
		case c.accept("ENABLE"):
			e.Status = "ENABLE"
		case c.accept("DISABLE", "ON", "SLAVE"), c.accept("DISABLE", "ON", "REPLICA"):
			e.Status = "DISABLE ON SLAVE"
		case c.accept("DISABLE"):
			e.Status = "DISABLE"
		case c.accept("COMMENT"):
			e.Comment = c.string("COMMENT")
		default:
			c.fail("event %s: DO is expected here", name)
		}
	}
	e.Body = c.body("event " + name)
	i := slices.IndexFunc(r.out.Events, func(o *schema.Event) bool { return o.Name == name })
	insert(&r.out.Events, i, e, h.replace, exists, func() {
		c.failAt(at, "the event %s is created a second time", name)
	})
}
