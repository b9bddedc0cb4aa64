package schema

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Canonical returns the schema as the server would describe it after having
// executed it: names, character sets and defaults that were left out are filled
// in, spellings that mean the same become one. It is idempotent, and s is not
// changed. Two canonical schemas of one flavor can be compared by [Equal].
//
// What inherits its character set from a database that names none gets the
// flavor's default. A schema that will be loaded into an existing database
// should have that database's Charset and Collation before; [Merge] and
// [NewPlan] see to this themselves.
func Canonical(s *Schema, fl Flavor) *Schema {
	c := s.Clone()
	c.Charset, c.Collation = fl.inherit(c.Charset, c.Collation, "utf8mb4", fl.DefaultCollation("utf8mb4"))
	p := &pass{fl: fl, schema: c}
	p.dropHidden()
	for _, t := range c.Tables {
		p.table(t)
	}
	// Names that the server makes up and references by name need every table.
	tables := tablesByName(c)
	for _, t := range c.Tables {
		p.references(t, tables)
	}
	for _, v := range c.Views {
		v.Algorithm = strings.ToUpper(v.Algorithm)
		v.Security = strings.ToUpper(v.Security)
	}
	for _, g := range c.Triggers {
		g.Timing, g.Event = strings.ToUpper(g.Timing), strings.ToUpper(g.Event)
	}
	return c
}

// pass is one canonicalisation. Rules see the flavor and the schema around.
type pass struct {
	fl     Flavor
	schema *Schema
}

// dropHidden takes away what belongs to the quarantine.
func (p *pass) dropHidden() {
	s := p.schema
	s.Tables = slices.DeleteFunc(s.Tables, func(t *Table) bool { return Hidden(t.Name) })
	s.Views = slices.DeleteFunc(s.Views, func(v *View) bool { return Hidden(v.Name) })
	s.Sequences = slices.DeleteFunc(s.Sequences, func(q *Sequence) bool { return Hidden(q.Name) })
	for _, t := range s.Tables {
		t.Columns = slices.DeleteFunc(t.Columns, func(c *Column) bool { return Hidden(c.Name) })
		t.Checks = slices.DeleteFunc(t.Checks, func(c *Check) bool { return Hidden(c.Name) || Hidden(c.Column) })
	}
}

func (p *pass) table(t *Table) {
	for _, r := range tableRules {
		r.apply(p, t)
	}
	for _, c := range t.Columns {
		for _, r := range columnRules {
			r.apply(p, t, c)
		}
	}
	for _, r := range keyRules {
		r.apply(p, t)
	}
}

// A rule is one way in which servers describe what they were told in other
// words. The order of a table is the order of application.
type rule[F any] struct {
	name   string
	source string // where the server's behaviour is described or was seen
	apply  F
}

var tableRules = []rule[func(*pass, *Table)]{
	{"charset", "CREATE TABLE reference: a table without a character set has the database's", func(p *pass, t *Table) {
		t.Charset, t.Collation = p.fl.inherit(t.Charset, t.Collation, p.schema.Charset, p.schema.Collation)
	}},
	{"engine", "default_storage_engine of a fresh server; TiDB has one engine", func(p *pass, t *Table) {
		t.Engine = canonEngine(t.Engine)
		if p.fl.Vendor == TiDB {
			t.Engine = "InnoDB"
		}
	}},
	{"options", "SHOW CREATE TABLE leaves out options at their default", func(p *pass, t *Table) {
		t.Options = canonOptions(t)
	}},
	{"partition", "SHOW CREATE TABLE of 10.11 and 9.7: default subclauses are left out", func(p *pass, t *Table) {
		canonPartition(t.Partition, t)
	}},
	{"inline checks", "MySQL keeps a column's check as one of the table; MariaDB keeps it inline, named like the column", func(p *pass, t *Table) {
		p.checks(t)
	}},
}

// engines are the storage engines in the servers' spelling.
var engines = []struct {
	name    string
	vendors []Vendor // whose references know it
}{
	{"InnoDB", []Vendor{MySQL, MariaDB}}, {"MyISAM", []Vendor{MySQL, MariaDB}}, {"MEMORY", []Vendor{MySQL, MariaDB}}, {"CSV", []Vendor{MySQL, MariaDB}},
	{"ARCHIVE", []Vendor{MySQL, MariaDB}}, {"BLACKHOLE", []Vendor{MySQL, MariaDB}}, {"MRG_MyISAM", []Vendor{MySQL, MariaDB}},
	{"FEDERATED", []Vendor{MySQL, MariaDB}}, {"EXAMPLE", []Vendor{MySQL, MariaDB}}, {"RocksDB", []Vendor{MySQL, MariaDB}}, {"TokuDB", []Vendor{MySQL, MariaDB}},
	{"NDBCLUSTER", []Vendor{MySQL}}, {"Aria", []Vendor{MariaDB}}, {"ColumnStore", []Vendor{MariaDB}}, {"CONNECT", []Vendor{MariaDB}}, {"Mroonga", []Vendor{MariaDB}},
	{"OQGRAPH", []Vendor{MariaDB}}, {"S3", []Vendor{MariaDB}}, {"SEQUENCE", []Vendor{MariaDB}}, {"SPHINX", []Vendor{MariaDB}}, {"SPIDER", []Vendor{MariaDB}},
}

