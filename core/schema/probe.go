package schema

import (
	"fmt"
	"strings"
)

// A condition is a piece of SQL that is 1 or 0 in the site's database. "" means
// that the servers' catalogues can't tell.
type condition = string

func exists(table, where string) condition {
	return "EXISTS(SELECT 1 FROM information_schema." + table + " WHERE " + where + ")"
}

func not(c condition) condition {
	if c == "" {
		return ""
	}
	return "NOT " + c
}

// probeOf makes the query of a statement from what is so afterwards and was not
// before.
func probeOf(c condition) string {
	if c == "" {
		return ""
	}
	return "SELECT " + c
}

func tableWhere(name string) string {
	return "table_schema=DATABASE() AND table_name=" + QuoteText(name)
}

func tableExists(name string) condition { return exists("tables", tableWhere(name)) }

func columnWhere(table, column string) string {
	return tableWhere(table) + " AND BINARY column_name=" + QuoteText(column)
}

func columnExists(table, column string) condition {
	return exists("columns", columnWhere(table, column))
}

// columnFacts are what the catalogue knows of a column, as conditions in a
// fixed order. Two columns that differ in a fact can be told apart by it.
func columnFacts(c *Column, fl Flavor) []condition {
	data := c.Type.Base
	if data == "json" && !fl.keepsJSON() {
		data = "longtext"
	}
	if data == "geometrycollection" && fl.is(MySQL, 8) {
		data = "geomcollection"
	}
	facts := []condition{"data_type=" + QuoteText(data), lengthFact(c.Type), ""}
	if len(c.Type.Values) > 0 {
		facts[1] = valuesFact(c.Type)
	}
	if c.Type.isNumeric() {
		facts[2] = like("column_type", "unsigned", c.Type.Unsigned)
	}
	yes := "NO"
	if c.Nullable {
		yes = "YES"
	}
	facts = append(facts, "is_nullable="+QuoteText(yes))
	facts = append(facts, collationFact(c))
	facts = append(facts, like("extra", "STORED", c.Generated != nil && c.Generated.Stored), like("extra", "VIRTUAL", c.Generated != nil && !c.Generated.Stored))
	facts = append(facts, like("extra", "auto_increment", c.AutoInc), like("extra", "on update", c.OnUpdateNow >= 0), like("extra", "INVISIBLE", c.Invisible))
	facts = append(facts, defaultFact(c, fl), "BINARY column_comment="+QuoteText(c.Comment))
	return facts
}

func like(field, word string, yes bool) condition {
	op := " LIKE "
	if !yes {
		op = " NOT LIKE "
	}
	return field + op + QuoteText("%"+word+"%")
}

func lengthFact(t Type) condition {
	switch {
	case t.Base == "decimal":
		return fmt.Sprintf("(numeric_precision=%d AND numeric_scale=%d)", t.Length, t.Scale)
	case t.Base == "bit":
		return fmt.Sprintf("numeric_precision=%d", t.Length)
	case t.Base == "char" || t.Base == "varchar" || t.Base == "binary" || t.Base == "varbinary":
		return fmt.Sprintf("character_maximum_length=%d", t.Length)
	case temporal[t.Base]:
		return fmt.Sprintf("datetime_precision=%d", max(t.Length, 0))
	case t.Base == "tinyint":
		if t.Length == 1 {
			return "column_type LIKE 'tinyint(1)%'"
		}
		return "column_type NOT LIKE 'tinyint(1)%'"
	}
	return ""
}

