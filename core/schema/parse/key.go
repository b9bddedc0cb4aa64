package parse

import (
	"slices"
	"strings"

	"moult/core/schema"
)

// indexWords are the words that open the definition of an index, with its kind.
var indexWords = []struct {
	words []string
	kind  schema.IndexKind
	named bool // INDEX or KEY has been said
}{
	{[]string{"PRIMARY", "KEY"}, schema.PrimaryIndex, true},
	{[]string{"UNIQUE", "INDEX"}, schema.UniqueIndex, true},
	{[]string{"UNIQUE", "KEY"}, schema.UniqueIndex, true},
	{[]string{"UNIQUE"}, schema.UniqueIndex, false},
	{[]string{"FULLTEXT", "INDEX"}, schema.FulltextIndex, true},
	{[]string{"FULLTEXT", "KEY"}, schema.FulltextIndex, true},
	{[]string{"FULLTEXT"}, schema.FulltextIndex, false},
	{[]string{"SPATIAL", "INDEX"}, schema.SpatialIndex, true},
	{[]string{"SPATIAL", "KEY"}, schema.SpatialIndex, true},
	{[]string{"SPATIAL"}, schema.SpatialIndex, false},
	{[]string{"VECTOR", "INDEX"}, schema.VectorIndex, true},
	{[]string{"VECTOR", "KEY"}, schema.VectorIndex, true},
	{[]string{"INDEX"}, schema.PlainIndex, true},
	{[]string{"KEY"}, schema.PlainIndex, true},
}

// index reads an index of a table, nil if there is none here, and adds it.
func (c *cursor) index(t *schema.Table) *schema.Index {
	start := c.i
	constraint := ""
	if c.accept("CONSTRAINT") {
		c.ifNotExists()
		if c.isName() && !c.isAny("PRIMARY", "UNIQUE") {
			constraint = c.name("a constraint")
		}
	}
	for _, w := range indexWords {
		if !c.accept(w.words...) {
			continue
		}
		if w.kind == schema.VectorIndex {
			c.needs(vectorIndex, start)
		}
		x := &schema.Index{Kind: w.kind}
		exists := c.ifNotExists()
		if c.isName() && !c.is("USING") && !(c.is("TYPE") && c.isTypeClause()) {
			x.Name = c.name("an index")
		}
		if x.Name == "" {
			x.Name = constraint
		}
		c.indexBody(x)
		c.addIndex(t, x, start, exists)
		return x
	}
	c.i = start
	return nil
}

// isTypeClause reports whether TYPE opens "TYPE BTREE" and is no name.
func (c *cursor) isTypeClause() bool {
	return c.ahead(1).matches("BTREE") || c.ahead(1).matches("HASH") || c.ahead(1).matches("RTREE")
}

// addIndex puts an index into its table.
func (c *cursor) addIndex(t *schema.Table, x *schema.Index, at int, exists bool) {
	if x.Kind == schema.PrimaryIndex {
		if t.PrimaryKey != nil && !exists {
			c.failAt(at, "table %s has two primary keys", t.Name)
		}
		x.Name, x.AutoName = "PRIMARY", false
		t.PrimaryKey = x
		return
	}
	x.AutoName = x.Name == ""
	for _, other := range t.Indexes {
		if x.Name != "" && strings.EqualFold(other.Name, x.Name) {
			if exists {
				return
			}
			c.failAt(at, "table %s has two indexes %s", t.Name, x.Name)
		}
	}
	t.Indexes = append(t.Indexes, x)
}

// indexBody reads [USING …] (parts) options.
func (c *cursor) indexBody(x *schema.Index) {
	c.indexAlgorithm(x)
	c.expect("(")
	for {
		if n := len(x.Parts); n > 0 && c.ahead(1).matches("WITHOUT") && c.ahead(2).matches("OVERLAPS") {
			c.needs(overlaps, c.i)
			x.Options = append(x.Options, schema.Option{Key: "WITHOUT OVERLAPS", Value: c.name("a period")})
			c.i += 2
			break
		}
		x.Parts = append(x.Parts, c.indexPart())
		if !c.accept(",") {
			break
		}
	}
	c.expect(")")
	c.indexOptions(x)
}

// indexPart reads a column with its prefix, or an expression in parentheses.
func (c *cursor) indexPart() schema.IndexPart {
	var p schema.IndexPart
	switch {
	case c.is("("):
		c.needs(expressionIndex, c.i)
		p.Expr = c.expr(c.group("an index part"))
	default:
		p.Column = c.name("a column")
		if c.accept("(") {
			p.Prefix = c.integer("a prefix")
			c.expect(")")
		}
	}
	switch c.acceptAny("ASC", "DESC") {
	case "DESC":
		p.Desc = true
	}
	return p
}

