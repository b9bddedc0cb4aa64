package schema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Emit returns the statements that make the schema on an empty database, parents
// before children, objects of a kind by name otherwise. Reading them back gives
// the same canonical schema.
func Emit(s *Schema, fl Flavor) string {
	var b strings.Builder
	for _, q := range byName(s.Sequences, func(q *Sequence) string { return q.Name }) {
		b.WriteString(q.Create() + ";\n\n")
	}
	tables, cyclic := parentsFirst(s.Tables)
	if cyclic {
		b.WriteString("SET FOREIGN_KEY_CHECKS=0;\n\n")
	}
	for _, t := range tables {
		b.WriteString(t.Create(fl) + ";\n\n")
	}
	if cyclic {
		b.WriteString("SET FOREIGN_KEY_CHECKS=1;\n\n")
	}
	for _, r := range byName(s.Routines, func(r *Routine) string { return r.Name }) {
		b.WriteString(delimited(r.create()))
	}
	for _, v := range viewsInOrder(s.Views) {
		b.WriteString(v.create() + ";\n\n")
	}
	for _, g := range byName(s.Triggers, func(g *Trigger) string { return g.Name }) {
		b.WriteString(delimited(g.create()))
	}
	for _, e := range byName(s.Events, func(e *Event) string { return e.Name }) {
		b.WriteString(delimited(e.create()))
	}
	return b.String()
}

// delimited wraps a statement that has semicolons inside as dump files do.
func delimited(sql string) string {
	return "DELIMITER ;;\n" + sql + ";;\nDELIMITER ;\n\n"
}

func byName[T any](in []*T, name func(*T) string) []*T {
	out := slices.Clone(in)
	slices.SortStableFunc(out, func(a, b *T) int { return strings.Compare(name(a), name(b)) })
	return out
}

// parentsFirst orders tables so that each comes after those that it refers to.
// Where references go in a circle the names decide, and cyclic is true.
func parentsFirst(in []*Table) (out []*Table, cyclic bool) {
	sorted := byName(in, func(t *Table) string { return t.Name })
	byKey := make(map[string]*Table, len(sorted))
	for _, t := range sorted {
		byKey[t.Name] = t
	}
	const (
		open = 1 + iota
		done
	)
	state := make(map[*Table]int, len(sorted))
	var visit func(t *Table)
	visit = func(t *Table) {
		state[t] = open
		for _, k := range t.ForeignKeys {
			p := byKey[k.RefTable]
			if p == nil || p == t || k.RefSchema != "" {
				continue
			}
			switch state[p] {
			case open:
				cyclic = true
			case 0:
				visit(p)
			}
		}
		state[t] = done
		out = append(out, t)
	}
	for _, t := range sorted {
		if state[t] == 0 {
			visit(t)
		}
	}
	return out, cyclic
}

// Create returns the table's CREATE TABLE statement without a semicolon, with
// its foreign keys.
func (t *Table) Create(fl Flavor) string { return t.createWith(fl, t.ForeignKeys) }

func (t *Table) createWith(fl Flavor, keys []*ForeignKey) string {
	var lines []string
	for _, c := range t.Columns {
		lines = append(lines, c.define(t, fl, false))
	}
	for _, x := range t.allIndexes() {
		lines = append(lines, x.define(fl))
	}
	for _, k := range keys {
		lines = append(lines, k.define())
	}
	for _, k := range t.Checks {
		if k.Column == "" {
			lines = append(lines, k.define(fl))
		}
	}
	for _, p := range t.Periods {
		lines = append(lines, p.define())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n  %s\n)", Quote(t.Name), strings.Join(lines, ",\n  "))
	for _, o := range t.optionClauses(fl) {
		b.WriteString(" " + o)
	}
	if t.SystemVer {
		b.WriteString(" WITH SYSTEM VERSIONING")
	}
	if t.Partition != nil {
		b.WriteString("\n" + t.Partition.define())
	}
	return b.String()
}

