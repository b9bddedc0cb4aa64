package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Merged is the outcome of a three-way merge.
type Merged struct {
	// Target is what the live schema is to become: the live one, with the
	// changes that the product made between base and target.
	Target *Schema
	// Kept are objects that only the live schema has, Drift what differs from
	// the installed release where the new one changes nothing, Conflicts what
	// both sides changed. Each says what is done about it.
	Kept, Drift, Conflicts []Left
}

// Merge finds what the live schema should become, given the installed release's
// schema (base) and the new one's (target). Only what the product itself changed
// is changed. A nil base stands for "the live schema is the installed one": the
// target is then reached exactly, and what it lacks is set aside.
func Merge(base, live, target *Schema, fl Flavor) *Merged {
	target = adopt(target, live)
	m := &merger{fl: fl, out: &Merged{}}
	l, t := Canonical(live, fl), Canonical(target, fl)
	if base == nil {
		m.out.Target = t
		return m.out
	}
	b := Canonical(adopt(base, live), fl)
	s := &Schema{Name: l.Name, Charset: l.Charset, Collation: l.Collation}
	m.out.Target = s
	s.Tables = m.tables(b, l, t)
	s.Views = mergeList(m, "view ", b.Views, l.Views, t.Views, viewID, sameView)
	s.Routines = mergeList(m, "", b.Routines, l.Routines, t.Routines, routineID, sameRoutine)
	s.Triggers = mergeList(m, "trigger ", b.Triggers, l.Triggers, t.Triggers, triggerID, sameTrigger)
	s.Events = mergeList(m, "event ", b.Events, l.Events, t.Events, eventID, sameEvent)
	s.Sequences = mergeList(m, "sequence ", b.Sequences, l.Sequences, t.Sequences, sequenceID, sameSequence)
	m.prune(l)
	return m.out
}

// Plan returns the plan from the live schema to the merged one, with the merge's
// findings in it.
func (m *Merged) Plan(live *Schema, o Options) (*Plan, error) {
	p, err := NewPlan(live, m.Target, o)
	if err != nil {
		return nil, err
	}
	p.Kept, p.Drift, p.Conflicts = m.Kept, m.Drift, m.Conflicts
	return p, nil
}

type merger struct {
	fl  Flavor
	out *Merged
}

func (m *merger) kept(object, reason string) {
	m.out.Kept = append(m.out.Kept, Left{object, reason})
}

func (m *merger) drift(object, reason string) {
	m.out.Drift = append(m.out.Drift, Left{object, reason})
}

func (m *merger) conflict(object, reason string) {
	m.out.Conflicts = append(m.out.Conflicts, Left{object, reason})
}

const (
	reasonOwn      = "was added on this site"
	reasonMissing  = "was removed on this site; the update does not bring it back"
	reasonDiffers  = "was changed on this site, and the update does not change it"
	reasonBoth     = "was changed on this site and by the update; the update's form is used"
	reasonWider    = "was changed on this site and by the update; the wider form is used"
	reasonRemoved  = "was changed on this site and is removed by the update"
	reasonRestored = "was removed on this site and changed by the update; it comes back"
)

// verdict is the outcome for one object that exists in some of the three.
type verdict int

const (
	useNone verdict = iota
	useLive
	useTarget
)

// decide applies the rules to the presence and sameness of an object and notes
// what the admin should know.
func (m *merger) decide(object string, inBase, inLive, inTarget, liveIsBase, targetIsBase, liveIsTarget bool) verdict {
	switch {
	case inLive && inTarget && liveIsTarget:
		return useLive
	case inBase && inLive && inTarget && targetIsBase:
		m.drift(object, reasonDiffers)
		return useLive
	case inBase && inLive && inTarget && liveIsBase:
		return useTarget
	case inLive && inTarget:
		m.conflict(object, reasonBoth)
		return useTarget
	case inBase && inLive:
		if !liveIsBase {
			m.conflict(object, reasonRemoved)
		}
		return useNone
	case inBase && inTarget && targetIsBase:
		m.drift(object, reasonMissing)
		return useNone
	case inBase && inTarget:
		m.conflict(object, reasonRestored)
		return useTarget
	case inLive:
		m.kept(object, reasonOwn)
		return useLive
	case inTarget:
		return useTarget
	}
	return useNone
}

