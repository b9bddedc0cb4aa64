package parse

import (
	"fmt"
	"slices"
	"strings"

	"moult/core/schema"
)

// alter applies ALTER …: exports put keys, AUTO_INCREMENT and constraints into
// statements behind CREATE TABLE.
func (r *reader) alter(c *cursor) {
	c.expect("ALTER")
	c.acceptAny("ONLINE", "IGNORE")
	switch {
	case c.accept("TABLE"):
		r.alterTable(c)
	case c.accept("DATABASE"), c.accept("SCHEMA"):
		r.alterDatabase(c)
	case elsewhere[c.tok().upper]:
	case c.isAny("ALGORITHM", "DEFINER", "SQL", "VIEW"):
		r.alterView(c)
	default:
		c.fail("ALTER %s is nothing that Moult can read: give the whole definition with CREATE", c.tok().text)
	}
}

func (r *reader) alterDatabase(c *cursor) {
	name := r.database
	if c.isName() && !c.isAny("DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "CHAR") {
		name = c.name("a database")
	}
	if c.accept("UPGRADE") {
		return
	}
	now, d := r.databases[name], c.databaseOptions()
	if d.charset != "" || d.collation != "" {
		now = d
	}
	if name == "" {
		r.out.Charset, r.out.Collation = now.charset, now.collation
		return
	}
	r.databases[name] = now
}

// alterTable reads the clauses of ALTER TABLE and applies each.
func (r *reader) alterTable(c *cursor) {
	exists := c.accept("IF", "EXISTS")
	at := c.i
	db, name := c.qualified("a table")
	r.own(c, db)
	t := r.tables[name]
	if t == nil {
		if exists || c.is("DISABLE", "KEYS") || c.is("ENABLE", "KEYS") {
			return // dumps of rows alone have the latter
		}
		c.failAt(at, "the table %s is not known at this place", name)
	}
	if c.acceptAny("NOWAIT") == "" && c.accept("WAIT") {
		c.integer("WAIT")
	}
	a := alteration{cursor: c, reader: r, table: t}
	for c.tok().kind != end {
		a.clause()
		switch comma := c.accept(","); {
		case comma && c.tok().kind == end:
			c.fail("a clause is expected behind the comma")
		case !comma && c.tok().kind != end && !c.isAny("PARTITION", "REMOVE"):
			c.fail("this is not understood")
		}
	}
	c.finish(t)
}

// alteration is one ALTER TABLE.
type alteration struct {
	*cursor
	reader *reader
	table  *schema.Table
}

// clause applies one clause.
func (a *alteration) clause() {
	switch {
	case a.accept("ADD"):
		a.add()
	case a.accept("MODIFY"):
		a.accept("COLUMN")
		exists := a.accept("IF", "EXISTS")
		a.redefine(a.tok().text, exists)
	case a.accept("CHANGE"):
		a.accept("COLUMN")
		exists := a.accept("IF", "EXISTS")
		a.redefine(a.name("a column"), exists)
	case a.accept("ALTER"):
		a.alterPart()
	case a.accept("DROP"):
		a.dropPart()
	case a.accept("RENAME"):
		a.renamePart()
	case a.accept("CONVERT", "TO"):
		a.convert()
	case a.is("PARTITION", "BY"):
		a.i += 2
		a.table.Partition = a.partitioning()
	case a.accept("REMOVE", "PARTITIONING"):
		a.table.Partition = nil
	case a.isAny("REORGANIZE", "COALESCE", "CONVERT"):
		a.fail("partitions can only be read from PARTITION BY and ADD PARTITION")
	case a.isAny("ANALYZE", "CHECK", "EXCHANGE", "OPTIMIZE", "REBUILD", "REPAIR", "TRUNCATE"):
		a.rest() // rows and files of partitions
	case a.accept("DISABLE", "KEYS"), a.accept("ENABLE", "KEYS"), a.accept("FORCE"), a.accept("DISCARD", "TABLESPACE"), a.accept("IMPORT", "TABLESPACE"),
		a.accept("WITH", "VALIDATION"), a.accept("WITHOUT", "VALIDATION"), a.accept("SECONDARY_LOAD"), a.accept("SECONDARY_UNLOAD"):
	case a.acceptAny("ALGORITHM", "LOCK") != "":
		a.accept("=")
		a.next()
	case a.accept("ORDER", "BY"):
		for a.tok().kind != end {
			a.i++
		}
	case a.option():
	default:
		a.fail("ALTER TABLE %s: this is not understood", a.table.Name)
	}
}

