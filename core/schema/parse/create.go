package parse

import (
	"strings"

	"moult/core/schema"
)

// head is what stands between CREATE and the kind of object.
type head struct {
	replace   bool
	temporary bool
	definer   string
	algorithm string
	security  string
	aggregate bool
}

// elsewhere are kinds of object that belong to the server and not to a schema.
var elsewhere = map[string]bool{
	"USER": true, "ROLE": true, "SERVER": true, "TABLESPACE": true, "LOGFILE": true, "UNDO": true, "RESOURCE": true, "SPATIAL_REFERENCE": true,
	"PLACEMENT": true, "BINDING": true, "GLOBAL": true, "SESSION": true, "STATISTICS": true, "INSTANCE": true, "LIBRARY": true, "PREPARE": true,
}

// create reads CREATE ….
func (r *reader) create(c *cursor) {
	c.expect("CREATE")
	var h head
	for {
		switch {
		case c.accept("OR", "REPLACE"):
			h.replace = true
		case c.accept("TEMPORARY"), c.accept("GLOBAL", "TEMPORARY"):
			h.temporary = true
		case c.accept("ALGORITHM"):
			c.expect("=")
			h.algorithm = c.acceptAny("UNDEFINED", "MERGE", "TEMPTABLE")
			if h.algorithm == "" {
				c.fail("UNDEFINED, MERGE or TEMPTABLE is expected here")
			}
		case c.accept("DEFINER"):
			c.expect("=")
			h.definer = c.account()
		case c.accept("SQL", "SECURITY"):
			h.security = c.acceptAny("DEFINER", "INVOKER")
			if h.security == "" {
				c.fail("SQL SECURITY wants DEFINER or INVOKER")
			}
		case c.accept("AGGREGATE"):
			h.aggregate = true
		default:
			r.createObject(c, h)
			return
		}
	}
}

