package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The functions here compare canonical objects. Names of objects that are
// matched by content are not compared.

func sameType(a, b Type) bool {
	if a.isInteger() && a.Base == b.Base {
		// A display width is cosmetic but in tinyint(1), which programs read as
		// a boolean, and where zeros fill it.
		if !a.Zerofill && !b.Zerofill {
			aBool, bBool := a.Base == "tinyint" && a.Length == 1, b.Base == "tinyint" && b.Length == 1
			return a.Unsigned == b.Unsigned && aBool == bBool
		}
	}
	return a.Base == b.Base && a.Length == b.Length && a.Scale == b.Scale &&
		a.Unsigned == b.Unsigned && a.Zerofill == b.Zerofill && slices.Equal(a.Values, b.Values)
}

func sameDefault(a, b Default) bool {
	if a.Kind != b.Kind {
		return false
	}
	if a.Kind == ExprDefault {
		return sameExpr(Expr{Raw: a.Text}, Expr{Raw: b.Text})
	}
	return a.Text == b.Text
}

func sameExpr(a, b Expr) bool {
	if a.Raw == b.Raw {
		return true
	}
	return canonExpr(a).Canon == canonExpr(b).Canon
}

func sameGenerated(a, b *Generated) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Stored == b.Stored && sameExpr(a.Expr, b.Expr)
}

func sameSRID(a, b *uint32) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// sameColumn compares all but the name and the place. MariaDB's inline checks
// are compared with the column.
func sameColumn(a, b *Column, ta, tb *Table) bool {
	return len(columnDifferences(a, b, ta, tb)) == 0
}

// columnDifferences names what differs.
func columnDifferences(a, b *Column, ta, tb *Table) []string {
	ka, kb := ta.inlineCheck(a.Name), tb.inlineCheck(b.Name)
	var out []string
	for _, d := range []struct {
		name string
		same bool
	}{
		{"type", sameType(a.Type, b.Type)},
		{"null", a.Nullable == b.Nullable},
		{"default", sameDefault(a.Default, b.Default)},
		{"on update", a.OnUpdateNow == b.OnUpdateNow},
		{"generated", sameGenerated(a.Generated, b.Generated)},
		{"auto_increment", a.AutoInc == b.AutoInc},
		{"auto_random", a.AutoRandom == b.AutoRandom},
		{"character set", a.Charset == b.Charset},
		{"collation", a.Collation == b.Collation},
		{"comment", a.Comment == b.Comment},
		{"invisible", a.Invisible == b.Invisible},
		{"compressed", a.Compressed == b.Compressed},
		{"options", slices.Equal(printed(a.Options), printed(b.Options))},
		{"srid", sameSRID(a.SRID, b.SRID)},
		{"versioning", a.NoSysVer == b.NoSysVer && a.RowStart == b.RowStart && a.RowEnd == b.RowEnd},
		{"check", (ka == nil) == (kb == nil) && (ka == nil || sameExpr(ka.Expr, kb.Expr))},
	} {
		if !d.same {
			out = append(out, d.name)
		}
	}
	return out
}

// printed leaves out the option of a column that MariaDB does not print.
func printed(options []Option) []Option {
	return slices.DeleteFunc(slices.Clone(options), func(o Option) bool { return o.Key == spatialReference })
}

func sameIndex(a, b *Index) bool {
	if !sameIndexParts(a, b) {
		return false
	}
	return a.Algorithm == b.Algorithm && strings.EqualFold(a.Parser, b.Parser) && a.Comment == b.Comment && a.KeyBlock == b.KeyBlock &&
		a.Invisible == b.Invisible && slices.Equal(a.Options, b.Options)
}

func sameIndexParts(a, b *Index) bool {
	return a.Kind == b.Kind && slices.EqualFunc(a.Parts, b.Parts, func(p, q IndexPart) bool {
		return strings.EqualFold(p.Column, q.Column) && p.Prefix == q.Prefix && p.Desc == q.Desc && (p.Column != "" || sameExpr(p.Expr, q.Expr))
	})
}

func sameForeignKey(a, b *ForeignKey) bool {
	return slices.EqualFunc(a.Columns, b.Columns, strings.EqualFold) && a.RefSchema == b.RefSchema && a.RefTable == b.RefTable &&
		slices.EqualFunc(a.RefColumns, b.RefColumns, strings.EqualFold) && sameAction(a.OnDelete, b.OnDelete) && sameAction(a.OnUpdate, b.OnUpdate)
}

func sameCheck(a, b *Check) bool { return a.Enforced == b.Enforced && sameExpr(a.Expr, b.Expr) }

func samePartition(a, b *Partitioning) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Count == b.Count && samePartitionMethod(a, b) && sameParts(a.Parts, b.Parts)
}

// samePartitionMethod compares all but the list of partitions.
func samePartitionMethod(a, b *Partitioning) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Method == b.Method && a.Linear == b.Linear && a.Algorithm == b.Algorithm && sameExpr(a.Expr, b.Expr) &&
		slices.EqualFunc(a.Columns, b.Columns, strings.EqualFold) && sameStarts(a.Clause, b.Clause) && samePartition(a.Sub, b.Sub)
}

func sameParts(a, b []Partition) bool {
	return slices.EqualFunc(a, b, func(p, q Partition) bool {
		return strings.EqualFold(p.Name, q.Name) && canonValues(p.Values) == canonValues(q.Values) && slices.Equal(p.Options, q.Options) && sameParts(p.Subs, q.Subs)
	})
}

