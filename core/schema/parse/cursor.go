package parse

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"moult/core/schema"
)

// cursor walks over the tokens of one statement. Its methods that expect
// something panic with an *Error where it is absent; [reader.read] recovers
// it, so that the grammar reads as the grammar.
type cursor struct {
	st      Statement
	toks    []token
	i       int
	renames []rename
	lead    string // the comments before the statement, until they are taken
	fl      schema.Flavor
	mode    mode
}

// newCursor cuts a statement into tokens.
func newCursor(st Statement, fl schema.Flavor, m mode) *cursor {
	c := &cursor{st: st, lead: st.Lead, fl: fl, mode: m}
	toks, renames, err := lex(st.Text, fl, m)
	if err != nil {
		panic(c.errorAt(err.at, err.reason))
	}
	c.toks, c.renames = toks, renames
	return c
}

// errorAt returns an error at an offset of the statement.
func (c *cursor) errorAt(at int, reason string) *Error {
	return &Error{Pos: c.pos(at), Near: near(c.st.Text[at:]), Reason: reason}
}

// pos returns the place of an offset of the statement.
func (c *cursor) pos(at int) schema.Pos {
	before := c.st.Text[:at]
	p := c.st.Pos
	if n := strings.Count(before, "\n"); n > 0 {
		p.Line += n
		p.Column = 1
		before = before[strings.LastIndexByte(before, '\n')+1:]
	}
	p.Column += utf8.RuneCountInString(before)
	return p
}

// fail stops the statement at the present token.
func (c *cursor) fail(format string, args ...any) {
	c.failAt(c.i, format, args...)
}

// failAt stops the statement at the token of that index.
func (c *cursor) failAt(i int, format string, args ...any) {
	panic(c.errorAt(c.toks[i].start, fmt.Sprintf(format, args...)))
}

func (c *cursor) tok() token { return c.toks[c.i] }

func (c *cursor) ahead(n int) token { return c.toks[min(c.i+n, len(c.toks)-1)] }

// next returns the present token and moves behind it.
func (c *cursor) next() token {
	t := c.toks[c.i]
	if t.kind != end {
		c.i++
	}
	return t
}

// matches reports whether a token is the keyword or mark s.
func (t token) matches(s string) bool {
	return t.kind == word && t.upper == s || t.kind == punct && t.text == s
}

// is reports whether the next tokens are these keywords and marks.
func (c *cursor) is(words ...string) bool {
	for n, w := range words {
		if !c.ahead(n).matches(w) {
			return false
		}
	}
	return true
}

// isAny reports whether the next token is one of these keywords and marks.
func (c *cursor) isAny(words ...string) bool {
	for _, w := range words {
		if c.tok().matches(w) {
			return true
		}
	}
	return false
}

// accept moves behind the words if they are next.
func (c *cursor) accept(words ...string) bool {
	if !c.is(words...) {
		return false
	}
	c.i += len(words)
	return true
}

// acceptAny moves behind the next token if it is one of the words, and returns it.
func (c *cursor) acceptAny(words ...string) string {
	for _, w := range words {
		if c.tok().matches(w) {
			c.i++
			return w
		}
	}
	return ""
}

// expect moves behind the words, which must be next.
func (c *cursor) expect(words ...string) {
	for _, w := range words {
		if !c.tok().matches(w) {
			c.fail("%s is expected here", w)
		}
		c.i++
	}
}

// isName reports whether the next token can be a name.
func (c *cursor) isName() bool {
	k := c.tok().kind
	return k == word || k == quoted
}

// name reads a name; what says of what.
func (c *cursor) name(what string) string {
	if !c.isName() {
		c.fail("the name of %s is expected here", what)
	}
	t := c.next()
	if t.text == "" {
		c.failAt(c.i-1, "the name of %s is empty", what)
	}
	if !utf8.ValidString(t.text) {
		c.failAt(c.i-1, "the name of %s is not UTF-8: save the file as UTF-8", what)
	}
	return t.text
}

// qualified reads name or database.name.
func (c *cursor) qualified(what string) (database, name string) {
	name = c.name(what)
	if c.accept(".") {
		return name, c.name(what)
	}
	return "", name
}

// names reads a list of names in parentheses.
func (c *cursor) names(what string) []string {
	c.expect("(")
	var list []string
	for {
		list = append(list, c.name(what))
		if !c.accept(",") {
			break
		}
	}
	c.expect(")")
	return list
}

// string reads a text; adjacent ones are one, and an introducer is passed over.
func (c *cursor) string(what string) string {
	if t := c.tok(); t.kind == word && strings.HasPrefix(t.text, "_") && c.ahead(1).kind == str {
		c.i++
	}
	if c.tok().kind != str {
		c.fail("%s wants a text in quotes", what)
	}
	s := c.next().text
	for c.tok().kind == str {
		s += c.next().text
	}
	return s
}

