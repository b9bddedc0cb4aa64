package parse

import (
	"strings"
	"unicode/utf8"

	"moult/core/schema"
)

// kind tells tokens apart.
type kind uint8

const (
	word   kind = iota // unquoted name, keyword
	quoted             // `name`, or "name" under ANSI_QUOTES
	str                // 'text' or "text"
	hexa               // x'6162' or 0x6162
	bits               // b'01' or 0b01
	number             // 1, 1.5, 1e3
	punct              // an operator or a mark
	end                // after the last token
)

// token is a piece of a statement; start and end are offsets in its text.
type token struct {
	kind       kind
	start, end int
	text       string // words as written, quoted names and strings decoded, digits of hexa and bits
	upper      string // words in upper case
	comment    int    // the version comment that the token stands in, 0 for none
}

// rename is a "@renamed from=old" comment.
type rename struct {
	from     string
	at       int  // its offset
	next     int  // index of the token after it
	trailing bool // something stands before it on its line
	used     bool
}

// lexer cuts the text of a statement into tokens as a server of the flavor sees
// it: what stands in version comments for other servers is left out.
type lexer struct {
	src       string
	fl        schema.Flavor
	mode      mode
	i         int
	tokens    []token
	renames   []rename
	inComment int // number of the open version comment, 0 for none
	comments  int // version comments so far
}

// mode is the part of sql_mode that changes how text is read.
type mode struct {
	ansiQuotes  bool // "x" is a name
	noBackslash bool // \ is a character like others
	realAsFloat bool // REAL is FLOAT
	pipesConcat bool // || joins texts
}

// lexError is a place in a statement that can't be cut into tokens.
type lexError struct {
	at     int
	reason string
}

// lex returns the tokens of src, closed by one of kind end, and the renames
// that its comments declare.
func lex(src string, fl schema.Flavor, m mode) ([]token, []rename, *lexError) {
	l := &lexer{src: src, fl: fl, mode: m, tokens: make([]token, 0, len(src)/5+2)}
	for l.i < len(src) {
		if err := l.step(); err != nil {
			return nil, nil, err
		}
	}
	if l.inComment != 0 {
		return nil, nil, &lexError{len(src), "a version comment /*! is not closed"}
	}
	l.tokens = append(l.tokens, token{kind: end, start: len(src), end: len(src)})
	return l.tokens, l.renames, nil
}

// step reads one token, one comment or one blank.
func (l *lexer) step() *lexError {
	c := l.src[l.i]
	switch {
	case c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v':
		l.i++
	case c == 0:
		return &lexError{l.i, zeroByte}
	case c >= 0x80 && blankRune(l.src[l.i:]) > 0:
		l.i += blankRune(l.src[l.i:])
	case c == '#', c == '-' && strings.HasPrefix(l.src[l.i:], "--") && endsDashes(l.src, l.i+2):
		n := strings.IndexByte(l.src[l.i:], '\n')
		if n < 0 {
			n = len(l.src) - l.i
		}
		l.i += n
		return l.note(l.src[l.i-n : l.i])
	case c == '/' && strings.HasPrefix(l.src[l.i:], "/*"):
		return l.comment()
	case c == '*' && l.inComment != 0 && strings.HasPrefix(l.src[l.i:], "*/"):
		l.inComment = 0
		l.i += 2
	case c == '\'':
		return l.text(str)
	case c == '"':
		if l.mode.ansiQuotes {
			return l.text(quoted)
		}
		return l.text(str)
	case c == '`':
		return l.text(quoted)
	case c >= '0' && c <= '9', c == '.' && l.i+1 < len(l.src) && digit(l.src[l.i+1]) && !l.afterName() && !l.afterDot():
		l.number()
	case wordByte(c):
		return l.word()
	default:
		n := 1
		for _, op := range operators {
			if strings.HasPrefix(l.src[l.i:], op) {
				n = len(op)
				break
			}
		}
		l.add(punct, l.i, l.i+n, l.src[l.i:l.i+n])
		l.i += n
	}
	return nil
}

// operators of more than one character, longest first.
var operators = []string{"<=>", "->>", "->", ":=", "||", "&&", "<=", ">=", "<>", "!=", "<<", ">>"}

