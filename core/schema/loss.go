package schema

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// loss is what a change of a column does to values that the new form can't hold.
type loss struct {
	code string // of the table of risks
	text string // what happens, as in "values longer than 20 characters are cut"
	// where selects the rows whose value changes.
	where string
	// fix is the value to write before, where the server would refuse the change
	// in strict mode; "" where it converts by itself.
	fix string
	// as is the new value where the server converts by itself, for comparisons;
	// "" if only the server knows it.
	as string
	// relaxed is for conversions that strict mode refuses even in a comparison.
	relaxed bool
	// converts leaves the values to the server, which in strict mode would refuse
	// some. Since all of them are kept, it may do its best without that mode.
	converts bool
}

// value is what a column's values will be, "" if that can't be said. The column
// is given as an expression.
func (l *loss) value(column string) string {
	switch {
	case l.as != "":
		return l.as
	case l.fix == "" || l.relaxed:
		return ""
	}
	return fmt.Sprintf("IF(%s,%s,%s)", l.where, l.fix, column)
}

// relaxedMode is the sql_mode without the refusals.
func relaxedMode() map[string]string { return map[string]string{"sql_mode": "NO_ENGINE_SUBSTITUTION"} }

// lossOf compares the two forms of a column; nil means that every value
// survives. Generated columns have no values of their own.
func lossOf(a, b *Column) *loss {
	if a.Generated != nil || b.Generated != nil || a.RowStart || a.RowEnd {
		return nil
	}
	l := typeLoss(a, b)
	if l == nil {
		l = charsetLoss(a, b)
	}
	if !a.Nullable || b.Nullable || b.AutoInc {
		return l
	}
	c := Quote(a.Name)
	if l != nil && l.converts || a.Type.Base != b.Type.Base && (isChars(a.Type) != isChars(b.Type) || a.Type.isNumeric() != b.Type.isNumeric()) {
		return &loss{code: "L6", text: fmt.Sprintf("values are converted from %s to %s, NULLs become empty", a.Type.Base, b.Type.Base), where: "TRUE", converts: true}
	}
	fill := fillFor(b)
	if l == nil {
		return &loss{code: "N1", text: "NULLs of " + a.Name + " become " + fill, where: c + " IS NULL", fix: fill}
	}
	l.text += ", NULLs become " + fill
	l.where = "(" + l.where + " OR " + c + " IS NULL)"
	if l.fix == "" {
		l.fix = c
	}
	l.fix = "IFNULL(" + l.fix + "," + fill + ")"
	return l
}

// fillFor is what stands where NULL was: the column's default, or what a hidden
// column would get.
func fillFor(c *Column) string {
	d := c.Default
	if d.Kind != LiteralDefault && d.Kind != BitDefault && d.Kind != NowDefault {
		n := c.Clone()
		n.Default, n.Nullable = Default{}, false
		d = hiddenForm(n, "").Default
	}
	if d.Kind == NullDefault {
		return "''"
	}
	if d.Kind == LiteralDefault && !d.Numeric {
		return QuoteText(d.Text)
	}
	return d.define(c.Type, Flavor{Vendor: MariaDB})
}

