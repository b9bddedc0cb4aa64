package schema

import (
	"fmt"
	"slices"
	"strings"
)

// dropForeignKeys detaches keys of one table in one statement.
func dropForeignKeys(t *Table, keys []*ForeignKey) Statement {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = "DROP FOREIGN KEY " + Quote(k.Name)
	}
	return Statement{
		SQL:   "ALTER TABLE " + Quote(t.Name) + "\n  " + strings.Join(parts, ",\n  "),
		Probe: probeOf(not(foreignKeyExists(t.Name, keys[0].Name))),
	}
}

// addForeignKeys attaches keys of one table in one statement. An index that the
// server once made for such a key would now be made again under the key's name;
// one that is added by a statement stays, so it is put in its own place.
func addForeignKeys(t *Table, keys []*ForeignKey, fl Flavor) Statement {
	var parts []string
	stated := map[string]bool{}
	for _, k := range keys {
		for _, x := range t.Indexes {
			if x.Kind == PlainIndex && len(x.Parts) == len(k.Columns) && x.leads(k.Columns) && !strings.EqualFold(x.Name, k.Name) && !stated[x.Name] {
				stated[x.Name] = true
				parts = append(parts, "DROP INDEX "+Quote(x.Name), "ADD "+x.define(fl))
			}
		}
	}
	for _, k := range keys {
		parts = append(parts, "ADD "+k.define())
	}
	return Statement{
		SQL:   "ALTER TABLE " + Quote(t.Name) + "\n  " + strings.Join(parts, ",\n  "),
		Probe: probeOf(foreignKeyExists(t.Name, keys[0].Name)),
	}
}

func keyNames(keys []*ForeignKey) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.Name
	}
	return out
}

// detach plans the removal of the foreign keys that are in the way of what
// follows: those that go or change, those of tables that are set aside, in both
// directions, and those over columns whose form changes.
func (p *planner) detach() {
	for _, t := range slices.Clone(p.cur.Tables) {
		if Hidden(t.Name) {
			continue
		}
		var gone []*ForeignKey
		for _, k := range t.ForeignKeys {
			if p.inTheWay(t, k) {
				gone = append(gone, k)
			}
		}
		if len(gone) == 0 {
			continue
		}
		cost := p.fl.estimate(t.Engine, []operation{opDropForeignKey})
		p.add(Step{
			Statement: dropForeignKeys(t, gone), Object: "table " + t.Name, Change: "drop " + sentence("foreign key", keyNames(gone)), Table: t.Name,
			Inverse:   []Statement{addForeignKeys(t, gone, p.fl)},
			Algorithm: algorithmNames[cost], Blocks: cost.blocks(), Estimated: true,
		})
		n := t.Clone()
		n.ForeignKeys = slices.DeleteFunc(n.ForeignKeys, func(k *ForeignKey) bool {
			return slices.ContainsFunc(gone, func(g *ForeignKey) bool { return g.Name == k.Name })
		})
		p.put(n)
	}
}

func (p *planner) inTheWay(t *Table, k *ForeignKey) bool {
	child := p.finalTable(t.Name)
	if child == nil {
		return true
	}
	staying := slices.ContainsFunc(child.ForeignKeys, func(f *ForeignKey) bool {
		return (strings.EqualFold(f.Name, k.Name) || f.AutoName && k.AutoName) && sameForeignKey(f, p.renamedKey(t.Name, k))
	})
	if !staying || t.Engine != child.Engine || !samePartition(t.Partition, child.Partition) {
		return true
	}
	for _, name := range k.Columns {
		if p.columnChanges(t, name) {
			return true
		}
	}
	if k.RefSchema != "" {
		return false
	}
	parent := p.now(k.RefTable)
	if parent == nil {
		return false
	}
	if final := p.finalTable(parent.Name); final == nil || final.Engine != parent.Engine {
		return true
	}
	for _, name := range k.RefColumns {
		if p.columnChanges(parent, name) {
			return true
		}
	}
	return false
}

// columnChanges reports whether the form of a column will change.
func (p *planner) columnChanges(t *Table, name string) bool {
	final := p.finalTable(t.Name)
	a := t.Column(name)
	if final == nil || a == nil {
		return true
	}
	b := final.Column(p.renames.newColumn(final.Name, a.Name))
	return b == nil || !sameKeyColumn(a, b) || a.AutoInc != b.AutoInc
}

// attach plans the foreign keys that the target has and the schema has not yet.
func (p *planner) attach() {
	for _, final := range p.target.Tables {
		t := p.now(final.Name)
		if t == nil {
			continue
		}
		n := t.Clone()
		var added []*ForeignKey
		for _, pr := range match(t.ForeignKeys, final.ForeignKeys, foreignKeyID) {
			if pr.a != nil {
				continue
			}
			k := pr.b.Clone()
			if p.keyNameTaken(k.Name) {
				k.Name, k.AutoName = n.freeForeignKeyName(), true
			}
			n.ForeignKeys = append(n.ForeignKeys, k)
			added = append(added, k)
		}
		if len(added) == 0 {
			continue
		}
		cost := p.fl.estimate(t.Engine, []operation{opAddForeignKey})
		s := Step{
			Statement: addForeignKeys(n, added, p.fl), Object: "table " + t.Name, Change: "add " + sentence("foreign key", keyNames(added)), Table: t.Name,
			Inverse:   []Statement{dropForeignKeys(n, added)},
			Algorithm: algorithmNames[cost], Blocks: cost.blocks(), Estimated: true,
		}
		if cost.slow() {
			s.Risk = Slow
		}
		for _, k := range added {
			h := orphans(n, k)
			if k.RefSchema == "" && !p.countable(k.RefTable, k.RefColumns...) || !p.countable(n.Name, k.Columns...) {
				h = h.unasked()
			}
			s.Hazards = append(s.Hazards, h)
		}
		p.add(s)
		p.put(n)
	}
}

// keyNameTaken reports whether a foreign key of any table has the name: they
// share one space of names.
func (p *planner) keyNameTaken(name string) bool {
	for _, t := range p.cur.Tables {
		for _, k := range t.ForeignKeys {
			if strings.EqualFold(k.Name, name) {
				return true
			}
		}
	}
	return false
}

// orphans counts the rows that a foreign key would refuse.
func orphans(t *Table, k *ForeignKey) Hazard {
	ref := Quote(k.RefTable)
	if k.RefSchema != "" {
		ref = Quote(k.RefSchema) + "." + ref
	}
	var on, given []string
	for i, c := range k.Columns {
		if i < len(k.RefColumns) {
			on = append(on, fmt.Sprintf("p.%s=c.%s", Quote(k.RefColumns[i]), Quote(c)))
		}
		given = append(given, "c."+Quote(c)+" IS NOT NULL")
	}
	from := fmt.Sprintf("FROM %s c LEFT JOIN %s p ON %s WHERE %s AND p.%s IS NULL",
		Quote(t.Name), ref, strings.Join(on, " AND "), strings.Join(given, " AND "), Quote(k.RefColumns[0]))
	return Hazard{
		Code: "F1", Text: fmt.Sprintf("Rows of %s without a row in %s would be refused.", t.Name, k.RefTable),
		Count: "SELECT COUNT(*) " + from, Sample: "SELECT c.* " + from + " LIMIT 5", Blocks: true,
	}
}
