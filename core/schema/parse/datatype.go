package parse

import (
	"strings"

	"moult/core/schema"
)

// shape says what may stand behind the name of a type.
type shape uint8

const (
	bare    shape = iota // nothing
	width                // (n)
	places               // (n) or (n, m)
	members              // ('a', 'b')
)

// dataType is what a type's name stands for.
type dataType struct {
	base             string
	shape            shape
	numeric, textual bool
}

// dataTypes are the type names of all servers, in canonical spelling
// (MySQL Reference Manual 11.9, MariaDB data types).
var dataTypes = map[string]dataType{
	"TINYINT": {"tinyint", width, true, false}, "INT1": {"tinyint", width, true, false},
	"SMALLINT": {"smallint", width, true, false}, "INT2": {"smallint", width, true, false},
	"MEDIUMINT": {"mediumint", width, true, false}, "INT3": {"mediumint", width, true, false}, "MIDDLEINT": {"mediumint", width, true, false},
	"INT": {"int", width, true, false}, "INTEGER": {"int", width, true, false}, "INT4": {"int", width, true, false},
	"BIGINT": {"bigint", width, true, false}, "INT8": {"bigint", width, true, false},
	"DECIMAL": {"decimal", places, true, false}, "DEC": {"decimal", places, true, false}, "NUMERIC": {"decimal", places, true, false},
	"FIXED": {"decimal", places, true, false}, "NUMBER": {"decimal", places, true, false},
	"FLOAT": {"float", places, true, false}, "FLOAT4": {"float", places, true, false},
	"DOUBLE": {"double", places, true, false}, "FLOAT8": {"double", places, true, false}, "REAL": {"double", places, true, false},
	"BIT":  {"bit", width, false, false},
	"CHAR": {"char", width, false, true}, "CHARACTER": {"char", width, false, true}, "NCHAR": {"char", width, false, true},
	"VARCHAR": {"varchar", width, false, true}, "VARCHARACTER": {"varchar", width, false, true}, "NVARCHAR": {"varchar", width, false, true},
	"VARCHAR2": {"varchar", width, false, true},
	"TINYTEXT": {"tinytext", bare, false, true}, "TEXT": {"text", width, false, true}, "MEDIUMTEXT": {"mediumtext", bare, false, true},
	"LONGTEXT": {"longtext", bare, false, true}, "LONG": {"mediumtext", bare, false, true},
	"ENUM": {"enum", members, false, true}, "SET": {"set", members, false, true},
	"BINARY": {"binary", width, false, false}, "VARBINARY": {"varbinary", width, false, false},
	"TINYBLOB": {"tinyblob", bare, false, false}, "BLOB": {"blob", width, false, false}, "MEDIUMBLOB": {"mediumblob", bare, false, false},
	"LONGBLOB": {"longblob", bare, false, false},
	"DATE":     {"date", bare, false, false}, "TIME": {"time", width, false, false}, "DATETIME": {"datetime", width, false, false},
	"TIMESTAMP": {"timestamp", width, false, false}, "YEAR": {"year", width, false, false},
	"JSON": {"json", bare, false, false}, "UUID": {"uuid", bare, false, false},
	"INET4": {"inet4", bare, false, false}, "INET6": {"inet6", bare, false, false}, "XMLTYPE": {"xmltype", bare, false, false},
	"VECTOR":   {"vector", width, false, false},
	"GEOMETRY": {"geometry", bare, false, false}, "POINT": {"point", bare, false, false}, "LINESTRING": {"linestring", bare, false, false},
	"POLYGON": {"polygon", bare, false, false}, "MULTIPOINT": {"multipoint", bare, false, false},
	"MULTILINESTRING": {"multilinestring", bare, false, false}, "MULTIPOLYGON": {"multipolygon", bare, false, false},
	"GEOMETRYCOLLECTION": {"geometrycollection", bare, false, false}, "GEOMCOLLECTION": {"geometrycollection", bare, false, false},
}

// binaryAttribute stands in Column.Collation until the character set that
// BINARY refers to is known.
const binaryAttribute = "\x00binary"

// dataType reads a column's type with its attributes.
func (c *cursor) dataType(col *schema.Column) {
	ty := &col.Type
	ty.Length, ty.Scale = -1, -1
	if c.tok().kind != word {
		c.fail("column %s: a data type is expected here", col.Name)
	}
	name := c.next().upper
	switch name {
	case "BOOL", "BOOLEAN":
		ty.Base, ty.Length = "tinyint", 1
		return
	case "NATIONAL":
		if name = c.acceptAny("CHAR", "CHARACTER", "VARCHAR", "VARCHARACTER"); name == "" {
			c.fail("column %s: NATIONAL wants CHAR or VARCHAR", col.Name)
		}
		col.Charset = "utf8mb3"
	case "NCHAR", "NVARCHAR":
		col.Charset = "utf8mb3"
	}
	d, ok := dataTypes[name]
	if !ok {
		c.failAt(c.i-1, "column %s: %s is not a data type of %s", col.Name, strings.ToLower(name), c.fl.Vendor)
	}
	if f, limited := typeFeatures[d.base]; limited {
		c.needs(f, c.i-1)
	}
	d = c.longName(name, d)
	ty.Base = d.base
	c.typeArguments(col, d)
	if d.numeric {
		c.numericAttributes(ty)
		c.approximate(name, ty)
	}
	if d.textual {
		c.textAttributes(col)
	}
	c.intrinsic(col)
}

