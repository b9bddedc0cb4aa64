package schema_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"moult/core/schema"
	"moult/core/schema/parse"
	"pgregory.net/rapid"
)

var mysql9 = schema.Flavor{Vendor: schema.MySQL, Version: [3]int{9, 7, 4}}

func TestCanonicalIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, fl := range []schema.Flavor{schema.DefaultMariaDB, schema.DefaultMySQL, mysql9, schema.DefaultTiDB} {
			once := generator{t, fl}.schema()
			twice := schema.Canonical(once, fl)
			if a, b := fmt.Sprint(asJSON(t, once)), fmt.Sprint(asJSON(t, twice)); a != b {
				t.Fatalf("%s:\n%s\n%s", fl, a, b)
			}
		}
	})
}

func asJSON(t interface{ Fatal(...any) }, v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatIsEmittedReadsBackAsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, fl := range []schema.Flavor{schema.DefaultMariaDB, schema.DefaultMySQL, mysql9} {
			s := generator{t, fl}.schema()
			text := schema.Emit(s, fl)
			got, err := parse.Text("emitted", text, fl)
			if err != nil {
				t.Fatalf("%s: %v\n%s", fl, err, text)
			}
			got.Charset, got.Collation = s.Charset, s.Collation
			if same, differences := schema.Equal(schema.Canonical(got, fl), s); !same {
				t.Fatalf("%s: %s\n%s", fl, strings.Join(differences, "\n"), text)
			}
		}
	})
}

func TestPlanOfEqualSchemasIsEmpty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := generator{t, schema.DefaultMariaDB}.schema()
		p, err := schema.NewPlan(s, s, schema.Options{Flavor: schema.DefaultMariaDB})
		if err != nil || !p.Empty() {
			t.Fatalf("%v\n%s", err, script(p))
		}
	})
}

func TestPlanIsTheSameEveryTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, schema.DefaultMariaDB}
		a := g.schema()
		b := g.mutate(a)
		var first []byte
		for range 50 {
			p, err := schema.NewPlan(a, b, schema.Options{Flavor: g.fl, UpdateID: "u"})
			if err != nil {
				t.Fatal(err)
			}
			text := []byte(asJSON(t, p))
			if first == nil {
				first = text
			} else if !bytes.Equal(first, text) {
				t.Fatalf("two plans differ:\n%s\n%s", first, text)
			}
		}
	})
}

func TestEveryStepCanBeTakenBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fl := rapid.SampledFrom([]schema.Flavor{schema.DefaultMariaDB, schema.DefaultMySQL, mysql9}).Draw(t, "flavor")
		g := generator{t, fl}
		a := g.schema()
		p, err := schema.NewPlan(a, g.mutate(a), schema.Options{Flavor: fl, UpdateID: "u"})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Steps {
			if len(s.Inverse) == 0 && !s.DML {
				t.Fatalf("%s has no way back:\n%s", s.Change, s.SQL)
			}
			if strings.Contains(s.SQL, "DROP TABLE") || strings.Contains(s.SQL, "DROP COLUMN") {
				t.Fatalf("something is dropped for good:\n%s", s.SQL)
			}
		}
	})
}

func TestMergeWithAnUnchangedReleaseChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, schema.DefaultMariaDB}
		base := g.schema()
		live := g.mutate(base)
		m := schema.Merge(base, live, base, g.fl)
		if same, differences := schema.Equal(live, m.Target); !same {
			t.Fatalf("the site changes without a reason:\n%s", strings.Join(differences, "\n"))
		}
		if len(m.Conflicts) > 0 {
			t.Fatalf("conflicts: %v", m.Conflicts)
		}
	})
}

func TestMergeOfAnUnchangedSiteIsTheTarget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := generator{t, schema.DefaultMariaDB}
		base := g.schema()
		target := g.mutate(base)
		m := schema.Merge(base, base, target, g.fl)
		if same, differences := schema.Equal(m.Target, target); !same {
			t.Fatalf("the release is not reached:\n%s", strings.Join(differences, "\n"))
		}
		if n := len(m.Kept) + len(m.Drift) + len(m.Conflicts); n > 0 {
			t.Fatalf("%v %v %v", m.Kept, m.Drift, m.Conflicts)
		}
	})
}

// TestRandomChangesAreReachedAndTakenBack runs on a real server. One database
// serves one draw; MOULT_DRAWS sets their number.
func TestRandomChangesAreReachedAndTakenBack(t *testing.T) {
	draws := 12
	if n := os.Getenv("MOULT_DRAWS"); n != "" {
		fmt.Sscan(n, &draws)
	}
	for i := range draws {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s := newSite(t, "SELECT 1")
			fl := s.db.Flavor()
			draw := rapid.Custom(func(t *rapid.T) [2]*schema.Schema {
				g := generator{t, fl}
				a := g.schema()
				return [2]*schema.Schema{a, g.mutate(a)}
			}).Example(i)
			a, b := draw[0], draw[1]
			execute(t, s.pool, strings.ReplaceAll(schema.Emit(a, fl), ";\n\n", ";;\n"))
			execute(t, s.pool, rowsFor(a))
			live := s.schema()
			s.mustEqual("what was emitted", a)
			rows := s.rows()
			p, err := schema.NewPlan(live, b, schema.Options{Flavor: fl, UpdateID: "r"})
			if err != nil {
				t.Fatal(err)
			}
			if codes := s.blocked(p); codes != nil {
				t.Skipf("the rows stand in the way: %v", codes)
			}
			s.there(p)
			s.mustEqual("after the plan\n"+script(p), b)
			s.back(p)
			s.mustEqual("after undoing\n"+script(p), live)
			if got := s.rows(); !maps.Equal(got, rows) {
				t.Errorf("rows differ: %v, want %v", got, rows)
			}
			if err := s.db.Matches(context.Background(), p.Start); err != nil {
				t.Error(err)
			}
		})
	}
}
