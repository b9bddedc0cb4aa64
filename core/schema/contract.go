package schema

import (
	"fmt"
	"slices"
	"strings"
)

// contract plans the rest: what the old release would notice. The order is that
// in which nothing stands in the way of the next: code that uses tables, then
// references between them, names, forms, and back up again.
func (p *planner) contract() {
	p.phase = Contract
	p.dropStored()
	p.detach()
	p.setTablesAside()
	p.renameTables()
	p.renameColumns()
	for _, t := range p.target.Tables {
		if cur := p.now(t.Name); cur != nil {
			p.reshape(cur, t)
		}
	}
	p.createTables()
	p.setSequencesAside()
	p.attach()
	p.createStored()
}

// setTablesAside renames the tables that the target lacks to names of the
// quarantine. detach has cut their foreign keys in both directions before, so
// that no cascade reaches the rows that wait there.
func (p *planner) setTablesAside() {
	for _, t := range slices.Clone(p.cur.Tables) {
		if Hidden(t.Name) || p.finalTable(t.Name) != nil {
			continue
		}
		old := t.Name
		if p.fl.namesChecksByTable() {
			if named := slices.DeleteFunc(t.tableChecks(), func(k *Check) bool { return k.AutoName }); len(named) > 0 {
				bare := t.Clone()
				bare.Checks = slices.DeleteFunc(bare.Checks, func(k *Check) bool { return !k.AutoName })
				p.alter(t, bare, nil)
			}
		}
		name := p.aside()
		p.add(Step{
			Statement: renameTable(old, name), Object: "table " + old, Change: "set the table aside", Table: old,
			Inverse: []Statement{renameTable(name, old)}, Discard: []Statement{dropAside(name)},
			Algorithm: "INSTANT", Estimated: true, Risk: KeepsData, KeepsData: true,
			Hazards: []Hazard{{Code: "D1", Text: "The table " + old + " is dropped; its rows are kept until the restore point is discarded."}},
			Notes:   []string{fmt.Sprintf("The table and its rows stay in the database as %s, out of sight, until the restore point is discarded.", name)},
		})
		p.rename(old, name)
	}
}

// setSequencesAside does the same for sequences.
func (p *planner) setSequencesAside() {
	for _, pr := range match(p.cur.Sequences, p.target.Sequences, sequenceID) {
		if pr.a == nil || pr.b != nil {
			continue
		}
		old, name := pr.a.Name, p.aside()
		p.add(Step{
			Statement: renameTable(old, name), Object: "sequence " + old, Change: "set the sequence aside",
			Inverse: []Statement{renameTable(name, old)}, Risk: KeepsData, KeepsData: true,
			Discard: []Statement{{SQL: "DROP SEQUENCE " + Quote(name), Probe: probeOf(not(tableExists(name)))}},
		})
		p.cur.Sequences = slices.DeleteFunc(p.cur.Sequences, func(q *Sequence) bool { return q.Name == old })
	}
}

// reshape brings a table into its final form. What partitions a table can't be
// mixed with other clauses.
func (p *planner) reshape(cur, final *Table) {
	if sameTable(cur, final) {
		return
	}
	to := final.Clone()
	to.ForeignKeys = cur.ForeignKeys
	to.Partition = cur.Partition.Clone()
	if !samePartition(cur.Partition, final.Partition) {
		if p.repartition(cur, final) {
			return
		}
		if cur.Partition != nil && !p.sameShape(cur, to) {
			p.partition(cur, nil)
			cur = p.now(cur.Name)
			to.Partition = nil
		}
	}
	p.alter(cur, to, nil)
	cur = p.now(cur.Name)
	if !samePartition(cur.Partition, final.Partition) {
		p.partition(cur, final.Partition)
	}
}

// sameShape reports whether two forms of a table need no ALTER but for the
// partitions.
func (p *planner) sameShape(a, b *Table) bool {
	return len(alter(a, b.Clone(), nil, p.fl).clauses) == 0
}

// partition plans to partition a table in another way, or not at all for nil.
func (p *planner) partition(cur *Table, how *Partitioning) {
	n := cur.Clone()
	n.Partition = how.Clone()
	cost := p.fl.estimate(cur.Engine, []operation{opPartition})
	change := "change the partitions"
	switch {
	case how == nil:
		change = "remove the partitions"
	case cur.Partition == nil:
		change = "divide the table into partitions"
	}
	s := Step{
		Statement: partitionStatement(n, cur.Partition), Object: "table " + cur.Name, Change: change, Table: cur.Name,
		Inverse:   []Statement{partitionStatement(cur, n.Partition)},
		Algorithm: algorithmNames[cost], Blocks: cost.blocks(), Estimated: true, Risk: Slow,
	}
	if how != nil {
		if h, ok := p.unplaced(cur, how); ok {
			s.Hazards = append(s.Hazards, h)
		}
	}
	p.add(s)
	p.put(n)
}

// partitionStatement gives t its partitions; before are those that it has.
func partitionStatement(t *Table, before *Partitioning) Statement {
	if t.Partition == nil {
		return Statement{
			SQL:   "ALTER TABLE " + Quote(t.Name) + " REMOVE PARTITIONING",
			Probe: probeOf(not(exists("partitions", tableWhere(t.Name)+" AND partition_name IS NOT NULL"))),
		}
	}
	return Statement{SQL: "ALTER TABLE " + Quote(t.Name) + "\n  " + t.Partition.define(), Probe: probeOf(partitionChanged(t.Name, before, t.Partition))}
}

// partitionChanged tells two ways to partition apart by their methods or their
// partitions' names.
func partitionChanged(table string, a, b *Partitioning) condition {
	if a == nil {
		return exists("partitions", tableWhere(table)+" AND partition_name IS NOT NULL")
	}
	x, y := partitionNames(a), partitionNames(b)
	if x == y {
		return ""
	}
	return "(SELECT GROUP_CONCAT(DISTINCT partition_name ORDER BY partition_ordinal_position) FROM information_schema.partitions WHERE " +
		tableWhere(table) + ")=" + QuoteText(y)
}

func partitionNames(p *Partitioning) string {
	var list []string
	for _, part := range p.Parts {
		list = append(list, part.Name)
	}
	for i := 0; i < p.Count && len(p.Parts) == 0; i++ {
		list = append(list, fmt.Sprint("p", i))
	}
	return strings.Join(list, ",")
}

// dropChecks removes checks in one statement.
func (p *planner) dropChecks(t *Table, checks []*Check) Statement {
	bare := t.Clone()
	bare.Checks = slices.DeleteFunc(bare.Checks, func(k *Check) bool {
		return slices.ContainsFunc(checks, func(c *Check) bool { return c.Name == k.Name })
	})
	return alter(t, bare, nil, p.fl).statement()
}
