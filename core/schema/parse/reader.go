package parse

import (
	"fmt"
	"io"

	"moult/core/schema"
)

// MaxDefinition is the longest definition that is read, in bytes. A table of
// 4096 columns, the most that a server takes, with comments of full length has
// 4 MiB.
const MaxDefinition = 8 << 20

// reader applies statements one by one to a schema, as a server would.
type reader struct {
	fl      schema.Flavor
	split   *Splitter
	out     *schema.Schema
	tables  map[string]*schema.Table // those of out, by name
	session session
	judge   judge

	used      string // the database of the first USE, "" before it
	database  string // the present one
	databases map[string]defaults
}

// defaults are the character set and collation of a database.
type defaults struct{ charset, collation string }

func newReader(name string, r io.Reader, fl schema.Flavor) *reader {
	return &reader{
		fl: fl, split: NewSplitter(name, r), out: &schema.Schema{}, tables: map[string]*schema.Table{},
		session: newSession(), databases: map[string]defaults{},
	}
}

// finish returns the schema when the source has ended.
func (r *reader) finish() (*schema.Schema, error) {
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
	for _, t := range r.out.Tables {
		for _, f := range t.ForeignKeys {
			if f.RefSchema == r.out.Name {
				f.RefSchema = ""
			}
		}
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
	if len(st.Text) > MaxDefinition {
		return &Error{Pos: st.Pos, Near: near(st.Text), Reason: fmt.Sprintf("a definition is longer than %d MiB", MaxDefinition>>20)}
	}
	c := newCursor(st, r.fl, r.session.mode)
	if c.tok().kind == end {
		return nil // all of it stands in version comments for other servers
	}
	apply(r, c)
	c.checkRenames()
	r.judge.check(c)
	return nil
}

// passedOver are statements that change rows, accounts or the session, and no
// definitions. Most of them stand in every dump.
var passedOver = map[string]bool{
	"INSERT": true, "REPLACE": true, "UPDATE": true, "DELETE": true, "LOAD": true, "SELECT": true, "WITH": true, "VALUES": true, "TRUNCATE": true,
	"LOCK": true, "UNLOCK": true, "START": true, "COMMIT": true, "ROLLBACK": true, "SAVEPOINT": true, "RELEASE": true, "XA": true,
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
	"BEGIN":   (*reader).begin,
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

// begin passes over the start of a transaction. A block of statements is run
// and not kept.
func (r *reader) begin(c *cursor) {
	if c.is("BEGIN", "NOT", "ATOMIC") {
		r.unknowable(c)
	}
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
		r.out, r.tables = &schema.Schema{}, map[string]*schema.Table{}
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
