package schema

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// literalFor returns the default that a column of the type stores for a
// literal: 1.6 on int is 2, 1 on decimal(5,2) is 1.00, '20200101' on datetime
// is '2020-01-01 00:00:00', as MariaDB 10.11 and MySQL 9.7 print them back.
// What can't be converted stays as it is, for the server to refuse.
func literalFor(t Type, text string) Default {
	plain := Default{Kind: LiteralDefault, Text: text}
	switch {
	case t.isNumeric():
		if n, ok := canonNumber(t, strings.TrimSpace(text)); ok {
			return Default{Kind: LiteralDefault, Text: n, Numeric: true}
		}
	case t.Base == "bit":
		if n, ok := new(big.Int).SetString(text, 10); ok {
			return Default{Kind: BitDefault, Text: n.Text(2)}
		}
	case t.Base == "year":
		if y, ok := canonYear(text); ok {
			return Default{Kind: LiteralDefault, Text: y, Numeric: true}
		}
	case t.Base == "date" || t.Base == "time" || temporal[t.Base]:
		if v, ok := canonTime(t, text); ok {
			plain.Text = v
		}
	case t.Base == "enum":
		plain.Text = member(t, text)
	case t.Base == "set":
		plain.Text = canonSet(t, text)
	case t.Base == "char":
		plain.Text = strings.TrimRight(text, " ")
	case t.Base == "binary":
		// Stored at full length, so that the fill of zero bytes says nothing.
		plain.Text = strings.TrimRight(text, "\x00")
	case t.Base == "uuid" || t.Base == "inet4" || t.Base == "inet6":
		plain.Text = strings.ToLower(text)
	}
	return plain
}

// hugeExponent reports whether a number has more digits than any column holds,
// so that it is not written out.
func hugeExponent(text string) bool {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return false
	}
	n, err := strconv.Atoi(text[i+1:])
	return err != nil || n > 400 || n < -400
}

// rounded writes a number with so many decimals; there is no -0.
func rounded(r *big.Rat, decimals int) string {
	s := r.FloatString(decimals)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return s
}

// canonNumber rounds half away from zero, as the servers do.
func canonNumber(t Type, text string) (string, bool) {
	if len(text) > 400 || strings.ContainsAny(text, "/_xXpPbBoO") || hugeExponent(text) {
		return "", false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	switch {
	case t.isInteger():
		return rounded(r, 0), true
	case t.Base == "decimal":
		return rounded(r, t.Scale), true
	case t.Scale >= 0:
		return rounded(r, t.Scale), true
	}
	bits := 64
	if t.Base == "float" {
		bits = 32
	}
	f, err := strconv.ParseFloat(text, bits)
	if err != nil {
		return "", false
	}
	return strconv.FormatFloat(f, 'g', -1, bits), true
}

// canonYear reads 0…69 as 2000…2069 and 70…99 as 1970…1999.
func canonYear(text string) (string, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		return "", false
	}
	switch {
	case n == 0 && len(strings.TrimSpace(text)) != 2:
		return "0000", true
	case n < 70:
		n += 2000
	case n < 100:
		n += 1900
	}
	return fmt.Sprintf("%04d", n), true
}

// canonTime reads dates and times with any punctuation or none.
func canonTime(t Type, text string) (string, bool) {
	text = strings.TrimSpace(text)
	whole, frac, _ := strings.Cut(text, ".")
	parts := strings.FieldsFunc(whole, func(r rune) bool { return r < '0' || r > '9' })
	if len(parts) == 1 {
		parts = splitDigits(t, parts[0])
	}
	want := map[string]int{"date": 3, "time": 3}[t.Base]
	if want == 0 {
		want = 6
	}
	if len(parts) == 0 || len(parts) > want && t.Base != "date" {
		return "", false
	}
	if strings.HasPrefix(text, "-") || len(parts) > want && t.Base == "time" {
		return "", false
	}
	v := make([]int, max(want, len(parts)))
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return "", false
		}
		v[i] = n
	}
	if t.Base == "time" {
		return fmt.Sprintf("%02d:%02d:%02d", v[0], v[1], v[2]) + fraction(frac, t.Length), true
	}
	if len(parts) < 3 {
		return "", false
	}
	if len(parts[0]) <= 2 && v[0]+v[1]+v[2] > 0 {
		if v[0] += 1900; v[0] < 1970 {
			v[0] += 100
		}
	}
	date := fmt.Sprintf("%04d-%02d-%02d", v[0], v[1], v[2])
	if t.Base == "date" {
		return date, true
	}
	return date + fmt.Sprintf(" %02d:%02d:%02d", v[3], v[4], v[5]) + fraction(frac, t.Length), true
}

// splitDigits cuts 20200101 and 101530 into their parts.
func splitDigits(t Type, d string) []string {
	if strings.Trim(d, "0") == "" && t.Base != "time" {
		return []string{"0000", "0", "0"}
	}
	var cuts []int
	switch {
	case t.Base == "time":
		d = strings.Repeat("0", max(0, 6-len(d))) + d
		if len(d) != 6 {
			return nil
		}
		cuts = []int{2, 4, 6}
	case len(d) == 8:
		cuts = []int{4, 6, 8}
	case len(d) == 6:
		cuts = []int{2, 4, 6}
	case len(d) == 14:
		cuts = []int{4, 6, 8, 10, 12, 14}
	case len(d) == 12:
		cuts = []int{2, 4, 6, 8, 10, 12}
	default:
		return nil
	}
	var out []string
	from := 0
	for _, to := range cuts {
		out = append(out, d[from:to])
		from = to
	}
	return out
}

func fraction(digits string, length int) string {
	if length <= 0 {
		return ""
	}
	return "." + (digits + "000000")[:length]
}

// member returns the enum's own spelling; comparison ignores case and trailing
// blanks.
func member(t Type, text string) string {
	text = strings.TrimRight(text, " ")
	for _, v := range t.Values {
		if v == text {
			return v
		}
	}
	for _, v := range t.Values {
		if strings.EqualFold(v, text) {
			return v
		}
	}
	return text
}

// canonSet puts members into the order of the definition.
func canonSet(t Type, text string) string {
	given := strings.Split(text, ",")
	var out []string
	for _, v := range t.Values {
		for _, g := range given {
			if strings.EqualFold(strings.TrimRight(g, " "), v) {
				out = append(out, v)
				break
			}
		}
	}
	if len(out) == 0 {
		return text
	}
	return strings.Join(out, ",")
}