// typeLoss is a table of pairs of types with the values that do not fit.
func typeLoss(a, b *Column) *loss {
	t, u := a.Type, b.Type
	c := Quote(a.Name)
	number := t.isInteger() || t.Base == "decimal"
	switch {
	case fits(t, u):
		return nil
	case number && (u.isInteger() || u.Base == "decimal"):
		return numberLoss(a, b)
	case (number || t.Base == "year") && (u.Base == "float" || u.Base == "double"):
		return wholeLoss(a, "L1", "digits beyond the precision of "+u.Base+" are lost")
	case t.Base == "enum" && u.Base == "enum":
		return enumLoss(a, b)
	case t.Base == "set" && u.Base == "set":
		return setLoss(a, b)
	case isChars(t) && isChars(u):
		return charsLoss(a, b)
	case isBytes(t) && isBytes(u):
		limit := byteLimit(u)
		if u.Base == "binary" || t.Base == "binary" && u.Base != "binary" {
			return wholeLoss(a, "L8", "values are padded or stripped of padding")
		}
		if byteLimit(t) <= limit {
			return nil
		}
		return &loss{code: "L1", text: fmt.Sprintf("values longer than %d bytes are cut", limit), where: fmt.Sprintf("LENGTH(%s) > %d", c, limit), fix: fmt.Sprintf("LEFT(%s,%d)", c, limit)}
	case (t.Base == "enum" || t.Base == "set") && isChars(u):
		if charLimit(u) >= longest(t) {
			return nil
		}
		return &loss{code: "L1", text: fmt.Sprintf("values longer than %d characters are cut", charLimit(u)), where: fmt.Sprintf("CHAR_LENGTH(%s) > %d", c, charLimit(u)), converts: true}
	case (number || t.Base == "year" || temporal[t.Base] || t.Base == "date") && isChars(u):
		if charLimit(u) >= 30 || t.isInteger() && charLimit(u) >= 20 {
			return nil
		}
		return &loss{code: "L1", text: fmt.Sprintf("values longer than %d characters are cut", charLimit(u)), where: fmt.Sprintf("CHAR_LENGTH(%s) > %d", c, charLimit(u)), converts: true}
	case temporal[t.Base] && t.Base == u.Base:
		return &loss{code: "L1", text: "fractions of seconds are rounded", where: fmt.Sprintf("MICROSECOND(%s) %% %d <> 0", c, pow10(6-max(u.Length, 0))),
			as: fmt.Sprintf("CAST(%s AS %s(%d))", c, strings.Replace(u.Base, "timestamp", "datetime", 1), max(u.Length, 0))}
	case t.Base == "date" && u.Base == "datetime", t.Base == "timestamp" && u.Base == "datetime" && max(u.Length, 0) >= max(t.Length, 0):
		return nil
	case t.Base == "datetime" && u.Base == "date", t.Base == "timestamp" && u.Base == "date":
		return &loss{code: "L1", text: "times of day are lost", where: "TIME(" + c + ") <> '00:00:00'", as: "DATE(" + c + ")"}
	case t.Base == "datetime" && u.Base == "timestamp":
		where := c + " NOT BETWEEN '1970-01-02 00:00:00' AND '2038-01-18 00:00:00'"
		return &loss{code: "L1", text: "dates before 1970 or after 2038 are moved to the nearest one that a timestamp holds", where: where,
			fix: "LEAST(GREATEST(" + c + ",'1970-01-02 00:00:00'),'2038-01-18 00:00:00')"}
	case t.Base == "json" && isChars(u) && charLimit(u) >= 1<<24:
		return nil
	}
	return wholeLoss(a, "L6", "values are converted from "+t.Base+" to "+u.Base+", what can't be becomes empty")
}

// wholeLoss keeps every value, since which ones change only the server knows.
func wholeLoss(a *Column, code, text string) *loss {
	return &loss{code: code, text: text, where: Quote(a.Name) + " IS NOT NULL", converts: true}
}

func isChars(t Type) bool {
	return t.Base == "char" || t.Base == "varchar" || textBytes[t.Base] > 0
}

func isBytes(t Type) bool { return t.Base == "binary" || t.Base == "varbinary" || t.isBlob() }

func byteLimit(t Type) int64 {
	if t.isBlob() {
		return blobBytes[t.Base]
	}
	return int64(t.Length)
}

// charLimit is how many characters surely fit.
func charLimit(t Type) int64 {
	if n := textBytes[t.Base]; n > 0 {
		return n / 4
	}
	return int64(t.Length)
}

func longest(t Type) int64 {
	total, most := int64(0), int64(0)
	for _, v := range t.Values {
		n := int64(len([]rune(v)))
		total += n + 1
		most = max(most, n)
	}
	if t.Base == "set" {
		return total
	}
	return most
}

func pow10(n int) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

