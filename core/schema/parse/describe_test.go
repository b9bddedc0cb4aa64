package parse

import (
	"fmt"
	"strings"

	"moult/core/schema"
)

// describe writes a schema in lines that a table of expected results can hold.
func describe(s *schema.Schema) string {
	var d description
	if s.Name+s.Charset+s.Collation != "" {
		d.line("schema %s", words(s.Name, s.Charset, s.Collation))
	}
	for _, t := range s.Tables {
		d.table(t)
	}
	for _, v := range s.Views {
		d.line("view %s as %s", words(v.Name, list(v.Columns), v.Algorithm, tag("definer", v.Definer), tag("security", v.Security), tag("check", v.Check)), v.Body)
	}
	for _, g := range s.Triggers {
		d.line("trigger %s do %s", words(g.Name, g.Timing, g.Event, "on", g.Table, g.Order, tag("definer", g.Definer), stored(g.Stored)), flat(g.Body))
	}
	for _, p := range s.Routines {
		kind := "procedure"
		if p.Function {
			kind = "function"
		}
		if p.Aggregate {
			kind = "aggregate function"
		}
		d.line("%s %s do %s", kind, words(p.Name, flat(p.Header), tag("definer", p.Definer), stored(p.Stored)), flat(p.Body))
	}
	for _, e := range s.Events {
		preserve := ""
		if e.Preserve {
			preserve = "preserve"
		}
		d.line("event %s do %s", words(e.Name, e.Schedule, preserve, e.Status, tag("comment", e.Comment), tag("definer", e.Definer), tag("tz", e.TimeZone), stored(e.Stored)), flat(e.Body))
	}
	for _, q := range s.Sequences {
		d.line("sequence %s start %d min %d max %d by %d cache %d cycle %v", q.Name, q.Start, q.Min, q.Max, q.Increment, q.Cache, q.Cycle)
	}
	return strings.Join(d, "\n")
}

type description []string

func (d *description) line(format string, args ...any) {
	*d = append(*d, fmt.Sprintf(format, args...))
}

func words(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}

func list(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "(" + strings.Join(names, ", ") + ")"
}

func tag(name, value string) string {
	if value == "" {
		return ""
	}
	return name + "=" + value
}

func when(name string, on bool) string {
	if on {
		return name
	}
	return ""
}

func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

func stored(s schema.Stored) string {
	return words(tag("mode", s.SQLMode), tag("client", s.Charset), tag("connection", s.Collation))
}

func options(os []schema.Option) string {
	var parts []string
	for _, o := range os {
		parts = append(parts, o.Key+"="+o.Value)
	}
	return strings.Join(parts, " ")
}

func (d *description) table(t *schema.Table) {
	name := t.Name
	d.line("%s", words("table", name, tag("engine", t.Engine), tag("charset", t.Charset), tag("collation", t.Collation), tag("comment", t.Comment),
		options(t.Options), when("versioned", t.SystemVer), tag("was", t.RenamedFrom)))
	for _, c := range t.Columns {
		d.line("%s.%s", name, column(c))
	}
	if t.PrimaryKey != nil {
		d.line("%s %s", name, index(t.PrimaryKey))
	}
	for _, x := range t.Indexes {
		d.line("%s %s", name, index(x))
	}
	for _, f := range t.ForeignKeys {
		ref := f.RefTable
		if f.RefSchema != "" {
			ref = f.RefSchema + "." + ref
		}
		d.line("%s %s", name, words("foreign", f.Name, list(f.Columns), "->", ref, list(f.RefColumns), tag("delete", f.OnDelete), tag("update", f.OnUpdate), tag("index", f.IndexName)))
	}
	for _, k := range t.Checks {
		d.line("%s %s", name, words("check", k.Name, tag("column", k.Column), "("+k.Expr.Raw+")", when("not enforced", !k.Enforced)))
	}
	for _, p := range t.Periods {
		d.line("%s period %s (%s, %s)", name, p.Name, p.Start, p.End)
	}
	if t.Partition != nil {
		d.line("%s partition by %s", name, partitioning(t.Partition))
	}
}