// option applies options of the table. A new character set is for columns to
// come: those that are there keep the one that they have inherited.
func (a *alteration) option() bool {
	t := a.table
	charset, collation := t.Charset, t.Collation
	if charset == "" && collation == "" {
		charset, collation = a.reader.inherited()
	}
	before, beforeCollation := t.Charset, t.Collation
	if !a.tableOption(t) {
		return false
	}
	a.tableOptions(t)
	if a.toks[a.i-1].matches(",") {
		a.i--
	}
	if t.Charset != before {
		if t.Collation == beforeCollation {
			t.Collation = ""
		}
	}
	if t.Charset != before || t.Collation != beforeCollation {
		for _, col := range t.Columns {
			if textual(col) && col.Charset == "" && col.Collation == "" {
				col.Charset, col.Collation = charset, collation
			}
		}
	}
	return true
}

// inherited returns what a table without a character set has, as far as the
// source says so.
func (r *reader) inherited() (charset, collation string) {
	d := r.databases[r.database]
	return d.charset, d.collation
}

// textual reports whether a column has a character set.
func textual(col *schema.Column) bool {
	_, text := bytesOf[col.Type.Base]
	return text || col.Type.Base == "enum" || col.Type.Base == "set"
}

// add applies ADD.
func (a *alteration) add() {
	t, from := a.table, a.i
	switch {
	case a.accept("PARTITION"):
		a.ifNotExists()
		if t.Partition == nil {
			a.failAt(from, "table %s is not partitioned", t.Name)
		}
		a.acceptAny("LOCAL", "NO_WRITE_TO_BINLOG")
		if a.accept("PARTITIONS") {
			t.Partition.Count += a.integer("PARTITIONS")
			return
		}
		t.Partition.Parts = append(t.Partition.Parts, a.partitions("PARTITION")...)
	case a.is("SYSTEM", "VERSIONING"):
		a.needs(versioning, a.i)
		a.i += 2
		t.SystemVer = true
	case a.item(t):
	case a.addIndexHere(from):
	case a.is("COLUMN"), a.isName(), a.is("("):
		a.accept("COLUMN")
		if a.ifNotExists() && columnIndex(t, a.tok().text) >= 0 {
			before := slices.Clone(t.Columns)
			a.place(a.column(&schema.Table{Name: t.Name}), -1)
			t.Columns = before
			return
		}
		if a.accept("(") {
			for {
				a.definition(t)
				if !a.accept(",") {
					break
				}
			}
			a.expect(")")
			return
		}
		col := a.column(t)
		if columnIndex(t, col.Name) >= 0 {
			a.failAt(from, "table %s has two columns %s", t.Name, col.Name)
		}
		a.place(col, -1)
		col.RenamedFrom = a.takeRename(from, a.i)
	default:
		a.fail("a column, an index or a constraint is expected here")
	}
}

func (a *alteration) addIndexHere(from int) bool {
	x := a.index(a.table)
	if x != nil {
		x.RenamedFrom = a.takeRename(from, a.i)
	}
	return x != nil
}

// place puts a column where FIRST or AFTER says, else to the index, else last.
func (a *alteration) place(col *schema.Column, index int) {
	t := a.table
	switch {
	case a.accept("FIRST"):
		index = 0
	case a.accept("AFTER"):
		at := a.i
		after := a.name("a column")
		i := columnIndex(t, after)
		if i < 0 {
			a.failAt(at, "table %s has no column %s", t.Name, after)
		}
		index = i + 1
	}
	if index < 0 || index > len(t.Columns) {
		index = len(t.Columns)
	}
	t.Columns = slices.Insert(t.Columns, index, col)
}

// redefine reads a new definition for a column.
func (a *alteration) redefine(old string, exists bool) {
	t, at := a.table, a.i
	i := columnIndex(t, old)
	if i < 0 && !exists {
		a.failAt(at, "table %s has no column %s", t.Name, old)
	}
	checks := slices.Clone(t.Checks)
	t.Checks = nil
	col := a.column(t)
	if i < 0 {
		t.Checks = checks
		return
	}
	// The inline check of the old definition goes with it.
	checks = slices.DeleteFunc(checks, func(k *schema.Check) bool { return strings.EqualFold(k.Column, old) })
	t.Checks = append(checks, t.Checks...)
	was := t.Columns[i]
	col.RenamedFrom = was.RenamedFrom
	t.Columns = slices.Delete(t.Columns, i, i+1)
	a.place(col, i)
	if was.Name != col.Name {
		renameColumn(t, was.Name, col.Name)
	}
}