func (t *Table) optionClauses(fl Flavor) []string {
	out := []string{"ENGINE=" + t.Engine}
	if t.Charset != "" {
		out = append(out, charsetClause(t.Charset, t.Collation, fl))
	}
	for _, o := range t.Options {
		out = append(out, o.clause())
	}
	if t.Comment != "" {
		out = append(out, "COMMENT="+QuoteText(t.Comment))
	}
	return out
}

func charsetClause(cs, coll string, fl Flavor) string {
	return "DEFAULT CHARSET=" + fl.charsetName(cs) + " COLLATE=" + fl.collationName(coll)
}

// quotedOptions take a string.
var quotedOptions = []string{"COMPRESSION", "CONNECTION", "DATA DIRECTORY", "ENCRYPTION", "ENGINE_ATTRIBUTE", "INDEX DIRECTORY", "PASSWORD", "SECONDARY_ENGINE_ATTRIBUTE", "IETF_QUOTES", "TTL_ENABLE", "TTL_JOB_INTERVAL"}

// separators are what stands between an option and its value where "=" may not.
var separators = map[string]string{"TABLESPACE": " ", "COLUMN_FORMAT": " ", "STORAGE": " "}

func (o Option) clause() string {
	if s := separators[o.Key]; s != "" {
		return o.Key + s + o.Value
	}
	if o.Key == "TTL" { // an expression
		return o.Key + "=" + o.Value
	}
	if slices.Contains(quotedOptions, o.Key) {
		return o.Key + "=" + QuoteText(o.Value)
	}
	if o.Value == "" {
		return o.Key
	}
	if o.Value[0] != '(' && strings.ContainsFunc(o.Value, func(r rune) bool { return r > 127 || !wordByte(byte(r)) }) {
		return o.Key + "=" + QuoteText(o.Value)
	}
	return o.Key + "=" + o.Value
}

func (p Period) define() string {
	if strings.EqualFold(p.Name, "SYSTEM_TIME") {
		return fmt.Sprintf("PERIOD FOR SYSTEM_TIME (%s, %s)", Quote(p.Start), Quote(p.End))
	}
	return fmt.Sprintf("PERIOD FOR %s (%s, %s)", Quote(p.Name), Quote(p.Start), Quote(p.End))
}

// define returns a column as it stands in CREATE and ALTER TABLE. With full the
// character set is always written, so that it means the same whatever the
// table's is at that moment.
func (c *Column) define(t *Table, fl Flavor, full bool) string {
	var b strings.Builder
	word := func(s string) { b.WriteString(" " + s) }
	b.WriteString(Quote(c.Name))
	word(c.Type.String())
	if c.Compressed != "" {
		word(strings.ToUpper(c.Compressed))
	}
	if c.Charset != "" && (full || c.Charset != t.Charset || c.Collation != t.Collation) {
		word("CHARACTER SET " + fl.charsetName(c.Charset) + " COLLATE " + fl.collationName(c.Collation))
	}
	switch {
	case c.RowStart:
		word("GENERATED ALWAYS AS ROW START")
	case c.RowEnd:
		word("GENERATED ALWAYS AS ROW END")
	case c.Generated != nil:
		kind := "VIRTUAL"
		if c.Generated.Stored {
			kind = "STORED"
		}
		word("GENERATED ALWAYS AS (" + c.Generated.Expr.Raw + ") " + kind)
	}
	switch {
	case c.RowStart || c.RowEnd || c.Generated != nil && fl.Vendor == MariaDB:
	case !c.Nullable:
		word("NOT NULL")
	case c.Type.Base == "timestamp":
		word("NULL")
	}
	if c.SRID != nil {
		word(fmt.Sprint("SRID ", *c.SRID))
	}
	for _, o := range c.Options {
		if o.Key == spatialReference { // has to stand before the default
			word(o.clause())
		}
	}
	if c.Invisible {
		word("INVISIBLE")
	}
	if d := c.Default.define(c.Type, fl); d != "" && c.Generated == nil {
		word("DEFAULT " + d)
	}
	if c.OnUpdateNow >= 0 {
		word("ON UPDATE " + clock(c.OnUpdateNow))
	}
	if c.AutoInc {
		word("AUTO_INCREMENT")
	}
	if c.AutoRandom != "" {
		word("AUTO_RANDOM(" + c.AutoRandom + ")")
	}
	if c.NoSysVer {
		word("WITHOUT SYSTEM VERSIONING")
	}
	for _, o := range printed(c.Options) {
		word(o.clause())
	}
	if c.Comment != "" {
		word("COMMENT " + QuoteText(c.Comment))
	}
	if k := t.inlineCheck(c.Name); k != nil {
		word("CHECK (" + k.Expr.Raw + ")")
	}
	return b.String()
}

