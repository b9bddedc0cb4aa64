package parse

import (
	"strconv"
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
	if !a.nullSaid && col.Type.Base == "timestamp" && !c.explicitTimestamps() {
		col.OnUpdateNow = unsetTimestamp(col)
	}
	return col
}

// attributes reads what stands behind a column's type.
type attributes struct {
	*cursor
	table    *schema.Table
	col      *schema.Column
	nullSaid bool
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
	case c.accept("AUTO_RANDOM"):
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
	case c.accept("COMPRESSED"):
		col.Compressed = "compressed"
		if c.accept("=") {
			col.Compressed = strings.ToLower(c.name("a compression method"))
		}
	case c.accept("SRID"), c.accept("REF_SYSTEM_ID"):
		c.accept("=")
		id := uint32(c.integer("SRID"))
		col.SRID = &id
	case c.accept("WITHOUT", "SYSTEM", "VERSIONING"):
		col.NoSysVer = true
	case c.accept("WITH", "SYSTEM", "VERSIONING"):
	case c.accept("GENERATED", "ALWAYS", "AS"), c.accept("AS"):
		a.generated()
	case c.is("COLUMN_FORMAT"), c.is("STORAGE"), c.is("ENGINE_ATTRIBUTE"), c.is("SECONDARY_ENGINE_ATTRIBUTE"),
		c.tok().kind == quoted && c.ahead(1).matches("="):
		key := strings.ToUpper(c.next().text)
		c.accept("=")
		if v := c.optionValue(key); !strings.EqualFold(v, "DEFAULT") {
			col.Options = append(col.Options, schema.Option{Key: key, Value: v})
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
	case a.accept("ROW", "START"):
		a.col.RowStart = true
	case a.accept("ROW", "END"):
		a.col.RowEnd = true
	default:
		g := &schema.Generated{Expr: a.expr(a.group("the expression of column " + a.col.Name))}
		switch a.acceptAny("STORED", "PERSISTENT", "VIRTUAL") {
		case "STORED", "PERSISTENT":
			g.Stored = true
		}
		a.col.Generated = g
		return
	}
	a.col.Nullable = false
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
	switch a.acceptAny("CLUSTERED", "NONCLUSTERED") {
	case "CLUSTERED":
		x.Options = []schema.Option{{Key: "CLUSTERED"}}
	case "NONCLUSTERED":
		x.Options = []schema.Option{{Key: "NONCLUSTERED"}}
	}
	a.col.Nullable = false
	a.addIndex(a.table, x, at, false)
}

