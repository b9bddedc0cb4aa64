package parse

import (
	"strings"

	"moult/core/schema"
)

// canon returns the form of an expression that is used to compare.
func canon(raw string, fl schema.Flavor, m mode) string {
	toks, _, err := lex(raw, fl, m)
	if err != nil {
		return raw
	}
	return plainCanon(toks[:len(toks)-1])
}

// plainCanon is the form of what the expression parser can't read: the tokens
// in lower case, without blanks and the quotes of names.
func plainCanon(toks []token) string {
	var b strings.Builder
	for i, t := range toks {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch t.kind {
		case str:
			b.WriteString(quote1(t.text))
		case word, quoted:
			b.WriteString(strings.ToLower(t.text))
		case hexa:
			b.WriteString("x'" + strings.ToLower(t.text) + "'")
		case bits:
			b.WriteString("b'" + t.text + "'")
		default:
			b.WriteString(t.text)
		}
	}
	return b.String()
}

// quote1 writes a text in single quotes.
func quote1(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}