func charsLoss(a, b *Column) *loss {
	t, u := a.Type, b.Type
	c := Quote(a.Name)
	var where, fix, text string
	if bytes := textBytes[u.Base]; bytes > 0 {
		if t.Length >= 0 && int64(t.Length)*int64(widthOf(b.Charset)) <= bytes || textBytes[t.Base] > 0 && textBytes[t.Base] <= bytes && a.Charset == b.Charset {
			return nil
		}
		text = fmt.Sprintf("values longer than %d bytes are cut", bytes)
		where = fmt.Sprintf("LENGTH(CONVERT(%s USING %s)) > %d", c, b.Charset, bytes)
		fix = fmt.Sprintf("IF(%s,LEFT(%s,%d),%s)", where, c, bytes/int64(widthOf(b.Charset)), c)
	} else {
		text = fmt.Sprintf("values longer than %d characters are cut", u.Length)
		where = fmt.Sprintf("CHAR_LENGTH(%s) > %d", c, u.Length)
		fix = fmt.Sprintf("LEFT(%s,%d)", c, u.Length)
		if (t.Base == "char" || t.Base == "varchar") && t.Length <= u.Length {
			where, fix, text = "", "", ""
		}
		if t.Base != "char" && u.Base == "char" {
			text = strings.TrimPrefix(text+", blanks at the end are lost", ", ")
			where = strings.TrimPrefix(where+" OR "+c+" LIKE '% '", " OR ")
		}
	}
	if where == "" {
		return nil
	}
	return mergeLoss(c, &loss{code: "L1", text: text, where: "(" + where + ")", fix: fix}, charsetLoss(a, b))
}

// mergeLoss joins the loss of a shorter type with that of a poorer character set.
func mergeLoss(column string, l, m *loss) *loss {
	if m == nil {
		return l
	}
	l.where = "(" + l.where + " OR " + m.where + ")"
	l.text += ", " + m.text
	l.relaxed = l.relaxed || m.relaxed
	if l.fix == "" {
		l.fix = m.fix
	} else {
		l.fix = strings.ReplaceAll(m.fix, column, l.fix)
	}
	return l
}

// charsetLoss is about characters that the new set lacks.
func charsetLoss(a, b *Column) *loss {
	if a.Charset == b.Charset || a.Charset == "" || b.Charset == "" || holds(b.Charset, a.Charset) {
		return nil
	}
	c := Quote(a.Name)
	round := fmt.Sprintf("CONVERT(CONVERT(%s USING %s) USING %s)", c, b.Charset, a.Charset)
	return &loss{
		code: "L4", text: "characters that " + b.Charset + " lacks become question marks",
		where: fmt.Sprintf("BINARY %s <> BINARY %s", round, c), fix: round, relaxed: true,
	}
}

// holds reports whether every character of one set is in another.
func holds(set, other string) bool {
	full := []string{"utf8mb4", "utf16", "utf16le", "utf32"}
	switch {
	case slices.Contains(full, set), other == "ascii" && set != "swe7":
		return true
	case set == "utf8mb3" || set == "ucs2":
		return !slices.Contains(full, other) && other != "gb18030"
	}
	return false
}

// numberLoss clamps to the range and rounds to the digits of the new type.
func numberLoss(a, b *Column) *loss {
	c := Quote(a.Name)
	low, high := numberRange(b.Type)
	fromLow, fromHigh := numberRange(a.Type)
	scale := max(b.Type.Scale, 0)
	if b.Type.isInteger() {
		scale = 0
	}
	fromScale := max(a.Type.Scale, 0)
	if a.Type.isInteger() {
		fromScale = 0
	}
	if fromScale < scale {
		// The fix is written into the old column, which would round it up.
		scale, low, high = fromScale, cutDigits(low, fromScale), cutDigits(high, fromScale)
	}
	value := c
	var conditions []string
	if a.Type.Base == "decimal" && a.Type.Scale > scale {
		value = fmt.Sprintf("ROUND(%s,%d)", c, scale)
		conditions = append(conditions, value+" <> "+c)
	}
	code := "L1"
	// Only a bound that can be passed is named, and without LEAST and GREATEST:
	// MySQL 5.7 reckons an unsigned number beside another wrongly in both.
	below, above := fromLow.Cmp(low) < 0, fromHigh.Cmp(high) > 0
	if below {
		conditions = append(conditions, fmt.Sprintf("%s < %s", c, low.FloatString(scale)))
		value = fmt.Sprintf("IF(%[1]s < %[2]s,%[2]s,%[3]s)", c, low.FloatString(scale), value)
	}
	if above {
		conditions = append(conditions, fmt.Sprintf("%s > %s", c, high.FloatString(scale)))
		value = fmt.Sprintf("IF(%[1]s > %[2]s,%[2]s,%[3]s)", c, high.FloatString(scale), value)
	}
	if (below || above) && a.Type.Unsigned != b.Type.Unsigned {
		code = "L2"
	}
	if len(conditions) == 0 {
		return nil
	}
	return &loss{
		code: code, text: fmt.Sprintf("numbers outside %s … %s or with more digits are changed to the nearest", low.FloatString(scale), high.FloatString(scale)),
		where: "(" + strings.Join(conditions, " OR ") + ")", fix: value,
	}
}

