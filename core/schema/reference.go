package schema

import (
	"slices"
	"strings"
)

// checkForeignKeys refuses foreign keys that no server would take (F2): they
// would fail at the end of the plan, after everything else. Those that are on the
// live server in the same form are its own affair.
func (p *planner) checkForeignKeys() {
	for _, t := range p.target.Tables {
		for _, k := range t.ForeignKeys {
			parent := p.wanted(k.RefTable)
			if k.RefSchema != "" || t.Engine != "InnoDB" || parent != nil && parent.Engine != t.Engine || p.standing(t, k) {
				continue
			}
			if parent == nil {
				p.refuse("F2: foreign key %s of %s refers to table %s, which the target does not have", k.Name, t.Name, k.RefTable)
				continue
			}
			p.checkForeignKey(t, parent, k)
		}
	}
}

// standing reports whether the live schema has the same foreign key over the same
// columns.
func (p *planner) standing(t *Table, k *ForeignKey) bool {
	child, parent := p.before(t.Name), p.before(k.RefTable)
	if child == nil || !slices.ContainsFunc(child.ForeignKeys, func(o *ForeignKey) bool { return sameForeignKey(o, k) }) {
		return false
	}
	same := func(a, b *Table, columns []string) bool {
		return (a == nil) == (b == nil) && (a == nil || !slices.ContainsFunc(columns, func(name string) bool {
			x, y := a.Column(name), b.Column(name)
			return x == nil || y == nil || !sameKeyColumn(x, y)
		}))
	}
	return same(child, t, k.Columns) && same(parent, p.wanted(k.RefTable), k.RefColumns)
}

func (p *planner) checkForeignKey(t, parent *Table, k *ForeignKey) {
	title := "F2: foreign key " + k.Name + " of " + t.Name
	if len(k.RefColumns) != len(k.Columns) {
		p.refuse("%s does not refer to as many columns as it has: %d and %d", title, len(k.RefColumns), len(k.Columns))
		return
	}
	for i, name := range k.Columns {
		a, b := t.Column(name), parent.Column(k.RefColumns[i])
		switch {
		case a == nil || b == nil:
			p.refuse("%s: %s.%s or %s.%s is no column of the target", title, t.Name, name, parent.Name, k.RefColumns[i])
			return
		case !a.Nullable && (k.OnDelete == "SET NULL" || k.OnUpdate == "SET NULL"):
			p.refuse("%s has SET NULL, and column %s is NOT NULL", title, name)
		case !referable(a.Type, b.Type):
			p.refuse("%s: column %s of %s is %s and column %s of %s is %s", title, a.Name, t.Name, typeTitle(a), b.Name, parent.Name, typeTitle(b))
		case a.Collation != b.Collation:
			p.refuse("%s: column %s of %s is %s and column %s of %s is %s", title, a.Name, t.Name, a.Collation, b.Name, parent.Name, b.Collation)
		}
	}
	leads := func(x *Index) bool {
		whole := x.Clone() // InnoDB ends each index with the primary key
		if parent.PrimaryKey != nil {
			whole.Parts = append(whole.Parts, parent.PrimaryKey.Parts...)
		}
		return whole.leads(k.RefColumns)
	}
	switch {
	case !slices.ContainsFunc(parent.allIndexes(), leads):
		p.refuse("%s: %s (%s) has no key", title, parent.Name, strings.Join(k.RefColumns, ", "))
	case p.fl.wantsUniqueParents() && !slices.ContainsFunc(parent.allIndexes(), func(x *Index) bool {
		return leads(x) && x.Kind != PlainIndex && len(x.Parts) == len(k.RefColumns)
	}):
		p.plan.Warnings = append(p.plan.Warnings, title+": the key of "+parent.Name+" is not unique; the server takes that only with restrict_fk_on_non_standard_key=OFF.")
	}
}

// referable reports whether a foreign key may lead from a column of one type to
// one of the other: integers of one size and sign, and else types of one family.
func referable(a, b Type) bool {
	switch {
	case a.isInteger() || b.isInteger():
		return a.Base == b.Base && a.Unsigned == b.Unsigned
	case isChars(a) || isBytes(a):
		return isChars(b) == isChars(a) && isBytes(b) == isBytes(a)
	}
	return a.Base == b.Base
}

// typeTitle is a type for people: without a display width.
func typeTitle(c *Column) string {
	if c.Type.isInteger() && c.Type.Unsigned {
		return c.Type.Base + " unsigned"
	}
	return c.Type.Base
}
