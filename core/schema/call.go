package schema

import (
	"strings"
)

var clockWords = []string{"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp", "utc_date", "utc_time", "utc_timestamp", "current_user"}

// functionNames are the synonyms that both vendors' references list.
var functionNames = map[string]string{
	"now": "current_timestamp", "localtime": "current_timestamp", "localtimestamp": "current_timestamp",
	"curdate": "current_date", "curtime": "current_time", "ceil": "ceiling", "substr": "substring", "mid": "substring",
	"lcase": "lower", "ucase": "upper", "character_length": "char_length", "power": "pow", "octet_length": "length",
	"adddate": "date_add", "subdate": "date_sub", "dayofmonth": "day", "schema": "database", "session_user": "user", "system_user": "user",
	"std": "stddev", "stddev_pop": "stddev", "var_pop": "variance", "sha1": "sha",
}

func call(name string, args []*node) *node {
	if n := functionNames[name]; n != "" {
		name = n
	}
	if args == nil {
		args = []*node{}
	}
	if name == "regexp_like" && len(args) == 2 {
		name = "regexp"
	}
	if len(args) == 2 && strings.HasPrefix(args[1].op, "interval ") {
		switch name {
		case "date_add":
			name = "+"
		case "date_sub":
			name = "-"
		}
	}
	return &node{op: name, args: args}
}

// arguments reads from one parenthesis to its other.
func (p *exprParser) arguments() []*node {
	depth := 0
	end := -1
	for k := p.i; k < len(p.ts) && end < 0; k++ {
		if p.ts[k].kind != tokSymbol {
			continue
		}
		switch p.ts[k].text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				end = k
			}
		}
	}
	if end < 0 || p.depth >= maxDepth {
		p.fail()
		return nil
	}
	inner := p.ts[p.i+1 : end]
	p.i = end + 1
	args := []*node{}
	if len(inner) == 0 {
		return args
	}
	from := 0
	for k := 0; k <= len(inner); k++ {
		if k < len(inner) {
			switch {
			case inner[k].kind != tokSymbol:
				continue
			case inner[k].text == "(":
				depth++
			case inner[k].text == ")":
				depth--
			}
			if depth != 0 || inner[k].text != "," {
				continue
			}
		}
		args = append(args, segment(inner[from:k], p.depth+1))
		from = k + 1
	}
	return args
}

// segment reads one argument: an expression, or one with a type or character set
// behind it, as in CAST(x AS CHAR). What is neither becomes a leaf of its tokens.
func segment(ts []tok, depth int) *node {
	if n, ok := parseNode(ts, depth); ok {
		return n
	}
	for i, t := range ts {
		if word := t.canon(); t.kind == tokWord && (word == "as" || word == "using") {
			if n, ok := parseNode(ts[:i], depth); ok {
				return &node{op: leaf(ts[i:]), args: []*node{n}}
			}
		}
	}
	return &node{op: leaf(ts)}
}

func leaf(ts []tok) string {
	words := make([]string, len(ts))
	for i, t := range ts {
		words[i] = t.canon()
	}
	return strings.Join(words, " ")
}
