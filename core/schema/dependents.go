package schema

import (
	"fmt"
	"slices"
	"strings"
)

// checkDependents looks for stored code that stays although something that it
// speaks of goes. A trigger that uses a column which is gone makes every write
// to its table fail, so such a plan is refused. Whether a view or a routine means
// the table or column of that name can't be told from its text: they are warned of.
func (p *planner) checkDependents() {
	for _, g := range p.target.Triggers {
		t := p.wanted(g.Table)
		if t == nil {
			p.refuse("trigger %s is on table %s, which the target does not have", g.Name, g.Table)
			continue
		}
		for _, c := range rowColumns(g.Body) {
			if t.Column(c) == nil {
				p.refuse("trigger %s uses column %s of table %s, which the target does not have", g.Name, c, g.Table)
			}
		}
	}
	gone := p.goneNames()
	if len(gone) == 0 {
		return
	}
	for _, v := range p.target.Views {
		p.warnOf("view "+v.Name, v.Body, gone)
	}
	for _, r := range p.target.Routines {
		p.warnOf(strings.ToLower(r.kind())+" "+r.Name, r.Body, gone)
	}
	for _, e := range p.target.Events {
		p.warnOf("event "+e.Name, e.Body, gone)
	}
}

// rowColumns returns what follows NEW and OLD.
func rowColumns(body string) []string {
	var out []string
	ts := tokens(body)
	for i := 0; i+2 < len(ts); i++ {
		if ts[i].kind == tokWord && (strings.EqualFold(ts[i].text, "new") || strings.EqualFold(ts[i].text, "old")) && ts[i+1].text == "." && (i == 0 || ts[i-1].text != ".") {
			out = append(out, ts[i+2].value())
		}
	}
	return out
}

// goneName is a table or a column of one that the target lacks.
type goneName struct{ table, column string }

func (p *planner) goneNames() []goneName {
	var out []goneName
	for _, t := range p.start.Tables {
		final := p.wanted(t.Name)
		if final == nil {
			if !slices.ContainsFunc(p.target.Views, func(v *View) bool { return v.Name == t.Name }) {
				out = append(out, goneName{table: t.Name})
			}
			continue
		}
		for _, c := range t.Columns {
			if final.Column(c.Name) == nil {
				out = append(out, goneName{t.Name, c.Name})
			}
		}
	}
	return out
}

func (p *planner) warnOf(object, body string, gone []goneName) {
	words := names(body)
	for _, g := range gone {
		if !slices.Contains(words, strings.ToLower(g.table)) || g.column != "" && !slices.Contains(words, strings.ToLower(g.column)) {
			continue
		}
		what := "table " + g.table
		if g.column != "" {
			what = fmt.Sprintf("column %s of table %s", g.column, g.table)
		}
		p.plan.Warnings = append(p.plan.Warnings, fmt.Sprintf("V1: the %s stays and seems to use %s, which goes.", object, what))
	}
}