func (r *reader) createObject(c *cursor, h head) {
	if c.isAny("TRIGGER", "PROCEDURE", "FUNCTION", "EVENT") {
		c.needs(storedPrograms, c.i)
	}
	if c.is("SEQUENCE") {
		c.needs(sequences, c.i)
	}
	switch {
	case c.accept("TABLE"):
		r.createTable(c, h)
	case c.isAny("UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "INDEX", "ONLINE", "OFFLINE", "COLUMNAR"):
		r.createIndex(c, h)
	case c.accept("VIEW"):
		r.createView(c, h)
	case c.accept("TRIGGER"):
		r.createTrigger(c, h)
	case c.accept("PROCEDURE"):
		r.createRoutine(c, h, false)
	case c.accept("FUNCTION"):
		r.createRoutine(c, h, true)
	case c.accept("EVENT"):
		r.createEvent(c, h)
	case c.accept("SEQUENCE"):
		r.createSequence(c, h)
	case c.accept("DATABASE"), c.accept("SCHEMA"):
		r.createDatabase(c)
	case c.is("PACKAGE"):
		c.fail("packages of MariaDB's Oracle mode are not supported")
	case c.is("SPATIAL", "REFERENCE"), elsewhere[c.tok().upper]:
	case c.tok().kind == end:
		c.fail("the statement ends behind CREATE")
	default:
		c.fail("CREATE %s is nothing that Moult can read", c.tok().text)
	}
}

// account reads the name of an account, as in DEFINER, and returns it as SQL
// writes it: `user`@`host`, `role` or CURRENT_USER.
func (c *cursor) account() string {
	if c.accept("CURRENT_USER") || c.accept("CURRENT_ROLE") {
		name := c.toks[c.i-1].upper
		if c.accept("(") {
			c.expect(")")
		}
		return name
	}
	s := schema.Quote(c.accountPart())
	if c.accept("@") {
		s += "@" + schema.Quote(c.accountPart())
	}
	return s
}

// accountPart reads a user or a host. Unquoted hosts hold dots and dashes.
func (c *cursor) accountPart() string {
	if k := c.tok().kind; k == str || k == quoted {
		return c.next().text
	}
	from := c.i
	for c.i == from || c.tok().start == c.toks[c.i-1].end {
		if k := c.tok().kind; k != word && k != number && !c.isAny(".", "-", "%") {
			break
		}
		c.i++
	}
	if c.i == from {
		c.fail("the name of an account is expected here")
	}
	return c.source(from, c.i)
}

// createDatabase notes the defaults of a database.
func (r *reader) createDatabase(c *cursor) {
	c.ifNotExists()
	name := c.name("a database")
	r.databases[name] = c.databaseOptions()
}

// databaseOptions reads the options of CREATE and ALTER DATABASE.
func (c *cursor) databaseOptions() defaults {
	var d defaults
	for c.tok().kind != end {
		c.accept("DEFAULT")
		switch {
		case c.accept("CHARACTER", "SET"), c.accept("CHAR", "SET"), c.accept("CHARSET"):
			c.accept("=")
			d.charset = strings.ToLower(c.charsetName())
		case c.accept("COLLATE"):
			c.accept("=")
			d.collation = strings.ToLower(c.charsetName())
		case c.accept("COMMENT"):
			c.accept("=")
			c.string("COMMENT")
		case c.accept("ENCRYPTION"), c.accept("READ", "ONLY"), c.accept("PLACEMENT", "POLICY"):
			c.accept("=")
			c.next()
		default:
			c.fail("an option of a database is expected here")
		}
	}
	return d
}

// createTable reads what follows CREATE TABLE.
func (r *reader) createTable(c *cursor, h head) {
	if h.temporary {
		return
	}
	exists := c.ifNotExists()
	at := c.i
	db, name := c.qualified("a table")
	r.own(c, db)
	if old := r.tables[name]; old != nil {
		switch {
		case h.replace:
			r.dropTable(name)
		case exists:
			return
		default:
			c.failAt(at, "the table %s is created a second time; the first is at line %d", name, old.Pos.Line)
		}
	}
	t := &schema.Table{Name: name, Pos: c.st.Pos, Raw: c.st.Text}
	t.RenamedFrom = c.takeLead()
	if !r.like(c, t) {
		c.table(t)
	}
	r.out.Tables = append(r.out.Tables, t)
	r.tables[name] = t
}

// like makes the table as a copy of another one, if the statement says so.
func (r *reader) like(c *cursor, t *schema.Table) bool {
	paren := c.is("(", "LIKE")
	if !paren && !c.is("LIKE") {
		return false
	}
	if paren {
		c.i++
	}
	c.i++
	at := c.i
	db, name := c.qualified("a table")
	r.own(c, db)
	if paren {
		c.expect(")")
	}
	c.done()
	model := r.tables[name]
	if model == nil {
		c.failAt(at, "the table %s is not known at this place", name)
	}
	dup := model.Clone()
	dup.Name, dup.Pos, dup.Raw, dup.RenamedFrom = t.Name, t.Pos, t.Raw, t.RenamedFrom
	dup.ForeignKeys = nil // neither server copies them
	*t = *dup
	return true
}

// createIndex reads CREATE … INDEX.
func (r *reader) createIndex(c *cursor, h head) {
	c.acceptAny("ONLINE", "OFFLINE")
	start := c.i
	x := &schema.Index{}
	switch c.acceptAny("UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "COLUMNAR") {
	case "UNIQUE":
		x.Kind = schema.UniqueIndex
	case "FULLTEXT":
		x.Kind = schema.FulltextIndex
	case "SPATIAL":
		x.Kind = schema.SpatialIndex
	case "VECTOR":
		x.Kind = schema.VectorIndex
	case "COLUMNAR":
		c.failAt(start, "columnar indexes are not supported")
	}
	c.expect("INDEX")
	exists := c.ifNotExists()
	x.Name = c.name("an index")
	c.indexAlgorithm(x)
	c.expect("ON")
	at := c.i
	db, name := c.qualified("a table")
	r.own(c, db)
	t := r.tables[name]
	if t == nil {
		c.failAt(at, "the table %s is not known at this place", name)
	}
	c.indexBody(x)
	for c.tok().kind != end {
		if c.acceptAny("ALGORITHM", "LOCK", "WAIT") == "" && !c.accept("NOWAIT") {
			c.fail("this is not understood")
		}
		c.accept("=")
		if c.tok().kind != end {
			c.i++
		}
	}
	if h.replace {
		dropIndex(t, x.Name)
	}
	x.RenamedFrom = c.takeLead()
	c.addIndex(t, x, start, exists)
}
