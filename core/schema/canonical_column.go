package schema

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

var columnRules = []rule[func(*pass, *Table, *Column)]{
	{"type names", "Data Types reference: synonyms", func(p *pass, t *Table, c *Column) { canonTypeName(&c.Type, p.fl) }},
	{"charset", "SHOW CREATE TABLE resolves a column's character set against the table's", func(p *pass, t *Table, c *Column) { canonColumnCharset(p, t, c) }},
	{"type lengths", "information_schema.columns of 10.11 and 9.7 after CREATE TABLE", func(p *pass, t *Table, c *Column) { canonTypeLength(c, p.fl) }},
	{"json", "MariaDB's JSON is longtext utf8mb4_bin with a check; the character set is not a choice", func(p *pass, t *Table, c *Column) {
		if c.Type.Base == "json" {
			c.Charset, c.Collation = "", ""
		}
	}},
	{"zerofill", "Numeric types reference: ZEROFILL adds UNSIGNED", func(p *pass, t *Table, c *Column) {
		c.Type.Unsigned = c.Type.Unsigned || c.Type.Zerofill
	}},
	{"not null", "CREATE TABLE reference: key columns of PRIMARY KEY and AUTO_INCREMENT are NOT NULL", func(p *pass, t *Table, c *Column) {
		if c.AutoInc || c.RowStart || c.RowEnd || t.PrimaryKey != nil && t.PrimaryKey.has(c.Name) {
			c.Nullable = false
		}
	}},
	{"generated", "ALTER TABLE reference: a generated column has no default", func(p *pass, t *Table, c *Column) {
		if c.Generated != nil {
			c.Generated.Expr = canonExpr(c.Generated.Expr)
			c.Default = Default{}
		}
	}},
	{"default", "Data Type Default Values, and literals as 10.11 and 9.7 print them", func(p *pass, t *Table, c *Column) { canonDefault(c, p.fl) }},
	{"invisible", "TiDB and old servers have no invisible columns", func(p *pass, t *Table, c *Column) {
		c.Invisible = c.Invisible && p.fl.hasInvisibleColumn()
	}},
	{"spatial reference", "MariaDB notes REF_SYSTEM_ID and does not print it", func(p *pass, t *Table, c *Column) {
		if p.fl.Vendor == MariaDB && c.SRID != nil {
			c.Options = append(c.Options, Option{spatialReference, fmt.Sprint(*c.SRID)})
			c.SRID = nil
		}
	}},
	{"compressed", "MariaDB: COMPRESSED alone means zlib", func(p *pass, t *Table, c *Column) {
		c.Compressed = strings.ToLower(c.Compressed)
		if c.Compressed == "zlib" {
			c.Compressed = "compressed"
		}
	}},
}

// spatialReference is MariaDB's word for SRID.
const spatialReference = "REF_SYSTEM_ID"

var typeNames = map[string]string{
	"integer": "int", "int4": "int", "int1": "tinyint", "int2": "smallint", "int3": "mediumint", "int8": "bigint",
	"middleint": "mediumint", "bool": "tinyint", "boolean": "tinyint", "dec": "decimal", "numeric": "decimal",
	"fixed": "decimal", "double precision": "double", "real": "double", "float8": "double", "float4": "float",
	"character": "char", "character varying": "varchar", "nvarchar": "varchar", "nchar": "char",
	"long": "mediumtext", "long varchar": "mediumtext", "long varbinary": "mediumblob", "geomcollection": "geometrycollection",
}

func canonTypeName(t *Type, fl Flavor) {
	base := strings.ToLower(t.Base)
	if base == "bool" || base == "boolean" {
		t.Length = 1
	}
	if n, ok := typeNames[base]; ok {
		base = n
	}
	t.Base = base
	for i, v := range t.Values {
		t.Values[i] = strings.TrimRight(v, " ")
	}
}

