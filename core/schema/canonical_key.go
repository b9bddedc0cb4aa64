package schema

import (
	"fmt"
	"slices"
	"strings"
)

var keyRules = []rule[func(*pass, *Table)]{
	{"parts", "SHOW CREATE TABLE: column names as the columns spell them, a prefix of the whole column is none", func(p *pass, t *Table) {
		for _, x := range t.allIndexes() {
			p.parts(t, x)
		}
	}},
	{"long parts", "a plain index over more bytes than the engine takes gets a prefix (note 1071 of a server that is not strict)", func(p *pass, t *Table) {
		for _, x := range t.Indexes {
			p.shorten(t, x)
		}
	}},
	{"attributes", "information_schema.statistics: BTREE is InnoDB's only algorithm", func(p *pass, t *Table) {
		for _, x := range t.allIndexes() {
			p.indexAttributes(t, x)
		}
	}},
	{"primary", "a primary key is always called PRIMARY", func(p *pass, t *Table) {
		if t.PrimaryKey != nil {
			t.PrimaryKey.Name, t.PrimaryKey.Kind, t.PrimaryKey.AutoName = "PRIMARY", PrimaryIndex, false
		}
	}},
	{"index names", "an index without a name has its first column's, then with _2, _3", func(p *pass, t *Table) {
		for _, x := range t.Indexes {
			if x.Name == "" {
				x.Name, x.AutoName = t.freeIndexName(x), true
			}
		}
	}},
	{"foreign keys", "FOREIGN KEY Constraints: NO ACTION and RESTRICT do the same in InnoDB and are the default", func(p *pass, t *Table) {
		for _, k := range t.ForeignKeys {
			k.OnDelete, k.OnUpdate = canonAction(k.OnDelete), canonAction(k.OnUpdate)
			for i, name := range k.Columns {
				if c := t.Column(name); c != nil {
					k.Columns[i] = c.Name
				}
			}
			if k.RefSchema == p.schema.Name {
				k.RefSchema = ""
			}
		}
		if t.Engine != "InnoDB" {
			t.ForeignKeys = nil // other engines read and forget them
		}
	}},
	{"foreign key names and indexes", "a foreign key without a name is <table>_ibfk_<n>; InnoDB makes an index for one that has none with its columns leftmost", func(p *pass, t *Table) {
		for _, k := range t.ForeignKeys {
			nameless := k.Name == ""
			if nameless {
				k.Name = t.freeForeignKeyName()
			}
			k.AutoName = numbered(k.Name, t.Name+"_ibfk_")
			p.implied(t, k, nameless)
		}
	}},
}

// allIndexes returns the primary key, if any, and the indexes.
func (t *Table) allIndexes() []*Index {
	if t.PrimaryKey == nil {
		return t.Indexes
	}
	return append([]*Index{t.PrimaryKey}, t.Indexes...)
}

// has reports whether a column is a part of the index.
func (x *Index) has(column string) bool {
	return slices.ContainsFunc(x.Parts, func(p IndexPart) bool { return p.Column != "" && strings.EqualFold(p.Column, column) })
}

func (p *pass) parts(t *Table, x *Index) {
	for i := range x.Parts {
		part := &x.Parts[i]
		if part.Column == "" {
			part.Expr = canonExpr(part.Expr)
		}
		if !p.fl.hasDescendingIndex() || x.Kind == FulltextIndex || x.Kind == SpatialIndex {
			part.Desc = false
		}
		c := t.Column(part.Column)
		if c == nil {
			continue
		}
		part.Column = c.Name
		if x.Kind == FulltextIndex || x.Kind == SpatialIndex ||
			c.Type.Length > 0 && part.Prefix >= c.Type.Length && (c.Type.Base == "char" || c.Type.Base == "varchar" || c.Type.Base == "binary" || c.Type.Base == "varbinary") {
			part.Prefix = 0
		}
	}
}

// partLimits are the bytes that an engine takes of one column in an index.
var partLimits = map[string]int{"InnoDB": 3072, "MyISAM": 1000, "Aria": 1000, "MEMORY": 3072}