func typeText(ty schema.Type) string {
	s := ty.Base
	switch {
	case ty.Values != nil:
		var q []string
		for _, v := range ty.Values {
			q = append(q, fmt.Sprintf("%q", v))
		}
		s += "(" + strings.Join(q, ",") + ")"
	case ty.Length >= 0 && ty.Scale >= 0:
		s += fmt.Sprintf("(%d,%d)", ty.Length, ty.Scale)
	case ty.Length >= 0:
		s += fmt.Sprintf("(%d)", ty.Length)
	}
	return words(s, when("unsigned", ty.Unsigned), when("zerofill", ty.Zerofill))
}

func column(c *schema.Column) string {
	parts := []string{c.Name, typeText(c.Type), tag("charset", c.Charset), tag("collation", c.Collation), when("not null", !c.Nullable)}
	switch c.Default.Kind {
	case schema.NullDefault:
		parts = append(parts, "default null")
	case schema.LiteralDefault:
		if c.Default.Numeric {
			parts = append(parts, "default "+c.Default.Text)
		} else {
			parts = append(parts, fmt.Sprintf("default %q", c.Default.Text))
		}
	case schema.BitDefault:
		parts = append(parts, "default b"+c.Default.Text)
	case schema.NowDefault:
		parts = append(parts, "default now")
	case schema.ExprDefault:
		parts = append(parts, "default ("+c.Default.Text+")")
	}
	if c.OnUpdateNow != -1 {
		parts = append(parts, fmt.Sprintf("on update now(%d)", c.OnUpdateNow))
	}
	if g := c.Generated; g != nil {
		kind := "virtual"
		if g.Stored {
			kind = "stored"
		}
		parts = append(parts, kind+" ("+g.Expr.Raw+")")
	}
	parts = append(parts, when("auto_increment", c.AutoInc), tag("auto_random", c.AutoRandom), when("invisible", c.Invisible), tag("compressed", c.Compressed))
	if c.SRID != nil {
		parts = append(parts, fmt.Sprintf("srid=%d", *c.SRID))
	}
	return words(append(parts, when("unversioned", c.NoSysVer), when("row start", c.RowStart), when("row end", c.RowEnd), options(c.Options),
		tag("comment", c.Comment), tag("was", c.RenamedFrom))...)
}

func index(x *schema.Index) string {
	kinds := map[schema.IndexKind]string{
		schema.PlainIndex: "index", schema.UniqueIndex: "unique", schema.PrimaryIndex: "primary", schema.FulltextIndex: "fulltext",
		schema.SpatialIndex: "spatial", schema.VectorIndex: "vector",
	}
	name := x.Name
	if x.Kind == schema.PrimaryIndex {
		name = ""
	}
	var parts []string
	for _, p := range x.Parts {
		s := p.Column
		if s == "" {
			s = "(" + p.Expr.Raw + ")"
		}
		if p.Prefix > 0 {
			s += fmt.Sprintf("(%d)", p.Prefix)
		}
		parts = append(parts, words(s, when("desc", p.Desc)))
	}
	block := ""
	if x.KeyBlock > 0 {
		block = fmt.Sprintf("block=%d", x.KeyBlock)
	}
	return words(kinds[x.Kind], name, list(parts), tag("using", x.Algorithm), tag("parser", x.Parser), block, when("invisible", x.Invisible),
		options(x.Options), tag("comment", x.Comment), tag("was", x.RenamedFrom))
}

func partitioning(p *schema.Partitioning) string {
	count, algorithm := "", ""
	if p.Count > 0 {
		count = fmt.Sprintf("count=%d", p.Count)
	}
	if p.Algorithm > 0 {
		algorithm = fmt.Sprintf("algorithm=%d", p.Algorithm)
	}
	s := words(when("linear", p.Linear), p.Method, algorithm, tag("expr", p.Expr.Raw), list(p.Columns), p.Clause, count)
	if p.Sub != nil {
		s += " sub " + partitioning(p.Sub)
	}
	return words(s, parts(p.Parts))
}

func parts(ps []schema.Partition) string {
	var out []string
	for _, p := range ps {
		out = append(out, words(p.Name, p.Values, options(p.Options), parts(p.Subs)))
	}
	return list(out)
}
