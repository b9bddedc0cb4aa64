package parse

import (
	"fmt"
	"slices"
	"strings"

	"moult/core/schema"
)

// dropPart applies DROP.
func (a *alteration) dropPart() {
	t, at := a.table, a.i
	missing := func(kind, name string, gone, exists bool) {
		if !gone && !exists {
			a.failAt(at, "table %s has no %s %s", t.Name, kind, name)
		}
	}
	switch {
	case a.accept("PRIMARY", "KEY"):
		t.PrimaryKey = nil
	case a.accept("FOREIGN", "KEY"):
		exists := a.accept("IF", "EXISTS")
		name := a.name("a foreign key")
		missing("foreign key", name, dropConstraint(t, name, true, false), exists)
	case a.is("INDEX"), a.is("KEY"):
		a.i++
		exists := a.accept("IF", "EXISTS")
		name := a.name("an index")
		missing("index", name, dropIndex(t, name), exists)
	case a.is("CONSTRAINT"), a.is("CHECK"):
		check := a.next().upper == "CHECK"
		exists := a.accept("IF", "EXISTS")
		name := a.name("a constraint")
		gone := dropConstraint(t, name, !check, true)
		if !gone && !check {
			gone = dropIndex(t, name)
		}
		missing("constraint", name, gone, exists)
	case a.accept("SYSTEM", "VERSIONING"):
		t.SystemVer = false
	case a.accept("PERIOD", "FOR"):
		name := a.name("a period")
		t.Periods = slices.DeleteFunc(t.Periods, func(p schema.Period) bool { return strings.EqualFold(p.Name, name) })
	case a.accept("PARTITION"):
		a.dropPartitions()
	default:
		a.accept("COLUMN")
		exists := a.accept("IF", "EXISTS")
		name := a.name("a column")
		a.acceptAny("RESTRICT", "CASCADE")
		missing("column", name, dropColumn(t, name), exists)
	}
}

func (a *alteration) dropPartitions() {
	a.accept("IF", "EXISTS")
	for {
		name := a.name("a partition")
		if a.table.Partition != nil {
			a.table.Partition.Parts = slices.DeleteFunc(a.table.Partition.Parts, func(p schema.Partition) bool { return strings.EqualFold(p.Name, name) })
		}
		if !a.is(",") || a.ahead(2).kind != end && !a.ahead(2).matches(",") {
			return
		}
		a.i++
	}
}

// dropConstraint removes the foreign key or check of that name.
func dropConstraint(t *schema.Table, name string, keys, checks bool) bool {
	before := len(t.ForeignKeys) + len(t.Checks)
	if keys {
		n := 0
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(f *schema.ForeignKey) bool {
			known := f.Name
			if known == "" {
				n++
				known = fmt.Sprintf("%s_ibfk_%d", t.Name, n)
			}
			return strings.EqualFold(known, name)
		})
	}
	if checks {
		t.Checks = slices.DeleteFunc(t.Checks, func(k *schema.Check) bool { return strings.EqualFold(k.Name, name) })
	}
	return len(t.ForeignKeys)+len(t.Checks) < before
}

// dropColumn removes a column, and with it its part of every index, as both
// servers do.
func dropColumn(t *schema.Table, name string) bool {
	i := columnIndex(t, name)
	if i < 0 {
		return false
	}
	t.Columns = slices.Delete(t.Columns, i, i+1)
	isPart := func(p schema.IndexPart) bool { return strings.EqualFold(p.Column, name) }
	for _, x := range t.Indexes {
		x.Parts = slices.DeleteFunc(x.Parts, isPart)
	}
	t.Indexes = slices.DeleteFunc(t.Indexes, func(x *schema.Index) bool { return len(x.Parts) == 0 })
	if t.PrimaryKey != nil {
		t.PrimaryKey.Parts = slices.DeleteFunc(t.PrimaryKey.Parts, isPart)
		if len(t.PrimaryKey.Parts) == 0 {
			t.PrimaryKey = nil
		}
	}
	t.Checks = slices.DeleteFunc(t.Checks, func(k *schema.Check) bool { return strings.EqualFold(k.Column, name) })
	return true
}
