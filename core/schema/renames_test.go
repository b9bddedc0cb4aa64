package schema_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
)

// seenRename is a line of the corpus's RENAMES.tsv: a pair of objects that look
// like one, and what the product's own upgrade does with it.
type seenRename struct {
	app, from, to, kind, table, old, now string
	is                                   bool
}

func tsv(t testing.TB, file string) [][]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// TestLookAlikesOfRealReleases plans each of the updates in which something was
// renamed, or looked like it, and counts what is proposed.
func TestLookAlikesOfRealReleases(t *testing.T) {
	dir := corpus(t)
	fl := schema.DefaultMariaDB
	files := map[string]string{}
	for _, r := range tsv(t, filepath.Join(dir, "INDEX.tsv")) {
		files[r[0]+" "+r[1]] = filepath.Join(dir, r[2])
	}
	proposals := map[string][]schema.Rename{}
	var renames, found, others int
	for _, r := range tsv(t, filepath.Join(dir, "RENAMES.tsv")) {
		s := seenRename{r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7] == "rename"}
		key := s.app + " " + s.from + " " + s.to
		if _, ok := proposals[key]; !ok {
			from, to := files[s.app+" "+s.from], files[s.app+" "+s.to]
			p, err := schema.NewPlan(read(t, filepath.Base(from), text(t, from), fl), read(t, filepath.Base(to), text(t, to), fl), schema.Options{Flavor: fl})
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			proposals[key] = p.Renames
			for _, step := range p.Steps {
				if strings.HasPrefix(step.Change, "rename the table") || strings.Contains(step.Change, "rename column") {
					t.Errorf("%s: %s: %s, without anybody's word", key, step.Object, step.Change)
				}
			}
		}
		object := "table " + s.table + ", column " + s.old
		if s.kind == "table" {
			object = "table " + s.old
		}
		proposed := slices.Contains(proposals[key], schema.Rename{Object: object, From: s.old, To: s.now})
		switch {
		case !s.is:
			others++
		case proposed:
			renames++
			found++
		default:
			renames++
			t.Logf("not proposed: %s: %s to %s", key, object, s.now)
		}
	}
	total := 0
	for _, list := range proposals {
		total += len(list)
	}
	t.Logf("%d of %d renames are proposed, and %d things that are none or of which nobody knows; %d look-alikes are listed as such", found, renames, total-found, others)
	if found < renames*8/10 {
		t.Errorf("%d of %d renames are proposed", found, renames)
	}
}