// longName reads on where a type's name has several words.
func (c *cursor) longName(name string, d dataType) dataType {
	switch name {
	case "CHAR", "CHARACTER", "NCHAR":
		if c.acceptAny("VARYING", "VARCHAR", "VARCHARACTER") != "" {
			return dataTypes["VARCHAR"]
		}
	case "DOUBLE":
		c.accept("PRECISION")
	case "LONG":
		switch {
		case c.accept("VARBINARY"):
			return dataTypes["MEDIUMBLOB"]
		case c.accept("VARCHAR"), c.accept("VARCHARACTER"), c.accept("CHAR", "VARYING"), c.accept("CHARACTER", "VARYING"):
		}
	}
	return d
}

// typeArguments reads what stands in parentheses behind a type's name.
func (c *cursor) typeArguments(col *schema.Column, d dataType) {
	ty := &col.Type
	if d.shape == members {
		c.expect("(")
		for {
			ty.Values = append(ty.Values, strings.TrimRight(c.member(), " "))
			if !c.accept(",") {
				break
			}
		}
		c.expect(")")
		return
	}
	if d.shape == bare || !c.accept("(") {
		if d.base == "varchar" || d.base == "varbinary" || d.base == "vector" {
			c.fail("column %s: %s wants a length", col.Name, d.base)
		}
		return
	}
	ty.Length = c.integer("the length of " + d.base)
	if d.shape == places && c.accept(",") {
		ty.Scale = c.integer("the decimals of " + d.base)
	}
	if d.shape == width && d.textual {
		c.acceptAny("CHAR", "BYTE")
	}
	c.expect(")")
}

// member reads a member of ENUM or SET.
func (c *cursor) member() string {
	if t := c.tok(); t.kind == word && strings.HasPrefix(t.text, "_") && c.ahead(1).kind == hexa {
		c.i++
	}
	if c.tok().kind == hexa {
		return decodeHex(c.next().text)
	}
	return c.string("a member")
}

func (c *cursor) numericAttributes(ty *schema.Type) {
	for {
		switch {
		case c.accept("UNSIGNED"):
			ty.Unsigned = true
		case c.accept("ZEROFILL"):
			ty.Zerofill, ty.Unsigned = true, true
		case c.accept("SIGNED"):
		default:
			return
		}
	}
}

// approximate settles FLOAT(p), where p is the precision in bits and only
// chooses between the two types, and REAL.
func (c *cursor) approximate(name string, ty *schema.Type) {
	if name == "REAL" && c.mode.realAsFloat {
		ty.Base = "float"
	}
	if (ty.Base == "float" || ty.Base == "double") && ty.Scale < 0 && ty.Length >= 0 {
		if ty.Length > 24 {
			ty.Base = "double"
		}
		ty.Length = -1
	}
}

// textAttributes reads the character set and what stands for one.
func (c *cursor) textAttributes(col *schema.Column) {
	binary := false
	for {
		switch {
		case c.accept("CHARACTER", "SET"), c.accept("CHAR", "SET"), c.accept("CHARSET"):
			c.accept("=")
			col.Charset = strings.ToLower(c.charsetName())
		case c.accept("ASCII"):
			col.Charset = "latin1"
		case c.accept("UNICODE"):
			col.Charset = "ucs2"
		case c.accept("BYTE"):
			col.Type.Base = bytesOf[col.Type.Base]
		case c.accept("BINARY"):
			binary = true
		default:
			if binary && col.Collation == "" {
				col.Collation = binaryAttribute
			}
			return
		}
	}
}

// bytesOf are the types that BYTE turns texts into.
var bytesOf = map[string]string{
	"char": "binary", "varchar": "varbinary", "tinytext": "tinyblob", "text": "blob", "mediumtext": "mediumblob", "longtext": "longblob",
}

// charsetName reads the name of a character set or collation, also in quotes.
func (c *cursor) charsetName() string {
	if c.tok().kind == str {
		return c.string("a character set")
	}
	return c.name("a character set")
}

// intrinsic fills in the lengths that a type has by itself.
func (c *cursor) intrinsic(col *schema.Column) {
	ty := &col.Type
	switch ty.Base {
	case "decimal":
		if ty.Length <= 0 {
			ty.Length = 10
		}
		ty.Scale = max(ty.Scale, 0)
	case "char", "binary", "bit":
		if ty.Length < 0 {
			ty.Length = 1
		}
	case "year":
		if ty.Length == 2 && c.fl.Vendor != schema.MariaDB {
			c.fail("column %s: %s does not have year(2)", col.Name, c.fl)
		}
		if ty.Length != 2 {
			ty.Length = -1
		}
	case "time", "datetime", "timestamp":
		// Up to MySQL 4.0 the number was a display width, as in timestamp(14).
		if ty.Length > 6 || ty.Length == 0 {
			ty.Length = -1
		}
	}
}

// binaryCollation is the collation that BINARY means: the one that compares
// code points, of the column's character set or of the one it inherits.
func (c *cursor) binaryCollation(t *schema.Table, col *schema.Column) string {
	for _, cs := range []string{col.Charset, t.Charset, charsetOf(t.Collation)} {
		if cs != "" {
			return cs + "_bin"
		}
	}
	return "utf8mb4_bin"
}

// charsetOf returns the character set that a collation's name begins with.
func charsetOf(collation string) string {
	cs, _, _ := strings.Cut(collation, "_")
	return cs
}
