package schema

import "strings"

type tokKind int

const (
	tokWord tokKind = iota
	tokName         // in backticks
	tokString
	tokNumber
	tokSymbol
)

// tok is a token of SQL; text is as written.
type tok struct {
	kind tokKind
	text string
}

// value returns a string's contents or a name without its quotes.
func (t tok) value() string {
	if t.kind != tokString && t.kind != tokName || len(t.text) < 2 {
		return t.text
	}
	q := t.text[0]
	body := strings.TrimSuffix(t.text[1:], string(q))
	var b strings.Builder
	for i := 0; i < len(body); i++ {
		c := body[i]
		if c == q && i+1 < len(body) && body[i+1] == q {
			i++
		} else if c == '\\' && q != '`' && i+1 < len(body) {
			i++
			if e := strings.IndexByte("0nrtbZ", body[i]); e >= 0 {
				c = "\x00\n\r\t\b\x1a"[e]
			} else {
				c = body[i]
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// symbols of more than one byte, longest first.
var symbols = []string{"->>", "<=>", "||", "&&", "<=", ">=", "<>", "!=", ":=", "<<", ">>", "->"}

// tokens cuts SQL into tokens. Comments and blanks are left out; the inside of
// an executable comment is not. It never fails: what it does not know becomes a
// symbol of one byte, and an open quote ends with the text.
func tokens(s string) []tok {
	var out []tok
	executable := false
	for i := 0; i < len(s); {
		c := s[i]
		start := i
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
			i++
			continue
		case c == '#', c == '-' && strings.HasPrefix(s[i:], "--") && (i+2 == len(s) || s[i+2] <= ' '):
			for i < len(s) && s[i] != '\n' {
				i++
			}
			continue
		case c == '*' && executable && strings.HasPrefix(s[i:], "*/"):
			executable = false
			i += 2
			continue
		case strings.HasPrefix(s[i:], "/*"):
			if rest := strings.TrimPrefix(s[i:], "/*M"); strings.HasPrefix(rest, "!") || strings.HasPrefix(s[i:], "/*!") {
				executable = true
				i += strings.IndexByte(s[i:], '!') + 1
				for i < len(s) && s[i] >= '0' && s[i] <= '9' {
					i++
				}
				continue
			}
			end := strings.Index(s[i+2:], "*/")
			if end < 0 {
				return out
			}
			i += end + 4
			continue
		case c == '\'' || c == '"' || c == '`':
			i = quoted(s, i)
			k := tokString
			if c == '`' {
				k = tokName
			}
			out = append(out, tok{k, s[start:i]})
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(s) && s[i+1] >= '0' && s[i+1] <= '9' && !afterName(out, s, i):
			i = number(s, i)
			out = append(out, tok{tokNumber, s[start:i]})
		case wordByte(c):
			for i < len(s) && wordByte(s[i]) {
				i++
			}
			out = append(out, tok{tokWord, s[start:i]})
		default:
			i++
			for _, y := range symbols {
				if strings.HasPrefix(s[start:], y) {
					i = start + len(y)
					break
				}
			}
			out = append(out, tok{tokSymbol, s[start:i]})
		}
	}
	return out
}

func afterName(out []tok, s string, i int) bool {
	if len(out) == 0 || i == 0 || s[i-1] <= ' ' {
		return false
	}
	k := out[len(out)-1].kind
	return k == tokWord || k == tokName
}

func quoted(s string, i int) int {
	q := s[i]
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '\\' && q != '`':
			i++
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			i++
		case s[i] == q:
			return i + 1
		}
	}
	return len(s)
}

func number(s string, i int) int {
	start := i
	for i < len(s) {
		c := s[i]
		if (c == '+' || c == '-') && i > start && (s[i-1] == 'e' || s[i-1] == 'E') && !strings.HasPrefix(s[start:], "0x") {
			i++
			continue
		}
		if !wordByte(c) && c != '.' {
			break
		}
		i++
	}
	return i
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c == '@' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// sameText reports whether two pieces of SQL are the same but for blanks,
// comments, quotes around names and the case of words.
func sameText(a, b string) bool {
	if a == b {
		return true
	}
	x, y := tokens(a), tokens(b)
	x, y = trimEnd(x), trimEnd(y)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		switch {
		case x[i].kind == tokString || y[i].kind == tokString:
			if x[i].kind != y[i].kind || x[i].value() != y[i].value() {
				return false
			}
		case !strings.EqualFold(x[i].value(), y[i].value()):
			return false
		}
	}
	return true
}

func trimEnd(ts []tok) []tok {
	for len(ts) > 0 && ts[len(ts)-1].text == ";" {
		ts = ts[:len(ts)-1]
	}
	return ts
}

// canonText writes SQL with one blank between tokens, words in lower case and
// names without quotes where they are words.
func canonText(s string) string {
	var b strings.Builder
	for _, t := range tokens(s) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.canon())
	}
	return b.String()
}

func (t tok) canon() string {
	switch t.kind {
	case tokWord, tokNumber:
		return strings.ToLower(t.text)
	case tokName:
		return strings.ToLower(t.value())
	case tokString:
		return QuoteText(t.value())
	}
	return t.text
}
