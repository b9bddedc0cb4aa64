package schema_test

import (
	"strings"
	"testing"

	"moult/core/schema"
)

// likeExpressions are ways to say the same, the second as MariaDB 10.11 or
// MySQL 9.7 stores it.
var likeExpressions = [][2]string{
	{"(a) > (0)", "`a` > 0"},
	{"t.a + db.t.b", "`a` + `b`"},
	{"a != 1 && b || c", "`a` <> 1 and `b` or `c`"},
	{"NOT (a = 3 OR a IN (1,2))", "`a` <> 3 and `a` not in (1,2)"},
	{"NOT (a IS NULL)", "`a` is not null"},
	{"!(a BETWEEN 1 AND 2)", "`a` not between 1 and 2"},
	{"NOW()", "current_timestamp()"},
	{"CURDATE()", "current_date"},
	{"SUBSTR(a, 1, 2)", "substring(`a`,1,2)"},
	{"CEIL(a)", "ceiling(`a`)"},
	{"date_add(a, interval 1 day)", "`a` + interval 1 day"},
	{"a->'$.b'", "json_extract(`a`,_utf8mb4'$.b')"},
	{"a->>'$.b'", "json_unquote(json_extract(`a`,'$.b'))"},
	{"case when a>1 then 'x' else 'y' end", "case when `a` > 1 then 'x' else 'y' end"},
	{"cast(a as char(3))", "CAST(`a` AS CHAR(3))"},
	{"a RLIKE 'x'", "`a` regexp 'x'"},
	{"-1", "(-(1))"},
	{"'it''s'", `'it\'s'`},
	{"NEXT VALUE FOR s", "nextval(`db`.`s`)"},
	{"a AND b AND c", "(`a` and `b`) and `c`"},
}

// unlikeExpressions must stay apart.
var unlikeExpressions = [][2]string{
	{"a - (b - c)", "a - b - c"},
	{"a OR b AND c", "(a OR b) AND c"},
	{"NOT a = b", "(NOT a) = b"},
	{"'a'", "'A'"},
	{"a", "'a'"},
	{"a IS NULL", "a IS NOT NULL"},
	{"f(a, b)", "f(b, a)"},
	{"a > 1", "a > 1.0"},
	{"a LIKE 'x'", "a LIKE 'x' ESCAPE '!'"},
	{"NOT (a AND b)", "NOT a AND NOT b"},
	{"a <=> NULL", "a = NULL"},
	{"case when a then b end", "case a when b then 1 end"},
}

func TestExpressionsThatMeanTheSameAreEqual(t *testing.T) {
	for _, e := range likeExpressions {
		if a, b := schema.CanonicalExpr(e[0]), schema.CanonicalExpr(e[1]); a != b {
			t.Errorf("%s is %s, and %s is %s", e[0], a, e[1], b)
		}
	}
}

func TestExpressionsThatDifferStayApart(t *testing.T) {
	for _, e := range unlikeExpressions {
		if a := schema.CanonicalExpr(e[0]); a == schema.CanonicalExpr(e[1]) {
			t.Errorf("%s and %s are both %s", e[0], e[1], a)
		}
	}
}

func TestHostileExpressionsAreComparedTokenByToken(t *testing.T) {
	for _, s := range []string{
		strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000),
		strings.Repeat("(", 100000),
		strings.Repeat("not ", 100000) + "a",
		strings.Repeat("interval(", 5000) + "1" + strings.Repeat(")", 5000),
		strings.Repeat("case when ", 20000) + strings.Repeat(" end", 20000),
		strings.Repeat("a(b,", 20000),
	} {
		if schema.CanonicalExpr(s) == "" {
			t.Errorf("%.20s… of %d bytes has no canonical form", s, len(s))
		}
	}
}