func canonEngine(name string) string {
	if name == "" {
		return "InnoDB"
	}
	if now := oldEngineNames[strings.ToLower(name)]; now != "" {
		return now
	}
	for _, e := range engines {
		if strings.EqualFold(e.name, name) {
			return e.name
		}
	}
	return name
}

// oldEngineNames are synonyms that servers still take.
var oldEngineNames = map[string]string{"heap": "MEMORY", "merge": "MRG_MyISAM", "ndb": "NDBCLUSTER", "innobase": "InnoDB"}

// optionDefaults are the values with which an option need not be written. A
// key with "*" is never a difference: the server counts it up by itself, or
// no ALTER can change it.
var optionDefaults = map[string][]string{
	"AUTO_INCREMENT":     {"*"},
	"DATA DIRECTORY":     {"*"},
	"INDEX DIRECTORY":    {"*"},
	"AVG_ROW_LENGTH":     {"0"},
	"CHECKSUM":           {"0"},
	"TABLE_CHECKSUM":     {"0"},
	"COMPRESSION":        {"", "NONE"},
	"CONNECTION":         {""},
	"DELAY_KEY_WRITE":    {"0"},
	"ENCRYPTION":         {"N"},
	"INSERT_METHOD":      {"NO"},
	"KEY_BLOCK_SIZE":     {"0"},
	"MAX_ROWS":           {"0"},
	"MIN_ROWS":           {"0"},
	"PACK_KEYS":          {"DEFAULT"},
	"PAGE_CHECKSUM":      {"DEFAULT"},
	"ROW_FORMAT":         {"DEFAULT"},
	"STATS_AUTO_RECALC":  {"DEFAULT"},
	"STATS_PERSISTENT":   {"DEFAULT"},
	"STATS_SAMPLE_PAGES": {"0", "DEFAULT"},
	"TRANSACTIONAL":      {"DEFAULT"},
}

func canonOptions(t *Table) []Option {
	byKey := map[string]string{}
	for _, o := range t.Options {
		key := strings.Join(strings.Fields(strings.ToUpper(o.Key)), " ")
		value := o.Value
		switch key {
		case "ROW_FORMAT", "PACK_KEYS", "STATS_PERSISTENT", "STATS_AUTO_RECALC", "STATS_SAMPLE_PAGES", "INSERT_METHOD", "COMPRESSION", "ENCRYPTION":
			value = strings.ToUpper(value)
		case "PAGE_COMPRESSED", "ENCRYPTED", "TRANSACTIONAL", "PAGE_CHECKSUM":
			value = canonSwitch(value)
		}
		byKey[key] = value
	}
	if t.Engine == "InnoDB" {
		// DYNAMIC is innodb_default_row_format; a block size implies COMPRESSED.
		if f := byKey["ROW_FORMAT"]; f == "DYNAMIC" || f == "COMPRESSED" && byKey["KEY_BLOCK_SIZE"] != "" && byKey["KEY_BLOCK_SIZE"] != "0" {
			delete(byKey, "ROW_FORMAT")
		}
	}
	var out []Option
	for key, value := range byKey {
		if d := optionDefaults[key]; slices.Contains(d, "*") || slices.Contains(d, value) {
			continue
		}
		out = append(out, Option{key, value})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Key < out[j].Key })
	return out
}

func canonSwitch(v string) string {
	switch strings.ToUpper(v) {
	case "ON", "YES", "1":
		return "1"
	case "OFF", "NO", "0":
		return "0"
	}
	return strings.ToUpper(v)
}