// kinds of types, for the rules that hold for a family.
var (
	integerBits = map[string]int{"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}
	textBytes   = map[string]int64{"tinytext": 255, "text": 65535, "mediumtext": 1<<24 - 1, "longtext": 1<<32 - 1}
	blobBytes   = map[string]int64{"tinyblob": 255, "blob": 65535, "mediumblob": 1<<24 - 1, "longblob": 1<<32 - 1}
	temporal    = map[string]bool{"time": true, "datetime": true, "timestamp": true}
	spatial     = map[string]bool{"geometry": true, "point": true, "linestring": true, "polygon": true, "multipoint": true,
		"multilinestring": true, "multipolygon": true, "geometrycollection": true}
)

func (t Type) isInteger() bool { return integerBits[t.Base] > 0 }

func (t Type) isNumeric() bool {
	return t.isInteger() || t.Base == "decimal" || t.Base == "float" || t.Base == "double"
}

// isText reports whether values have a character set.
func (t Type) isText() bool {
	return t.Base == "char" || t.Base == "varchar" || t.Base == "enum" || t.Base == "set" || textBytes[t.Base] > 0
}

func (t Type) isBlob() bool { return blobBytes[t.Base] > 0 }

// isLarge reports whether MySQL allows only an expression as the default.
func (t Type) isLarge() bool {
	return textBytes[t.Base] > 0 || t.isBlob() || t.Base == "json" || spatial[t.Base]
}

func canonColumnCharset(p *pass, t *Table, c *Column) {
	if !c.Type.isText() {
		if cs := canonCharset(c.Charset); cs != "binary" || c.Type.Base == "json" {
			c.Charset, c.Collation = "", ""
		}
		return
	}
	c.Charset, c.Collation = p.fl.inherit(c.Charset, c.Collation, t.Charset, t.Collation)
	if c.Charset != "binary" {
		return
	}
	// CHARACTER SET binary turns text into bytes.
	twins := map[string]string{"char": "binary", "varchar": "varbinary", "tinytext": "tinyblob", "text": "blob", "mediumtext": "mediumblob", "longtext": "longblob"}
	if b, ok := twins[c.Type.Base]; ok {
		c.Type.Base = b
		c.Charset, c.Collation = "", ""
	}
}

func canonTypeLength(c *Column, fl Flavor) {
	t := &c.Type
	switch {
	case t.isInteger():
		t.Scale = -1
		boolean := t.Base == "tinyint" && t.Length == 1 && !t.Unsigned
		if !fl.showsWidth() && !t.Zerofill && !boolean {
			t.Length = -1
		}
		if t.Zerofill && t.Length < 0 {
			t.Length = defaultWidth[t.Base]
		}
	case t.Base == "decimal":
		if t.Length < 0 || t.Length == 0 {
			t.Length = 10
		}
		if t.Scale < 0 {
			t.Scale = 0
		}
	case t.Base == "float" || t.Base == "double":
		if t.Scale < 0 { // float(24) says nothing that float does not
			if t.Base == "float" && t.Length > 24 {
				t.Base = "double"
			}
			t.Length = -1
		}
	case t.Base == "bit" || t.Base == "char" || t.Base == "binary":
		t.Scale = -1
		if t.Length < 0 {
			t.Length = 1
		}
	case temporal[t.Base]:
		t.Scale = -1
		if t.Length <= 0 {
			t.Length = -1
		}
	case t.Base == "text" && t.Length >= 0:
		t.Base, t.Length = smallest(int64(t.Length)*int64(widthOf(c.Charset)), "tinytext", "text", "mediumtext", "longtext"), -1
	case t.Base == "blob" && t.Length >= 0:
		t.Base, t.Length = smallest(int64(t.Length), "tinyblob", "blob", "mediumblob", "longblob"), -1
	case t.Base == "varchar" || t.Base == "varbinary" || t.Base == "vector":
		t.Scale = -1
	default:
		t.Length, t.Scale = -1, -1
	}
}

var defaultWidth = map[string]int{"tinyint": 3, "smallint": 5, "mediumint": 8, "int": 10, "bigint": 20}

func smallest(bytes int64, names ...string) string {
	for i, limit := range []int64{1 << 8, 1 << 16, 1 << 24} {
		if bytes < limit {
			return names[i]
		}
	}
	return names[3]
}

func canonDefault(c *Column, fl Flavor) {
	d := &c.Default
	if c.AutoInc || c.Generated != nil || c.RowStart || c.RowEnd {
		*d = Default{}
		return
	}
	if d.Kind == ExprDefault && (fl.Vendor == MariaDB || c.Type.isLarge()) {
		// MariaDB stores a literal or the clock in parentheses without them;
		// elsewhere a large type's default has them because it must.
		*d = unwrapDefault(*d, c)
	}
	switch d.Kind {
	case NoDefault, NullDefault:
		*d = Default{}
		if c.Nullable {
			d.Kind = NullDefault
		}
	case NowDefault:
		*d = Default{Kind: NowDefault}
	case BitDefault:
		d.Text, d.Numeric = strings.TrimLeft(d.Text, "0"), false
		if d.Text == "" {
			d.Text = "0"
		}
		if c.Type.isNumeric() {
			if n, ok := new(big.Int).SetString(d.Text, 2); ok {
				*d = literalFor(c.Type, n.String())
			}
		}
	case LiteralDefault:
		*d = literalFor(c.Type, d.literal())
	case ExprDefault:
		d.Numeric = false
	}
}

// literal returns the value of a literal; TRUE and FALSE are numbers.
func (d Default) literal() string {
	if d.Numeric {
		switch strings.ToUpper(d.Text) {
		case "TRUE":
			return "1"
		case "FALSE":
			return "0"
		}
	}
	return d.Text
}

func unwrapDefault(d Default, c *Column) Default {
	text := strings.TrimSpace(d.Text)
	for len(text) > 1 && text[0] == '(' && closing(text) == len(text)-1 {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	toks := tokens(text)
	if len(toks) == 2 && toks[0].kind == tokWord && toks[0].text[0] == '_' && toks[1].kind == tokString {
		toks = toks[1:] // a character set's introducer
	}
	switch {
	case len(toks) == 1 && toks[0].kind == tokString:
		return Default{Kind: LiteralDefault, Text: toks[0].value()}
	case len(toks) == 1 && toks[0].kind == tokNumber:
		return Default{Kind: LiteralDefault, Text: toks[0].text, Numeric: true}
	case len(toks) == 2 && (toks[0].text == "-" || toks[0].text == "+") && toks[1].kind == tokNumber:
		return Default{Kind: LiteralDefault, Text: strings.TrimPrefix(toks[0].text, "+") + toks[1].text, Numeric: true}
	case len(toks) == 1 && strings.EqualFold(toks[0].text, "null"):
		return Default{Kind: NullDefault}
	case isNow(toks, c.Type):
		return Default{Kind: NowDefault}
	}
	d.Text = text
	return d
}

// isNow reports whether the expression is the clock with the column's digits.
func isNow(toks []tok, t Type) bool {
	if len(toks) == 0 || !temporal[t.Base] || t.Base == "time" {
		return false
	}
	switch strings.ToLower(toks[0].text) {
	case "now", "current_timestamp", "localtime", "localtimestamp":
	default:
		return false
	}
	digits := 0
	switch len(toks) {
	case 1, 3:
	case 4:
		digits, _ = strconv.Atoi(toks[2].text)
	default:
		return false
	}
	return digits == max(t.Length, 0)
}

// closing returns the index of the parenthesis that closes the first one.
func closing(s string) int {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\'', '"', '`':
			q := s[i]
			for i++; i < len(s) && s[i] != q; i++ {
				if s[i] == '\\' && q != '`' {
					i++
				}
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}