// valuesFact compares the printed list of members, unless a member has bytes
// that the servers print in different ways.
func valuesFact(t Type) condition {
	quoted := make([]string, len(t.Values))
	for i, v := range t.Values {
		if strings.ContainsAny(v, "\\\"\x00\n\r\x1a") {
			return ""
		}
		quoted[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return "BINARY column_type=" + QuoteText(t.Base+"("+strings.Join(quoted, ",")+")")
}

func collationFact(c *Column) condition {
	if c.Charset == "" {
		return "collation_name IS NULL"
	}
	if rest, ok := strings.CutPrefix(c.Collation, "utf8mb3_"); ok {
		return fmt.Sprintf("collation_name IN (%s,%s)", QuoteText("utf8_"+rest), QuoteText(c.Collation))
	}
	return "collation_name=" + QuoteText(c.Collation)
}

func defaultFact(c *Column, fl Flavor) condition {
	d := c.Default
	maria := fl.Vendor == MariaDB
	switch d.Kind {
	case NoDefault:
		return "column_default IS NULL"
	case NullDefault:
		if maria {
			return "column_default='NULL'"
		}
		return "column_default IS NULL"
	case NowDefault:
		return "column_default LIKE 'current_timestamp%'"
	case LiteralDefault:
		if strings.ContainsAny(d.Text, "\\'\"\x00\n\r\x1a") || c.Type.isLarge() {
			return ""
		}
		if maria && !d.Numeric {
			return "BINARY column_default=" + QuoteText("'"+d.Text+"'")
		}
		return "BINARY column_default=" + QuoteText(d.Text)
	}
	return ""
}

// columnChanged is true when column b stands where a stood and the catalogue
// can see it.
func columnChanged(table string, a, b *Column, fl Flavor) condition {
	if a.Name != b.Name {
		return columnExists(table, b.Name)
	}
	before, after := columnFacts(a, fl), columnFacts(b, fl)
	for i := range after {
		if before[i] != after[i] && before[i] != "" && after[i] != "" {
			return exists("columns", columnWhere(table, b.Name)+" AND "+after[i])
		}
	}
	return ""
}

// columnFollows is true when a column comes after another one, or first, with
// nothing between them but what is hidden.
func columnFollows(table, column, after string) condition {
	visible := tableWhere(table) + " AND column_name NOT LIKE '" + strings.ReplaceAll(HiddenPrefix, "_", `\\_`) + "%'"
	position := func(name string) string {
		return "(SELECT ordinal_position FROM information_schema.columns WHERE " + columnWhere(table, name) + ")"
	}
	from := "0"
	if after != "" {
		from = position(after)
	}
	return fmt.Sprintf("(%s>%s AND NOT EXISTS(SELECT 1 FROM information_schema.columns WHERE %s AND ordinal_position>%s AND ordinal_position<%s))",
		position(column), from, visible, from, position(column))
}

func indexWhere(table, index string) string {
	return tableWhere(table) + " AND index_name=" + QuoteText(index)
}

func indexExists(table, index string) condition {
	return exists("statistics", indexWhere(table, index))
}

// indexFacts are what the catalogue knows of an index.
func indexFacts(table string, x *Index, fl Flavor) []condition {
	unique := 1
	if x.Kind == UniqueIndex || x.Kind == PrimaryIndex {
		unique = 0
	}
	kind := map[IndexKind]string{FulltextIndex: "='FULLTEXT'", SpatialIndex: "='SPATIAL'"}[x.Kind]
	if kind == "" {
		kind = " NOT IN ('FULLTEXT','SPATIAL')"
	}
	var parts []string
	for _, p := range x.Parts {
		s := p.Column
		if p.Column == "" {
			parts = nil
			break
		}
		if p.Prefix > 0 {
			s += fmt.Sprintf("(%d)", p.Prefix)
		}
		if p.Desc {
			s += " D"
		}
		parts = append(parts, s)
	}
	columns := ""
	if parts != nil && x.Kind != SpatialIndex {
		columns = "(SELECT GROUP_CONCAT(CONCAT(column_name,IFNULL(CONCAT('(',sub_part,')'),''),IF(collation='D',' D','')) ORDER BY seq_in_index SEPARATOR ',') FROM information_schema.statistics WHERE " +
			indexWhere(table, x.Name) + ")=" + QuoteText(strings.Join(parts, ","))
	}
	where := func(c string) condition { return exists("statistics", indexWhere(table, x.Name)+" AND "+c) }
	visible := ""
	if fl.hasInvisibleIndex() {
		visible = map[bool]string{true: "is_visible='NO'", false: "is_visible='YES'"}[x.Invisible]
		if fl.Vendor == MariaDB {
			visible = map[bool]string{true: "ignored='YES'", false: "ignored='NO'"}[x.Invisible]
		}
		visible = where(visible)
	}
	return []condition{where(fmt.Sprint("non_unique=", unique)), where("index_type" + kind), columns, where("BINARY index_comment=" + QuoteText(x.Comment)), visible}
}

func indexChanged(table string, a, b *Index, fl Flavor) condition {
	before, after := indexFacts(table, a, fl), indexFacts(table, b, fl)
	for i := range after {
		if before[i] != after[i] && before[i] != "" && after[i] != "" {
			return after[i]
		}
	}
	return ""
}

func foreignKeyExists(table, name string) condition {
	return exists("referential_constraints", "constraint_schema=DATABASE() AND table_name="+QuoteText(table)+" AND constraint_name="+QuoteText(name))
}

func checkExists(table, name string, fl Flavor) condition {
	if fl.Vendor == MariaDB {
		return exists("check_constraints", "constraint_schema=DATABASE() AND table_name="+QuoteText(table)+" AND constraint_name="+QuoteText(name))
	}
	return exists("table_constraints", "constraint_type='CHECK' AND "+tableWhere(table)+" AND constraint_name="+QuoteText(name))
}
