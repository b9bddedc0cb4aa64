package parse

import (
	"slices"
	"strings"

	"moult/core/schema"
)

// column reads a column's definition. Keys, checks and references that stand in
// it are put into the table, where the server puts them too.
func (c *cursor) column(t *schema.Table) *schema.Column {
	col := &schema.Column{Nullable: true, OnUpdateNow: -1, Pos: c.pos(c.tok().start)}
	col.Name = c.name("a column")
	a := attributes{cursor: c, table: t, col: col}
	switch {
	case c.accept("SERIAL"):
		// BIGINT UNSIGNED NOT NULL AUTO_INCREMENT UNIQUE
		col.Type = schema.Type{Base: "bigint", Length: -1, Scale: -1, Unsigned: true}
		col.Nullable, col.AutoInc = false, true
		a.unique()
	case c.is("GENERATED", "ALWAYS"), c.is("AS", "("):
		c.fail("column %s: a data type is expected here", col.Name)
	default:
		c.dataType(col)
	}
	for a.read() {
	}
	if t.PrimaryKey != nil && t.PrimaryKey == a.primary && a.only != nil && c.fl.Vendor == schema.MariaDB {
		// MariaDB makes one index of an inline UNIQUE and PRIMARY KEY.
		t.Indexes = slices.DeleteFunc(t.Indexes, func(x *schema.Index) bool { return x == a.only })
	}
	if c.fl.Vendor != schema.MariaDB && noLiteralDefault[col.Type.Base] && col.Default == (schema.Default{Kind: schema.LiteralDefault}) {
		col.Default = schema.Default{}
	}
	if !a.nullSaid && col.Type.Base == "timestamp" && !c.explicitTimestamps() {
		col.OnUpdateNow = unsetTimestamp(col)
	}
	return col
}

// noLiteralDefault are types of which MySQL and TiDB pass over DEFAULT ” with a
// warning, unless they are strict and refuse it (1101).
var noLiteralDefault = map[string]bool{
	"tinytext": true, "text": true, "mediumtext": true, "longtext": true,
	"tinyblob": true, "blob": true, "mediumblob": true, "longblob": true,
}

// attributes reads what stands behind a column's type.
type attributes struct {
	*cursor
	table    *schema.Table
	col      *schema.Column
	nullSaid bool
	primary  *schema.Index // of an inline PRIMARY KEY
	only     *schema.Index // of an inline UNIQUE
}

// read reads one attribute, and reports whether there was one.
func (a *attributes) read() bool {
	c, col := a.cursor, a.col
	switch {
	case c.accept("NOT", "NULL"):
		col.Nullable, a.nullSaid = false, true
	case c.accept("NULL"):
		col.Nullable, a.nullSaid = true, true
	case c.accept("DEFAULT"):
		col.Default = c.defaultValue(col)
	case c.accept("ON", "UPDATE"):
		at := c.i
		digits, ok := c.now()
		if !ok {
			c.failAt(at, "column %s: ON UPDATE wants CURRENT_TIMESTAMP", col.Name)
		}
		col.OnUpdateNow = digits
	case c.accept("AUTO_INCREMENT"):
		col.AutoInc = true
		col.Nullable = false
	case c.is("AUTO_RANDOM"):
		c.needs(autoRandom, c.i)
		c.i++
		col.AutoRandom = "5" // the number of shard bits that TiDB takes
		if c.is("(") {
			col.AutoRandom = c.group("AUTO_RANDOM")
		}
	case c.accept("SERIAL", "DEFAULT", "VALUE"):
		col.Nullable, col.AutoInc = false, true
		a.unique()
	case c.accept("COMMENT"):
		col.Comment = c.string("COMMENT")
	case c.accept("COLLATE"):
		c.accept("=")
		col.Collation = strings.ToLower(c.charsetName())
	case c.is("CHARACTER", "SET"), c.is("CHARSET"):
		c.textAttributes(col)
	case c.accept("BINARY"):
		col.Collation = binaryAttribute
	case c.accept("INVISIBLE"):
		col.Invisible = true
	case c.accept("VISIBLE"):
		col.Invisible = false
	case c.is("COMPRESSED"):
		c.needs(compressed, c.i)
		c.i++
		col.Compressed = "compressed"
		if c.accept("=") {
			col.Compressed = strings.ToLower(c.name("a compression method"))
		}
	case c.accept("SRID"), c.accept("REF_SYSTEM_ID"):
		c.accept("=")
		id := uint32(c.integer("SRID"))
		col.SRID = &id
	case c.is("WITHOUT", "SYSTEM", "VERSIONING"):
		c.needs(versioning, c.i)
		c.i += 3
		col.NoSysVer = true
	case c.accept("WITH", "SYSTEM", "VERSIONING"):
	case c.accept("GENERATED", "ALWAYS", "AS"), c.accept("AS"):
		a.generated()
	case c.is("COLUMN_FORMAT"), c.is("STORAGE"), c.is("ENGINE_ATTRIBUTE"), c.is("SECONDARY_ENGINE_ATTRIBUTE"),
		c.tok().kind == quoted && c.ahead(1).matches("="):
		key := strings.ToUpper(c.next().text)
		c.accept("=")
		if v := c.optionValue(key); !strings.EqualFold(v, "DEFAULT") {
			if word := c.toks[c.i-1].upper; word != "" {
				v = word
			}
			col.Options = append(col.Options, schema.Option{Key: key, Value: v})
			slices.SortFunc(col.Options, func(a, b schema.Option) int { return strings.Compare(a.Key, b.Key) })
		}
	case c.isAny("UNIQUE", "PRIMARY", "KEY"):
		a.key()
	case c.isAny("CONSTRAINT", "CHECK"):
		a.check()
	case c.is("REFERENCES"):
		a.references()
	default:
		return false
	}
	return true
}

