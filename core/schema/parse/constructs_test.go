package parse

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/schema"
)

var update = flag.Bool("update", false, "write the results of the constructs into their tables, to be read by a person")

// construct is one entry of a table: a statement or a piece of one, and what
// each flavor makes of it.
type construct struct {
	file   string
	text   string
	sql    string
	result map[string]string // by flavor
}

// flavors are the columns of the tables.
var flavors = []struct {
	name string
	fl   schema.Flavor
}{
	{"mysql", schema.Flavor{Vendor: schema.MySQL, Version: [3]int{8, 0, 36}}},
	{"mariadb", schema.Flavor{Vendor: schema.MariaDB, Version: [3]int{10, 11, 6}}},
	{"tidb", schema.Flavor{Vendor: schema.TiDB, Version: [3]int{8, 5, 0}}},
}

// frames make a statement of the pieces in a file; @ stands for the piece.
var frames = map[string]string{
	"types.txt":      "CREATE TABLE t (c @)",
	"attributes.txt": "CREATE TABLE t (a int, b varchar(20), c @)",
	"keys.txt":       "CREATE TABLE t (a int NOT NULL, b int NOT NULL, s varchar(20) NOT NULL, x text NOT NULL, @)",
	"spatial.txt":    "CREATE TABLE t (g point NOT NULL, @)",
	"options.txt":    "CREATE TABLE t (a int) @",
	"partitions.txt": "CREATE TABLE t (a int NOT NULL, b int NOT NULL, d date NOT NULL, s varchar(9) NOT NULL) @",
	"alter.txt":      "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int NOT NULL, b varchar(20) DEFAULT 'x', c int, KEY k (c), CONSTRAINT f FOREIGN KEY (c) REFERENCES p (id)); ALTER TABLE t @",
}

// readConstructs reads the tables in testdata. An entry begins with "> " and the
// construct, a further line of which begins with "| ". Then, indented, what it
// means to the flavors that are named in front of it.
func readConstructs(t testing.TB) []*construct {
	t.Helper()
	files, err := filepath.Glob("testdata/constructs/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables of constructs: %v", err)
	}
	var all []*construct
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var c *construct
		var names []string
		for _, line := range strings.Split(string(b), "\n") {
			switch {
			case strings.HasPrefix(line, "> "):
				c = &construct{file: filepath.Base(name), text: line[2:], result: map[string]string{}}
				all = append(all, c)
			case strings.HasPrefix(line, "| "):
				c.text += "\n" + line[2:]
			case strings.HasPrefix(line, "    "):
				for _, n := range names {
					if c.result[n] != "" {
						c.result[n] += "\n"
					}
					c.result[n] += line[4:]
				}
			case strings.HasSuffix(line, ":"):
				names = strings.Fields(strings.TrimSuffix(line, ":"))
			}
		}
	}
	for _, c := range all {
		c.sql = c.text
		if f := frames[c.file]; f != "" {
			c.sql = strings.Replace(f, "@", c.text, 1)
		}
	}
	return all
}

// read returns what a flavor makes of the construct.
func (c *construct) read(fl schema.Flavor) string {
	s, err := Text("", c.sql, fl)
	if err != nil {
		return "error: " + strings.TrimPrefix(err.Error(), "sql:")
	}
	if d := describe(s); d != "" {
		return d
	}
	return "nothing"
}

func TestEveryConstructMeansWhatTheTableSays(t *testing.T) {
	all := readConstructs(t)
	if *update {
		writeConstructs(t, all)
		return
	}
	if len(all) < 300 {
		t.Errorf("the tables have %d constructs, want 300 at least", len(all))
	}
	for _, c := range all {
		for _, f := range flavors {
			if got := c.read(f.fl); got != c.result[f.name] {
				t.Errorf("%s, %s: %s\n got %s\nwant %s", c.file, f.name, c.text, got, c.result[f.name])
			}
		}
	}
}

// writeConstructs writes the tables anew with the present results.
func writeConstructs(t *testing.T, all []*construct) {
	files := map[string]*strings.Builder{}
	for _, c := range all {
		b := files[c.file]
		if b == nil {
			b = &strings.Builder{}
			files[c.file] = b
		}
		b.WriteString("> " + strings.ReplaceAll(c.text, "\n", "\n| ") + "\n")
		var order []string
		names := map[string][]string{}
		for _, f := range flavors {
			r := c.read(f.fl)
			if names[r] == nil {
				order = append(order, r)
			}
			names[r] = append(names[r], f.name)
		}
		for _, r := range order {
			b.WriteString(strings.Join(names[r], " ") + ":\n    " + strings.ReplaceAll(r, "\n", "\n    ") + "\n")
		}
		b.WriteString("\n")
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join("testdata/constructs", name), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
