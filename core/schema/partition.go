package schema

import (
	"fmt"
	"slices"
	"strings"
)

// repartition plans a change of the list of partitions that needs no copy of the
// table, and reports whether the change is one: partitions that are added behind
// the others, and partitions that go and whose rows no other one takes.
func (p *planner) repartition(cur, final *Table) bool {
	have, want := cur.Partition, final.Partition
	if have == nil || want == nil || !samePartitionMethod(have, want) || have.Sub != nil || have.Clause != "" {
		return false
	}
	ranges, lists := strings.HasPrefix(have.Method, "RANGE"), strings.HasPrefix(have.Method, "LIST")
	if !ranges && !lists || p.fl.Vendor == TiDB {
		return false
	}
	kept := 0
	for kept < len(have.Parts) && kept < len(want.Parts) && sameParts(have.Parts[kept:kept+1], want.Parts[kept:kept+1]) {
		kept++
	}
	gone, added := have.Parts[kept:], want.Parts[kept:]
	if kept == 0 || len(gone) > 0 && len(added) > 0 || ranges && len(gone) > 0 && takesRest(have.Parts[kept-1]) {
		return false
	}
	for i := len(gone) - 1; i >= 0; i-- {
		p.setPartitionAside(p.now(cur.Name), gone[i])
	}
	if len(added) > 0 {
		p.addPartitions(p.now(cur.Name), added)
	}
	return true
}

// takesRest reports whether a partition takes what no other one does.
func takesRest(part Partition) bool {
	v := canonValues(part.Values)
	return strings.Contains(v, "maxvalue") || v == "default"
}

func partitionExists(table, part string) condition {
	return exists("partitions", tableWhere(table)+" AND partition_name="+QuoteText(part))
}

func alterPartition(t *Table, what string, done condition) Statement {
	return Statement{SQL: "ALTER TABLE " + Quote(t.Name) + " " + what, Probe: probeOf(done)}
}

// partitionBeside makes an empty table of the form of one partition.
func partitionBeside(t *Table, name string) []Statement {
	return []Statement{
		{SQL: "CREATE TABLE " + Quote(name) + " LIKE " + Quote(t.Name), Probe: probeOf(tableExists(name))},
		{SQL: "ALTER TABLE " + Quote(name) + " REMOVE PARTITIONING", Probe: probeOf(not(exists("partitions", tableWhere(name)+" AND partition_name IS NOT NULL")))},
	}
}

// exchange swaps the rows of a partition with those of an empty table. It has
// happened, or need not, when the partition has no rows.
func exchange(t *Table, part, name string) Statement {
	return alterPartition(t, fmt.Sprintf("EXCHANGE PARTITION %s WITH TABLE %s", Quote(part), Quote(name)),
		fmt.Sprintf("NOT EXISTS(SELECT 1 FROM %s PARTITION (%s))", Quote(t.Name), Quote(part)))
}

