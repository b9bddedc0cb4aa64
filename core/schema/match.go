package schema

import "strings"

// pair holds an object of one side and its counterpart; nil where there is none.
type pair[T any] struct{ a, b *T }

// identity tells how objects of a kind are matched.
type identity[T any] struct {
	name func(*T) string
	// auto reports whether the server made the name up. Two of those are the
	// same object when their content is.
	auto func(*T) bool
	same func(a, b *T) bool
}

// match pairs the objects of two lists: first those that agree in name and
// content, then those whose names don't count by content, then by name. The
// result has the order of a, then what only b has in the order of b.
func match[T any](as, bs []*T, id identity[T]) []pair[T] {
	byName := make(map[string]*T, len(bs))
	for _, b := range bs {
		byName[strings.ToLower(id.name(b))] = b
	}
	partner := make(map[*T]*T, len(as))
	used := make(map[*T]bool, len(bs))
	take := func(a, b *T) { partner[a], used[b] = b, true }
	for _, a := range as {
		if b := byName[strings.ToLower(id.name(a))]; b != nil && (id.auto == nil || id.same(a, b)) {
			take(a, b)
		}
	}
	if id.auto != nil {
		for _, a := range as {
			for _, b := range bs {
				if partner[a] == nil && !used[b] && id.auto(a) && id.auto(b) && id.same(a, b) {
					take(a, b)
				}
			}
		}
		for _, a := range as {
			if b := byName[strings.ToLower(id.name(a))]; partner[a] == nil && b != nil && !used[b] {
				take(a, b)
			}
		}
	}
	var out []pair[T]
	for _, a := range as {
		out = append(out, pair[T]{a, partner[a]})
	}
	for _, b := range bs {
		if !used[b] {
			out = append(out, pair[T]{nil, b})
		}
	}
	return out
}

var (
	columnID = identity[Column]{name: func(c *Column) string { return c.Name }}
	indexID  = identity[Index]{
		name: func(x *Index) string { return x.Name },
		auto: func(x *Index) bool { return x.AutoName || x.ForeignKey },
		same: sameIndex,
	}
	foreignKeyID = identity[ForeignKey]{
		name: func(k *ForeignKey) string { return k.Name },
		auto: func(k *ForeignKey) bool { return k.AutoName },
		same: sameForeignKey,
	}
	checkID = identity[Check]{
		name: func(k *Check) string { return k.Name },
		auto: func(k *Check) bool { return k.AutoName },
		same: sameCheck,
	}
	viewID     = identity[View]{name: func(v *View) string { return v.Name }}
	triggerID  = identity[Trigger]{name: func(g *Trigger) string { return g.Name }}
	routineID  = identity[Routine]{name: func(r *Routine) string { return r.kind() + " " + r.Name }}
	eventID    = identity[Event]{name: func(e *Event) string { return e.Name }}
	sequenceID = identity[Sequence]{name: func(q *Sequence) string { return q.Name }}
)

// tableChecks returns the checks that stand beside the columns, not in them.
func (t *Table) tableChecks() []*Check {
	var out []*Check
	for _, k := range t.Checks {
		if k.Column == "" {
			out = append(out, k)
		}
	}
	return out
}

// matchTables pairs tables by name; unlike other names these keep their case.
func matchTables(as, bs []*Table) []pair[Table] {
	byName := make(map[string]*Table, len(bs))
	for _, b := range bs {
		byName[b.Name] = b
	}
	var out []pair[Table]
	for _, a := range as {
		b := byName[a.Name]
		delete(byName, a.Name)
		out = append(out, pair[Table]{a, b})
	}
	for _, b := range bs {
		if byName[b.Name] == b {
			out = append(out, pair[Table]{nil, b})
		}
	}
	return out
}
