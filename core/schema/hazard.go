package schema

import (
	"fmt"
	"slices"
	"strings"
)

// alterHazards are the risks of an ALTER: of values, of keys over rows that are
// there, of code that speaks of what goes. A query is only given where every
// column in it exists before the plan begins, since that is when it is asked.
func (p *planner) alterHazards(from, to *Table, sides []*sideTable) []Hazard {
	var out []Hazard
	for _, s := range sides {
		out = append(out, s.hazards(p.countable(from.Name, s.a.Name))...)
	}
	for _, c := range from.Columns {
		if p.fl.hasInvisibleColumn() && !Hidden(c.Name) && to.Column(c.Name) == nil && hides(c) {
			out = append(out, Hazard{Code: "D2", Text: fmt.Sprintf("Column %s of %s is dropped; its values are kept until the restore point is discarded.", c.Name, from.Name)})
		}
	}
	for _, c := range to.Columns {
		if from.Column(c.Name) == nil && !Hidden(c.Name) && !c.Nullable && c.Default.Kind == NoDefault && c.Generated == nil && !c.AutoInc && !c.RowStart && !c.RowEnd {
			out = append(out, Hazard{Code: "N2", Text: fmt.Sprintf("Column %s of %s has no default: rows that exist get an empty value.", c.Name, from.Name)})
		}
	}
	for _, b := range to.Columns {
		if a := from.Column(b.Name); b.Generated == nil && replaced(a, b) && !Hidden(b.Name) {
			out = append(out, Hazard{Code: "G2", Text: fmt.Sprintf("Column %s of %s is computed no more: in rows that exist its default takes the place of the computed value.", b.Name, from.Name)})
		}
	}
	for _, b := range to.Columns {
		if a := from.Column(b.Name); a != nil && b.SRID != nil && !sameSRID(a.SRID, b.SRID) {
			h := Hazard{Code: "L7", Text: fmt.Sprintf("Rows of %s whose %s has another spatial reference than %d would be refused.", from.Name, b.Name, *b.SRID), Blocks: true}
			if where := fmt.Sprintf(" FROM %s WHERE ST_SRID(%s) <> %d", Quote(from.Name), Quote(a.Name), *b.SRID); p.countable(from.Name, a.Name) {
				h.Count, h.Sample = "SELECT COUNT(*)"+where, "SELECT *"+where+" LIMIT 5"
			} else {
				h = h.unasked()
			}
			out = append(out, h)
		}
	}
	if from.SystemVer && !to.SystemVer {
		out = append(out, Hazard{Code: "D6", Text: fmt.Sprintf("The past versions of the rows of %s are deleted for good.", from.Name)})
	}
	out = append(out, p.indexHazards(from, to, to.allIndexes())...)
	for _, k := range to.Checks {
		if h, ok := p.violated(from, to, k); ok {
			out = append(out, h)
		}
	}
	if from.Engine != to.Engine {
		out = append(out, Hazard{Code: "E1", Text: fmt.Sprintf("The engine of %s changes from %s to %s: transactions, foreign keys and locks behave in another way.", from.Name, from.Engine, to.Engine)})
	}
	return out
}

// indexHazards are the risks of indexes over rows that are there.
func (p *planner) indexHazards(from, to *Table, indexes []*Index) []Hazard {
	var out []Hazard
	for _, x := range indexes {
		if h, ok := p.duplicates(from, to, x); ok {
			out = append(out, h)
		}
	}
	return out
}

// countable reports whether a query over the columns works before the plan.
func (p *planner) countable(table string, columns ...string) bool {
	t := p.before(table)
	return t != nil && !slices.ContainsFunc(columns, func(c string) bool { return t.Column(c) == nil })
}

// duplicates counts the values that a unique index would refuse, be it new or be
// its columns. Columns that change are compared as they will be.
func (p *planner) duplicates(from, to *Table, x *Index) (Hazard, bool) {
	if x.Kind != UniqueIndex && x.Kind != PrimaryIndex {
		return Hazard{}, false
	}
	old := from.Index(x.Name)
	if x.Kind == PrimaryIndex {
		old = from.PrimaryKey
	}
	recollated, changed, known := false, false, true
	var exprs, given, cols []string
	for _, part := range x.Parts {
		a, b := from.Column(part.Column), to.Column(part.Column)
		if a == nil || b == nil {
			return Hazard{}, false
		}
		cols = append(cols, a.Name)
		e := Quote(a.Name)
		if l := lossOf(a, b); l != nil {
			changed = true
			e = l.value(e)
			known = known && e != ""
		}
		given = append(given, e+" IS NOT NULL")
		if a.Collation != b.Collation && b.Charset != "" {
			recollated = true
			e = fmt.Sprintf("CONVERT(%s USING %s) COLLATE %s", e, b.Charset, p.fl.collationName(b.Collation))
		}
		if part.Prefix > 0 {
			e = fmt.Sprintf("LEFT(%s,%d)", e, part.Prefix)
		}
		exprs = append(exprs, e)
	}
	if old != nil && old.Kind != PlainIndex && sameIndexParts(old, x) && !recollated && !changed {
		return Hazard{}, false
	}
	h := Hazard{Code: "U1", Text: fmt.Sprintf("Rows of %s with the same %s would be refused by %s.", from.Name, strings.Join(cols, ", "), indexTitle(x)), Blocks: true}
	if recollated && old != nil {
		h.Code = "L5"
	}
	if !known || !p.countable(from.Name, cols...) {
		return h.unasked(), true
	}
	group := fmt.Sprintf("SELECT %s, COUNT(*) AS n FROM %s WHERE %s GROUP BY %s HAVING COUNT(*)>1", strings.Join(exprs, ", "), Quote(from.Name), strings.Join(given, " AND "), strings.Join(exprs, ", "))
	h.Count = "SELECT COUNT(*) FROM (SELECT 1 AS d FROM " + Quote(from.Name) + " WHERE " + strings.Join(given, " AND ") + " GROUP BY " + strings.Join(exprs, ", ") + " HAVING COUNT(*)>1) AS d"
	h.Sample = group + " LIMIT 5"
	return h, true
}

func indexTitle(x *Index) string {
	if x.Kind == PrimaryIndex {
		return "the primary key"
	}
	return "index " + x.Name
}

// unasked turns a hazard that can't be counted beforehand into a warning.
func (h Hazard) unasked() Hazard {
	h.Count, h.Sample, h.Blocks = "", "", false
	return h
}

// violated counts the rows that a new check would refuse.
func (p *planner) violated(from, to *Table, k *Check) (Hazard, bool) {
	if !k.Enforced && p.fl.Vendor == MySQL {
		return Hazard{}, false
	}
	for _, old := range from.Checks {
		if sameCheck(old, k) && (old.Column == k.Column) {
			return Hazard{}, false
		}
	}
	h := Hazard{Code: "C1", Text: fmt.Sprintf("Rows of %s that break the check %s would be refused.", from.Name, k.Name), Blocks: true}
	var cols []string
	for _, word := range names(k.Expr.Raw) {
		if to.Column(word) != nil {
			cols = append(cols, word)
		}
	}
	if !p.countable(from.Name, cols...) {
		return h.unasked(), true
	}
	where := " FROM " + Quote(from.Name) + " WHERE NOT (" + k.Expr.Raw + ")"
	h.Count, h.Sample = "SELECT COUNT(*)"+where, "SELECT *"+where+" LIMIT 5"
	return h, true
}
