package parse

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"moult/core/schema"
)

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
		return c.typed(col, d, c.toks[c.i-1])
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

// typed settles what bytes and bits mean in a column: a number where it holds
// numbers, bits where it holds bits, else text.
func (c *cursor) typed(col *schema.Column, d schema.Default, from token) schema.Default {
	base := map[kind]int{hexa: 16, bits: 2}[from.kind]
	if base == 0 {
		return d
	}
	n, ok := new(big.Int).SetString(from.text, base)
	switch {
	case !ok:
	case dataTypes[strings.ToUpper(col.Type.Base)].numeric:
		return schema.Default{Kind: schema.LiteralDefault, Text: n.String(), Numeric: true}
	case col.Type.Base == "bit":
		return schema.Default{Kind: schema.BitDefault, Text: n.Text(2)}
	case from.kind == bits:
		return schema.Default{Kind: schema.LiteralDefault, Text: string(n.Bytes())}
	}
	return d
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
		if toks, _, err := lex(raw, c.fl, mode{}); err == nil {
			inner := &cursor{st: Statement{Text: raw, Pos: c.st.Pos}, toks: toks, fl: c.fl}
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
		at := c.i
		d, ok := c.literal()
		if ok && d.Kind == schema.LiteralDefault {
			d.Text = c.decoded(t.text[1:], d.Text, at)
		}
		return d, ok
	case (t.upper == "DATE" || t.upper == "TIME" || t.upper == "TIMESTAMP") && c.ahead(1).kind == str:
		c.i++
		return schema.Default{Kind: schema.LiteralDefault, Text: c.string("DEFAULT")}, true
	}
	return schema.Default{}, false
}

// charmaps are the single-byte character sets that an introducer may name.
var charmaps = map[string]*charmap.Charmap{
	"latin1": charmap.Windows1252, "latin2": charmap.ISO8859_2, "latin5": charmap.ISO8859_9, "latin7": charmap.ISO8859_13,
	"greek": charmap.ISO8859_7, "hebrew": charmap.ISO8859_8, "cp1250": charmap.Windows1250, "cp1251": charmap.Windows1251,
	"cp1256": charmap.Windows1256, "cp1257": charmap.Windows1257, "koi8r": charmap.KOI8R, "koi8u": charmap.KOI8U,
	"cp850": charmap.CodePage850, "cp852": charmap.CodePage852, "cp866": charmap.CodePage866, "macroman": charmap.Macintosh,
}

// decoded returns bytes that stand behind an introducer as UTF-8. The server
// takes them as they came, also when the rest of the statement is UTF-8.
func (c *cursor) decoded(charset, text string, at int) string {
	charset = strings.ToLower(charset)
	switch {
	case isASCII(text), charset == "binary", strings.HasPrefix(charset, "utf8") && utf8.ValidString(text):
		return text
	case charmaps[charset] != nil:
		if s, err := charmaps[charset].NewDecoder().String(text); err == nil {
			return s
		}
	}
	c.failAt(at, "bytes of the character set %s: write them as text", charset)
	return ""
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
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
