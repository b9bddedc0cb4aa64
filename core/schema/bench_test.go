package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"moult/core/schema"
)

// manyTables is a schema of n tables of ten columns that refer to each other.
// Every changed-th one has another column; 0 changes none.
func manyTables(n, changed int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "CREATE TABLE `t%04d` (\n  `id` int(11) unsigned NOT NULL AUTO_INCREMENT,\n  `parent` int(11) unsigned DEFAULT NULL,\n", i)
		for c := range 8 {
			fmt.Fprintf(&b, "  `c%d` varchar(%d) NOT NULL DEFAULT '' COMMENT 'column %d',\n", c, 10+c, c)
		}
		if changed > 0 && i%changed == 0 {
			b.WriteString("  `added` datetime DEFAULT NULL,\n")
		}
		b.WriteString("  PRIMARY KEY (`id`),\n  KEY `c0` (`c0`,`c1`),\n  KEY `parent` (`parent`)")
		if i > 0 {
			fmt.Fprintf(&b, ",\n  CONSTRAINT `fk%04d` FOREIGN KEY (`parent`) REFERENCES `t%04d` (`id`) ON DELETE CASCADE", i, i/2)
		}
		b.WriteString("\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n")
	}
	return b.String()
}

func benchmarkPlan(b *testing.B, tables, changed, steps int) {
	from, to := manyTables(tables, 0), manyTables(tables, changed)
	b.ReportAllocs()
	for b.Loop() {
		fl := schema.DefaultMariaDB
		p, err := schema.NewPlan(read(b, "from", from, fl), read(b, "to", to, fl), schema.Options{Flavor: fl, UpdateID: "b"})
		if err != nil {
			b.Fatal(err)
		}
		if len(p.Steps) != steps {
			b.Fatalf("%d steps, want %d", len(p.Steps), steps)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*tables), "ns/table")
}

// Reading two schemas, comparing and planning; 0.4 s is what 1 000 tables may take.
// With ten times the tables, ns/table stays what it is.
func BenchmarkThousandTablesOneChanged(b *testing.B) { benchmarkPlan(b, 1000, 1000, 1) }
func BenchmarkThousandTablesAllChanged(b *testing.B) { benchmarkPlan(b, 1000, 1, 1000) }
func BenchmarkTenThousandTables(b *testing.B)        { benchmarkPlan(b, 10000, 10000, 1) }

func BenchmarkMergeThousandTables(b *testing.B) {
	fl := schema.DefaultMariaDB
	base, target := read(b, "from", manyTables(1000, 0), fl), read(b, "to", manyTables(1000, 10), fl)
	b.ReportAllocs()
	for b.Loop() {
		schema.Merge(base, base, target, fl)
	}
}
