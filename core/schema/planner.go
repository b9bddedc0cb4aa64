package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Options steer a plan.
type Options struct {
	Flavor   Flavor
	UpdateID string
	// Rows are the tables' sizes; one that is missing is unknown.
	Rows map[string]int64
	// Confirmed answers whether a look-alike is a rename; nil says no to all.
	// Without a yes, the old object is set aside and the new one added.
	Confirmed func(Rename) bool
}

// ErrRefused is what NewPlan's error wraps when the target can't be reached
// without a loss that the plan could not take back, or breaks itself.
var ErrRefused = errors.New("the change is refused")

// NewPlan returns the way from the live schema to the target and back. Neither
// needs to be canonical; a target that names no character set for the database
// gets the live one's. Objects that the target lacks are set aside: three-way
// callers pass [Merged].Target, in which the admin's own objects are kept. Equal
// schemas give an empty plan, equal input the same bytes.
func NewPlan(live, target *Schema, o Options) (*Plan, error) {
	target = adopt(target, live)
	from, to := Canonical(live, o.Flavor), Canonical(target, o.Flavor)
	p := &planner{fl: o.Flavor, o: o, start: from, target: to, cur: from.Clone(), plan: &Plan{UpdateID: o.UpdateID}, token: quarantineToken(o.UpdateID)}
	p.at, p.finals, p.starts = map[string]int{}, tablesByName(to), tablesByName(from)
	for i, t := range p.cur.Tables {
		p.at[t.Name] = i
	}
	p.plan.Start = Emit(from, o.Flavor)
	p.renames = p.findRenames()
	p.checkNames()
	p.checkForeignKeys()
	p.checkDependents()
	p.expand()
	p.contract()
	if p.err != nil {
		return nil, p.err
	}
	end := Canonical(p.cur, o.Flavor)
	if same, differences := Equal(end, to); !same {
		return nil, fmt.Errorf("%w: no order of statements was found that ends in the target: %s", ErrRefused, strings.Join(differences, "; "))
	}
	p.plan.Target = Emit(end, o.Flavor)
	return p.plan, nil
}

// adopt gives a schema the database's character set if it names none.
func adopt(s, live *Schema) *Schema {
	if s.Charset != "" || s.Collation != "" {
		return s
	}
	n := *s
	n.Charset, n.Collation = live.Charset, live.Collation
	return &n
}

// quarantineToken makes an update's ID a part of a name: 64 characters are the
// limit, and the prefix and a number need their share.
func quarantineToken(id string) string {
	if id == "" {
		return "0"
	}
	if len(id) <= 40 && !strings.ContainsFunc(id, func(r rune) bool { return r > 127 || r != '-' && !wordByte(byte(r)) }) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:8])
}

// planner grows a plan. cur is the schema as it is after the steps so far, with
// what is hidden.
type planner struct {
	fl      Flavor
	o       Options
	start   *Schema
	target  *Schema
	cur     *Schema
	at      map[string]int // places of the tables in cur
	finals  map[string]*Table
	starts  map[string]*Table
	plan    *Plan
	phase   Phase
	token   string
	n       int // names of the quarantine given out
	renames renames
	err     error
}

// refuse keeps the first reason not to make the plan.
func (p *planner) refuse(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
	}
}

// add appends a step.
func (p *planner) add(s Step) *Step {
	s.ID = fmt.Sprintf("s%02d", len(p.plan.Steps)+1)
	s.Phase = p.phase
	s.Rows = -1
	if n, ok := p.o.Rows[s.Table]; ok && s.Table != "" {
		s.Rows = n
	}
	if s.Risk == "" {
		s.Risk = Safe
	}
	p.plan.Steps = append(p.plan.Steps, s)
	return &p.plan.Steps[len(p.plan.Steps)-1]
}

// put replaces a table of the current schema or adds it.
func (p *planner) put(t *Table) {
	i, ok := p.at[t.Name]
	if !ok {
		p.at[t.Name] = len(p.cur.Tables)
		p.cur.Tables = append(p.cur.Tables, t)
		return
	}
	p.cur.Tables[i] = t
}

