package parse

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"moult/core/schema"
)

// corpus returns the folder with real schemas, or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MOULT_CORPUS")
	if dir == "" {
		root, err := filepath.Abs("../../../../shared/data")
		if err != nil {
			t.Fatal(err)
		}
		dir = root
	}
	if _, err := os.Stat(filepath.Join(dir, "schemas", "INDEX.tsv")); err == nil {
		dir = filepath.Join(dir, "schemas")
	}
	if _, err := os.Stat(filepath.Join(dir, "INDEX.tsv")); err != nil {
		t.Skipf("the corpus of real schemas is absent: %v", err)
	}
	return dir
}

func TestCorpusIsReadAsTheServerHasLoadedIt(t *testing.T) {
	dir := corpus(t)
	index, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(index)), "\n")
	column := map[string]int{}
	for i, name := range strings.Split(lines[0], "\t") {
		column[name] = i
	}
	seen := map[string]bool{}
	compared := 0
	for _, line := range lines[1:] {
		row := strings.Split(line, "\t")
		name := row[column["file"]]
		if seen[name] {
			continue
		}
		seen[name] = true
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		s, err := File(name, f, schema.DefaultMariaDB)
		f.Close()
		if err != nil {
			t.Error(err)
			continue
		}
		keys := 0
		for _, tb := range s.Tables {
			keys += len(tb.ForeignKeys)
		}
		for what, got := range map[string]int{
			"tables": len(s.Tables), "views": len(s.Views), "triggers": len(s.Triggers), "routines": len(s.Routines), "foreign_keys": keys,
		} {
			want, err := strconv.Atoi(row[column[what]])
			if err != nil {
				continue // the file could not be loaded
			}
			compared++
			if got != want {
				t.Errorf("%s: %d %s are read, the server has %d", name, got, what, want)
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}
