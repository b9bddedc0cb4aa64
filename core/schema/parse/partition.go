package parse

import (
	"strings"

	"moult/core/schema"
)

// partitioning reads what follows PARTITION BY.
func (c *cursor) partitioning() *schema.Partitioning {
	p := c.partitionMethod()
	if c.accept("PARTITIONS") {
		p.Count = c.integer("PARTITIONS")
	}
	if c.accept("SUBPARTITION", "BY") {
		p.Sub = c.partitionMethod()
		if c.accept("SUBPARTITIONS") {
			p.Sub.Count = c.integer("SUBPARTITIONS")
		}
	}
	if c.is("(") {
		p.Parts = c.partitions("PARTITION")
	}
	if p.Sub != nil && p.Sub.Count == 0 && len(p.Parts) > 0 {
		p.Sub.Count = len(p.Parts[0].Subs)
	}
	return p
}

// partitionMethod reads HASH (…), KEY (…), RANGE …, LIST … or SYSTEM_TIME.
func (c *cursor) partitionMethod() *schema.Partitioning {
	p := &schema.Partitioning{Linear: c.accept("LINEAR")}
	switch p.Method = c.acceptAny("HASH", "KEY", "RANGE", "LIST", "SYSTEM_TIME"); p.Method {
	case "HASH":
		p.Expr = c.expr(c.group("HASH"))
	case "KEY":
		if c.accept("ALGORITHM") {
			c.expect("=")
			if p.Algorithm = c.integer("ALGORITHM"); p.Algorithm == 2 {
				p.Algorithm = 0 // the usual one, which no server prints
			}
		}
		c.expect("(")
		for !c.is(")") {
			p.Columns = append(p.Columns, c.name("a column"))
			if !c.accept(",") {
				break
			}
		}
		c.expect(")")
	case "RANGE", "LIST":
		if c.acceptAny("COLUMNS", "FIELDS") != "" {
			p.Method += " COLUMNS"
			p.Columns = c.names("a column")
		} else {
			p.Expr = c.expr(c.group(p.Method))
		}
		if c.is("INTERVAL") {
			c.needs(intervals, c.i)
			p.Clause = c.intervals()
		}
	case "SYSTEM_TIME":
		c.needs(versioning, c.i-1)
		from := c.i
		for c.tok().kind != end && !c.isAny("(", "PARTITIONS", "SUBPARTITION") {
			c.i++
		}
		p.Clause = c.source(from, c.i)
	default:
		c.fail("HASH, KEY, RANGE, LIST or SYSTEM_TIME is expected here")
	}
	return p
}

// intervals reads TiDB's INTERVAL (…) FIRST PARTITION … LAST PARTITION ….
func (c *cursor) intervals() string {
	from := c.i
	for c.tok().kind != end {
		if c.is("(") {
			c.parens()
			continue
		}
		c.i++
	}
	return c.source(from, c.i)
}

// partitions reads a list of partitions or subpartitions in parentheses.
func (c *cursor) partitions(head string) []schema.Partition {
	c.expect("(")
	var list []schema.Partition
	for {
		c.expect(head)
		p := schema.Partition{Name: c.name("a partition")}
		from := c.i
		switch {
		case c.accept("VALUES", "LESS", "THAN"):
			if !c.accept("MAXVALUE") {
				c.parens()
			}
			p.Values = c.source(from+1, c.i)
		case c.accept("VALUES", "IN"):
			c.parens()
			p.Values = c.source(from+1, c.i)
		case c.accept("DEFAULT"), c.accept("HISTORY"), c.accept("CURRENT"):
			p.Values = c.toks[from].upper
		}
		p.Options = c.partitionOptions()
		if c.is("(") {
			p.Subs = c.partitions("SUBPARTITION")
		}
		list = append(list, p)
		if !c.accept(",") {
			break
		}
	}
	c.expect(")")
	return list
}

// partitionOptionWords are the options of a partition.
var partitionOptionWords = [][]string{
	{"DATA", "DIRECTORY"}, {"INDEX", "DIRECTORY"}, {"STORAGE", "ENGINE"}, {"PLACEMENT", "POLICY"},
	{"ENGINE"}, {"COMMENT"}, {"MAX_ROWS"}, {"MIN_ROWS"}, {"TABLESPACE"}, {"NODEGROUP"},
}

func (c *cursor) partitionOptions() []schema.Option {
	var list []schema.Option
	for {
		if key := c.optionKey(partitionOptionWords); key != "" {
			c.accept("=")
			key = strings.TrimPrefix(key, "STORAGE ")
			list = append(list, schema.Option{Key: key, Value: c.optionValue(key)})
			continue
		}
		if c.fl.Vendor == schema.MariaDB && c.isName() && c.ahead(1).matches("=") {
			key := strings.ToUpper(c.next().text)
			c.i++
			list = append(list, schema.Option{Key: key, Value: c.optionValue(key)})
			continue
		}
		return list
	}
}