// now, wanted and before return a table of the current schema, the target and
// the start; nil if it has none of that name.
func (p *planner) now(name string) *Table {
	if i, ok := p.at[name]; ok {
		return p.cur.Tables[i]
	}
	return nil
}

func (p *planner) wanted(name string) *Table { return p.finals[name] }
func (p *planner) before(name string) *Table { return p.starts[name] }

func tablesByName(s *Schema) map[string]*Table {
	m := make(map[string]*Table, len(s.Tables))
	for _, t := range s.Tables {
		if m[t.Name] == nil {
			m[t.Name] = t
		}
	}
	return m
}

// taken reports whether a table or view of the name exists at this point.
func (p *planner) taken(name string) bool {
	return p.now(name) != nil || slices.ContainsFunc(p.cur.Views, func(v *View) bool { return v.Name == name }) ||
		slices.ContainsFunc(p.cur.Sequences, func(q *Sequence) bool { return q.Name == name })
}

// alter adds the step that turns a table into another form, and updates the
// current schema. Columns that disappear are hidden, in both directions.
func (p *planner) alter(from, to *Table, moved map[string]string) {
	if !p.fl.manyFulltext() {
		if rest := to.withoutExtraFulltext(from); rest != nil {
			p.alter(from, rest, moved)
			p.alter(p.now(to.Name), to, nil)
			return
		}
	}
	if p.fl.Vendor == TiDB && len(moved) == 0 {
		if forms := oneByOne(from, to); len(forms) > 2 {
			for _, form := range forms {
				p.alter(p.now(from.Name), form, nil)
			}
			return
		}
	}
	if mid := p.stored(from, to); mid != nil && len(moved) == 0 {
		p.alter(from, mid, nil)
		p.alter(p.now(to.Name), to, nil)
		return
	}
	if rest, indexes := p.withoutNewIndexes(from, to, moved); rest != nil {
		p.alter(from, rest, moved)
		p.alter(p.now(to.Name), to, nil)
		p.plan.Steps[len(p.plan.Steps)-1].Hazards = p.indexHazards(from, to, indexes)
		return
	}
	forth := to.Clone()
	forthMoved, backMoved := map[string]string{}, map[string]string{}
	for old, now := range moved {
		forthMoved[old], backMoved[now] = now, old
	}
	var set []string
	var discard []Statement
	for _, c := range from.Columns {
		switch {
		case Hidden(c.Name):
			if forth.Column(c.Name) == nil {
				forth.Columns = append(forth.Columns, c.Clone())
			}
		case p.fl.hasInvisibleColumn() && forthMoved[c.Name] == "" && hides(c) && (to.Column(c.Name) == nil || to.Column(c.Name).Generated != nil):
			h := hiddenForm(c, p.aside())
			forth.Columns = append(forth.Columns, h)
			forthMoved[c.Name], backMoved[h.Name] = h.Name, c.Name
			set = append(set, c.Name)
			discard = append(discard, dropHidden(to.Name, h.Name))
		}
	}
	a := alter(from, forth, forthMoved, p.fl)
	if len(a.clauses) == 0 {
		p.put(forth)
		return
	}
	sides := p.losses(from, forth)
	p.keepValues(sides)
	back := from.Clone()
	for _, c := range forth.Columns {
		if was := from.Column(c.Name); p.fl.hasInvisibleColumn() && !Hidden(c.Name) && backMoved[c.Name] == "" && (was == nil || forthMoved[c.Name] != "" || was.Generated != nil) && hides(c) {
			h := hiddenForm(c, p.aside())
			back.Columns = append(back.Columns, h)
			backMoved[c.Name] = h.Name
			discard = append(discard, dropHidden(from.Name, h.Name))
			if old := p.renames.tables[from.Name]; old != "" {
				discard = append(discard, dropHidden(old, h.Name))
			}
		}
	}
	backSides := p.losses(forth, back)
	before, after, sideDiscard := p.narrowing(backSides, forth)
	reversal := p.reversal(forth, back, backMoved)
	if converting(backSides) {
		reversal[0].Session = relaxedMode()
	}
	inverse := slices.Concat(before, reversal, after)
	discard = append(discard, sideDiscard...)
	ops := make([]operation, len(a.clauses))
	for i, c := range a.clauses {
		ops[i] = c.op
	}
	cost := p.fl.estimate(from.Engine, ops)
	s := Step{
		Statement: a.statement(), Object: "table " + to.Name, Change: a.change(), Table: to.Name,
		Inverse: inverse, Discard: discard,
		Algorithm: algorithmNames[cost], Blocks: cost.blocks(), Estimated: true,
	}
	if cost.slow() {
		s.Risk = Slow
	}
	if converting(sides) {
		s.Session = relaxedMode()
	}
	if len(set) > 0 {
		s.Risk, s.KeepsData = KeepsData, true
		s.Notes = append(s.Notes, fmt.Sprintf("The data of %s stays in the table, out of sight, until the restore point is discarded.", sentence("column", set)))
	}
	if from.SystemVer && !forth.SystemVer {
		s.Risk = CantUndo
		s.Notes = append(s.Notes, "The past versions of the rows are deleted. Rolling back keeps versions again from then on, but does not bring the deleted ones back.")
	}
	s.Hazards = p.alterHazards(from, forth, sides)
	p.add(s)
	p.put(forth)
	p.compareValues(sides)
}