// setPartitionAside plans to exchange a partition for an empty table and to drop
// it then. The way back puts it where it was and its rows with it.
func (p *planner) setPartitionAside(t *Table, part Partition) {
	name := p.aside()
	object := "table " + t.Name
	what := "partition " + part.Name
	for i, st := range partitionBeside(t, name) {
		s := Step{Statement: st, Object: object, Change: "make room for " + what, Table: t.Name, Risk: KeepsData, KeepsData: true, Inverse: []Statement{}}
		if i == 0 {
			s.Inverse = []Statement{dropAside(name)}
			s.Discard = []Statement{dropAside(name)}
		}
		p.add(s)
	}
	move := dml(fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", Quote(t.Name), Quote(name)))
	p.add(Step{
		Statement: exchange(t, part.Name, name), Object: object, Change: "set the rows of " + what + " aside", Table: t.Name,
		Risk: KeepsData, KeepsData: true, Inverse: []Statement{move},
		Hazards: []Hazard{{Code: "D3", Text: fmt.Sprintf("The partition %s of %s is dropped; its rows are kept until the restore point is discarded.", part.Name, t.Name)}},
	})
	n := t.Clone()
	n.Partition.Parts = slices.DeleteFunc(n.Partition.Parts, func(o Partition) bool { return o.Name == part.Name })
	p.add(Step{
		Statement: alterPartition(t, "DROP PARTITION "+Quote(part.Name), not(partitionExists(t.Name, part.Name))), Object: object, Change: "drop " + what, Table: t.Name,
		Risk: KeepsData, KeepsData: true,
		Inverse: []Statement{alterPartition(t, "ADD PARTITION ("+part.define("PARTITION")+")", partitionExists(t.Name, part.Name))},
	})
	p.put(n)
}

// addPartitions plans new partitions. Their rows have no place in the old form,
// so the way back sets them aside.
func (p *planner) addPartitions(t *Table, added []Partition) {
	var names []string
	var inverse, discard []Statement
	n := t.Clone()
	n.Partition.Parts = append(n.Partition.Parts, added...)
	for i := len(added) - 1; i >= 0; i-- {
		part := added[i]
		name := p.aside()
		names = append(names, part.Name)
		inverse = append(inverse, partitionBeside(t, name)...)
		inverse = append(inverse, exchange(t, part.Name, name), alterPartition(t, "DROP PARTITION "+Quote(part.Name), not(partitionExists(t.Name, part.Name))))
		discard = append(discard, dropAside(name))
	}
	slices.Reverse(names)
	p.add(Step{
		Statement: alterPartition(t, "ADD PARTITION ("+defineParts(added, "PARTITION")+")", partitionExists(t.Name, added[0].Name)),
		Object:    "table " + t.Name, Change: "add " + sentence("partition", names), Table: t.Name,
		Inverse: inverse, Discard: discard,
	})
	p.put(n)
}

// unplaced counts the rows that no partition takes (P1).
func (p *planner) unplaced(t *Table, how *Partitioning) (Hazard, bool) {
	ranges, lists := strings.HasPrefix(how.Method, "RANGE"), strings.HasPrefix(how.Method, "LIST")
	if !ranges && !lists || len(how.Parts) == 0 || slices.ContainsFunc(how.Parts, takesRest) {
		return Hazard{}, false
	}
	h := Hazard{Code: "P1", Text: fmt.Sprintf("Rows of %s that fit no partition would be refused.", t.Name), Blocks: true}
	value := how.Expr.Raw
	if len(how.Columns) > 0 {
		value = quoteAll(how.Columns)
	}
	divided := t.Clone()
	divided.Partition = how
	where, known := "", p.countable(t.Name, divided.partitionColumns()...)
	if ranges {
		_, bound, _ := strings.Cut(how.Parts[len(how.Parts)-1].Values, "(")
		where = fmt.Sprintf("(%s) >= (%s", value, bound)
	} else {
		var in []string
		null := false
		for _, part := range how.Parts {
			_, list, _ := strings.Cut(part.Values, "(")
			for _, item := range splitList(strings.TrimSuffix(strings.TrimSpace(list), ")")) {
				if strings.EqualFold(item, "null") {
					null = true
				} else {
					in = append(in, item)
				}
			}
		}
		known = known && len(how.Columns) < 2 && len(in) > 0
		where = fmt.Sprintf("(%s) NOT IN (%s)", value, strings.Join(in, ", "))
		if !null {
			where = fmt.Sprintf("(%s) IS NULL OR %s", value, where)
		}
	}
	if !known {
		return h.unasked(), true
	}
	h.Count = fmt.Sprintf("SELECT COUNT(*) FROM %s WHERE %s", Quote(t.Name), where)
	h.Sample = fmt.Sprintf("SELECT * FROM %s WHERE %s LIMIT 5", Quote(t.Name), where)
	return h, true
}

// splitList splits a text at the commas that stand in no parentheses.
func splitList(text string) []string {
	var out []string
	var item strings.Builder
	depth := 0
	for _, t := range tokens(text) {
		switch {
		case t.text == "(" && t.kind == tokSymbol:
			depth++
		case t.text == ")" && t.kind == tokSymbol:
			depth--
		case t.text == "," && t.kind == tokSymbol && depth == 0:
			out = append(out, strings.TrimSpace(item.String()))
			item.Reset()
			continue
		}
		item.WriteString(t.text)
	}
	return append(out, strings.TrimSpace(item.String()))
}