// afterName reports whether the last token ends where the next begins and may
// be followed by ".name", as in t.1a.
func (l *lexer) afterName() bool {
	if len(l.tokens) == 0 {
		return false
	}
	t := l.tokens[len(l.tokens)-1]
	return t.end == l.i && (t.kind == word || t.kind == quoted)
}

func (l *lexer) add(k kind, from, to int, text string) {
	l.tokens = append(l.tokens, token{kind: k, start: from, end: to, text: text, comment: l.inComment})
}

// comment reads /* … */; a version comment for this server is opened instead.
func (l *lexer) comment() *lexError {
	from := l.i
	if n, ok := versionComment(l.src[from:], l.fl); n > 0 && l.inComment == 0 {
		if ok {
			l.comments++
			l.inComment = l.comments
			l.i += n
			return nil
		}
		to := closeNested(l.src, from+2)
		if to < 0 {
			return &lexError{from, "a version comment /*! is not closed"}
		}
		l.i = to
		return nil
	}
	n := strings.Index(l.src[from+2:], "*/")
	if n < 0 {
		return &lexError{from, "a comment /* is not closed"}
	}
	l.i = from + 2 + n + 2
	return l.note(l.src[from:l.i])
}

// closeNested returns the offset after the "*/" that closes a comment whose
// contents start at i and may hold plain comments; -1 if there is none.
func closeNested(s string, i int) int {
	for depth := 1; ; {
		closing := strings.Index(s[i:], "*/")
		if closing < 0 {
			return -1
		}
		if opening := strings.Index(s[i:i+closing], "/*"); opening >= 0 {
			depth++
			i += opening + 2
			continue
		}
		depth--
		i += closing + 2
		if depth == 0 {
			return i
		}
	}
}

// note looks for "@renamed from=old" in a comment that ends at l.i.
func (l *lexer) note(text string) *lexError {
	n := strings.Index(text, "@renamed")
	if n < 0 {
		return nil
	}
	from, ok := renamedFrom(text[n:])
	if !ok {
		return &lexError{l.i - len(text) + n, badRename + " in this comment"}
	}
	start := l.i - len(text)
	trailing := false
	if k := len(l.tokens); k > 0 {
		trailing = !strings.Contains(l.src[l.tokens[k-1].end:start], "\n")
	}
	l.renames = append(l.renames, rename{from: from, at: start, next: len(l.tokens), trailing: trailing})
	return nil
}

// renamedFrom returns the old name that "@renamed from=old" gives.
func renamedFrom(s string) (string, bool) {
	s = strings.TrimLeft(strings.TrimPrefix(s, "@renamed"), " \t:")
	s, ok := strings.CutPrefix(s, "from")
	if !ok {
		return "", false
	}
	s, ok = strings.CutPrefix(strings.TrimLeft(s, " \t"), "=")
	if !ok {
		return "", false
	}
	s = strings.TrimLeft(s, " \t")
	if len(s) > 0 && strings.IndexByte("`'\"", s[0]) >= 0 {
		name, _, closed := strings.Cut(s[1:], s[:1])
		return name, closed && name != ""
	}
	s = strings.TrimSuffix(s, "*/")
	if n := strings.IndexAny(s, " \t\r\n,;"); n >= 0 {
		s = s[:n]
	}
	return s, s != ""
}

// text reads a quoted string or name.
func (l *lexer) text(k kind) *lexError {
	from, q := l.i, l.src[l.i]
	escapes := k == str && !l.mode.noBackslash
	plain := true
	for i := from + 1; i < len(l.src); i++ {
		switch c := l.src[i]; {
		case c == '\\' && escapes:
			plain = false
			i++
		case c == q && i+1 < len(l.src) && l.src[i+1] == q:
			plain = false
			i++
		case c == q:
			s := l.src[from+1 : i]
			if !plain {
				s = unescape(s, q, escapes)
			}
			l.i = i + 1
			l.add(k, from, l.i, s)
			return nil
		}
	}
	return &lexError{from, "the quote " + string(q) + " is not closed"}
}

// unescape decodes the inside of a quoted text.
func unescape(s string, q byte, escapes bool) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && escapes && i+1 < len(s):
			i++
			switch s[i] {
			case '0':
				b.WriteByte(0)
			case 'b':
				b.WriteByte('\b')
			case 'n':
				b.WriteByte('\n')
			case 'r':
				b.WriteByte('\r')
			case 't':
				b.WriteByte('\t')
			case 'Z':
				b.WriteByte(26)
			case '%', '_':
				b.WriteByte('\\')
				b.WriteByte(s[i])
			default:
				b.WriteByte(s[i])
			}
		case c == q && i+1 < len(s) && s[i+1] == q:
			i++
			b.WriteByte(q)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// number reads a number, or a name that starts with a digit.