// shorten gives prefixes to the parts that are too long.
func (p *pass) shorten(t *Table, x *Index) {
	limit := partLimits[t.Engine]
	if f := t.option("ROW_FORMAT"); t.Engine == "InnoDB" && (f == "COMPACT" || f == "REDUNDANT") {
		limit = 767
	}
	if x.Kind != PlainIndex || limit == 0 {
		return
	}
	for i := range x.Parts {
		part := &x.Parts[i]
		c := t.Column(part.Column)
		if c == nil || c.Type.Base != "varchar" && c.Type.Base != "char" && c.Type.Base != "varbinary" && c.Type.Base != "binary" {
			continue
		}
		width := 1
		if c.Charset != "" {
			width = widthOf(c.Charset)
		}
		if length := max(part.Prefix, 0); length*width > limit || length == 0 && c.Type.Length*width > limit {
			part.Prefix = limit / width
		}
	}
}

func (p *pass) indexAttributes(t *Table, x *Index) {
	x.Algorithm = strings.ToLower(x.Algorithm)
	usual := "btree"
	if t.Engine == "MEMORY" {
		usual = "hash"
	}
	if x.Algorithm == usual || t.Engine != "MEMORY" || x.Kind == FulltextIndex || x.Kind == SpatialIndex {
		x.Algorithm = ""
	}
	if t.Engine == "InnoDB" {
		x.KeyBlock = 0 // it takes the table's (CREATE TABLE reference)
	}
	x.Invisible = x.Invisible && p.fl.hasInvisibleIndex()
	if len(x.Options) == 0 {
		x.Options = nil
	}
}

// freeIndexName makes up a name as the server does.
func (t *Table) freeIndexName(x *Index) string {
	base := "functional_index"
	if len(x.Parts) > 0 && x.Parts[0].Column != "" {
		base = x.Parts[0].Column
	}
	name := base
	for n := 2; t.Index(name) != nil || strings.EqualFold(name, "PRIMARY"); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}

// freeForeignKeyName counts on from the highest number, as the server does.
func (t *Table) freeForeignKeyName() string {
	highest := 0
	prefix := t.Name + "_ibfk_"
	for _, k := range t.ForeignKeys {
		if numbered(k.Name, prefix) {
			n := 0
			fmt.Sscanf(k.Name[len(prefix):], "%d", &n)
			highest = max(highest, n)
		}
	}
	return fmt.Sprint(prefix, highest+1)
}

// canonAction keeps NO ACTION, which InnoDB treats as RESTRICT, so that what is
// added reads as it was written; they are compared as one.
func canonAction(a string) string {
	a = strings.Join(strings.Fields(strings.ToUpper(a)), " ")
	if a == "" {
		return "RESTRICT"
	}
	return a
}

func sameAction(a, b string) bool {
	restrict := func(s string) bool { return s == "RESTRICT" || s == "NO ACTION" }
	return a == b || restrict(a) && restrict(b)
}

// implied adds the index that the server makes for a foreign key. It has the
// key's name, or that of an index without a name if the key had none.
func (p *pass) implied(t *Table, k *ForeignKey, nameless bool) {
	if len(k.Columns) == 0 || p.fl.Vendor == TiDB {
		return
	}
	for _, x := range t.allIndexes() {
		if x.leads(k.Columns) {
			return
		}
	}
	x := &Index{ForeignKey: true}
	for _, c := range k.Columns {
		x.Parts = append(x.Parts, IndexPart{Column: c})
	}
	switch {
	case k.IndexName != "" && t.Index(k.IndexName) == nil:
		x.Name = k.IndexName
	case !nameless && t.Index(k.Name) == nil:
		x.Name = k.Name
	default:
		x.Name, x.AutoName = t.freeIndexName(x), true
	}
	t.Indexes = append(t.Indexes, x)
}

// leads reports whether the index begins with the columns, whole and in order,
// and can so serve a foreign key.
func (x *Index) leads(columns []string) bool {
	if x.Kind == FulltextIndex || x.Kind == SpatialIndex || x.Kind == VectorIndex || len(x.Parts) < len(columns) {
		return false
	}
	for i := range columns {
		p := x.Parts[i]
		if p.Prefix > 0 || !strings.EqualFold(p.Column, columns[i]) {
			return false
		}
	}
	return true
}

// references spells what foreign keys refer to as the referenced table does.
func (p *pass) references(t *Table, tables map[string]*Table) {
	for _, k := range t.ForeignKeys {
		if k.RefSchema != "" {
			continue
		}
		ref := tables[k.RefTable]
		if ref == nil {
			continue
		}
		if len(k.RefColumns) == 0 && ref.PrimaryKey != nil {
			for _, part := range ref.PrimaryKey.Parts {
				k.RefColumns = append(k.RefColumns, part.Column)
			}
		}
		for i, name := range k.RefColumns {
			if c := ref.Column(name); c != nil {
				k.RefColumns[i] = c.Name
			}
		}
	}
}
