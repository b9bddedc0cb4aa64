package schema_test

import (
	"context"
	"slices"
	"testing"

	"moult/core/schema"
)

// TestDiscardLeavesNothingBehind removes what is kept aside, once after the plan
// and once after it was taken back.
func TestDiscardLeavesNothingBehind(t *testing.T) {
	cases := []string{"add and drop columns", "create and drop tables with foreign keys", "narrow columns of every kind", "partitions come and go with their rows", "widen"}
	for _, tt := range roundTrips {
		if !slices.Contains(cases, tt.name) {
			continue
		}
		for _, undone := range []bool{false, true} {
			name := tt.name
			if undone {
				name += ", undone"
			}
			t.Run(name, func(t *testing.T) {
				s := newSite(t, tt.from+";;\n"+tt.rows)
				fl := s.db.Flavor()
				live := s.schema()
				target := read(t, "to", delimited(tt.to), fl)
				p, err := schema.NewPlan(live, target, schema.Options{Flavor: fl, UpdateID: "d"})
				if err != nil {
					t.Fatal(err)
				}
				s.there(p)
				want := inDatabase(target, live, fl)
				if undone {
					s.back(p)
					want = live
				}
				if err := s.db.Discard(context.Background(), p); err != nil {
					t.Fatalf("%v\n%s", err, script(p))
				}
				s.mustEqual("after discarding", want)
				for _, query := range []string{
					`SELECT COUNT(*) FROM information_schema.tables WHERE table_schema=DATABASE() AND table_name LIKE '\_moult\_d\_%'`,
					`SELECT COUNT(*) FROM information_schema.columns WHERE table_schema=DATABASE() AND column_name LIKE '\_moult\_d\_%'`,
				} {
					var n int
					if err := s.pool.QueryRow(query).Scan(&n); err != nil || n > 0 {
						t.Errorf("%d are left, %v: %s\n%s", n, err, query, script(p))
					}
				}
			})
		}
	}
}