// canonValues makes MAXVALUE with and without parentheses one, puts NULL in front
// of a list as servers do, and computes the day of a bound.
func canonValues(v string) string {
	text := strings.ReplaceAll(canonText(v), "( maxvalue )", "maxvalue")
	text = dayNumber.ReplaceAllStringFunc(text, func(call string) string {
		day, err := time.Parse("2006-1-2", dayNumber.FindStringSubmatch(call)[1])
		if err != nil {
			return call
		}
		return fmt.Sprint(day.Unix()/86400 + daysTo1970)
	})
	if list, ok := strings.CutPrefix(text, "in ("); ok {
		items := strings.Split(strings.TrimSuffix(list, ")"), ",")
		null := func(item string) bool { return strings.TrimSpace(item) == "null" }
		if i := slices.IndexFunc(items, null); i > 0 {
			items = slices.Insert(slices.Delete(items, i, i+1), 0, " null ")
			text = "in (" + strings.Join(items, ",") + ")"
		}
	}
	return text
}

// dayNumber is TO_DAYS of a date, which MariaDB replaces by its number, counted
// from the year 0.
var dayNumber = regexp.MustCompile(`to_days \( '(\d{4}-\d{1,2}-\d{1,2})' \)`)

const daysTo1970 = 719528

func sameView(a, b *View) bool {
	algorithm := func(v *View) string { return strings.TrimSuffix(v.Algorithm, "UNDEFINED") }
	security := func(v *View) string { return strings.TrimSuffix(v.Security, "DEFINER") }
	return algorithm(a) == algorithm(b) && security(a) == security(b) && a.Check == b.Check &&
		slices.EqualFunc(a.Columns, b.Columns, strings.EqualFold) && canonSelect(a.Body) == canonSelect(b.Body)
}

// canonSelect forgives what a server adds when it prints a view: quotes,
// qualified names, aliases that repeat the name, parentheses around conditions.
func canonSelect(body string) string {
	ts := trimEnd(tokens(body))
	var out []string
	for i := 0; i < len(ts); i++ {
		t := ts[i]
		if t.kind == tokSymbol && (t.text == "(" || t.text == ")") {
			continue
		}
		if i+1 < len(ts) && ts[i+1].text == "." && ts[i+1].kind == tokSymbol && (t.kind == tokWord || t.kind == tokName) {
			i++
			continue
		}
		word := t.canon()
		if word == "as" && t.kind == tokWord && i+1 < len(ts) && len(out) > 0 && ts[i+1].canon() == out[len(out)-1] {
			i++
			continue
		}
		out = append(out, word)
	}
	return strings.Join(out, " ")
}

func sameTrigger(a, b *Trigger) bool {
	return strings.EqualFold(a.Table, b.Table) && a.Timing == b.Timing && a.Event == b.Event && sameText(a.Body, b.Body)
}

func sameRoutine(a, b *Routine) bool {
	return a.Function == b.Function && sameText(a.Body, b.Body) && canonHeader(a.Header) == canonHeader(b.Header)
}

// usualCharacteristics are those that a routine has when none is written
// (CREATE PROCEDURE reference).
var usualCharacteristics = []string{" language sql", " not deterministic", " contains sql", " sql security definer", " comment ''"}

// canonHeader forgives what servers add to a header: display widths and the
// character set of what a function returns, and the usual characteristics.
func canonHeader(h string) string {
	params, rest := h, ""
	if end := closing(h); end >= 0 {
		params, rest = h[:end+1], h[end+1:]
	}
	ts := tokens(rest)
	var out []string
	for i := 0; i < len(ts); i++ {
		word := ts[i].canon()
		switch {
		case integerBits[word] > 0 && i+3 < len(ts) && ts[i+1].text == "(" && ts[i+3].text == ")":
			i += 3
		case (word == "charset" || word == "collate") && i+1 < len(ts):
			i++
			continue
		case word == "character" && i+2 < len(ts) && strings.EqualFold(ts[i+1].text, "set"):
			i += 2
			continue
		}
		out = append(out, word)
	}
	text := " " + strings.Join(out, " ")
	for _, usual := range usualCharacteristics {
		text = strings.ReplaceAll(text, usual, "")
	}
	return canonText(params) + text
}

func sameEvent(a, b *Event) bool {
	status := func(e *Event) string { return strings.TrimSuffix(strings.ToUpper(e.Status), "ENABLE") }
	return sameSchedule(a.Schedule, b.Schedule) && a.Preserve == b.Preserve && status(a) == status(b) && a.Comment == b.Comment && sameText(a.Body, b.Body)
}

// sameSchedule compares the times of events.
func sameSchedule(a, b string) bool {
	return sameStarts(unquoteNumbers(canonText(a)), unquoteNumbers(canonText(b)))
}

// sameStarts ignores STARTS where one side has none: the server fills in the time
// of creation.
func sameStarts(a, b string) bool {
	if sameText(a, b) {
		return true
	}
	x, xs, _ := strings.Cut(strings.ToUpper(canonText(a)), " STARTS ")
	y, ys, _ := strings.Cut(strings.ToUpper(canonText(b)), " STARTS ")
	return x == y && (xs == "" || ys == "")
}

func unquoteNumbers(s string) string { return strings.ReplaceAll(s, "'", "") }

func sameSequence(a, b *Sequence) bool {
	x, y := *a, *b
	x.Pos, y.Pos, x.Name, y.Name = Pos{}, Pos{}, "", ""
	return x == y
}
