package schema

import (
	"slices"
	"strings"
)

// RenameKeys returns the statement by which the foreign keys and indexes of a table
// get the names that they should have, nil if they have them. Tools that exchange a
// table for an altered copy put underscores before the names of its foreign keys and
// of those that refer to it, since a name can be taken only once. Nothing but names
// changes, so the rows are not checked again.
func RenameKeys(have, want *Table) *Statement {
	var clauses []string
	for _, k := range have.ForeignKeys {
		named := func(w *ForeignKey) bool { return strings.EqualFold(w.Name, k.Name) }
		if slices.ContainsFunc(want.ForeignKeys, named) {
			continue
		}
		for _, w := range want.ForeignKeys {
			taken := func(h *ForeignKey) bool { return strings.EqualFold(h.Name, w.Name) }
			if sameButUnderscores(k.Name, w.Name) && !slices.ContainsFunc(have.ForeignKeys, taken) {
				renamed := k.Clone()
				renamed.Name, renamed.AutoName = w.Name, false
				clauses = append(clauses, "DROP FOREIGN KEY "+Quote(k.Name), "ADD "+renamed.define())
				break
			}
		}
	}
	for _, x := range have.Indexes {
		if want.Index(x.Name) != nil {
			continue
		}
		for _, w := range want.Indexes {
			if sameButUnderscores(x.Name, w.Name) && have.Index(w.Name) == nil {
				clauses = append(clauses, "RENAME INDEX "+Quote(x.Name)+" TO "+Quote(w.Name))
				break
			}
		}
	}
	if clauses == nil {
		return nil
	}
	return &Statement{
		SQL:     "ALTER TABLE " + Quote(have.Name) + "\n  " + strings.Join(clauses, ",\n  "),
		Session: map[string]string{"foreign_key_checks": "0"},
	}
}

// sameButUnderscores compares names without the underscores that they begin with.
func sameButUnderscores(a, b string) bool {
	return strings.EqualFold(strings.TrimLeft(a, "_"), strings.TrimLeft(b, "_"))
}
