package schema

import "slices"

// oneByOne returns the forms that a table takes if each ALTER makes a single
// change, as TiDB wants it: it refuses several changes that touch the same
// column or index (8200) and knows no position behind a column of the same
// statement. The last form is to itself.
func oneByOne(from, to *Table) []*Table {
	var out []*Table
	cur := from.Clone()
	next := func(change func(t *Table)) {
		n := cur.Clone()
		change(n)
		cur = n
		out = append(out, n)
	}
	for _, k := range from.tableChecks() {
		if !slices.ContainsFunc(to.tableChecks(), func(o *Check) bool { return o.Name == k.Name && sameCheck(o, k) }) {
			next(func(t *Table) {
				t.Checks = slices.DeleteFunc(t.Checks, func(o *Check) bool { return o.Name == k.Name })
			})
		}
	}
	for _, x := range from.Indexes {
		if o := to.Index(x.Name); o == nil || !sameIndex(o, x) {
			next(func(t *Table) {
				t.Indexes = slices.DeleteFunc(t.Indexes, func(o *Index) bool { return o.Name == x.Name })
			})
		}
	}
	for i, c := range to.Columns {
		old := from.Column(c.Name)
		switch {
		case old == nil:
			next(func(t *Table) {
				t.Columns = slices.Insert(t.Columns, t.placeAfter(to.Columns[:i]), c.Clone())
			})
		case !sameColumn(old, c, from, to):
			next(func(t *Table) {
				t.Columns[slices.IndexFunc(t.Columns, func(o *Column) bool { return o.Name == old.Name })] = c.Clone()
			})
		}
	}
	for _, c := range from.Columns {
		if to.Column(c.Name) == nil && !Hidden(c.Name) {
			next(func(t *Table) {
				t.Columns = slices.DeleteFunc(t.Columns, func(o *Column) bool { return o.Name == c.Name })
			})
		}
	}
	for _, x := range to.Indexes {
		if o := from.Index(x.Name); o == nil || !sameIndex(o, x) {
			next(func(t *Table) { t.Indexes = append(t.Indexes, x.Clone()) })
		}
	}
	for _, k := range to.tableChecks() {
		if !slices.ContainsFunc(from.tableChecks(), func(o *Check) bool { return o.Name == k.Name && sameCheck(o, k) }) {
			next(func(t *Table) { t.Checks = append(t.Checks, shallow(k)) })
		}
	}
	return append(out, to)
}