// integer reads a number without sign or fraction.
func (c *cursor) integer(what string) int {
	if c.tok().kind == number {
		if n, err := strconv.ParseInt(c.tok().text, 10, 64); err == nil {
			c.i++
			return int(n)
		}
	}
	c.fail("%s wants a whole number", what)
	return 0
}

// parens moves behind a balanced pair of parentheses and returns the indices of
// the first token inside and of the closing one.
func (c *cursor) parens() (from, to int) {
	open := c.i
	c.expect("(")
	from = c.i
	for depth := 1; ; c.i++ {
		switch t := c.tok(); {
		case t.kind == end:
			c.failAt(open, "this parenthesis is not closed")
		case t.kind != punct:
		case t.text == "(":
			depth++
		case t.text == ")":
			if depth--; depth == 0 {
				to = c.i
				c.i++
				return from, to
			}
		}
	}
}

// group is parens that hold something, as text.
func (c *cursor) group(what string) string {
	at := c.i
	from, to := c.parens()
	if from == to {
		c.failAt(at, "%s is empty", what)
	}
	return c.source(from, to)
}

// source returns the text of the tokens from one index to before another, as
// it is written under an sql_mode that changes nothing.
func (c *cursor) source(from, to int) string {
	if c.mode == (mode{}) {
		return c.verbatim(from, to)
	}
	var b strings.Builder
	for i, t := range c.toks[from:to] {
		text := c.st.Text[t.start:t.end]
		if i > 0 {
			between := c.st.Text[c.toks[from+i-1].end:t.start]
			if between != "" {
				b.WriteByte(' ')
			}
		}
		switch {
		case t.kind == quoted && text[0] == '"':
			text = schema.Quote(t.text)
		case t.kind == str && c.mode.noBackslash:
			text = schema.QuoteText(t.text)
		case t.matches("||") && c.mode.pipesConcat:
			c.failAt(from+i, "|| joins texts under this sql_mode and is OR elsewhere: write CONCAT")
		}
		b.WriteString(text)
	}
	return b.String()
}

// verbatim returns the text of the tokens from one index to before another, as
// written, unless a version comment opens or closes in between.
func (c *cursor) verbatim(from, to int) string {
	if from >= to {
		return ""
	}
	whole := true
	for _, t := range c.toks[from:to] {
		whole = whole && t.comment == c.toks[from].comment
	}
	if whole {
		return c.st.Text[c.toks[from].start:c.toks[to-1].end]
	}
	parts := make([]string, 0, to-from)
	for _, t := range c.toks[from:to] {
		parts = append(parts, c.st.Text[t.start:t.end])
	}
	return strings.Join(parts, " ")
}

// rest moves to the end and returns what stands there, as written: bodies keep
// the sql_mode that they were written under.
func (c *cursor) rest() string {
	from := c.i
	c.i = len(c.toks) - 1
	return c.verbatim(from, c.i)
}

// done checks that nothing is left.
func (c *cursor) done() {
	if c.tok().kind != end {
		c.fail("this is not understood")
	}
}

// expr returns an expression with its canonical form.
func (c *cursor) expr(raw string) schema.Expr {
	return Expr(raw, c.fl)
}

// takeRename returns the old name that a comment gives to the definition of the
// tokens from to before to, where to is the comma or parenthesis behind it.
func (c *cursor) takeRename(from, to int) string {
	old := ""
	for n := range c.renames {
		r := &c.renames[n]
		if r.used {
			continue
		}
		if r.trailing && r.next-1 >= from && r.next-1 <= to || !r.trailing && r.next >= from && r.next < to {
			r.used = true
			old = r.from
		}
	}
	return old
}

// takeLead returns the old name that a comment before the statement gives.
func (c *cursor) takeLead() string {
	n := strings.LastIndex(c.lead, "@renamed")
	if n < 0 {
		return ""
	}
	old, ok := renamedFrom(strings.TrimRight(c.lead[n:], "\n"))
	if !ok {
		panic(c.errorAt(0, badRename+" before this statement"))
	}
	c.lead = ""
	return old
}

// badRename is the reason for refusing a comment that declares nothing.
const badRename = "@renamed wants the old name, as in @renamed from=old,"

// checkRenames refuses a "@renamed" that nothing took.
func (c *cursor) checkRenames() {
	const reason = "@renamed stands at nothing that can be renamed: it belongs to a table, a column or an index"
	for _, r := range c.renames {
		if !r.used {
			panic(c.errorAt(r.at, reason))
		}
	}
	if c.lead != "" {
		panic(c.errorAt(0, reason))
	}
}
