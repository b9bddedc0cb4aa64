package schema

import (
	"fmt"
	"slices"
	"strings"
)

// clause is a part of an ALTER TABLE.
type clause struct {
	sql    string
	change string    // for people, as in "add column email"
	done   condition // true after and false before; "" when the catalogue can't tell
	op     operation // for the table of costs
}

// alteration turns one form of a table into another by a single statement.
type alteration struct {
	fl       Flavor
	from, to *Table
	// moved gives the new names of columns that change theirs.
	moved   map[string]string
	clauses []clause
}

// alter computes the clauses. The columns of to are put into the order in which
// the server will have them, hidden ones among them.
func alter(from, to *Table, moved map[string]string, fl Flavor) *alteration {
	a := &alteration{fl: fl, from: from, to: to, moved: moved}
	a.dropChecks()
	a.dropIndexes()
	a.columns()
	a.addIndexes()
	a.addChecks()
	a.options()
	return a
}

func (a *alteration) add(c clause) { a.clauses = append(a.clauses, c) }

// sql joins the clauses to a statement.
func (a *alteration) sql() string {
	parts := make([]string, len(a.clauses))
	for i, c := range a.clauses {
		parts[i] = c.sql
	}
	return "ALTER TABLE " + Quote(a.from.Name) + "\n  " + strings.Join(parts, ",\n  ")
}

// change joins what the clauses do.
func (a *alteration) change() string {
	var parts []string
	for _, c := range a.clauses {
		if c.change != "" {
			parts = append(parts, c.change)
		}
	}
	return strings.Join(parts, ", ")
}

// done is the first condition that can tell whether the statement, which
// happens whole or not at all, has happened. Without one the statement can be
// repeated: only additions and removals can't, and those are in the catalogue.
func (a *alteration) done() condition {
	for _, c := range a.clauses {
		if c.done != "" {
			return c.done
		}
	}
	return ""
}

func (a *alteration) statement() Statement {
	return Statement{SQL: a.sql(), Probe: probeOf(a.done())}
}

// source returns the column that a column of the new form was.
func (a *alteration) source(name string) *Column {
	for old, now := range a.moved {
		if now == name {
			return a.from.Column(old)
		}
	}
	if _, gone := a.moved[name]; gone {
		return nil
	}
	c := a.from.Column(name)
	if c != nil && replaced(c, a.to.Column(name)) {
		return nil
	}
	return c
}

// replaced reports whether a generated column can only be made anew: neither
// server turns VIRTUAL into STORED or a plain column (1907, 3106).
func replaced(a, b *Column) bool {
	if a == nil || b == nil || a.Generated == nil {
		return false
	}
	if b.Generated == nil {
		return !a.Generated.Stored
	}
	return a.Generated.Stored != b.Generated.Stored
}

// columns writes the clauses of columns. Those that keep their place relative to
// each other are left there; the fewest others move.
func (a *alteration) columns() {
	kept := map[string]bool{}
	var visible []*Column
	for _, c := range a.to.Columns {
		src := a.source(c.Name)
		if src != nil {
			kept[src.Name] = true
		}
		if !Hidden(c.Name) {
			visible = append(visible, c)
		}
	}
	physical := make([]string, 0, len(a.from.Columns))
	for _, c := range a.from.Columns {
		if !kept[c.Name] {
			cl := clause{sql: "DROP COLUMN " + Quote(c.Name), op: dropColumn(c)}
			if a.to.Column(c.Name) == nil {
				cl.change, cl.done = "drop column "+c.Name, not(columnExists(a.to.Name, c.Name))
			}
			a.add(cl)
			continue
		}
		name := c.Name
		if now := a.moved[name]; now != "" {
			name = now
		}
		physical = append(physical, name)
	}
	for _, c := range a.to.Columns {
		if src := a.source(c.Name); Hidden(c.Name) && src != nil && src.Name != c.Name {
			a.add(clause{
				sql:    "CHANGE COLUMN " + Quote(src.Name) + " " + c.define(a.to, a.fl, true),
				change: "set column " + src.Name + " aside", done: columnExists(a.to.Name, c.Name), op: opHideColumn,
			})
		}
	}
	stays := a.staying(visible, physical)
	for i, c := range visible {
		after := ""
		if i > 0 {
			after = visible[i-1].Name
		}
		physical = a.column(c, after, stays[c.Name], a.lastNew(visible[i:]), physical)
	}
	order(a.to, physical)
}

