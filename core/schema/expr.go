package schema

import (
	"slices"
	"strings"
)

// canonExpr fills an expression's canonical form if it is missing.
func canonExpr(e Expr) Expr {
	if e.Canon == "" {
		e.Canon = CanonicalExpr(e.Raw)
	}
	return e
}

// CanonicalExpr writes an expression so that those which differ only in
// parentheses, blanks, quotes around names, qualified names, the case of words
// or the synonym of a function become equal. A NOT is moved inwards as MariaDB
// does when it stores a CHECK. It compares and is not meant to be executed.
// Expressions that it can't take apart are compared token by token.
func CanonicalExpr(raw string) string {
	ts := tokens(raw)
	if out, ok := parseExpr(ts); ok {
		return out
	}
	return canonText(raw)
}

// maxDepth bounds the recursion over hostile input. No server stores deeper ones.
const maxDepth = 200

// node is an operator or function with operands, or a leaf without.
type node struct {
	op   string
	args []*node
}

func parseExpr(ts []tok) (string, bool) {
	n, ok := parseNode(ts, 0)
	if !ok {
		return "", false
	}
	return n.pushNot(false).String(), true
}

func parseNode(ts []tok, depth int) (*node, bool) {
	p := &exprParser{ts: ts, depth: depth}
	n := p.binary(0)
	if n == nil || p.failed || p.i != len(ts) {
		return nil, false
	}
	return n, true
}

func (n *node) String() string {
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	b.WriteString(n.op)
	if n.args == nil {
		return
	}
	b.WriteByte('(')
	for i, a := range n.args {
		if i > 0 {
			b.WriteByte(',')
		}
		a.write(b)
	}
	b.WriteByte(')')
}

// opposites are the comparisons that a NOT turns into one another. All of them
// are NULL for a NULL operand, so that the meaning stays.
var opposites = map[string]string{
	"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
	"is null": "is not null", "is not null": "is null", "in": "not in", "not in": "in",
	"between": "not between", "not between": "between", "like": "not like", "not like": "like",
	"regexp": "not regexp", "not regexp": "regexp", "and": "or", "or": "and",
}

// pushNot moves negations to the leaves and joins nested ANDs and ORs.
func (n *node) pushNot(negate bool) *node {
	switch {
	case n.op == "not" && len(n.args) == 1:
		return n.args[0].pushNot(!negate)
	case n.op == "and" || n.op == "or":
		out := &node{op: n.op}
		if negate {
			out.op = opposites[n.op]
		}
		for _, a := range n.args {
			a = a.pushNot(negate)
			if a.op == out.op {
				out.args = append(out.args, a.args...)
			} else {
				out.args = append(out.args, a)
			}
		}
		return out
	}
	out := &node{op: n.op}
	for _, a := range n.args {
		out.args = append(out.args, a.pushNot(false))
	}
	if n.args != nil && out.args == nil {
		out.args = []*node{}
	}
	if !negate {
		return out
	}
	if o := opposites[n.op]; o != "" {
		out.op = o
		return out
	}
	return &node{op: "not", args: []*node{out}}
}

type exprParser struct {
	ts     []tok
	i      int
	depth  int
	failed bool
}

// levels are the binary operators, loosest first (Operator Precedence in both
// vendors' references). The comparisons have rules of their own.
var levels = [][]string{
	{"or", "||"}, {"xor"}, {"and", "&&"}, nil, nil,
	{"|"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "div", "%", "mod"}, {"^"},
}

const (
	notLevel        = 3
	comparisonLevel = 4
)

func (p *exprParser) peek() string {
	if p.i >= len(p.ts) {
		return ""
	}
	t := p.ts[p.i]
	if t.kind == tokWord || t.kind == tokSymbol {
		return strings.ToLower(t.text)
	}
	return ""
}

func (p *exprParser) accept(words ...string) bool {
	for k, w := range words {
		if p.i+k >= len(p.ts) || !strings.EqualFold(p.ts[p.i+k].text, w) || p.ts[p.i+k].kind == tokString {
			return false
		}
	}
	p.i += len(words)
	return true
}

func (p *exprParser) fail() *node {
	p.failed = true
	return nil
}

var binaryNames = map[string]string{"||": "or", "&&": "and", "mod": "%"}

func (p *exprParser) binary(level int) *node {
	if p.failed {
		return nil
	}
	switch level {
	case notLevel:
		if p.peek() == "not" {
			p.i++
			if p.depth++; p.depth > maxDepth {
				return p.fail()
			}
			n := &node{op: "not", args: []*node{p.binary(notLevel)}}
			p.depth--
			return n
		}
		return p.binary(level + 1)
	case comparisonLevel:
		return p.comparison()
	case len(levels):
		return p.unary()
	}
	left := p.binary(level + 1)
	for !p.failed && slices.Contains(levels[level], p.peek()) {
		op := p.peek()
		p.i++
		if n := binaryNames[op]; n != "" {
			op = n
		}
		left = &node{op: op, args: []*node{left, p.binary(level + 1)}}
	}
	return left
}

