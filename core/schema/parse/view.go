package parse

import "moult/core/schema"

// createView reads what follows CREATE … VIEW.
func (r *reader) createView(c *cursor, h head) {
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("a view")
	r.own(c, db)
	v := &schema.View{
		Name: name, Algorithm: h.algorithm, Definer: h.definer, Security: h.security,
		Stored: r.stored(c), Pos: c.st.Pos,
	}
	if c.is("(") {
		v.Columns = c.names("a column")
	}
	c.expect("AS")
	from, to := c.i, len(c.toks)-1
	if to-from > 3 && c.toks[to-1].matches("OPTION") && c.toks[to-2].matches("CHECK") {
		to -= 2
		v.Check = "CASCADED"
		if t := c.toks[to-1]; t.matches("CASCADED") || t.matches("LOCAL") {
			v.Check = t.upper
			to--
		}
		if !c.toks[to-1].matches("WITH") {
			c.failAt(to-1, "WITH CHECK OPTION is expected here")
		}
		to--
	}
	if !c.isAny("SELECT", "WITH", "(", "VALUES", "TABLE") {
		c.fail("view %s: a query is expected here", name)
	}
	v.Body = c.source(from, to)
	for i, old := range r.out.Views {
		if old.Name != name {
			continue
		}
		switch {
		case h.replace:
			r.out.Views[i] = v
		case !exists:
			c.failAt(at, "the view %s is created a second time; the first is at line %d", name, old.Pos.Line)
		}
		return
	}
	r.out.Views = append(r.out.Views, v)
}

// alterView reads ALTER … VIEW, which gives the whole definition anew.
func (r *reader) alterView(c *cursor) {
	h := head{replace: true}
	for !c.accept("VIEW") {
		switch {
		case c.accept("ALGORITHM"):
			c.expect("=")
			h.algorithm = c.acceptAny("UNDEFINED", "MERGE", "TEMPTABLE")
		case c.accept("DEFINER"):
			c.expect("=")
			if h.definer = c.account(); c.is("EVENT") {
				c.fail("ALTER EVENT is nothing that Moult can read: give the whole definition with CREATE")
			}
		case c.accept("SQL", "SECURITY"):
			h.security = c.acceptAny("DEFINER", "INVOKER")
		default:
			c.fail("VIEW is expected here")
		}
	}
	r.createView(c, h)
}