func (l *lexer) number() {
	s, from := l.src, l.i
	i := from
	if s[i] == '0' && i+2 < len(s) && (s[i+1] == 'x' || s[i+1] == 'b') {
		k, valid := hexa, hexDigit
		if s[i+1] == 'b' {
			k, valid = bits, bitDigit
		}
		j := i + 2
		for j < len(s) && valid(s[j]) {
			j++
		}
		if j > i+2 && (j == len(s) || !wordByte(s[j])) {
			l.i = j
			l.add(k, from, j, s[i+2:j])
			return
		}
	}
	for i < len(s) && digit(s[i]) {
		i++
	}
	if i < len(s) && s[i] == '.' && !l.afterDot() {
		i++
		for i < len(s) && digit(s[i]) {
			i++
		}
	}
	if i+1 < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if s[j] == '+' || s[j] == '-' {
			j++
		}
		if j < len(s) && digit(s[j]) {
			for j < len(s) && digit(s[j]) {
				j++
			}
			i = j
		}
	}
	k := number
	if i < len(s) && wordByte(s[i]) && blankRune(s[i:]) == 0 {
		k = word
		for i < len(s) && wordByte(s[i]) && blankRune(s[i:]) == 0 {
			i++
		}
	}
	l.i = i
	l.add(k, from, i, s[from:i])
	if k == word {
		l.tokens[len(l.tokens)-1].upper = strings.ToUpper(s[from:i])
	}
}

// afterDot reports whether the last token is a dot that touches what follows.
func (l *lexer) afterDot() bool {
	if len(l.tokens) == 0 {
		return false
	}
	t := l.tokens[len(l.tokens)-1]
	return t.end == l.i && t.kind == punct && t.text == "."
}

// word reads a name or keyword, or one of x'…', b'…' and n'…'.
func (l *lexer) word() *lexError {
	s, from := l.src, l.i
	i := from
	for i < len(s) && wordByte(s[i]) && (s[i] < 0x80 || blankRune(s[i:]) == 0) {
		i++
	}
	if i == from+1 && i < len(s) && s[i] == '\'' {
		switch s[from] {
		case 'x', 'X':
			return l.digits(hexa, hexDigit, "hexadecimal")
		case 'b', 'B':
			return l.digits(bits, bitDigit, "binary")
		case 'n', 'N':
			l.i = i
			return l.text(str)
		}
	}
	l.i = i
	l.add(word, from, i, s[from:i])
	l.tokens[len(l.tokens)-1].upper = strings.ToUpper(s[from:i])
	return nil
}

// digits reads x'…' or b'…'.
func (l *lexer) digits(k kind, valid func(byte) bool, what string) *lexError {
	from := l.i
	n := strings.IndexByte(l.src[from+2:], '\'')
	if n < 0 {
		return &lexError{from + 1, "the quote ' is not closed"}
	}
	text := l.src[from+2 : from+2+n]
	for i := range len(text) {
		if !valid(text[i]) {
			return &lexError{from + 2 + i, "not a " + what + " digit"}
		}
	}
	l.i = from + 2 + n + 1
	l.add(k, from, l.i, text)
	return nil
}

func digit(c byte) bool    { return c >= '0' && c <= '9' }
func bitDigit(c byte) bool { return c == '0' || c == '1' }
func hexDigit(c byte) bool {
	return digit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// wordByte reports whether c may stand in an unquoted name.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || digit(c) || c == '_' || c == '$' || c >= 0x80
}

// blankRune returns the length of a blank beyond ASCII at the start of s, 0 for
// none: editors and word processors leave them in files made by hand.
func blankRune(s string) int {
	r, n := utf8.DecodeRuneInString(s)
	switch r {
	case '\u00a0', '\u2028', '\u2029', '\u3000', '\ufeff', '\u200b':
		return n
	}
	return 0
}

// endsDashes reports whether what follows "--" makes it a comment.
func endsDashes(s string, i int) bool {
	return i >= len(s) || s[i] <= ' '
}
