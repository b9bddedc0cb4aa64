package parse

import (
	"fmt"
	"io"
	"strings"

	"moult/core/schema"
)

// reader applies statements one by one to a schema, as a server would.
type reader struct {
	name    string
	fl      schema.Flavor
	split   *Splitter
	out     *schema.Schema
	session session
	judge   judge

	used      string // the database of the first USE, "" before it
	database  string // the present one
	databases map[string]defaults
	foreign   *Error // the last definition in a database that a later USE may choose
}

// defaults are the character set and collation of a database.
type defaults struct{ charset, collation string }

func newReader(name string, r io.Reader, fl schema.Flavor) *reader {
	return &reader{
		name: name, fl: fl, split: NewSplitter(name, r), out: &schema.Schema{},
		session: newSession(), databases: map[string]defaults{},
	}
}

// finish returns the schema when the source has ended.
func (r *reader) finish() (*schema.Schema, error) {
	if r.foreign != nil {
		return nil, r.foreign
	}
	if r.used != "" {
		r.out.Name = r.used
	}
	if r.out.Name == "" && len(r.databases) == 1 {
		for name := range r.databases {
			r.out.Name = name
		}
	}
	if d := r.databases[r.out.Name]; r.out.Charset == "" && r.out.Collation == "" {
		r.out.Charset, r.out.Collation = d.charset, d.collation
	}
	return r.out, nil
}

// read applies one statement.
func (r *reader) read(st Statement) (err error) {
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(*Error)
			if !ok {
				panic(p)
			}
			err = e
		}
	}()
	if passedOver[st.Verb] {
		return nil
	}
	apply, ok := verbs[st.Verb]
	if !ok {
		what := "this is no SQL statement"
		if st.Verb != "" {
			what = fmt.Sprintf("%s is no statement that Moult can read in a schema", st.Verb)
		}
		return &Error{Pos: st.Pos, Near: near(st.Text), Reason: what}
	}
	c := newCursor(st, r.fl, r.session.mode)
	apply(r, c)
	r.judge.check(c)
	return nil
}

// passedOver are statements that change rows, accounts or the session, and no
// definitions. Most of them stand in every dump.
var passedOver = map[string]bool{
	"INSERT": true, "REPLACE": true, "UPDATE": true, "DELETE": true, "LOAD": true, "SELECT": true, "WITH": true, "VALUES": true, "TRUNCATE": true,
	"LOCK": true, "UNLOCK": true, "START": true, "COMMIT": true, "ROLLBACK": true, "BEGIN": true, "SAVEPOINT": true, "RELEASE": true, "XA": true,
	"GRANT": true, "REVOKE": true, "FLUSH": true, "ANALYZE": true, "OPTIMIZE": true, "CHECK": true, "REPAIR": true, "CHECKSUM": true,
	"DO": true, "SHOW": true, "DESCRIBE": true, "DESC": true, "EXPLAIN": true, "HELP": true, "KILL": true, "RESET": true, "PURGE": true,
	"CHANGE": true, "STOP": true, "INSTALL": true, "UNINSTALL": true, "HANDLER": true, "SHUTDOWN": true, "STATUS": true, "BINLOG": true, "CACHE": true,
	"DEALLOCATE": true, "SIGNAL": true, "GET": true, "SPLIT": true, "ADMIN": true, "TABLE": true,
}

// verbs are the statements that are read, by first word.
var verbs = map[string]func(*reader, *cursor){
	"CREATE":  (*reader).create,
	"ALTER":   (*reader).alter,
	"DROP":    (*reader).drop,
	"RENAME":  (*reader).rename,
	"USE":     (*reader).use,
	"SET":     (*reader).set,
	"CALL":    (*reader).unknowable,
	"PREPARE": (*reader).unknowable,
	"EXECUTE": (*reader).unknowable,
}

// unknowable refuses what may change definitions in a way that only a server
// can find out.
func (r *reader) unknowable(c *cursor) {
	c.fail("what %s does can't be told from the text", c.tok().upper)
}

// use chooses the database of what follows. What came before the first USE
// belongs to another database and is forgotten.
func (r *reader) use(c *cursor) {
	c.expect("USE")
	name := c.name("a database")
	c.done()
	r.database = name
	if r.used == "" {
		r.used = name
		r.out = &schema.Schema{}
		r.foreign = nil
	}
}

// own checks that a definition belongs to the schema that is read; database is
// its qualifier, "" for none.
func (r *reader) own(c *cursor, database string) {
	if database == "" {
		database = r.database
	}
	switch {
	case database == r.used || database == "":
		return
	case r.used != "":
		c.fail("a definition in the database %s, while the file is about %s: a schema is one database", database, r.used)
	case r.database == "" && r.qualifier(database):
		return
	}
	c.fail("a definition in the database %s, while others are in %s: a schema is one database", database, r.out.Name)
}

// qualifier notes the database that names are qualified with in a source
// without USE, and reports whether it is always the same.
func (r *reader) qualifier(database string) bool {
	if r.out.Name == "" {
		r.out.Name = database
	}
	return r.out.Name == database
}

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
	if old := r.out.Table(name); old != nil {
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
	if from, ok := leadRename(c.st.Lead); ok {
		t.RenamedFrom = from
	}
	if !r.like(c, t) {
		c.table(t)
	}
	r.out.Tables = append(r.out.Tables, t)
}

// leadRename returns the old name that a comment before a statement gives.
func leadRename(lead string) (string, bool) {
	n := strings.LastIndex(lead, "@renamed")
	if n < 0 {
		return "", false
	}
	return renamedFrom(strings.TrimRight(lead[n:], "\n"))
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
	model := r.out.Table(name)
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
	t := r.out.Table(name)
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
	if old, ok := leadRename(c.st.Lead); ok {
		x.RenamedFrom = old
	}
	c.addIndex(t, x, start, exists)
}