// renameColumn renames a column where the table names it.
func renameColumn(t *schema.Table, from, to string) {
	swap := func(name *string) {
		if strings.EqualFold(*name, from) {
			*name = to
		}
	}
	for _, x := range append(slices.Clone(t.Indexes), t.PrimaryKey) {
		if x == nil {
			continue
		}
		for i := range x.Parts {
			swap(&x.Parts[i].Column)
		}
	}
	for _, f := range t.ForeignKeys {
		for i := range f.Columns {
			swap(&f.Columns[i])
		}
	}
	if p := t.Partition; p != nil {
		for i := range p.Columns {
			swap(&p.Columns[i])
		}
	}
}

// alterPart applies ALTER COLUMN, ALTER INDEX and ALTER CHECK.
func (a *alteration) alterPart() {
	t := a.table
	switch {
	case a.acceptAny("INDEX", "KEY") != "":
		a.accept("IF", "EXISTS")
		x := a.indexNamed()
		x.Invisible = a.acceptAny("INVISIBLE", "IGNORED") != ""
		if !x.Invisible && !a.accept("VISIBLE") {
			a.expect("NOT", "IGNORED")
		}
		return
	case a.is("CHECK"), a.is("CONSTRAINT"):
		a.i++
		at := a.i
		name := a.name("a constraint")
		enforced := !a.accept("NOT")
		a.expect("ENFORCED")
		for _, k := range t.Checks {
			if strings.EqualFold(k.Name, name) {
				k.Enforced = enforced
				return
			}
		}
		a.failAt(at, "table %s has no check %s", t.Name, name)
	}
	a.accept("COLUMN")
	a.accept("IF", "EXISTS")
	col := a.columnNamed()
	switch {
	case a.accept("SET", "DEFAULT"):
		col.Default = a.defaultValue(col)
	case a.accept("DROP", "DEFAULT"):
		col.Default = schema.Default{}
	case a.accept("SET", "INVISIBLE"):
		col.Invisible = true
	case a.accept("SET", "VISIBLE"):
		col.Invisible = false
	default:
		a.fail("SET DEFAULT or DROP DEFAULT is expected here")
	}
}

func (a *alteration) columnNamed() *schema.Column {
	at := a.i
	name := a.name("a column")
	i := columnIndex(a.table, name)
	if i < 0 {
		a.failAt(at, "table %s has no column %s", a.table.Name, name)
	}
	return a.table.Columns[i]
}

func (a *alteration) indexNamed() *schema.Index {
	at := a.i
	name := a.name("an index")
	for i, x := range a.table.Indexes {
		if strings.EqualFold(indexName(a.table, i), name) {
			return x
		}
	}
	a.failAt(at, "table %s has no index %s", a.table.Name, name)
	return nil
}

// indexName returns the name of an index, for one without a name that which
// the server makes up: the first column's, with a number when it is taken.
func indexName(t *schema.Table, i int) string {
	x := t.Indexes[i]
	if x.Name != "" {
		return x.Name
	}
	first := "functional_index"
	if len(x.Parts) > 0 && x.Parts[0].Column != "" {
		first = x.Parts[0].Column
	}
	taken := map[string]bool{"primary": true}
	for j, other := range t.Indexes {
		switch {
		case other.Name != "":
			taken[strings.ToLower(other.Name)] = true
		case j < i:
			taken[strings.ToLower(indexName(t, j))] = true
		}
	}
	name := first
	for n := 2; taken[strings.ToLower(name)]; n++ {
		name = fmt.Sprintf("%s_%d", first, n)
	}
	return name
}

// renamePart applies RENAME.
func (a *alteration) renamePart() {
	t := a.table
	switch {
	case a.accept("COLUMN"):
		a.accept("IF", "EXISTS")
		col := a.columnNamed()
		a.expect("TO")
		old := col.Name
		col.Name = a.name("a column")
		renameColumn(t, old, col.Name)
	case a.acceptAny("INDEX", "KEY") != "":
		a.accept("IF", "EXISTS")
		x := a.indexNamed()
		a.expect("TO")
		x.Name, x.AutoName = a.name("an index"), false
	default:
		a.acceptAny("TO", "AS", "=")
		db, name := a.qualified("a table")
		a.reader.own(a.cursor, db)
		a.reader.renameTable(t.Name, name)
	}
}

// convert applies CONVERT TO CHARACTER SET.
func (a *alteration) convert() {
	if !a.accept("CHARACTER", "SET") {
		a.expect("CHARSET")
	}
	charset, collation := strings.ToLower(a.charsetName()), ""
	if a.accept("COLLATE") {
		collation = strings.ToLower(a.charsetName())
	}
	a.table.Charset, a.table.Collation = charset, collation
	for _, col := range a.table.Columns {
		if textual(col) {
			col.Charset, col.Collation = charset, collation
		}
	}
}
