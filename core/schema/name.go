package schema

import "strings"

// HiddenPrefix begins the names of everything that is kept aside in a site's
// database: dropped tables and columns, side tables, the table of marks.
const HiddenPrefix = "_moult_"

// Hidden reports whether an object belongs to the quarantine and not to the
// site. No introspection, comparison or plan sees such objects.
func Hidden(name string) bool { return strings.HasPrefix(name, HiddenPrefix) }

// Quote returns an identifier in backticks.
func Quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// QuoteText returns a string literal that every server reads alike as long as
// NO_BACKSLASH_ESCAPES is off.
func QuoteText(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'':
			b.WriteString("''")
		case '\\':
			b.WriteString(`\\`)
		case 0:
			b.WriteString(`\0`)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case 26:
			b.WriteString(`\Z`)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// quoteAll quotes names and joins them with commas.
func quoteAll(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = Quote(n)
	}
	return strings.Join(q, ",")
}