// generated reads what follows AS.
func (a *attributes) generated() {
	switch {
	case a.is("ROW", "START"), a.is("ROW", "END"):
		a.needs(versioning, a.i)
		a.col.RowStart, a.col.RowEnd = a.is("ROW", "START"), a.is("ROW", "END")
		a.i += 2
		a.col.Nullable = false
	default:
		g := &schema.Generated{Expr: a.expr(a.group("the expression of column " + a.col.Name))}
		switch a.acceptAny("STORED", "PERSISTENT", "VIRTUAL") {
		case "STORED", "PERSISTENT":
			g.Stored = true
		}
		a.col.Generated = g
	}
}

// key reads an inline UNIQUE or PRIMARY KEY.
func (a *attributes) key() {
	at := a.i
	if a.accept("UNIQUE") {
		a.accept("KEY")
		a.unique()
		return
	}
	a.accept("PRIMARY")
	a.expect("KEY")
	x := &schema.Index{Kind: schema.PrimaryIndex, Parts: []schema.IndexPart{{Column: a.col.Name}}}
	a.clustered(x)
	a.col.Nullable = false
	a.primary = x
	a.addIndex(a.table, x, at, false)
}

// unique adds a unique index over the column alone.
func (a *attributes) unique() {
	x := &schema.Index{Kind: schema.UniqueIndex, Parts: []schema.IndexPart{{Column: a.col.Name}}}
	a.only = x
	a.addIndex(a.table, x, a.i, false)
}

// check reads an inline CHECK. A named one belongs to the table.
func (a *attributes) check() {
	name := ""
	if a.accept("CONSTRAINT") && !a.is("CHECK", "(") {
		name = a.name("a constraint")
	}
	if a.is("REFERENCES") || a.isAny("UNIQUE", "PRIMARY") {
		return
	}
	a.expect("CHECK")
	column := a.col.Name
	if name != "" {
		column = ""
	}
	a.table.Checks = append(a.table.Checks, a.cursor.check(name, column))
}

// references reads an inline REFERENCES. MySQL before 9.0 and TiDB read such a
// clause and forget it (MySQL Reference Manual, "FOREIGN KEY Constraints").
func (a *attributes) references() {
	f := &schema.ForeignKey{AutoName: true, Columns: []string{a.col.Name}}
	a.cursor.references(f)
	if a.fl.Vendor == schema.MariaDB || a.fl.Vendor == schema.MySQL && a.fl.AtLeast(9) {
		a.table.ForeignKeys = append(a.table.ForeignKeys, f)
	}
}
