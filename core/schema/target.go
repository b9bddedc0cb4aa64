package schema

import (
	"fmt"
	"slices"
	"strings"
)

// checkNames refuses what a server refuses or mixes up: names that are too long
// and names that differ in case only (K3).
func (p *planner) checkNames() {
	const limit = 64 // characters, in both vendors' references
	check := func(kind, in, name string) {
		if len([]rune(name)) > limit {
			p.refuse("the name of %s %s%s is longer than %d characters", kind, in, name, limit)
		}
	}
	seen := map[string]string{}
	for _, t := range p.target.Tables {
		check("table", "", t.Name)
		if other, ok := seen[strings.ToLower(t.Name)]; ok {
			p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("K3: the tables %s and %s are one on servers that don't mind the case of names.", other, t.Name))
		}
		seen[strings.ToLower(t.Name)] = t.Name
		if len(t.Columns) == 0 {
			p.refuse("table %s has no columns", t.Name)
		}
		columns := map[string]bool{}
		for _, c := range t.Columns {
			check("column", t.Name+".", c.Name)
			if columns[strings.ToLower(c.Name)] {
				p.refuse("table %s has two columns %s", t.Name, c.Name)
			}
			columns[strings.ToLower(c.Name)] = true
			p.checkCharset(fmt.Sprintf("column %s of table %s%s", c.Name, t.Name, c.Pos.behind()), c.Charset, c.Collation)
		}
		for _, x := range t.Indexes {
			check("index", t.Name+".", x.Name)
		}
		for _, k := range t.ForeignKeys {
			check("foreign key", t.Name+".", k.Name)
		}
		p.checkCharset("table "+t.Name+t.Pos.behind(), t.Charset, t.Collation)
		p.checkEngine(t)
		p.checkPartition(t)
	}
}

// behind is the place in a file, to stand behind the name of an object; "" for
// what was read from a server.
func (p Pos) behind() string {
	if p.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s:%d:%d)", p.File, p.Line, p.Column)
}

// strangers are parts of collations' names that a server lacks, with the nearest
// that it has instead (K2).
var strangers = []struct {
	lacks        func(Flavor) bool
	part, advice string
}{
	{func(f Flavor) bool { return f.Vendor != MariaDB }, "_uca1400_", "utf8mb4_0900_ai_ci or utf8mb4_unicode_520_ci"},
	{func(f Flavor) bool { return f.Vendor == MariaDB && !f.AtLeast(10, 10) }, "_uca1400_", "utf8mb4_unicode_520_ci"},
	{func(f Flavor) bool { return f.Vendor != MariaDB }, "_nopad_", "the collation of that name without nopad"},
	{func(f Flavor) bool { return f.Vendor == MariaDB && !f.aliases0900() }, "_0900_", "utf8mb4_uca1400_ai_ci or utf8mb4_unicode_520_ci"},
	{func(f Flavor) bool { return f.Vendor == MariaDB }, "_ja_0900_", "utf8mb4_uca1400_as_cs"},
	{func(f Flavor) bool { return f.Vendor == MariaDB }, "_zh_0900_", "utf8mb4_uca1400_as_cs"},
	{func(f Flavor) bool { return f.Vendor == MySQL && !f.AtLeast(8) }, "_0900_", "utf8mb4_unicode_520_ci"},
}

// collationWords are the words of which the names of collations are made, behind
// the character set: all that information_schema.collations of MySQL 5.7 to 9.7
// and of MariaDB 10.5 to 11.8 shows.
const collationWords = " ci cs as ai ks w2 tolower bin general unicode 520 nopad 0900 uca1400 general1400 mysql500 mysql561" +
	" bulgarian chinese croatian czech danish english esperanto estonian german1 german2 hungarian icelandic japanese korean" +
	" latvian lithuanian myanmar persian polish roman romanian sinhala slovak slovenian spanish spanish2 swedish thai turkish" +
	" ukrainian vietnamese trad bg bs cyrl da de en eo es et gl hr hu is ja la latn lt lv mn nb nn pb pl ro ru sk sl sr sv tr vi zh "

// knownCollation reports whether a name is made like a collation's.
func knownCollation(name string) bool {
	words := strings.Split(name, "_")
	if !KnownCharset(words[0]) {
		return false
	}
	return !slices.ContainsFunc(words[1:], func(w string) bool { return !strings.Contains(collationWords, " "+w+" ") })
}

// checkCharset refuses character sets and collations that the server lacks, and
// offers one that it has.
func (p *planner) checkCharset(object, cs, collation string) {
	if cs != "" && !KnownCharset(cs) {
		p.refuse("K2: %s has the character set %s, which no supported server has; utf8mb4 holds every character", object, cs)
	}
	if collation == "" || p.inUse(collation) {
		return
	}
	for _, s := range strangers {
		if s.lacks(p.fl) && strings.Contains(collation, s.part) {
			p.refuse("K2: %s has the collation %s, which %s does not have; %s is the nearest", object, collation, p.fl, s.advice)
		}
	}
	if KnownCharset(cs) && !knownCollation(collation) {
		p.refuse("K2: %s has the collation %s, which no supported server has; %s is the usual one of its character set", object, collation, p.fl.DefaultCollation(cs))
	}
}

// inUse reports whether the live schema proves that the server has a collation.
func (p *planner) inUse(collation string) bool {
	return p.start.Collation == collation || slices.ContainsFunc(p.start.Tables, func(t *Table) bool {
		return t.Collation == collation || slices.ContainsFunc(t.Columns, func(c *Column) bool { return c.Collation == collation })
	})
}

// checkEngine refuses engines that the server can't have (E2). One that is not
// told NO_ENGINE_SUBSTITUTION would take its default engine without a word.
func (p *planner) checkEngine(t *Table) {
	for _, e := range engines {
		if e.name == t.Engine && (p.fl.Vendor == TiDB || slices.Contains(e.vendors, p.fl.Vendor)) {
			return
		}
	}
	if !slices.ContainsFunc(p.start.Tables, func(o *Table) bool { return o.Engine == t.Engine }) {
		p.refuse("E2: table %s%s has the engine %s, which %s does not have; InnoDB is the usual one", t.Name, t.Pos.behind(), t.Engine, p.fl.Vendor)
	}
}

// checkPartition refuses partitions by columns that are not in every unique key
// (P2, error 1503).
func (p *planner) checkPartition(t *Table) {
	if t.Partition == nil || t.Partition.Method == "SYSTEM_TIME" {
		return
	}
	if old := p.before(t.Name); old != nil && samePartition(old.Partition, t.Partition) {
		return
	}
	for _, name := range t.partitionColumns() {
		for _, x := range t.allIndexes() {
			if x.Kind != PlainIndex && x.Kind != FulltextIndex && x.Kind != SpatialIndex && !x.has(name) {
				p.refuse("P2: table %s is divided by column %s, which %s lacks", t.Name, name, indexTitle(x))
			}
		}
	}
}

// partitionColumns returns the columns that decide about a row's partition.
func (t *Table) partitionColumns() []string {
	var out []string
	for how := t.Partition; how != nil; how = how.Sub {
		out = append(out, how.Columns...)
		for _, word := range names(how.Expr.Raw) {
			if c := t.Column(word); c != nil {
				out = append(out, c.Name)
			}
		}
	}
	return out
}
