package database

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// corpus returns the directory of real products' schemas, or skips.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MOULT_CORPUS")
	if dir == "" {
		dir = "../../../shared/data"
	}
	for _, dir := range []string{dir, filepath.Join(dir, "schemas")} {
		if _, err := os.Stat(filepath.Join(dir, "PAIRS.tsv")); err == nil {
			return dir
		}
	}
	t.Skipf("there are no schemas in %s; set MOULT_CORPUS", dir)
	return ""
}

// pair is two releases of a product.
type pair struct{ app, from, to, fileFrom, fileTo string }

func (p pair) String() string { return p.app + " " + p.from + " to " + p.to }

func pairs(t *testing.T, dir string) []pair {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "PAIRS.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table := csv.NewReader(f)
	table.Comma, table.FieldsPerRecord, table.LazyQuotes = '\t', -1, true
	rows, err := table.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []pair
	for _, r := range rows[1:] {
		all = append(all, pair{r[0], r[1], r[2], filepath.Join(dir, r[4]), filepath.Join(dir, r[5])})
	}
	return all
}

// ancient replaces spellings of MySQL 4 that servers no longer read.
var ancient = strings.NewReplacer(" TYPE=", " ENGINE=", "timestamp(14)", "timestamp")

// load runs a file of a product on an empty database.
func (s *site) load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	conn, err := s.app.Conn(s.t.Context())
	if err != nil {
		return err
	}
	defer conn.Close()
	split := parse.NewSplitter(file, f)
	split.KeepRows = true
	if _, err := conn.ExecContext(s.t.Context(), "SET foreign_key_checks = 0, sql_mode = ''"); err != nil {
		return err
	}
	for {
		st, err := split.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if slices.Contains([]string{"USE", "GRANT", "FLUSH", "LOCK", "UNLOCK"}, st.Verb) || strings.HasPrefix(strings.ToUpper(st.Text), "CREATE DATABASE") {
			continue
		}
		if _, err := conn.ExecContext(s.t.Context(), ancient.Replace(st.Text)); err != nil {
			return fmt.Errorf("%s: %w", shorten(st.Text, 80), err)
		}
	}
}

// outcome counts what became of pairs.
type outcome struct {
	done                              map[int]int // by rows in each table
	notLoaded, blocked, refused, same int
}

func TestRealReleasesGoThereAndBackWithTheirRows(t *testing.T) {
	notShort(t)
	dir := corpus(t)
	all := pairs(t, dir)
	o := outcome{done: map[int]int{}}
	for _, n := range points(len(all), 8) {
		p := all[n-1]
		t.Run(p.String(), func(t *testing.T) { thereAndBack(t, p, &o) })
	}
	t.Logf("%+v", o)
	if o.done[seedRows] == 0 {
		t.Error("no pair went there and back")
	}
}

func thereAndBack(t *testing.T, p pair, o *outcome) {
	target := newSite(t)
	err := target.load(p.fileTo)
	if err != nil {
		o.notLoaded++
		t.Skipf("does not load: %v", err)
	}
	goal := target.introspect()
	// Of many rows some may stand in the way of the new release's keys; a
	// single one does so seldom.
	for _, rows := range []int{seedRows, 1, 0} {
		s := newSite(t)
		if err := s.load(p.fileFrom); err != nil {
			o.notLoaded++
			t.Skipf("does not load: %v", err)
		}
		live := s.introspect()
		s.seed(live, goal, rows)
		plan, err := schema.NewPlan(live, goal, schema.Options{Flavor: s.Flavor(), UpdateID: "u1"})
		if errors.Is(err, schema.ErrRefused) {
			o.refused++
			t.Skipf("refused: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if plan.Empty() {
			o.same++
			return
		}
		if blocked := s.blocked(plan); blocked != "" {
			t.Logf("%d rows a table: %s", rows, blocked)
			continue
		}
		s.travel(plan)
		o.done[rows]++
		return
	}
	o.blocked++
}

// blocked returns the first finding by which rows stop a plan, "" if none does.
func (s *site) blocked(plan *schema.Plan) string {
	for _, f := range s.findings(s.DB, plan) {
		if f.Level == levelBlock && strings.HasPrefix(f.Code, "schema ") {
			return f.Text
		}
	}
	return ""
}

// travel runs a plan and takes it back, and looks at the rows.
func (s *site) travel(plan *schema.Plan) {
	defer func() {
		if s.t.Failed() {
			s.t.Log(script(plan))
		}
	}()
	before := s.sums()
	s.run(plan)
	after := counts(s.sums())
	for table, rows := range counts(before) {
		if now, ok := after[table]; ok && now != rows {
			s.t.Errorf("table %s has %s rows after the update, had %s", table, now, rows)
		}
	}
	s.undo(plan)
	s.sameSums(before, "after going there and back")
}

// script lists a plan.
func script(p *schema.Plan) string {
	var b strings.Builder
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "%s %s\n  probe %s\n", step.ID, step.SQL, step.Probe)
		for _, inverse := range step.Inverse {
			fmt.Fprintf(&b, "  back: %s\n    probe %s\n", inverse.SQL, inverse.Probe)
		}
	}
	return b.String()
}

// counts returns the number of rows of each table from its checksum.
func counts(sums map[string]string) map[string]string {
	rows := maps.Clone(sums)
	for table, sum := range rows {
		rows[table], _, _ = strings.Cut(sum, " rows")
	}
	return rows
}