// checks hoists inline checks where the server does, folds MariaDB's way to
// store json, and fills the expressions' canonical form.
func (p *pass) checks(t *Table) {
	keep := t.Checks[:0]
	for _, k := range t.Checks {
		k.Expr = canonExpr(k.Expr)
		if k.Column != "" {
			if c := t.Column(k.Column); c != nil {
				k.Column = c.Name
				if foldsToJSON(c, k, p.fl) {
					c.Type = Type{Base: "json", Length: -1, Scale: -1}
					c.Charset, c.Collation = "", ""
					continue
				}
			}
			if p.fl.Vendor != MariaDB {
				k.Column = ""
			}
		} else if p.fl.Vendor == MariaDB {
			// A dump of MySQL has the check of a json column at the table's end.
			if c := t.Column(k.Name); c != nil && c.Type.Base == "json" && isJSONValid(k, c.Name) {
				continue
			}
		}
		if p.fl.hasCheck() {
			if p.fl.Vendor == MariaDB {
				k.Enforced = true
			}
			keep = append(keep, k)
		}
	}
	if len(keep) == 0 {
		keep = nil
	}
	t.Checks = keep
	for i, k := range t.Checks {
		switch {
		case k.Column != "":
			k.Name, k.AutoName = k.Column, true
		case k.Name == "":
			k.Name, k.AutoName = p.checkName(t, i), true
		case p.autoCheck(t, k.Name):
			k.AutoName = true
		}
	}
}

func foldsToJSON(c *Column, k *Check, fl Flavor) bool {
	if fl.Vendor != MariaDB || !isJSONValid(k, c.Name) {
		return false
	}
	if c.Type.Base == "json" {
		return true
	}
	coll := canonCollation(c.Collation, "utf8mb4")
	return c.Type.Base == "longtext" && coll == "utf8mb4_bin"
}

func isJSONValid(k *Check, column string) bool {
	return strings.EqualFold(strings.NewReplacer("`", "", " ", "", "(", "", ")", "").Replace(k.Expr.Canon), "json_valid"+column)
}

// checkName is the name that the server makes up for the i-th check: counted
// over the table, with the table's name on MySQL.
func (p *pass) checkName(t *Table, i int) string {
	prefix := "CONSTRAINT_"
	if p.fl.namesChecksByTable() {
		prefix = t.Name + "_chk_"
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(t.Checks, func(k *Check) bool { return strings.EqualFold(k.Name, name) })
	}
	n := 1
	for ; taken(fmt.Sprint(prefix, n)); n++ {
	}
	return fmt.Sprint(prefix, n)
}

func (p *pass) autoCheck(t *Table, name string) bool {
	prefix := "CONSTRAINT_"
	if p.fl.namesChecksByTable() {
		prefix = t.Name + "_chk_"
	}
	return numbered(name, prefix)
}

// numbered reports whether name is prefix and a number.
func numbered(name, prefix string) bool {
	if len(name) <= len(prefix) || !strings.EqualFold(name[:len(prefix)], prefix) {
		return false
	}
	return strings.Trim(name[len(prefix):], "0123456789") == ""
}

// Column returns the column of that name in any case, nil if there is none.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name || strings.EqualFold(c.Name, name) {
			return c
		}
	}
	return nil
}

// Index returns the index of that name in any case, nil if there is none. The
// primary key is not among them.
func (t *Table) Index(name string) *Index {
	for _, x := range t.Indexes {
		if strings.EqualFold(x.Name, name) {
			return x
		}
	}
	return nil
}

func canonPartition(p *Partitioning, t *Table) {
	if p == nil {
		return
	}
	p.Method = strings.ToUpper(p.Method)
	p.Expr = canonExpr(p.Expr)
	for i, name := range p.Columns {
		if c := t.Column(name); c != nil {
			p.Columns[i] = c.Name
		}
	}
	if (p.Method == "HASH" || p.Method == "KEY") && unnamedParts(p.Parts) {
		// Partitions p0, p1, … without options say no more than their number.
		p.Count, p.Parts = len(p.Parts), nil
	}
	if (p.Method == "HASH" || p.Method == "KEY") && p.Count == 0 && len(p.Parts) == 0 {
		p.Count = 1
	}
	for i := range p.Parts {
		canonPart(&p.Parts[i], t)
	}
	canonPartition(p.Sub, t)
}

func canonPart(part *Partition, t *Table) {
	part.Options = slices.DeleteFunc(part.Options, func(o Option) bool {
		return strings.EqualFold(o.Key, "ENGINE") && strings.EqualFold(canonEngine(o.Value), t.Engine)
	})
	if len(part.Options) == 0 {
		part.Options = nil
	}
	for i := range part.Options {
		part.Options[i].Key = strings.ToUpper(part.Options[i].Key)
	}
	sort.Slice(part.Options, func(i, j int) bool { return part.Options[i].Key < part.Options[j].Key })
	for i := range part.Subs {
		canonPart(&part.Subs[i], t)
	}
}

func unnamedParts(ps []Partition) bool {
	if len(ps) == 0 {
		return false
	}
	for i, p := range ps {
		if p.Name != fmt.Sprint("p", i) || len(p.Subs) > 0 {
			return false
		}
		for _, o := range p.Options {
			if !strings.EqualFold(o.Key, "ENGINE") {
				return false
			}
		}
	}
	return true
}