func (p *exprParser) comparison() *node {
	const operand = comparisonLevel + 1
	left := p.binary(operand)
	for !p.failed {
		op := p.peek()
		negated := ""
		if op == "not" && p.i+1 < len(p.ts) {
			if next := strings.ToLower(p.ts[p.i+1].text); next == "in" || next == "like" || next == "between" || next == "regexp" || next == "rlike" {
				negated = "not "
				p.i++
				op = next
			}
		}
		switch op {
		case "=", "<", ">", "<=", ">=", "<>", "!=", "<=>":
			p.i++
			if op == "!=" {
				op = "<>"
			}
			left = &node{op: op, args: []*node{left, p.binary(operand)}}
		case "is":
			p.i++
			name := "is "
			if p.accept("not") {
				name += "not "
			}
			word := p.peek()
			if word != "null" && word != "true" && word != "false" && word != "unknown" {
				return p.fail()
			}
			p.i++
			left = &node{op: name + word, args: []*node{left}}
		case "like":
			p.i++
			n := &node{op: negated + "like", args: []*node{left, p.binary(operand)}}
			if p.accept("escape") {
				n.args = append(n.args, p.binary(operand))
			}
			left = n
		case "regexp", "rlike":
			p.i++
			left = &node{op: negated + "regexp", args: []*node{left, p.binary(operand)}}
		case "between":
			p.i++
			low := p.binary(operand)
			if !p.accept("and") {
				return p.fail()
			}
			left = &node{op: negated + "between", args: []*node{left, low, p.binary(operand)}}
		case "in":
			p.i++
			if p.peek() != "(" {
				return p.fail()
			}
			left = &node{op: negated + "in", args: append([]*node{left}, p.arguments()...)}
		default:
			return left
		}
	}
	return nil
}

func (p *exprParser) unary() *node {
	if p.depth++; p.depth > maxDepth {
		return p.fail()
	}
	defer func() { p.depth-- }()
	switch {
	case p.peek() == "-" || p.peek() == "~":
		op := p.peek()
		p.i++
		n := p.unary()
		if n != nil && op == "-" && n.args == nil && n.op != "" && n.op[0] >= '0' && n.op[0] <= '9' {
			return &node{op: "-" + n.op}
		}
		return &node{op: "neg" + op, args: []*node{n}}
	case p.peek() == "+":
		p.i++
		return p.unary()
	case p.peek() == "!":
		p.i++
		return &node{op: "not", args: []*node{p.unary()}}
	case p.peek() == "interval":
		return p.interval()
	}
	n := p.primary()
	for !p.failed {
		switch {
		case p.accept("collate"):
			if p.i >= len(p.ts) {
				return p.fail()
			}
			n = &node{op: "collate " + strings.ToLower(p.ts[p.i].value()), args: []*node{n}}
			p.i++
		case p.accept("->"):
			n = &node{op: "json_extract", args: []*node{n, p.primary()}}
		case p.accept("->>"):
			n = &node{op: "json_unquote", args: []*node{{op: "json_extract", args: []*node{n, p.primary()}}}}
		default:
			return n
		}
	}
	return nil
}

// interval reads INTERVAL n unit, or the function of that name.
func (p *exprParser) interval() *node {
	p.i++
	amount := p.binary(comparisonLevel + 1)
	switch {
	case amount == nil || p.failed:
		return p.fail()
	case p.i < len(p.ts) && p.ts[p.i].kind == tokWord:
		unit := strings.ToLower(p.ts[p.i].text)
		p.i++
		return &node{op: "interval " + unit, args: []*node{amount}}
	case amount.op == "row":
		return call("interval", amount.args)
	}
	return p.fail()
}

func (p *exprParser) primary() *node {
	if p.i >= len(p.ts) {
		return p.fail()
	}
	t := p.ts[p.i]
	switch t.kind {
	case tokString:
		p.i++
		return &node{op: QuoteText(t.value())}
	case tokNumber:
		p.i++
		return &node{op: strings.ToLower(t.text)}
	case tokSymbol:
		if t.text != "(" {
			return p.fail()
		}
		args := p.arguments()
		if len(args) == 1 {
			return args[0]
		}
		return &node{op: "row", args: args}
	}
	word := strings.ToLower(t.text)
	if t.kind == tokWord && p.i+1 < len(p.ts) {
		next := p.ts[p.i+1]
		switch {
		case word[0] == '_' && next.kind == tokString: // a character set's introducer
			p.i += 2
			return &node{op: QuoteText(next.value())}
		case word == "case":
			return p.caseOf()
		case word == "next" && p.accept("next", "value", "for"):
			return &node{op: "nextval", args: []*node{p.primary()}}
		case (word == "b" || word == "x" || word == "n") && next.kind == tokString:
			p.i += 2
			return &node{op: word + QuoteText(strings.ToLower(next.value()))}
		case (word == "date" || word == "time" || word == "timestamp") && next.kind == tokString:
			p.i += 2
			return &node{op: word + QuoteText(next.value())}
		}
	}
	p.i++
	name := strings.ToLower(t.value())
	for p.i+1 < len(p.ts) && p.ts[p.i].text == "." && p.ts[p.i].kind == tokSymbol {
		name = strings.ToLower(p.ts[p.i+1].value())
		p.i += 2
	}
	if p.peek() == "(" {
		return call(name, p.arguments())
	}
	if t.kind == tokWord && slices.Contains(clockWords, word) {
		return call(word, []*node{})
	}
	return &node{op: name}
}

// caseOf reads CASE … END.
func (p *exprParser) caseOf() *node {
	n := &node{op: "case"}
	depth, from := 0, p.i+1
	part := ""
	for k := p.i; k < len(p.ts); k++ {
		word := strings.ToLower(p.ts[k].text)
		if p.ts[k].kind == tokSymbol {
			switch word {
			case "(":
				depth += 1000
			case ")":
				depth -= 1000
			}
			continue
		}
		if p.ts[k].kind != tokWord {
			continue
		}
		switch word {
		case "case":
			depth++
			continue
		case "when", "then", "else":
			if depth != 1 {
				continue
			}
		case "end":
			if depth--; depth != 0 {
				continue
			}
		default:
			continue
		}
		if k > from {
			n.args = append(n.args, &node{op: "case " + part, args: []*node{segment(p.ts[from:k], p.depth+1)}})
		}
		if word == "end" {
			p.i = k + 1
			return n
		}
		part, from = word, k+1
	}
	return p.fail()
}