// indexAlgorithm reads USING or TYPE.
func (c *cursor) indexAlgorithm(x *schema.Index) bool {
	if !c.accept("USING") && !(c.is("TYPE") && c.isTypeClause() && c.accept("TYPE")) {
		return false
	}
	algorithm := c.acceptAny("BTREE", "HASH", "RTREE", "HYPO", "INVERTED", "HNSW")
	if algorithm == "" {
		c.fail("USING wants BTREE or HASH")
	}
	x.Algorithm = strings.ToLower(algorithm)
	if x.Algorithm == "rtree" {
		x.Algorithm = ""
	}
	return true
}

// indexOptions reads what stands behind the parts.
func (c *cursor) indexOptions(x *schema.Index) {
	for {
		switch {
		case c.indexAlgorithm(x):
		case c.accept("KEY_BLOCK_SIZE"):
			c.accept("=")
			x.KeyBlock = c.integer("KEY_BLOCK_SIZE")
		case c.accept("WITH", "PARSER"):
			x.Parser = c.name("a parser")
		case c.accept("COMMENT"):
			x.Comment = c.string("COMMENT")
		case c.accept("INVISIBLE"), c.accept("IGNORED"):
			x.Invisible = true
		case c.accept("VISIBLE"), c.accept("NOT", "IGNORED"):
			x.Invisible = false
		case c.clustered(x):
		case c.is("GLOBAL"):
			c.needs(globalIndex, c.i)
			c.i++
			x.Options = append(x.Options, schema.Option{Key: "GLOBAL"})
		case c.accept("LOCAL"):
		case c.isAny("ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE", "M", "DISTANCE", "CLUSTERING"),
			c.tok().kind == quoted && c.ahead(1).matches("="):
			key := strings.ToUpper(c.next().text)
			c.accept("=")
			x.Options = append(x.Options, schema.Option{Key: key, Value: c.optionValue(key)})
		default:
			return
		}
	}
}

// clustered reads TiDB's choice of how a primary key is stored.
func (c *cursor) clustered(x *schema.Index) bool {
	at := c.i
	choice := c.acceptAny("CLUSTERED", "NONCLUSTERED")
	if choice == "" {
		return false
	}
	c.needs(clusteredIndex, at)
	x.Options = append(x.Options, schema.Option{Key: choice})
	return true
}

// foreignKey reads what follows FOREIGN KEY.
func (c *cursor) foreignKey(name string) *schema.ForeignKey {
	f := &schema.ForeignKey{Name: name}
	c.ifNotExists()
	if c.isName() {
		f.IndexName = c.name("an index")
	}
	switch {
	case name != "":
		f.IndexName = "" // the index gets the constraint's name
	case c.namesKeyAfterIndex():
		f.Name, f.IndexName = f.IndexName, ""
	}
	f.AutoName = f.Name == ""
	f.Columns = c.names("a column")
	c.references(f)
	if len(f.RefColumns) != len(f.Columns) {
		c.fail("the foreign key has %d columns and refers to %d", len(f.Columns), len(f.RefColumns))
	}
	return f
}

// namesKeyAfterIndex reports whether the name in FOREIGN KEY name (…) becomes
// the constraint's: in MariaDB, and in MySQL before 8.0.16.
func (c *cursor) namesKeyAfterIndex() bool {
	return c.fl.Vendor == schema.MariaDB || c.fl.Vendor == schema.MySQL && !c.fl.AtLeast(8, 0, 16)
}

// references reads REFERENCES and what follows.
func (c *cursor) references(f *schema.ForeignKey) {
	c.expect("REFERENCES")
	f.RefSchema, f.RefTable = c.qualified("a table")
	if c.is("(") {
		f.RefColumns = c.names("a column")
	} else {
		c.needs(bareReference, c.i)
		f.RefColumns = slices.Clone(f.Columns)
	}
	f.OnDelete, f.OnUpdate = "RESTRICT", "RESTRICT"
	for {
		switch {
		case c.accept("MATCH"):
			if c.acceptAny("FULL", "PARTIAL", "SIMPLE") == "" {
				c.fail("MATCH wants FULL, PARTIAL or SIMPLE")
			}
		case c.accept("ON", "DELETE"):
			f.OnDelete = c.referenceAction()
		case c.accept("ON", "UPDATE"):
			f.OnUpdate = c.referenceAction()
		default:
			return
		}
	}
}

func (c *cursor) referenceAction() string {
	switch {
	case c.accept("RESTRICT"):
		return "RESTRICT"
	case c.accept("NO", "ACTION"):
		return "NO ACTION"
	case c.accept("CASCADE"):
		return "CASCADE"
	case c.accept("SET", "NULL"):
		return "SET NULL"
	case c.accept("SET", "DEFAULT"):
		if c.fl.Vendor == schema.MariaDB {
			return "RESTRICT" // which is what InnoDB makes of it there
		}
		return "SET DEFAULT"
	}
	c.fail("RESTRICT, CASCADE, SET NULL, NO ACTION or SET DEFAULT is expected here")
	return ""
}
