package schema_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"moult/core/schema"
	"moult/core/schema/parse"
)

func FuzzCanonicalExpr(f *testing.F) {
	for _, s := range []string{"", "a", "`a` > 0 AND (b <> 'x''y')", "NOT (a = 3 OR a IN (1,2))", "((((", "))", "CASE WHEN a THEN 1 ELSE END", "CASE", "interval(1,2,3)",
		"a + INTERVAL 1 DAY", "date_add(a, interval 1 day)", "_utf8mb4'x'", "json_extract(`a`,'$.b')", "a->>'$.b'", "cast(a as char(3) charset utf8mb4)", "!a", "- - 1", "a BETWEEN 1 AND 2 AND b",
		"next value for s", "x'00' || b'1'", "1e400", "'", "\"", "`", "/*", "/*!50000 a */", "--", "a.b.c", "not", "in", strings.Repeat("(", 300) + "1" + strings.Repeat(")", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one := schema.CanonicalExpr(s)
		if again := schema.CanonicalExpr(s); again != one {
			t.Errorf("%q gives %q and %q", s, one, again)
		}
		if spaced := schema.CanonicalExpr(" " + s + " "); !strings.ContainsAny(s, "'\"`#-/*") && spaced != one {
			t.Errorf("blanks around %q change %q to %q", s, one, spaced)
		}
	})
}

func FuzzCanonical(f *testing.F) {
	for _, tt := range roundTrips {
		f.Add(tt.from)
		f.Add(tt.to)
	}
	f.Add("CREATE TABLE t (a decimal(65,30) DEFAULT 1e5, b year DEFAULT 70, c time DEFAULT '-1:2', d set('a','b') DEFAULT 'b,a', e bit(8) DEFAULT 5, f double(5,2) DEFAULT 'x')")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || len(text) > 2000 {
			t.Skip()
		}
		for _, fl := range []schema.Flavor{schema.DefaultMariaDB, schema.DefaultMySQL} {
			s, err := parse.Text("fuzz", delimited(text), fl)
			if err != nil {
				continue
			}
			once := schema.Canonical(s, fl)
			twice := schema.Canonical(once, fl)
			if a, b := fmt.Sprint(asJSON(t, once)), fmt.Sprint(asJSON(t, twice)); a != b {
				t.Fatalf("not idempotent:\n%s\n%s", a, b)
			}
			if p, err := schema.NewPlan(once, once, schema.Options{Flavor: fl}); err == nil && !p.Empty() {
				t.Fatalf("a schema differs from itself:\n%s", script(p))
			}
			if same, differences := schema.Equal(once, twice); !same {
				t.Fatal(differences)
			}
		}
	})
}
