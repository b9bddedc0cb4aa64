package words

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// TestPlansOfRealProductsAreInPhrases plans the updates of the corpus of real
// schemas, and those of sites that have changed theirs, and looks up every text: of
// one pair in eight, of each with MOULT_TORTURE.
func TestPlansOfRealProductsAreInPhrases(t *testing.T) {
	dir := os.Getenv("MOULT_CORPUS")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "schemas")); err == nil {
		dir = filepath.Join(dir, "schemas")
	}
	f, err := os.Open(filepath.Join(dir, "PAIRS.tsv"))
	if err != nil {
		t.Skipf("the corpus of real schemas is not in %s", dir)
	}
	defer f.Close()
	texts, pairs := map[string]bool{}, 0
	every := os.Getenv("MOULT_TORTURE") != ""
	for lines := bufio.NewScanner(f); lines.Scan(); pairs++ {
		row := strings.Split(lines.Text(), "\t")
		if pairs == 0 || len(row) < 6 || !every && pairs%8 != 1 {
			continue
		}
		from, to := readSchema(t, filepath.Join(dir, row[4])), readSchema(t, filepath.Join(dir, row[5]))
		if from != nil && to != nil {
			collect(texts, from, to)
			collect(texts, to, from)
		}
	}
	unknown := 0
	for text := range texts {
		if r := (reader{seen: map[string]*reading{}}); !r.read(text).whole {
			if unknown++; unknown <= 20 {
				t.Errorf("%q is not made of phrases", text)
			}
		}
	}
	t.Logf("%d texts of %d pairs, %d unknown", len(texts), pairs-1, unknown)
}

func readSchema(t *testing.T, file string) *schema.Schema {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := parse.File(filepath.Base(file), f, schema.DefaultMariaDB)
	if err != nil {
		return nil // of another server, or in a form that Moult refuses
	}
	return schema.Canonical(s, schema.DefaultMariaDB)
}

// collect adds what is said of an update from one schema to another, and of a
// site whose own schema is ahead of what was shipped.
func collect(texts map[string]bool, from, to *schema.Schema) {
	merged := schema.Merge(from, to, from, schema.DefaultMariaDB)
	for _, list := range [][]schema.Left{merged.Kept, merged.Drift, merged.Conflicts} {
		for _, l := range list {
			texts[l.Object], texts[l.Reason] = true, true
		}
	}
	p, err := schema.NewPlan(from, to, schema.Options{Flavor: schema.DefaultMariaDB, UpdateID: "20261121-1000"})
	if err != nil {
		return
	}
	for _, w := range p.Warnings {
		texts[ruleName.ReplaceAllString(w, "")] = true
	}
	for _, s := range p.Steps {
		texts[s.Object], texts[s.Change] = true, true
		for _, n := range s.Notes {
			texts[n] = true
		}
		for _, h := range s.Hazards {
			texts[h.Text] = true
		}
	}
}
