package schema

import (
	"fmt"
	"slices"
	"strings"
)

func definer(d string) string {
	if d == "" {
		return ""
	}
	return "DEFINER=" + d + " "
}

func (v *View) create() string {
	s := "CREATE "
	if v.Algorithm != "" && v.Algorithm != "UNDEFINED" {
		s += "ALGORITHM=" + v.Algorithm + " "
	}
	s += definer(v.Definer)
	if v.Security != "" {
		s += "SQL SECURITY " + v.Security + " "
	}
	s += "VIEW " + Quote(v.Name)
	if len(v.Columns) > 0 {
		s += " (" + quoteAll(v.Columns) + ")"
	}
	s += " AS " + strings.TrimRight(v.Body, "; \n\t")
	if v.Check != "" {
		s += " WITH " + v.Check + " CHECK OPTION"
	}
	return s
}

func (g *Trigger) create() string {
	s := fmt.Sprintf("CREATE %sTRIGGER %s %s %s ON %s FOR EACH ROW ", definer(g.Definer), Quote(g.Name), g.Timing, g.Event, Quote(g.Table))
	if g.Order != "" {
		s += g.Order + " "
	}
	return s + g.Body
}

func (r *Routine) kind() string {
	if r.Function {
		return "FUNCTION"
	}
	return "PROCEDURE"
}

func (r *Routine) create() string {
	aggregate := ""
	if r.Aggregate {
		aggregate = "AGGREGATE "
	}
	return fmt.Sprintf("CREATE %s%s%s %s%s\n%s", definer(r.Definer), aggregate, r.kind(), Quote(r.Name), r.Header, r.Body)
}

func (e *Event) create() string {
	s := "CREATE " + definer(e.Definer) + "EVENT " + Quote(e.Name) + " ON SCHEDULE " + e.Schedule
	if e.Preserve {
		s += " ON COMPLETION PRESERVE"
	} else {
		s += " ON COMPLETION NOT PRESERVE"
	}
	if e.Status != "" {
		s += " " + e.Status
	}
	if e.Comment != "" {
		s += " COMMENT " + QuoteText(e.Comment)
	}
	return s + " DO " + e.Body
}

// Create returns the sequence's CREATE SEQUENCE statement without a semicolon.
func (q *Sequence) Create() string { return "CREATE SEQUENCE " + q.define() }

func (q *Sequence) alter() string { return "ALTER SEQUENCE " + q.define() }

func (q *Sequence) define() string {
	s := fmt.Sprintf("%s START WITH %d MINVALUE %d MAXVALUE %d INCREMENT BY %d CACHE %d", Quote(q.Name), q.Start, q.Min, q.Max, q.Increment, q.Cache)
	if q.Cycle {
		return s + " CYCLE"
	}
	return s + " NOCYCLE"
}

// viewsInOrder puts each view after those that its text names.
func viewsInOrder(in []*View) []*View {
	sorted := byName(in, func(v *View) string { return v.Name })
	var out []*View
	seen := map[*View]bool{}
	var visit func(v *View)
	visit = func(v *View) {
		seen[v] = true
		words := names(v.Body)
		for _, o := range sorted {
			if !seen[o] && slices.Contains(words, strings.ToLower(o.Name)) {
				visit(o)
			}
		}
		out = append(out, v)
	}
	for _, v := range sorted {
		if !seen[v] {
			visit(v)
		}
	}
	return out
}

// names returns the words and quoted names in a text, in lower case: whatever a
// body may refer to is among them.
func names(text string) []string {
	var out []string
	for _, t := range tokens(text) {
		if t.kind == tokWord || t.kind == tokName {
			out = append(out, strings.ToLower(t.value()))
		}
	}
	return out
}
