package site

import (
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// lineOf returns the line of a dotted key in a TOML text, 0 if it is not there.
// An index, as in "files.own[2]", is dropped: the line is that of the key.
func lineOf(b []byte, key string) int {
	key, _, _ = strings.Cut(key, "[")
	var p unstable.Parser
	p.Reset(b)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		var parts []string
		line := 0
		for it := e.Key(); it.Next(); {
			n := it.Node()
			parts = append(parts, string(n.Data))
			if line == 0 {
				line = p.Shape(n.Raw).Start.Line
			}
		}
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = parts
		case unstable.KeyValue:
			if strings.Join(append(table[:len(table):len(table)], parts...), ".") == key {
				return line
			}
		}
	}
	return 0
}