// lastNew reports whether only new columns follow, so that none needs a place.
func (a *alteration) lastNew(rest []*Column) bool {
	return !slices.ContainsFunc(rest, func(c *Column) bool { return a.source(c.Name) != nil })
}

// column writes the clause of one visible column, if it needs one, and returns
// the order of columns after it.
func (a *alteration) column(c *Column, after string, stays, last bool, physical []string) []string {
	src := a.source(c.Name)
	place := " FIRST"
	if after != "" {
		place = " AFTER " + Quote(after)
	}
	if src == nil {
		sql := "ADD COLUMN " + c.define(a.to, a.fl, true)
		if !last {
			sql += place
			physical = insertAfter(physical, c.Name, after)
		} else {
			physical = append(physical, c.Name)
		}
		cl := clause{sql: sql, change: "add column " + c.Name, done: columnExists(a.to.Name, c.Name), op: addColumn(c, a.from)}
		if old := a.from.Column(c.Name); old != nil {
			cl.change, cl.done = "make column "+c.Name+" anew", a.madeAnew(old, c)
		}
		a.add(cl)
		return physical
	}
	differences := columnDifferences(src, c, a.from, a.to)
	if stays && len(differences) == 0 && src.Name == c.Name {
		return physical
	}
	cl := clause{sql: "MODIFY COLUMN " + c.define(a.to, a.fl, true), done: columnChanged(a.to.Name, src, c, a.fl), op: modifyColumn(src, c, a.from, a.to, a.fl)}
	var what []string
	if src.Name != c.Name {
		cl.sql = "CHANGE COLUMN " + Quote(src.Name) + " " + c.define(a.to, a.fl, true)
		switch {
		case Hidden(src.Name):
			what = append(what, "bring column "+c.Name+" back")
			if a.from.Column(c.Name) != nil { // one of that name goes
				cl.done = not(columnExists(a.to.Name, src.Name))
			}
		default:
			what = append(what, "rename column "+src.Name+" to "+c.Name)
		}
	}
	if len(differences) > 0 && !Hidden(src.Name) {
		what = append(what, "change column "+c.Name+" ("+strings.Join(differences, ", ")+")")
	}
	if !stays {
		cl.sql += place
		physical = slices.DeleteFunc(physical, func(n string) bool { return n == c.Name })
		physical = insertAfter(physical, c.Name, after)
		if len(differences) == 0 && src.Name == c.Name {
			what = append(what, "move column "+c.Name)
			cl.op = opMoveColumn
		}
		if cl.done == "" && (after == "" || a.source(after) != nil) {
			cl.done = columnFollows(a.to.Name, c.Name, after)
		}
	}
	cl.change = strings.Join(what, ", ")
	a.add(cl)
	return physical
}

// madeAnew is true when a column has been replaced by one of its name.
func (a *alteration) madeAnew(old, now *Column) condition {
	if hidden := a.moved[old.Name]; hidden != "" {
		return columnExists(a.to.Name, hidden)
	}
	kind := func(c *Column) string {
		switch {
		case c.Generated == nil:
			return ""
		case c.Generated.Stored:
			return "STORED"
		}
		return "VIRTUAL"
	}
	if word := kind(now); word != "" {
		return exists("columns", columnWhere(a.to.Name, now.Name)+" AND "+like("extra", word, true))
	}
	return exists("columns", columnWhere(a.to.Name, now.Name)+" AND "+like("extra", kind(old), false))
}

func insertAfter(list []string, name, after string) []string {
	return slices.Insert(list, slices.Index(list, after)+1, name)
}

func order(t *Table, physical []string) {
	at := make(map[string]int, len(physical))
	for i, name := range physical {
		at[name] = i
	}
	slices.SortStableFunc(t.Columns, func(x, y *Column) int { return at[x.Name] - at[y.Name] })
}

// staying returns the columns that need no new place: the longest run of
// columns whose order is the same before and after.
func (a *alteration) staying(visible []*Column, physical []string) map[string]bool {
	var names []string
	var places []int
	for _, c := range visible {
		if a.source(c.Name) != nil {
			names = append(names, c.Name)
			places = append(places, slices.Index(physical, c.Name))
		}
	}
	stay := map[string]bool{}
	for _, i := range longestIncreasing(places) {
		stay[names[i]] = true
	}
	return stay
}

