package parse

import "moult/core/schema"

// versionComment reads the opening of an executable comment at the start of s:
// "/*!", "/*!50003", "/*M!", "/*M!100300" or TiDB's "/*T!" and "/*T![feature]".
// It returns the length of the opening, 0 if s is an ordinary comment, and
// whether a server of the flavor runs what is inside.
func versionComment(s string, fl schema.Flavor) (n int, runs bool) {
	var owner byte
	switch {
	case len(s) >= 3 && s[2] == '!':
		n = 3
	case len(s) >= 4 && s[3] == '!' && (s[2] == 'M' || s[2] == 'T'):
		n, owner = 4, s[2]
	default:
		return 0, false
	}
	if owner == 'T' {
		if n < len(s) && s[n] == '[' {
			for n < len(s) && s[n] != ']' {
				n++
			}
			n = min(n+1, len(s))
		}
		return n, fl.Vendor == schema.TiDB
	}
	from, version := n, 0
	for n < len(s) && n < from+6 && digit(s[n]) {
		version = version*10 + int(s[n]-'0')
		n++
	}
	if n-from < 5 {
		// Fewer digits are no version: they are part of what is inside.
		n, version = from, 0
	}
	return n, runsVersion(fl, owner == 'M', version, n-from)
}

// runsVersion says whether a server runs a comment for the given version.
func runsVersion(fl schema.Flavor, mariaOnly bool, version, digits int) bool {
	if mariaOnly && fl.Vendor != schema.MariaDB {
		return false
	}
	server := fl.Version[0]*10000 + fl.Version[1]*100 + fl.Version[2]
	switch fl.Vendor {
	case schema.MariaDB:
		// MariaDB leaves out what MySQL 5.7 and later added: the numbers
		// 50700 to 99999 (sql_lex.cc).
		return version <= server && (mariaOnly || version < 50700 || version > 99999)
	case schema.TiDB:
		// TiDB's lexer reads five digits and never compares them.
		return digits < 6
	default:
		return version <= server
	}
}