// triple is one object in the three schemas.
type triple[T any] struct{ b, l, t *T }

// triples matches three lists: the live ones in their order, then what the
// target adds, then what only the base or base and target have.
func triples[T any](b, l, t []*T, id identity[T]) []triple[T] {
	liveToBase, liveToTarget, baseToTarget := partners(match(l, b, id)), partners(match(l, t, id)), partners(match(b, t, id))
	var out []triple[T]
	used := map[*T]bool{}
	for _, x := range l {
		tr := triple[T]{l: x, b: liveToBase[x], t: liveToTarget[x]}
		if tr.t == nil && tr.b != nil {
			tr.t = baseToTarget[tr.b]
		}
		if tr.t != nil && used[tr.t] {
			tr.t = nil
		}
		used[tr.b], used[tr.t] = true, true
		out = append(out, tr)
	}
	for _, x := range t {
		if used[x] {
			continue
		}
		tr := triple[T]{t: x}
		for _, y := range b {
			if baseToTarget[y] == x && !used[y] {
				tr.b = y
				used[y] = true
			}
		}
		out = append(out, tr)
	}
	return out
}

func partners[T any](pairs []pair[T]) map[*T]*T {
	out := make(map[*T]*T, len(pairs))
	for _, p := range pairs {
		if p.a != nil && p.b != nil {
			out[p.a] = p.b
		}
	}
	return out
}

// mergeList merges objects that have no parts.
func mergeList[T any](m *merger, prefix string, b, l, t []*T, id identity[T], same func(x, y *T) bool) []*T {
	var out []*T
	for _, tr := range triples(b, l, t, id) {
		some := tr.l
		if some == nil {
			some = tr.t
		}
		v := m.decide(prefix+id.name(some), tr.b != nil, tr.l != nil, tr.t != nil,
			tr.b != nil && tr.l != nil && same(tr.l, tr.b), tr.b != nil && tr.t != nil && same(tr.t, tr.b), tr.l != nil && tr.t != nil && same(tr.l, tr.t))
		switch v {
		case useLive:
			out = append(out, tr.l)
		case useTarget:
			out = append(out, tr.t)
		}
	}
	return out
}

func (m *merger) tables(b, l, t *Schema) []*Table {
	var out []*Table
	done := map[string]bool{}
	bases, lives, targets := tablesByName(b), tablesByName(l), tablesByName(t)
	for _, live := range l.Tables {
		base, target := bases[live.Name], targets[live.Name]
		if target == nil && base != nil {
			for _, n := range t.Tables {
				if n.RenamedFrom == live.Name && lives[n.Name] == nil {
					target = n
				}
			}
		}
		if target != nil {
			done[target.Name] = true
		}
		switch {
		case target == nil && base == nil:
			m.kept("table "+live.Name, reasonOwn)
			out = append(out, live)
		case target == nil:
			if !sameTable(base, live) {
				m.conflict("table "+live.Name, reasonRemoved)
			}
		default:
			out = append(out, m.table(base, live, target))
		}
	}
	for _, target := range t.Tables {
		if done[target.Name] {
			continue
		}
		base := bases[target.Name]
		if base == nil && target.RenamedFrom != "" {
			base = bases[target.RenamedFrom]
		}
		switch {
		case base == nil:
			out = append(out, target)
		case sameTable(base, target):
			m.drift("table "+target.Name, reasonMissing)
		default:
			m.conflict("table "+target.Name, reasonRestored)
			out = append(out, target)
		}
	}
	return out
}

// sameTable compares two tables whole.
func sameTable(a, b *Table) bool {
	e := &comparison{}
	e.table(a.Name, a, b)
	return len(e.found) == 0
}