// longestIncreasing returns the indexes of a longest increasing subsequence.
func longestIncreasing(seq []int) []int {
	previous := make([]int, len(seq))
	var tails []int // tails[n] ends the best run of n+1
	for i, v := range seq {
		n, _ := slices.BinarySearchFunc(tails, v, func(t, v int) int { return seq[t] - v })
		previous[i] = -1
		if n > 0 {
			previous[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	if len(tails) == 0 {
		return nil
	}
	var out []int
	for i := tails[len(tails)-1]; i >= 0; i = previous[i] {
		out = append(out, i)
	}
	slices.Reverse(out)
	return out
}

// indexPairs matches the indexes of both forms; in the old one columns have
// their new names, so that an index over a renamed column is the same index.
func (a *alteration) indexPairs() []pair[Index] {
	return match(a.renamedIndexes(), a.to.Indexes, indexID)
}

func (a *alteration) renamedIndexes() []*Index {
	out := make([]*Index, len(a.from.Indexes))
	for i, x := range a.from.Indexes {
		out[i] = a.renamed(x)
	}
	return out
}

func (a *alteration) renamed(x *Index) *Index {
	n := x.Clone()
	for i, p := range n.Parts {
		if now := a.moved[p.Column]; now != "" {
			n.Parts[i].Column = now
		} else if c := a.from.Column(p.Column); c != nil && replaced(c, a.to.Column(p.Column)) {
			n.Parts[i].Column = "" // the new column is another one
		}
	}
	return n
}

func (a *alteration) dropIndexes() {
	renamed := a.renamesByName()
	for _, p := range a.indexPairs() {
		switch {
		case p.a == nil:
		case p.b == nil && renamed[p.a.Name] != "":
			now := renamed[p.a.Name]
			a.add(clause{sql: "RENAME INDEX " + Quote(p.a.Name) + " TO " + Quote(now), change: "rename index " + p.a.Name + " to " + now, done: indexExists(a.to.Name, now), op: opRenameIndex})
		case p.b == nil:
			a.add(clause{sql: "DROP INDEX " + Quote(p.a.Name), change: "drop index " + p.a.Name, done: not(indexExists(a.to.Name, p.a.Name)), op: opDropIndex})
		case !sameIndex(p.a, p.b):
			a.add(clause{sql: "DROP INDEX " + Quote(p.a.Name), op: opDropIndex})
		}
	}
	if pk := a.from.PrimaryKey; pk != nil && (a.to.PrimaryKey == nil || !sameIndex(a.renamed(pk), a.to.PrimaryKey)) {
		c := clause{sql: "DROP PRIMARY KEY", op: opDropPrimaryKey}
		if a.to.PrimaryKey != nil {
			c.op = opAddPrimaryKey
		} else {
			c.change, c.done = "drop the primary key", not(indexExists(a.to.Name, "PRIMARY"))
		}
		a.add(c)
	}
}

// renamesByName maps the names of indexes that change nothing but their name.
func (a *alteration) renamesByName() map[string]string {
	out := map[string]string{}
	if !a.fl.hasRenameIndex() {
		return out
	}
	taken := map[string]bool{}
	pairs := a.indexPairs()
	for _, p := range pairs {
		if p.b != nil {
			continue
		}
		for _, q := range pairs {
			if q.a == nil && !taken[q.b.Name] && sameIndex(p.a, q.b) && a.from.Index(q.b.Name) == nil {
				out[p.a.Name], taken[q.b.Name] = q.b.Name, true
				break
			}
		}
	}
	return out
}

func (a *alteration) addIndexes() {
	if pk := a.to.PrimaryKey; pk != nil && (a.from.PrimaryKey == nil || !sameIndex(a.renamed(a.from.PrimaryKey), pk)) {
		c := clause{sql: "ADD " + pk.define(a.fl), change: "add primary key", done: indexExists(a.to.Name, "PRIMARY"), op: opAddPrimaryKey}
		if a.from.PrimaryKey != nil {
			c.change, c.done = "change the primary key", indexChanged(a.to.Name, a.renamed(a.from.PrimaryKey), pk, a.fl)
		}
		a.add(c)
	}
	arrived := map[string]bool{}
	for _, now := range a.renamesByName() {
		arrived[now] = true
	}
	for _, p := range a.indexPairs() {
		switch {
		case p.b == nil || arrived[p.b.Name] && p.a == nil:
		case p.a == nil:
			a.add(clause{sql: "ADD " + p.b.define(a.fl), change: "add " + indexName(p.b), done: indexExists(a.to.Name, p.b.Name), op: addIndex(p.b, a.from)})
		case !sameIndex(p.a, p.b):
			a.add(clause{sql: "ADD " + p.b.define(a.fl), change: "change " + indexName(p.b), done: indexChanged(a.to.Name, p.a, p.b, a.fl), op: addIndex(p.b, a.from)})
		}
	}
}

func indexName(x *Index) string {
	word := map[IndexKind]string{UniqueIndex: "unique ", FulltextIndex: "fulltext ", SpatialIndex: "spatial ", VectorIndex: "vector "}[x.Kind]
	return word + "index " + x.Name
}

func (a *alteration) checkPairs() []pair[Check] {
	return match(a.from.tableChecks(), a.to.tableChecks(), checkID)
}

func (a *alteration) dropChecks() {
	word := "DROP CHECK "
	if a.fl.Vendor == MariaDB {
		word = "DROP CONSTRAINT "
	}
	for _, p := range a.checkPairs() {
		switch {
		case p.a == nil:
		case p.b == nil:
			a.add(clause{sql: word + Quote(p.a.Name), change: "drop check " + p.a.Name, done: not(checkExists(a.to.Name, p.a.Name, a.fl)), op: opDropCheck})
		case !sameCheck(p.a, p.b):
			a.add(clause{sql: word + Quote(p.a.Name), op: opDropCheck})
		}
	}
}

func (a *alteration) addChecks() {
	for _, p := range a.checkPairs() {
		switch {
		case p.b == nil:
		case p.a == nil:
			a.add(clause{sql: "ADD " + p.b.define(a.fl), change: "add check " + p.b.Name, done: checkExists(a.to.Name, p.b.Name, a.fl), op: opAddCheck})
		case !sameCheck(p.a, p.b):
			a.add(clause{sql: "ADD " + p.b.define(a.fl), change: "change check " + p.b.Name, op: opAddCheck})
		}
	}
}

// resets are what takes an option away, where KEY=DEFAULT does not.
var resets = map[string]string{
	"AVG_ROW_LENGTH": "0", "CHECKSUM": "0", "TABLE_CHECKSUM": "0", "COMPRESSION": "", "CONNECTION": "", "DELAY_KEY_WRITE": "0",
	"ENCRYPTION": "N", "INSERT_METHOD": "NO", "KEY_BLOCK_SIZE": "0", "MAX_ROWS": "0", "MIN_ROWS": "0",
}

func (a *alteration) options() {
	f, t := a.from, a.to
	if f.Engine != t.Engine {
		a.add(clause{sql: "ENGINE=" + t.Engine, change: "change the engine to " + t.Engine, done: exists("tables", tableWhere(t.Name)+" AND engine="+QuoteText(t.Engine)), op: opEngine})
	}
	if f.Charset != t.Charset || f.Collation != t.Collation {
		probe := "table_collation=" + QuoteText(t.Collation)
		if rest, ok := strings.CutPrefix(t.Collation, "utf8mb3_"); ok {
			probe = fmt.Sprintf("table_collation IN (%s,%s)", QuoteText("utf8_"+rest), QuoteText(t.Collation))
		}
		a.add(clause{sql: charsetClause(t.Charset, t.Collation, a.fl), change: "new columns get " + t.Collation, done: exists("tables", tableWhere(t.Name)+" AND "+probe), op: opTableCharset})
	}
	for _, key := range optionKeys(f, t) {
		before, after := f.option(key), t.option(key)
		if before == after {
			continue
		}
		o := Option{key, after}
		if after == "" {
			o.Value = "DEFAULT"
			if v, ok := resets[key]; ok {
				o.Value = v
			}
		}
		a.add(clause{sql: o.clause(), change: "option " + o.clause(), op: opOption(key)})
	}
	if f.Comment != t.Comment {
		a.add(clause{sql: "COMMENT=" + QuoteText(t.Comment), change: "change the comment", done: exists("tables", tableWhere(t.Name)+" AND BINARY table_comment="+QuoteText(t.Comment)), op: opTableComment})
	}
	if f.SystemVer != t.SystemVer {
		if t.SystemVer {
			a.add(clause{sql: "ADD SYSTEM VERSIONING", change: "keep versions of rows", done: exists("tables", tableWhere(t.Name)+" AND table_type='SYSTEM VERSIONED'"), op: opVersioning})
		} else {
			a.add(clause{sql: "DROP SYSTEM VERSIONING", change: "keep no versions of rows", done: exists("tables", tableWhere(t.Name)+" AND table_type='BASE TABLE'"), op: opVersioning})
		}
	}
}