// cutDigits cuts a number off behind so many digits after the point.
func cutDigits(r *big.Rat, digits int) *big.Rat {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	cut := new(big.Int).Mul(r.Num(), unit)
	return new(big.Rat).SetFrac(cut.Quo(cut, r.Denom()), unit)
}

func numberRange(t Type) (low, high *big.Rat) {
	one := big.NewInt(1)
	if bits := integerBits[t.Base]; bits > 0 {
		if t.Unsigned {
			top := new(big.Int).Lsh(one, uint(bits))
			return new(big.Rat), new(big.Rat).SetInt(top.Sub(top, one))
		}
		half := new(big.Int).Lsh(one, uint(bits-1))
		return new(big.Rat).SetInt(new(big.Int).Neg(half)), new(big.Rat).SetInt(new(big.Int).Sub(half, one))
	}
	top := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(t.Length, 0))), nil)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(t.Scale, 0))), nil)
	high = new(big.Rat).SetFrac(top.Sub(top, one), unit)
	if t.Unsigned {
		return new(big.Rat), high
	}
	return new(big.Rat).Neg(high), high
}

func quoteTexts(list []string) string {
	q := make([]string, len(list))
	for i, v := range list {
		q[i] = QuoteText(v)
	}
	return strings.Join(q, ",")
}

// enumLoss is about members that the new form lacks. Members that only changed
// their number keep their name.
func enumLoss(a, b *Column) *loss {
	var gone []string
	for _, v := range a.Type.Values {
		if !slices.ContainsFunc(b.Type.Values, func(w string) bool { return strings.EqualFold(v, w) }) {
			gone = append(gone, v)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	c := Quote(a.Name)
	fill := "NULL"
	if !a.Nullable || !b.Nullable {
		fill = ""
		for _, v := range b.Type.Values { // the first that both have
			if slices.Contains(a.Type.Values, v) && (fill == "" || b.Default.Kind == LiteralDefault && v == b.Default.Text) {
				fill = QuoteText(v)
			}
		}
	}
	where := fmt.Sprintf("%s IN (%s)", c, quoteTexts(gone))
	l := &loss{code: "L3", text: fmt.Sprintf("%s becomes %s", strings.Join(gone, ", "), fill), where: where, fix: fmt.Sprintf("IF(%s,%s,%s)", where, fill, c)}
	if fill == "" {
		l.text, l.fix, l.converts = strings.Join(gone, ", ")+" becomes empty, since the new form shares no member with the old one", "", true
	}
	return l
}

func setLoss(a, b *Column) *loss {
	var gone []string
	keep := uint64(0)
	for i, v := range a.Type.Values {
		if slices.ContainsFunc(b.Type.Values, func(w string) bool { return strings.EqualFold(v, w) }) {
			keep |= 1 << uint(i)
		} else {
			gone = append(gone, v)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	c := Quote(a.Name)
	return &loss{code: "L3", text: strings.Join(gone, ", ") + " is taken out", where: fmt.Sprintf("(%s+0) & ~%d <> 0", c, keep), fix: fmt.Sprintf("(%s+0) & %d", c, keep)}
}