// table merges one table. Without a base everything that both sides have and
// that differs is a conflict.
func (m *merger) table(base, live, target *Table) *Table {
	known := base != nil
	if !known {
		base = &Table{Name: live.Name}
	}
	n := live.Clone()
	n.Name, n.RenamedFrom, n.Pos, n.Raw = target.Name, target.RenamedFrom, target.Pos, ""
	in := "table " + live.Name
	n.Columns, n.Checks = m.columns(base, live, target)
	n.PrimaryKey = first(mergeList(m, in+", index ", list(base.PrimaryKey), list(live.PrimaryKey), list(target.PrimaryKey), indexID, sameIndex))
	n.Indexes = mergeList(m, in+", index ", base.Indexes, live.Indexes, target.Indexes, indexID, sameIndex)
	n.ForeignKeys = mergeList(m, in+", foreign key ", base.ForeignKeys, live.ForeignKeys, target.ForeignKeys, foreignKeyID, sameForeignKey)
	n.Checks = append(n.Checks, mergeList(m, in+", check ", base.tableChecks(), live.tableChecks(), target.tableChecks(), checkID, sameCheck)...)
	if m.value(in+", engine", known, base.Engine, live.Engine, target.Engine) {
		n.Engine = target.Engine
	}
	if m.value(in+", character set", known, base.Charset+base.Collation, live.Charset+live.Collation, target.Charset+target.Collation) {
		n.Charset, n.Collation = target.Charset, target.Collation
	}
	if m.value(in+", comment", known, base.Comment, live.Comment, target.Comment) {
		n.Comment = target.Comment
	}
	if m.value(in+", system versioning", known, fmt.Sprint(base.SystemVer, base.Periods), fmt.Sprint(live.SystemVer, live.Periods), fmt.Sprint(target.SystemVer, target.Periods)) {
		n.SystemVer, n.Periods = target.SystemVer, target.Periods
	}
	n.Partition = first(mergeList(m, in+", ", list(base.Partition), list(live.Partition), list(target.Partition), partitionID, samePartition))
	n.Options = nil
	keys := append(optionKeys(live, target), optionKeys(base, base)...)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		v := live.option(key)
		if m.value(in+", option "+key, known, base.option(key), v, target.option(key)) {
			v = target.option(key)
		}
		if v != "" {
			n.Options = append(n.Options, Option{key, v})
		}
	}
	return n
}

var partitionID = identity[Partitioning]{name: func(*Partitioning) string { return "partitions" }}

func list[T any](v *T) []*T {
	if v == nil {
		return nil
	}
	return []*T{v}
}

func first[T any](l []*T) *T {
	if len(l) == 0 {
		return nil
	}
	return l[0]
}

// value merges a value that every table has and reports whether the target's is
// to be used.
func (m *merger) value(object string, known bool, b, l, t string) bool {
	switch {
	case l == t:
		return false
	case known && t == b:
		m.drift(object, reasonDiffers)
		return false
	case !known || l != b:
		m.conflict(object, reasonBoth)
	}
	return true
}

// columns merges columns and the checks that stand in them.
func (m *merger) columns(base, live, target *Table) ([]*Column, []*Check) {
	var out []*Column
	var checks []*Check
	take := func(c *Column, t *Table) {
		out = append(out, c)
		if k := t.inlineCheck(c.Name); k != nil {
			checks = append(checks, k)
		}
	}
	done := map[string]bool{}
	for _, l := range live.Columns {
		b, t := base.Column(l.Name), target.Column(l.Name)
		if t == nil {
			for _, c := range target.Columns {
				if strings.EqualFold(c.RenamedFrom, l.Name) && live.Column(c.Name) == nil {
					t = c
				}
			}
		}
		if t != nil {
			done[t.Name] = true
		}
		object := fmt.Sprintf("table %s, column %s", live.Name, l.Name)
		liveIsTarget := t != nil && sameColumn(l, t, live, target)
		if t != nil && !liveIsTarget && (b == nil || !sameColumn(l, b, live, base) && !sameColumn(t, b, target, base)) && fits(t.Type, l.Type) && !sameType(t.Type, l.Type) {
			m.conflict(object, reasonWider)
			c := t.Clone()
			c.Type = l.Type
			take(c, target)
			continue
		}
		switch m.decide(object, b != nil, true, t != nil, b != nil && sameColumn(l, b, live, base), b != nil && t != nil && sameColumn(t, b, target, base), liveIsTarget) {
		case useLive:
			c := l
			if t != nil {
				c = l.Clone()
				c.Name, c.RenamedFrom = t.Name, t.RenamedFrom
			}
			out = append(out, c)
			if k := live.inlineCheck(l.Name); k != nil {
				k = shallow(k)
				k.Name, k.Column = c.Name, c.Name
				checks = append(checks, k)
			}
		case useTarget:
			take(t, target)
		}
	}
	for _, t := range target.Columns {
		if done[t.Name] {
			continue
		}
		b := base.Column(t.Name)
		object := fmt.Sprintf("table %s, column %s", live.Name, t.Name)
		if m.decide(object, b != nil, false, true, false, b != nil && sameColumn(t, b, target, base), false) == useTarget {
			take(t, target)
		}
	}
	return arrange(out, base, live, target), checks
}