// unique adds a unique index over the column alone.
func (a *attributes) unique() {
	x := &schema.Index{Kind: schema.UniqueIndex, Parts: []schema.IndexPart{{Column: a.col.Name}}}
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

// nowWords are the names of the clock that stand for CURRENT_TIMESTAMP.
var nowWords = map[string]bool{"CURRENT_TIMESTAMP": true, "NOW": true, "LOCALTIME": true, "LOCALTIMESTAMP": true}

// now reads CURRENT_TIMESTAMP in any of its forms and returns its digits.
func (c *cursor) now() (digits int, ok bool) {
	t := c.tok()
	if t.kind != word || !nowWords[t.upper] || t.upper == "NOW" && !c.ahead(1).matches("(") {
		return 0, false
	}
	from := c.i
	c.i++
	if c.accept("(") {
		if c.tok().kind == number {
			digits = c.integer("CURRENT_TIMESTAMP")
		}
		if !c.accept(")") {
			c.i = from
			return 0, false
		}
	}
	return digits, true
}

// defaultValue reads what follows DEFAULT.
func (c *cursor) defaultValue(col *schema.Column) schema.Default {
	from := c.i
	switch t := c.tok(); {
	case c.accept("NULL"):
		return schema.Default{Kind: schema.NullDefault}
	case c.is("("):
		return c.parenthesised(col, c.group("DEFAULT"))
	case t.kind == word && nowWords[t.upper]:
		if _, ok := c.now(); ok {
			if t := c.tok(); t.kind == punct && strings.Contains("+-*/", t.text) {
				c.fail("column %s: an expression after DEFAULT wants parentheses", col.Name)
			}
			return schema.Default{Kind: schema.NowDefault}
		}
	}
	if d, ok := c.literal(); ok {
		return d
	}
	// MariaDB takes a function, a column and the next value of a sequence
	// without parentheses.
	if !c.isName() {
		c.fail("column %s: DEFAULT wants a value", col.Name)
	}
	switch {
	case c.accept("NEXT", "VALUE", "FOR"), c.accept("PREVIOUS", "VALUE", "FOR"):
		c.qualified("a sequence")
	case c.is("CASE"):
		c.caseExpr()
	default:
		c.qualified("a function")
		if c.is("(") {
			c.parens()
		}
	}
	return schema.Default{Kind: schema.ExprDefault, Text: c.source(from, c.i)}
}

// caseExpr moves behind CASE … END.
func (c *cursor) caseExpr() {
	from := c.i
	for depth := 0; ; c.i++ {
		switch {
		case c.tok().kind == end:
			c.failAt(from, "CASE has no END")
		case c.is("CASE"):
			depth++
		case c.is("END"):
			if depth--; depth == 0 {
				c.i++
				return
			}
		}
	}
}

// parenthesised turns DEFAULT (expression) into what it means. MariaDB does not
// tell a value in parentheses from one without.
func (c *cursor) parenthesised(col *schema.Column, raw string) schema.Default {
	if c.fl.Vendor == schema.MariaDB {
		if toks, _, err := lex(raw, c.fl, c.mode); err == nil {
			inner := &cursor{st: c.st, toks: toks, fl: c.fl, mode: c.mode}
			if inner.accept("NULL") && inner.tok().kind == end {
				return schema.Default{Kind: schema.NullDefault}
			}
			inner.i = 0
			if digits, ok := inner.now(); ok && inner.tok().kind == end && takesNow(col, digits) {
				return schema.Default{Kind: schema.NowDefault}
			}
			inner.i = 0
			if d, ok := inner.literal(); ok && inner.tok().kind == end {
				return d
			}
		}
	}
	return schema.Default{Kind: schema.ExprDefault, Text: raw}
}

// takesNow reports whether the clock with so many digits is what the column
// takes as CURRENT_TIMESTAMP.
func takesNow(col *schema.Column, digits int) bool {
	return (col.Type.Base == "datetime" || col.Type.Base == "timestamp") && digits == max(col.Type.Length, 0)
}

// literal reads a value: a number, text, bits, bytes, TRUE, FALSE, or DATE'…'.
func (c *cursor) literal() (schema.Default, bool) {
	from := c.i
	sign := ""
	if c.is("-") || c.is("+") {
		sign = strings.TrimPrefix(c.next().text, "+")
	}
	switch t := c.tok(); {
	case t.kind == number:
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: sign + t.text, Numeric: true}, true
	case c.i > from:
		c.i = from
		return schema.Default{}, false
	case t.kind == str:
		return schema.Default{Kind: schema.LiteralDefault, Text: c.string("DEFAULT")}, true
	case t.kind == bits:
		c.i++
		return schema.Default{Kind: schema.BitDefault, Text: t.text}, true
	case t.kind == hexa:
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: decodeHex(t.text)}, true
	case t.kind != word:
		return schema.Default{}, false
	case t.upper == "TRUE":
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: "1", Numeric: true}, true
	case t.upper == "FALSE":
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: "0", Numeric: true}, true
	case strings.HasPrefix(t.text, "_") && (c.ahead(1).kind == str || c.ahead(1).kind == hexa || c.ahead(1).kind == bits):
		c.i++
		return c.literal()
	case (t.upper == "DATE" || t.upper == "TIME" || t.upper == "TIMESTAMP") && c.ahead(1).kind == str:
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: c.string("DEFAULT")}, true
	}
	return schema.Default{}, false
}

// decodeHex returns the bytes that hexadecimal digits stand for; an odd one
// has a zero before it, as 0xA has.
func decodeHex(digits string) string {
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	b := make([]byte, 0, len(digits)/2)
	for i := 0; i+1 < len(digits); i += 2 {
		n, err := strconv.ParseUint(digits[i:i+2], 16, 8)
		if err != nil {
			return ""
		}
		b = append(b, byte(n))
	}
	return string(b)
}
