package parse

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"moult/core/schema"
)

// dump is a reader that makes up a dump of the wanted size as it is read: a
// table, and rows with quotes, escapes and bytes in statements of 1 MB.
type dump struct {
	size, done int64
	part       []byte
	rows       []byte
}

func newDump(size int64) *dump {
	r := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("INSERT INTO `t` VALUES ")
	for i := 0; b.Len() < 1<<20; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `(%d,'name %d','it\'s a "text"; with -- marks /* and */ bytes','%s',NULL,%f)`, i, r.IntN(1e9), strings.Repeat("x", r.IntN(200)), r.Float64())
	}
	b.WriteString(";\n")
	return &dump{size: size, rows: []byte(b.String()), part: []byte("-- a dump\nCREATE TABLE `t` (`a` int);\n")}
}

func (d *dump) Read(p []byte) (int, error) {
	if len(d.part) == 0 {
		if d.done >= d.size {
			return 0, io.EOF
		}
		d.part = d.rows
	}
	n := copy(p, d.part)
	d.part = d.part[n:]
	d.done += int64(n)
	return n, nil
}

// BenchmarkSplitter measures how fast a dump is passed over. The aim is 80 MB/s.
func BenchmarkSplitter(b *testing.B) {
	const size = 64 << 20
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		s := NewSplitter("dump", newDump(size))
		for {
			if _, err := s.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// manyTables returns the definitions of n tables of the usual kind.
func manyTables(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "CREATE TABLE `table_%d` (\n  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,\n"+
			"  `parent_id` int(10) unsigned DEFAULT NULL COMMENT 'the one above',\n  `name` varchar(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '',\n"+
			"  `price` decimal(10,2) NOT NULL DEFAULT 0.00,\n  `state` enum('new','open','closed') NOT NULL DEFAULT 'new',\n  `body` mediumtext DEFAULT NULL,\n"+
			"  `created` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n"+
			"  `total` decimal(12,2) GENERATED ALWAYS AS (`price` * 2) STORED,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `name` (`name`),\n"+
			"  KEY `parent` (`parent_id`,`created`),\n  CONSTRAINT `fk_%d` FOREIGN KEY (`parent_id`) REFERENCES `table_%d` (`id`) ON DELETE CASCADE,\n"+
			"  CONSTRAINT `c_%d` CHECK (`price` >= 0)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;\n", i, i, i, i)
	}
	return b.String()
}

// BenchmarkThousandTables measures the reading of definitions.
func BenchmarkThousandTables(b *testing.B) {
	sql := manyTables(1000)
	b.SetBytes(int64(len(sql)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Text("", sql, schema.DefaultMariaDB); err != nil {
			b.Fatal(err)
		}
	}
}