// arrange orders merged columns: as they are live, or as in the target where the
// product moved columns; new ones behind their neighbour in the target, the
// admin's own behind their live one.
func arrange(cols []*Column, base, live, target *Table) []*Column {
	leader, follower := live, target
	if movedColumns(base, target) {
		leader, follower = target, live
	}
	var out []*Column
	for _, t := range []*Table{leader, follower} {
		for i, c := range t.Columns {
			var n *Column
			for _, m := range cols {
				if m.Name == c.Name || t == live && m.RenamedFrom != "" && strings.EqualFold(m.RenamedFrom, c.Name) {
					n = m
				}
			}
			if n == nil || slices.Contains(out, n) {
				continue
			}
			if t == leader {
				out = append(out, n)
				continue
			}
			at := 0
			for j := i - 1; j >= 0 && at == 0; j-- {
				at = 1 + slices.IndexFunc(out, func(m *Column) bool {
					return m.Name == t.Columns[j].Name || t == live && m.RenamedFrom != "" && strings.EqualFold(m.RenamedFrom, t.Columns[j].Name)
				})
			}
			out = slices.Insert(out, at, n)
		}
	}
	return out
}

// movedColumns reports whether the columns that both have stand in another order.
func movedColumns(a, b *Table) bool {
	common := func(x, y *Table) []string {
		var out []string
		for _, c := range x.Columns {
			if o := y.Column(c.Name); o != nil {
				out = append(out, strings.ToLower(c.Name))
			}
		}
		return out
	}
	return !slices.Equal(common(a, b), common(b, a))
}

// prune takes away what was kept but stands on something that goes: indexes,
// checks and foreign keys over columns that the product drops.
func (m *merger) prune(live *Schema) {
	s := m.out.Target
	tables, lives := tablesByName(s), tablesByName(live)
	for _, t := range s.Tables {
		gone := func(list []string) string {
			for _, name := range list {
				if t.Column(name) == nil {
					return name
				}
			}
			return ""
		}
		t.Indexes = slices.DeleteFunc(t.Indexes, func(x *Index) bool {
			var cols []string
			for _, p := range x.Parts {
				if p.Column != "" {
					cols = append(cols, p.Column)
				}
			}
			return m.goesWith(fmt.Sprintf("table %s, index %s", t.Name, x.Name), gone(cols))
		})
		t.ForeignKeys = slices.DeleteFunc(t.ForeignKeys, func(k *ForeignKey) bool {
			object := fmt.Sprintf("table %s, foreign key %s", t.Name, k.Name)
			if k.RefSchema == "" && tables[k.RefTable] == nil && lives[k.RefTable] != nil {
				return m.goesWith(object, "of table "+k.RefTable)
			}
			return m.goesWith(object, gone(k.Columns))
		})
		was := lives[t.Name]
		t.Checks = slices.DeleteFunc(t.Checks, func(k *Check) bool {
			for _, word := range names(k.Expr.Raw) {
				if was != nil && was.Column(word) != nil && t.Column(word) == nil {
					return m.goesWith(fmt.Sprintf("table %s, check %s", t.Name, k.Name), word)
				}
			}
			return false
		})
	}
}

// goesWith notes an object that can't stay, unless column is "".
func (m *merger) goesWith(object, column string) bool {
	if column == "" {
		return false
	}
	m.out.Kept = slices.DeleteFunc(m.out.Kept, func(l Left) bool { return l.Object == object })
	m.conflict(object, "was added on this site and goes with column "+column+", which the update removes")
	return true
}
