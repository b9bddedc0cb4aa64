package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/schema"
)

// dumpFlavors says what server each dump comes from, by the name of its file.
func dumpFlavor(name string) schema.Flavor {
	if strings.Contains(name, "mysqldump") {
		return schema.Flavor{Vendor: schema.MySQL, Version: [3]int{9, 7, 0}}
	}
	return schema.DefaultMariaDB
}

// readDump reads a file of testdata/dumps.
func readDump(t *testing.T, name string, fl schema.Flavor) *schema.Schema {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := File(filepath.Base(name), f, fl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stripped is a schema without what a dump adds or what only a server settles: the
// database, the definers, sessions, and the words of views.
func stripped(s *schema.Schema, fl schema.Flavor) *schema.Schema {
	s = s.Clone()
	s.Name, s.Charset, s.Collation = "", "utf8mb4", "utf8mb4_bin"
	for _, v := range s.Views {
		v.Definer, v.Security, v.Algorithm, v.Body, v.Stored = "", "", "", "", schema.Stored{}
	}
	for _, p := range s.Routines {
		p.Definer, p.Stored = "", schema.Stored{}
		p.Header = plainText(p.Header)
		p.Body = plainText(p.Body)
	}
	for _, g := range s.Triggers {
		g.Definer, g.Stored, g.Body = "", schema.Stored{}, plainText(g.Body)
	}
	for _, e := range s.Events {
		e.Definer, e.TimeZone, e.Stored, e.Body = "", "", schema.Stored{}, plainText(e.Body)
	}
	return schema.Canonical(s, fl)
}

// plainText drops what tools change in a body: comments, blanks, case, quotes of names.
func plainText(s string) string {
	toks, _, err := lex(s, schema.DefaultMariaDB, mode{})
	if err != nil {
		return s
	}
	var words []string
	for _, t := range toks {
		words = append(words, strings.ToLower(t.text))
	}
	return strings.Join(words, " ")
}

func TestDumpsOfEveryToolMeanTheirSource(t *testing.T) {
	files, err := filepath.Glob("testdata/dumps/*dump*.sql")
	if err != nil || len(files) < 5 {
		t.Fatalf("dumps: %q, %v", files, err)
	}
	more, err := filepath.Glob("testdata/dumps/phpmyadmin*.sql")
	if err != nil || len(more) == 0 {
		t.Fatalf("exports: %q, %v", more, err)
	}
	for _, name := range append(files, more...) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			fl := dumpFlavor(name)
			want := readDump(t, "testdata/dumps/library.sql", fl)
			got := readDump(t, name, fl)
			if strings.Contains(name, "ansi") {
				// With triggers and the like these dumps contradict themselves:
				// they take ANSI_QUOTES back before names in double quotes.
				want.Triggers, want.Routines, want.Events = nil, nil, nil
				for _, s := range []*schema.Schema{want, got} { // and they have no options
					for _, tb := range s.Tables {
						tb.Comment, tb.Partition, tb.Charset, tb.Collation = "", nil, "", ""
					}
				}
			}
			if same, differences := schema.Equal(stripped(want, fl), stripped(got, fl)); !same {
				t.Errorf("the dump differs from its source:\n%s", strings.Join(differences, "\n"))
			}
			counts := func(s *schema.Schema) [5]int {
				return [5]int{len(s.Tables), len(s.Views), len(s.Triggers), len(s.Routines), len(s.Events)}
			}
			if counts(got) != counts(want) {
				t.Errorf("tables, views, triggers, routines, events: %v, want %v", counts(got), counts(want))
			}
			for _, p := range got.Routines {
				if p.Definer != "" && p.Definer != "`app`@`%`" {
					t.Errorf("definer of %s: %s", p.Name, p.Definer)
				}
			}
		})
	}
}