// reversal returns the statements that take an ALTER back: one, or two where
// indexes are made again by a statement of their own, as they are on the way there.
func (p *planner) reversal(forth, back *Table, moved map[string]string) []Statement {
	whole := alter(forth, back, moved, p.fl)
	apart := whole.separable()
	if back.Engine != "InnoDB" || len(apart) == 0 {
		return []Statement{renumbering(whole)}
	}
	rest := back.without(apart)
	first := alter(forth, rest, moved, p.fl)
	if !slices.ContainsFunc(first.clauses, func(c clause) bool { return !besideIndexes[c.op] }) {
		return []Statement{renumbering(whole)}
	}
	return []Statement{renumbering(first), alter(rest, back.Clone(), nil, p.fl).statement()}
}

// renumbering returns the statement of a way back. A column that counts by itself
// again gives numbers to the rows that were written without it; the zeros that
// they have meanwhile must not count as numbers.
func renumbering(a *alteration) Statement {
	st := a.statement()
	for _, c := range a.to.Columns {
		if src := a.source(c.Name); c.AutoInc && src != nil && Hidden(src.Name) {
			st.Session = map[string]string{"sql_mode": "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"}
		}
	}
	return st
}

// dropHidden really removes a hidden column.
func dropHidden(table, column string) Statement {
	return Statement{
		SQL:   "ALTER TABLE " + Quote(table) + " DROP COLUMN " + Quote(column),
		Probe: probeOf(not(columnExists(table, column))),
	}
}

// dropAside really removes a table that was set aside.
func dropAside(table string) Statement {
	return Statement{SQL: "DROP TABLE " + Quote(table), Probe: probeOf(not(tableExists(table)))}
}

// sentence writes "column a" or "columns a, b and c".
func sentence(word string, list []string) string {
	if len(list) == 1 {
		return word + " " + list[0]
	}
	return word + "s " + strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}

// withoutExtraFulltext returns the table without the fulltext indexes that a
// second ALTER must add, nil if one does.
func (t *Table) withoutExtraFulltext(from *Table) *Table {
	added := 0
	n := t.Clone()
	n.Indexes = slices.DeleteFunc(n.Indexes, func(x *Index) bool {
		if x.Kind != FulltextIndex || from.Index(x.Name) != nil {
			return false
		}
		added++
		return added > 1
	})
	if added < 2 {
		return nil
	}
	return n
}
