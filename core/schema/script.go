package schema

import (
	"maps"
	"slices"
	"strings"
)

// Script returns the statement as a client's script has it: with its delimiter,
// and with its session variables set before and put back after.
func (s Statement) Script() string {
	sql := strings.TrimRight(s.SQL, "; \t\r\n") + ";"
	if hasInner(sql) {
		sql = "DELIMITER ;;\n" + sql + ";\nDELIMITER ;"
	}
	var before, after []string
	for _, name := range slices.Sorted(maps.Keys(s.Session)) {
		before = append(before, "@moult_"+name+"=@@SESSION."+name, "SESSION "+name+"="+QuoteText(s.Session[name]))
		after = append(after, "SESSION "+name+"=@moult_"+name)
	}
	if len(before) == 0 {
		return sql
	}
	return "SET " + strings.Join(before, ", ") + ";\n" + sql + "\nSET " + strings.Join(after, ", ") + ";"
}

// hasInner reports whether a statement that ends with a semicolon has another
// one inside.
func hasInner(sql string) bool {
	ts := tokens(sql)
	return slices.ContainsFunc(ts[:max(len(ts)-1, 0)], func(t tok) bool { return t.kind == tokSymbol && t.text == ";" })
}
