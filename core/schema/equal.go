package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Equal compares two canonical schemas of one flavor and returns what differs,
// a sentence each, a first. Names that servers make up, the order of indexes
// and of objects, and everything of the quarantine do not count; the order of
// columns does.
func Equal(a, b *Schema) (bool, []string) {
	e := &comparison{}
	for _, p := range matchTables(a.Tables, b.Tables) {
		switch {
		case p.a == nil && !Hidden(p.b.Name):
			e.add("table %s is missing on the first side", p.b.Name)
		case p.b == nil && p.a != nil && !Hidden(p.a.Name):
			e.add("table %s is missing on the second side", p.a.Name)
		case p.a != nil && p.b != nil:
			e.table(p.a.Name, p.a, p.b)
		}
	}
	compareAll(e, "view", match(a.Views, b.Views, viewID), viewID, sameView)
	compareAll(e, "routine", match(a.Routines, b.Routines, routineID), routineID, sameRoutine)
	compareAll(e, "trigger", match(a.Triggers, b.Triggers, triggerID), triggerID, sameTrigger)
	compareAll(e, "event", match(a.Events, b.Events, eventID), eventID, sameEvent)
	compareAll(e, "sequence", match(a.Sequences, b.Sequences, sequenceID), sequenceID, sameSequence)
	return len(e.found) == 0, e.found
}

type comparison struct{ found []string }

func (e *comparison) add(format string, args ...any) {
	e.found = append(e.found, fmt.Sprintf(format, args...))
}

func compareAll[T any](e *comparison, kind string, pairs []pair[T], id identity[T], same func(a, b *T) bool) {
	for _, p := range pairs {
		switch {
		case p.a == nil && !Hidden(id.name(p.b)):
			e.add("%s %s is missing on the first side", kind, id.name(p.b))
		case p.b == nil && p.a != nil && !Hidden(id.name(p.a)):
			e.add("%s %s is missing on the second side", kind, id.name(p.a))
		case p.a != nil && p.b != nil && !same(p.a, p.b):
			e.add("%s %s differs", kind, id.name(p.a))
		}
	}
}

func (e *comparison) table(name string, a, b *Table) {
	for _, p := range match(a.Columns, b.Columns, columnID) {
		switch {
		case p.a == nil && !Hidden(p.b.Name):
			e.add("table %s: column %s is missing on the first side", name, p.b.Name)
		case p.b == nil && p.a != nil && !Hidden(p.a.Name):
			e.add("table %s: column %s is missing on the second side", name, p.a.Name)
		case p.a != nil && p.b != nil:
			if d := columnDifferences(p.a, p.b, a, b); len(d) > 0 {
				e.add("table %s: column %s differs in %s: %s / %s", name, p.a.Name, strings.Join(d, ", "),
					p.a.define(a, Flavor{}, true), p.b.define(b, Flavor{}, true))
			} else if p.a.Name != p.b.Name {
				e.add("table %s: column %s is spelled %s", name, p.a.Name, p.b.Name)
			}
		}
	}
	if x, y := visibleNames(a), visibleNames(b); len(x) == len(y) && !slices.EqualFunc(x, y, strings.EqualFold) {
		e.add("table %s: columns are in another order: %s / %s", name, strings.Join(x, ", "), strings.Join(y, ", "))
	}
	switch {
	case (a.PrimaryKey == nil) != (b.PrimaryKey == nil), a.PrimaryKey != nil && !sameIndex(a.PrimaryKey, b.PrimaryKey):
		e.add("table %s: the primary key differs", name)
	}
	in := "table " + name + ": "
	compareAll(e, in+"index", match(a.Indexes, b.Indexes, indexID), indexID, sameIndex)
	compareAll(e, in+"foreign key", match(a.ForeignKeys, b.ForeignKeys, foreignKeyID), foreignKeyID, sameForeignKey)
	compareAll(e, in+"check", match(a.tableChecks(), b.tableChecks(), checkID), checkID, sameCheck)
	if !samePartition(a.Partition, b.Partition) {
		e.add("table %s: the partitions differ", name)
	}
	for _, d := range tableDifferences(a, b) {
		e.add("table %s: %s differs: %s / %s", name, d.name, d.a, d.b)
	}
}

func visibleNames(t *Table) []string {
	var out []string
	for _, c := range t.Columns {
		if !Hidden(c.Name) {
			out = append(out, c.Name)
		}
	}
	return out
}

type difference struct{ name, a, b string }

// tableDifferences compares what is neither column, key nor partition.
func tableDifferences(a, b *Table) []difference {
	var out []difference
	add := func(name, x, y string) {
		if x != y {
			out = append(out, difference{name, x, y})
		}
	}
	add("engine", a.Engine, b.Engine)
	add("character set", a.Charset+" "+a.Collation, b.Charset+" "+b.Collation)
	add("comment", a.Comment, b.Comment)
	add("system versioning", fmt.Sprint(a.SystemVer), fmt.Sprint(b.SystemVer))
	add("period", fmt.Sprint(a.Periods), fmt.Sprint(b.Periods))
	for _, key := range optionKeys(a, b) {
		add("option "+key, a.option(key), b.option(key))
	}
	return out
}

func (t *Table) option(key string) string {
	for _, o := range t.Options {
		if o.Key == key {
			return o.Value
		}
	}
	return ""
}

func optionKeys(a, b *Table) []string {
	var keys []string
	for _, t := range []*Table{a, b} {
		for _, o := range t.Options {
			if !slices.Contains(keys, o.Key) {
				keys = append(keys, o.Key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}
