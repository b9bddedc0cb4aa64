package schema_test

import (
	"fmt"
	"slices"
	"strings"

	"moult/core/schema"
	"pgregory.net/rapid"
)

// generator draws random schemas over the model. Everything that it makes is
// accepted by MariaDB; what only one vendor has is left to the table tests.
type generator struct {
	t  *rapid.T
	fl schema.Flavor
}

func (g generator) flip(name string) bool { return rapid.Bool().Draw(g.t, name) }

func (g generator) number(name string, low, high int) int {
	return rapid.IntRange(low, high).Draw(g.t, name)
}

func pick[T any](g generator, name string, list ...T) T {
	return rapid.SampledFrom(list).Draw(g.t, name)
}

// tableNames and columnNames are few, so that two schemas share many.
var (
	tableNames  = []string{"users", "posts", "tags", "odd name", "select"}
	columnNames = []string{"a", "b", "c", "Key", "long name", "ünïcode"}
)

func (g generator) schema() *schema.Schema {
	s := &schema.Schema{Charset: "utf8mb4", Collation: "utf8mb4_general_ci"}
	for _, name := range tableNames[:g.number("tables", 0, len(tableNames))] {
		s.Tables = append(s.Tables, g.table(name))
	}
	for i, t := range s.Tables {
		if t.Engine == "InnoDB" && i > 0 && g.flip("foreign key") {
			g.foreignKey(t, s.Tables[g.number("parent", 0, i)])
		}
	}
	return schema.Canonical(s, g.fl)
}

func (g generator) table(name string) *schema.Table {
	t := &schema.Table{Name: name, Engine: "InnoDB"}
	t.Columns = append(t.Columns, &schema.Column{Name: "id", Type: schema.Type{Base: "int", Length: -1, Scale: -1, Unsigned: true}, OnUpdateNow: -1, AutoInc: g.flip("auto")})
	t.PrimaryKey = &schema.Index{Kind: schema.PrimaryIndex, Parts: []schema.IndexPart{{Column: "id"}}}
	columns := rapid.Permutation(columnNames).Draw(g.t, "columns")
	for _, c := range columns[:g.number("column count", 1, len(columns))] {
		t.Columns = append(t.Columns, g.column(c))
	}
	for i := range g.number("indexes", 0, 3) {
		g.index(t, i)
	}
	if !t.Columns[0].AutoInc {
		t.Checks = append(t.Checks, &schema.Check{Name: name + "_c", Enforced: true, Expr: schema.Expr{Raw: fmt.Sprintf("`id` < %d", g.number("limit", 1<<20, 1<<30))}})
	}
	if g.flip("options") {
		t.Comment = pick(g, "comment", "", "it's", `a\b`, "ü")
		t.Charset = pick(g, "charset", "", "latin1", "utf8mb4", "utf8mb3")
		if g.flip("row format") {
			t.Options = []schema.Option{{Key: "ROW_FORMAT", Value: pick(g, "format", "COMPACT", "DYNAMIC", "REDUNDANT")}}
		}
	}
	return t
}

