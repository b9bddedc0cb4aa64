package schema

import "slices"

// stored is a view, routine, trigger or event: something that is replaced whole
// and has no data.
type stored struct {
	kind, name string // as in "view" and its name
	create     string
	drop       string
	exists     condition
	session    map[string]string
}

// sessionOf returns the settings that an object was made under.
func sessionOf(s Stored) map[string]string {
	m := map[string]string{}
	if s.SQLMode != "" {
		m["sql_mode"] = s.SQLMode
	}
	if s.Charset != "" {
		m["character_set_client"] = s.Charset
	}
	if s.Collation != "" {
		m["collation_connection"] = s.Collation
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

func (v *View) stored() stored {
	return stored{"view", v.Name, v.create(), "DROP VIEW " + Quote(v.Name), exists("views", tableWhere(v.Name)), nil}
}

func (g *Trigger) stored() stored {
	return stored{"trigger", g.Name, g.create(), "DROP TRIGGER " + Quote(g.Name),
		exists("triggers", "trigger_schema=DATABASE() AND trigger_name="+QuoteText(g.Name)), sessionOf(g.Stored)}
}

func (r *Routine) stored() stored {
	word := map[bool]string{true: "function", false: "procedure"}[r.Function]
	return stored{word, r.Name, r.create(), "DROP " + r.kind() + " " + Quote(r.Name),
		exists("routines", "routine_schema=DATABASE() AND routine_type="+QuoteText(r.kind())+" AND routine_name="+QuoteText(r.Name)), sessionOf(r.Stored)}
}

func (e *Event) stored() stored {
	s := stored{"event", e.Name, e.create(), "DROP EVENT " + Quote(e.Name),
		exists("events", "event_schema=DATABASE() AND event_name="+QuoteText(e.Name)), sessionOf(e.Stored)}
	if e.TimeZone != "" {
		if s.session == nil {
			s.session = map[string]string{}
		}
		s.session["time_zone"] = e.TimeZone
	}
	return s
}

func (o stored) created() Statement {
	return Statement{SQL: o.create, Probe: probeOf(o.exists), Session: o.session}
}

func (o stored) dropped() Statement { return Statement{SQL: o.drop, Probe: probeOf(not(o.exists))} }

// dropObject and createObject plan one statement and its opposite.
func (p *planner) dropObject(o stored, comesBack bool) {
	s := Step{Statement: o.dropped(), Object: o.kind + " " + o.name, Change: "drop the " + o.kind, Inverse: []Statement{o.created()}}
	if !comesBack {
		s.Hazards = []Hazard{{Code: "D4", Text: "The " + o.kind + " " + o.name + " is dropped; roll back makes it again."}}
	}
	p.add(s)
}

func (p *planner) createObject(o stored) {
	p.add(Step{Statement: o.created(), Object: o.kind + " " + o.name, Change: "create the " + o.kind, Inverse: []Statement{o.dropped()}})
}

// dropStored drops what goes or changes, dependents first: events and triggers,
// then views in the reverse of their order, then routines.
func (p *planner) dropStored() {
	s := p.cur
	s.Events = dropChanged(p, s.Events, p.target.Events, eventID, sameEvent, (*Event).stored)
	rest := slices.Clone(s.Triggers)
	s.Triggers = dropChanged(p, s.Triggers, p.target.Triggers, triggerID, p.keepsTrigger, func(g *Trigger) stored {
		rest = slices.DeleteFunc(rest, func(o *Trigger) bool { return o == g })
		return g.before(s.Triggers, rest).stored()
	})
	views := viewsInOrder(s.Views)
	slices.Reverse(views)
	s.Views = dropChanged(p, views, p.target.Views, viewID, sameView, (*View).stored)
	s.Routines = dropChanged(p, s.Routines, p.target.Routines, routineID, sameRoutine, (*Routine).stored)
}

// before returns the trigger with its place among those of its table, time and
// event: ahead of the next one in the order of all that is there at the moment.
// Without a place it would run last, whatever was first before.
func (g *Trigger) before(all, there []*Trigger) *Trigger {
	i := slices.IndexFunc(all, func(o *Trigger) bool { return o.Name == g.Name })
	if g.Order != "" || i < 0 {
		return g
	}
	for _, next := range all[i+1:] {
		same := next.Table == g.Table && next.Timing == g.Timing && next.Event == g.Event
		if same && slices.ContainsFunc(there, func(o *Trigger) bool { return o.Name == next.Name }) {
			n := *g
			n.Order = "PRECEDES " + Quote(next.Name)
			return &n
		}
	}
	return g
}

// keepsTrigger reports whether a trigger stays: it follows its table to a new
// name. While values of its table are moved, it is out of the way.
func (p *planner) keepsTrigger(a, b *Trigger) bool {
	if p.movesValues(a.Table) {
		return false
	}
	n := *a
	n.Table = p.renames.newTable(a.Table)
	return sameTrigger(&n, b)
}

// movesValues reports whether rows of a table will be changed by the plan itself.
func (p *planner) movesValues(table string) bool {
	cur, final := p.now(table), p.finalTable(table)
	if cur == nil || final == nil {
		return false
	}
	renamed := cur.Clone()
	for _, c := range renamed.Columns {
		c.Name = p.renames.newColumn(final.Name, c.Name)
	}
	return len(p.losses(renamed, final)) > 0
}

func dropChanged[T any](p *planner, have, want []*T, id identity[T], same func(a, b *T) bool, of func(*T) stored) []*T {
	var left []*T
	for _, pr := range match(have, want, id) {
		switch {
		case pr.a == nil:
		case pr.b != nil && same(pr.a, pr.b):
			left = append(left, pr.a)
		default:
			p.dropObject(of(pr.a), pr.b != nil)
		}
	}
	return left
}

// createStored makes what the schema lacks, in the opposite order.
func (p *planner) createStored() {
	s := p.cur
	s.Routines = createMissing(p, s.Routines, p.target.Routines, routineID, (*Routine).stored)
	s.Views = createMissing(p, s.Views, viewsInOrder(p.target.Views), viewID, (*View).stored)
	made := slices.Clone(s.Triggers)
	s.Triggers = createMissing(p, s.Triggers, p.target.Triggers, triggerID, func(g *Trigger) stored {
		made = append(made, g)
		return g.before(p.target.Triggers, made).stored()
	})
	s.Events = createMissing(p, s.Events, p.target.Events, eventID, (*Event).stored)
}

func createMissing[T any](p *planner, have, want []*T, id identity[T], of func(*T) stored) []*T {
	for _, pr := range match(have, want, id) {
		if pr.a == nil {
			p.createObject(of(pr.b))
			have = append(have, pr.b)
		}
	}
	return have
}

// createSequences plans sequences, which tables' defaults may need: new ones and
// changed ones. Those that go are set aside like tables.
func (p *planner) createSequences() {
	for _, pr := range match(p.cur.Sequences, p.target.Sequences, sequenceID) {
		switch {
		case pr.a == nil:
			name := p.aside()
			p.add(Step{
				Statement: Statement{SQL: pr.b.Create(), Probe: probeOf(tableExists(pr.b.Name))},
				Object:    "sequence " + pr.b.Name, Change: "create the sequence",
				Inverse: []Statement{renameTable(pr.b.Name, name)},
				Discard: []Statement{{SQL: "DROP SEQUENCE " + Quote(name), Probe: probeOf(not(tableExists(name)))}},
			})
			p.cur.Sequences = append(p.cur.Sequences, pr.b)
		case pr.b != nil && !sameSequence(pr.a, pr.b):
			p.add(Step{
				Statement: Statement{SQL: pr.b.alter()}, Object: "sequence " + pr.b.Name, Change: "change the sequence",
				Inverse: []Statement{{SQL: pr.a.alter()}},
			})
			i := slices.Index(p.cur.Sequences, pr.a)
			p.cur.Sequences[i] = pr.b
		}
	}
}