func (t *Table) inlineCheck(column string) *Check {
	for _, k := range t.Checks {
		if k.Column != "" && k.Column == column {
			return k
		}
	}
	return nil
}

func clock(digits int) string {
	if digits > 0 {
		return "CURRENT_TIMESTAMP(" + strconv.Itoa(digits) + ")"
	}
	return "CURRENT_TIMESTAMP"
}

func (d Default) define(t Type, fl Flavor) string {
	switch d.Kind {
	case NullDefault:
		return "NULL"
	case BitDefault:
		return "b'" + d.Text + "'"
	case NowDefault:
		return clock(t.Length)
	case ExprDefault:
		return "(" + d.Text + ")"
	case LiteralDefault:
		text := d.Text
		if !d.Numeric {
			text = QuoteText(text)
		}
		if fl.Vendor != MariaDB && t.isLarge() {
			return "(" + text + ")"
		}
		return text
	}
	return ""
}

// String returns the type as CREATE TABLE spells it, as in "int unsigned".
func (t Type) String() string {
	var b strings.Builder
	b.WriteString(t.Base)
	switch {
	case len(t.Values) > 0:
		b.WriteByte('(')
		for i, v := range t.Values {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(QuoteText(v))
		}
		b.WriteByte(')')
	case t.Length >= 0 && t.Scale >= 0:
		fmt.Fprintf(&b, "(%d,%d)", t.Length, t.Scale)
	case t.Length >= 0:
		fmt.Fprintf(&b, "(%d)", t.Length)
	}
	if t.Unsigned {
		b.WriteString(" unsigned")
	}
	if t.Zerofill {
		b.WriteString(" zerofill")
	}
	return b.String()
}

var indexWords = map[IndexKind]string{
	PlainIndex: "KEY", UniqueIndex: "UNIQUE KEY", FulltextIndex: "FULLTEXT KEY", SpatialIndex: "SPATIAL KEY", VectorIndex: "VECTOR KEY",
}

func (x *Index) define(fl Flavor) string {
	var b strings.Builder
	if x.Kind == PrimaryIndex {
		b.WriteString("PRIMARY KEY")
	} else {
		b.WriteString(indexWords[x.Kind] + " " + Quote(x.Name))
	}
	b.WriteString(" (")
	for i, p := range x.Parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.define())
	}
	options := x.Options
	for i, o := range x.Options {
		if o.Key == "WITHOUT OVERLAPS" { // of a period, which stands with the columns
			b.WriteString("," + Quote(o.Value) + " WITHOUT OVERLAPS")
			options = slices.Delete(slices.Clone(x.Options), i, i+1)
		}
	}
	b.WriteByte(')')
	if x.Algorithm != "" {
		b.WriteString(" USING " + strings.ToUpper(x.Algorithm))
	}
	if x.KeyBlock > 0 {
		fmt.Fprintf(&b, " KEY_BLOCK_SIZE=%d", x.KeyBlock)
	}
	if x.Parser != "" {
		b.WriteString(" WITH PARSER " + Quote(x.Parser))
	}
	for _, o := range options {
		b.WriteString(" " + o.clause())
	}
	if x.Comment != "" {
		b.WriteString(" COMMENT " + QuoteText(x.Comment))
	}
	if x.Invisible {
		b.WriteString(" " + fl.invisibleIndex(true))
	}
	return b.String()
}

