package schema

import "fmt"

// placeholders are what a hidden column without a default of its own gets for
// rows written while it is hidden. Types that are not listed become nullable.
var placeholders = map[string]Default{
	"char": {Kind: LiteralDefault}, "varchar": {Kind: LiteralDefault}, "binary": {Kind: LiteralDefault}, "varbinary": {Kind: LiteralDefault},
	"tinytext": {Kind: LiteralDefault}, "text": {Kind: LiteralDefault}, "mediumtext": {Kind: LiteralDefault}, "longtext": {Kind: LiteralDefault},
	"tinyblob": {Kind: LiteralDefault}, "blob": {Kind: LiteralDefault}, "mediumblob": {Kind: LiteralDefault}, "longblob": {Kind: LiteralDefault},
	"set": {Kind: LiteralDefault}, "json": {Kind: LiteralDefault, Text: "{}"}, "bit": {Kind: BitDefault, Text: "0"},
	"date": {Kind: LiteralDefault, Text: "2000-01-01"}, "time": {Kind: LiteralDefault, Text: "00:00:00"},
	"datetime": {Kind: LiteralDefault, Text: "2000-01-01 00:00:00"}, "timestamp": {Kind: LiteralDefault, Text: "2000-01-01 00:00:00"},
	"year": {Kind: LiteralDefault, Text: "2000", Numeric: true}, "uuid": {Kind: LiteralDefault, Text: "00000000-0000-0000-0000-000000000000"},
	"inet4": {Kind: LiteralDefault, Text: "0.0.0.0"}, "inet6": {Kind: LiteralDefault, Text: "::"},
}

// hiddenForm returns the column as it is kept out of sight: the same type, so
// that the change is instant, and with a default, so that rows can be written
// without it.
func hiddenForm(c *Column, name string) *Column {
	h := c.Clone()
	h.Name, h.Invisible, h.AutoInc, h.AutoRandom, h.OnUpdateNow, h.RenamedFrom = name, true, false, "", -1, ""
	if h.Nullable {
		if h.Default.Kind == NoDefault {
			h.Default.Kind = NullDefault
		}
		return h
	}
	if h.Default.Kind != NoDefault {
		return h
	}
	switch d, ok := placeholders[h.Type.Base]; {
	case h.Type.isNumeric():
		h.Default = literalFor(h.Type, "0")
	case h.Type.Base == "enum" && len(h.Type.Values) > 0:
		h.Default = Default{Kind: LiteralDefault, Text: h.Type.Values[0]}
	case ok:
		h.Default = d
	default:
		h.Nullable, h.Default = true, Default{Kind: NullDefault}
	}
	return h
}

// hides reports whether dropping the column means to hide it. The values of
// generated columns come back by themselves.
func hides(c *Column) bool { return c.Generated == nil && !c.RowStart && !c.RowEnd }

// aside makes the next name of the quarantine.
func (p *planner) aside() string {
	p.n++
	return fmt.Sprintf("%s%s_%d", HiddenPrefix, p.token, p.n)
}