func (g generator) column(name string) *schema.Column {
	c := &schema.Column{Name: name, OnUpdateNow: -1, Nullable: g.flip("null"), Type: schema.Type{Length: -1, Scale: -1}}
	c.Type.Base = pick(g, "type", "tinyint", "smallint", "int", "bigint", "decimal", "double", "bit", "char", "varchar", "text", "mediumtext", "varbinary", "blob", "enum", "set", "date", "datetime", "time", "year")
	literal := schema.Default{Kind: schema.LiteralDefault, Text: "1"}
	switch c.Type.Base {
	case "tinyint", "smallint", "int", "bigint":
		c.Type.Unsigned = g.flip("unsigned")
		literal.Numeric = true
	case "decimal":
		c.Type.Length, c.Type.Scale = g.number("digits", 7, 20), g.number("scale", 0, 5)
	case "bit":
		c.Type.Length = g.number("bits", 1, 64)
		literal = schema.Default{Kind: schema.BitDefault, Text: "1"}
	case "char", "varchar", "varbinary":
		c.Type.Length = g.number("length", 1, 100)
	case "enum", "set":
		c.Type.Values = []string{"1", "x", "it's", "ü"}[:g.number("members", 1, 4)]
	case "date", "datetime":
		literal.Text = "2001-02-03"
	case "time":
		literal.Text = "01:02:03"
	case "year":
		literal.Text = "2001"
	}
	if c.Type.Base == "datetime" || c.Type.Base == "time" {
		c.Type.Length = g.number("digits", 0, 6)
	}
	switch pick(g, "default", 0, 1, 2) {
	case 1:
		if c.Type.Base != "text" && c.Type.Base != "mediumtext" && c.Type.Base != "blob" {
			c.Default = literal
		}
	case 2:
		if c.Type.Base == "datetime" {
			c.Default.Kind, c.OnUpdateNow = schema.NowDefault, max(c.Type.Length, 0)
		}
	}
	if g.flip("comment") {
		c.Comment = pick(g, "text", "what's \"this\"", `\`, "ü")
	}
	if g.flip("collation") {
		c.Collation = pick(g, "name", "utf8mb4_bin", "latin1_swedish_ci", "utf8mb3_general_ci")
	}
	c.Invisible = g.flip("invisible") && c.Nullable
	return c
}

func (g generator) index(t *schema.Table, i int) {
	x := &schema.Index{Name: fmt.Sprintf("i%d", i), Kind: schema.PlainIndex}
	for _, c := range t.Columns {
		if len(x.Parts) > 1 || !g.flip("part") {
			continue
		}
		p := schema.IndexPart{Column: c.Name, Desc: g.flip("desc")}
		switch c.Type.Base {
		case "text", "mediumtext", "blob":
			p.Prefix = 10
		}
		x.Parts = append(x.Parts, p)
	}
	if len(x.Parts) == 0 {
		return
	}
	if g.flip("comment") {
		x.Comment = "it's"
	}
	t.Indexes = append(t.Indexes, x)
}

func (g generator) foreignKey(t, parent *schema.Table) {
	t.Columns = append(t.Columns, &schema.Column{Name: "parent", Nullable: true, Type: schema.Type{Base: "int", Length: -1, Scale: -1, Unsigned: true}, OnUpdateNow: -1})
	t.ForeignKeys = append(t.ForeignKeys, &schema.ForeignKey{
		Name: pick(g, "key name", "", t.Name+"_fk"), Columns: []string{"parent"}, RefTable: parent.Name, RefColumns: []string{"id"},
		OnDelete: pick(g, "on delete", "", "CASCADE", "SET NULL"),
	})
}

// mutate makes a schema that differs from s in some tables and columns.
func (g generator) mutate(s *schema.Schema) *schema.Schema {
	other := g.schema()
	n := s.Clone()
	for i, t := range n.Tables {
		if o := other.Table(t.Name); o != nil && g.flip("take the other table") {
			n.Tables[i] = o.Clone()
		}
	}
	// A foreign key may have lost its parent's form; keep those that fit.
	for _, t := range n.Tables {
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(k *schema.ForeignKey) bool { return n.Table(k.RefTable) == nil })
	}
	for _, o := range other.Tables {
		if n.Table(o.Name) == nil && len(o.ForeignKeys) == 0 && g.flip("add the table") {
			n.Tables = append(n.Tables, o.Clone())
		}
	}
	return schema.Canonical(n, g.fl)
}

// values are three values of each type: a small one, a large one, an odd one.
var values = map[string][3]string{
	"tinyint": {"1", "127", "0"}, "smallint": {"1", "32767", "0"}, "int": {"1", "2147483647", "0"}, "bigint": {"1", "9223372036854775807", "0"},
	"decimal": {"1", "99", "0"}, "double": {"1.5", "1e30", "0"}, "bit": {"b'1'", "b'1'", "b'0'"},
	"char": {"'1'", "'x'", "''"}, "varchar": {"'1'", "'x'", "''"}, "text": {"'1'", "'a longer text'", "''"}, "mediumtext": {"'1'", "'a longer text'", "''"},
	"varbinary": {"'1'", "'x'", "''"}, "blob": {"'1'", "x'00ff'", "''"}, "enum": {"'1'", "'1'", "'1'"}, "set": {"'1'", "'1'", "''"},
	"date": {"'2001-02-03'", "'9999-12-31'", "'1000-01-01'"}, "datetime": {"'2001-02-03 04:05:06'", "'9999-12-31 23:59:59'", "'1000-01-01'"},
	"time": {"'01:02:03'", "'100:59:59'", "'-1:0:0'"}, "year": {"2001", "2155", "0"},
}

// rowsFor returns statements that write three rows into each table, with NULL
// in the last one where that is allowed.
func rowsFor(s *schema.Schema) string {
	var b strings.Builder
	for _, t := range s.Tables {
		for i := range 3 {
			var names, vals []string
			for _, c := range t.Columns {
				v := fmt.Sprint(i + 1)
				switch {
				case c.Name == "parent":
					v = "NULL"
				case c.Name != "id" && i == 2 && c.Nullable:
					v = "NULL"
				case c.Name != "id":
					v = values[c.Type.Base][i]
				}
				names, vals = append(names, schema.Quote(c.Name)), append(vals, v)
			}
			fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES (%s);;\n", schema.Quote(t.Name), strings.Join(names, ","), strings.Join(vals, ","))
		}
	}
	return b.String()
}
