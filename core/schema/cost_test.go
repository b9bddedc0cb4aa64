package schema_test

import (
	"context"
	"strings"
	"testing"

	"moult/core/schema"
)

// measuredCost is a line of testdata/costs.txt.
type measuredCost struct {
	change, from, to string
	costs            []string // 5.7, 9.7, 10, 11.8
	unplanned        bool
}

func readCosts(t *testing.T) []measuredCost {
	t.Helper()
	var all []measuredCost
	for _, line := range strings.Split(text(t, "testdata/costs.txt"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, " | ")
		switch {
		case len(cells) == 4 && len(strings.Fields(cells[1])) == len(costFlavors):
			all = append(all, measuredCost{cells[0], "CREATE TABLE t " + cells[2], "CREATE TABLE t " + cells[3], strings.Fields(cells[1]), false})
		case len(cells) == 2 && strings.HasPrefix(cells[1], "not planned"):
			all = append(all, measuredCost{change: cells[0], unplanned: true})
		default:
			t.Fatalf("testdata/costs.txt: %s", line)
		}
	}
	return all
}

// costFlavors are the servers that were asked, in the order of the columns.
var costFlavors = []schema.Flavor{
	{Vendor: schema.MySQL, Version: [3]int{5, 7, 29}}, {Vendor: schema.MySQL, Version: [3]int{9, 7, 4}},
	{Vendor: schema.MariaDB, Version: [3]int{10, 11, 19}}, {Vendor: schema.MariaDB, Version: [3]int{11, 8, 6}},
}

// letters are the algorithms in the words of the table. A plan does not tell
// NOCOPY from a blocking kind of it, as there is none.
func letters(s schema.Step) string {
	letter := map[string]string{"INSTANT": "I", "NOCOPY": "N", "INPLACE": "P", "REBUILD": "R", "COPY": "C"}[s.Algorithm]
	switch {
	case s.Algorithm == "COPY" && !s.Blocks:
		return "C0"
	case s.Algorithm != "COPY" && s.Blocks:
		return letter + "s"
	}
	return letter
}

// costOf is what the plan's statements on the table cost: the dearest decides.
func costOf(p *schema.Plan) string {
	order := "I N P R Ps Rs C0 C"
	dearest := ""
	for _, s := range p.Steps {
		if l := letters(s); strings.HasPrefix(s.SQL, "ALTER TABLE `t`") && (dearest == "" || strings.Index(order, l) > strings.Index(order, dearest)) {
			dearest = l
		}
	}
	return dearest
}

func TestCostsAreThoseThatWereMeasured(t *testing.T) {
	all := readCosts(t)
	if len(all) < 67 {
		t.Errorf("the table has %d changes, want the 67 that were measured", len(all))
	}
	for _, m := range all {
		for i, fl := range costFlavors {
			if m.unplanned || m.costs[i] == "-" {
				continue
			}
			p, err := schema.NewPlan(read(t, "from", m.from, fl), read(t, "to", m.to, fl), schema.Options{Flavor: fl})
			if err != nil {
				t.Errorf("%s on %s: %v", m.change, fl, err)
				continue
			}
			if got := costOf(p); got != m.costs[i] {
				t.Errorf("%s on %s is estimated as %s, was measured as %s\n%s", m.change, fl, got, m.costs[i], script(p))
			}
		}
	}
}

// TestServerAcceptsWhatTheCostsSay asks the server at hand, if it is one of those
// that were measured.
func TestServerAcceptsWhatTheCostsSay(t *testing.T) {
	for _, m := range readCosts(t) {
		if m.unplanned {
			continue
		}
		t.Run(m.change, func(t *testing.T) {
			s := newSite(t, m.from)
			fl, column := s.db.Flavor(), -1
			for i, o := range costFlavors {
				if o.Vendor == fl.Vendor && o.Version[0] == fl.Version[0] && (fl.Vendor == schema.MySQL || o.Version[1] == fl.Version[1]) {
					column = i
				}
			}
			if column < 0 || m.costs[column] == "-" {
				t.Skipf("%s was not measured", fl)
			}
			live := s.schema()
			p, err := schema.NewPlan(live, read(t, "to", m.to, fl), schema.Options{Flavor: fl, UpdateID: "k"})
			if err != nil {
				t.Fatal(err)
			}
			proved, reason, err := s.db.Cost(context.Background(), p, live)
			if err != nil || !proved {
				t.Fatalf("not proved: %s, %v", reason, err)
			}
			if got := costOf(p); got != m.costs[column] {
				t.Errorf("%s accepts %s, the table says %s\n%s", fl, got, m.costs[column], script(p))
			}
		})
	}
}