// invisibleIndex is the word that hides an index from the optimizer or shows it.
func (f Flavor) invisibleIndex(on bool) string {
	word := map[bool]string{true: "INVISIBLE", false: "VISIBLE"}
	if f.Vendor == MariaDB {
		word = map[bool]string{true: "IGNORED", false: "NOT IGNORED"}
	}
	return word[on]
}

func (p IndexPart) define() string {
	s := Quote(p.Column)
	if p.Column == "" {
		s = "(" + p.Expr.Raw + ")"
	}
	if p.Prefix > 0 {
		s += "(" + strconv.Itoa(p.Prefix) + ")"
	}
	if p.Desc {
		s += " DESC"
	}
	return s
}

func (k *ForeignKey) define() string {
	ref := Quote(k.RefTable)
	if k.RefSchema != "" {
		ref = Quote(k.RefSchema) + "." + ref
	}
	s := fmt.Sprintf("CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", Quote(k.Name), quoteAll(k.Columns), ref, quoteAll(k.RefColumns))
	if k.OnDelete != "" && k.OnDelete != "RESTRICT" {
		s += " ON DELETE " + k.OnDelete
	}
	if k.OnUpdate != "" && k.OnUpdate != "RESTRICT" {
		s += " ON UPDATE " + k.OnUpdate
	}
	return s
}

func (k *Check) define(fl Flavor) string {
	s := "CONSTRAINT " + Quote(k.Name) + " CHECK (" + k.Expr.Raw + ")"
	if !k.Enforced && fl.Vendor == MySQL {
		s += " NOT ENFORCED"
	}
	return s
}

func (p *Partitioning) define() string {
	var b strings.Builder
	b.WriteString("PARTITION BY " + p.header())
	if p.Count > 0 && len(p.Parts) == 0 {
		fmt.Fprintf(&b, " PARTITIONS %d", p.Count)
	}
	if p.Sub != nil {
		b.WriteString(" SUBPARTITION BY " + p.Sub.header())
		if p.Sub.Count > 0 {
			fmt.Fprintf(&b, " SUBPARTITIONS %d", p.Sub.Count)
		}
	}
	if len(p.Parts) > 0 {
		b.WriteString(" (" + defineParts(p.Parts, "PARTITION") + ")")
	}
	return b.String()
}

func (p *Partitioning) header() string {
	s := p.Method
	if p.Linear {
		s = "LINEAR " + s
	}
	if p.Algorithm > 0 {
		s += fmt.Sprint(" ALGORITHM=", p.Algorithm)
	}
	switch {
	case p.Method == "SYSTEM_TIME":
	case p.Method == "KEY" || strings.HasSuffix(p.Method, "COLUMNS"):
		s += " (" + quoteAll(p.Columns) + ")"
	default:
		s += " (" + p.Expr.Raw + ")"
	}
	if p.Clause != "" {
		s += " " + p.Clause
	}
	return s
}

func defineParts(ps []Partition, word string) string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.define(word)
	}
	return strings.Join(out, ", ")
}

func (p Partition) define(word string) string {
	s := word + " " + Quote(p.Name)
	switch strings.ToUpper(p.Values) {
	case "":
	case "HISTORY", "CURRENT", "DEFAULT":
		s += " " + p.Values
	default:
		s += " VALUES " + p.Values
	}
	for _, o := range p.Options {
		if o.Key == "COMMENT" {
			s += " COMMENT=" + QuoteText(o.Value)
		} else {
			s += " " + o.clause()
		}
	}
	if len(p.Subs) > 0 {
		s += " (" + defineParts(p.Subs, "SUBPARTITION") + ")"
	}
	return s
}
