package schema_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"moult/core/database"
	"moult/core/database/embedded"
	"moult/core/schema"
	"moult/core/schema/parse"
)

// corpus returns the folder of real schemas, or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MOULT_CORPUS")
	if dir == "" {
		dir = "../../../shared/data"
	}
	for _, d := range []string{dir, filepath.Join(dir, "schemas")} {
		if _, err := os.Stat(filepath.Join(d, "PAIRS.tsv")); err == nil {
			return d
		}
	}
	t.Skipf("the corpus of real schemas is not in %s", dir)
	return ""
}

// releasePair is two releases of a real product.
type releasePair struct{ name, from, to string }

func corpusPairs(t testing.TB, dir string) []releasePair {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "PAIRS.tsv"))
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
	var out []releasePair
	for _, row := range rows[1:] {
		out = append(out, releasePair{row[0] + " " + row[1] + " to " + row[2], filepath.Join(dir, row[4]), filepath.Join(dir, row[5])})
	}
	return out
}

// load runs a release's file on an empty database as it stands, without our
// reader, and returns what the server then has. Statements on rows may fail.
func load(t testing.TB, file string) (*database.DB, *sql.DB, error) {
	t.Helper()
	dsn := embedded.ForTest(t)
	pool, err := embedded.Connect(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	conn, err := pool.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var home string
	if err := conn.QueryRowContext(context.Background(), "SELECT DATABASE()").Scan(&home); err != nil {
		t.Fatal(err)
	}
	// Old releases were loaded by servers that forgave what strict ones refuse.
	if _, err := conn.ExecContext(context.Background(), "SET sql_mode='NO_ENGINE_SUBSTITUTION'"); err != nil {
		t.Fatal(err)
	}
	skip := map[string]bool{"USE": true, "GRANT": true, "FLUSH": true}
	splitter := parse.NewSplitter(filepath.Base(file), bytes.NewReader(text))
	splitter.KeepRows = true
	for {
		statement, err := splitter.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		if skip[statement.Verb] || strings.HasPrefix(strings.ToUpper(statement.Text), "CREATE DATABASE") {
			continue
		}
		_, err = conn.ExecContext(context.Background(), statement.Text)
		if err != nil && (statement.Verb == "CREATE" || statement.Verb == "ALTER") {
			return nil, nil, err
		}
	}
	parsed, err := database.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(context.Background(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, pool, nil
}

// catalogue is what information_schema says about a database, a line per fact,
// independently of how we read definitions.
func catalogue(t testing.TB, pool *sql.DB) []string {
	t.Helper()
	queries := map[string]string{
		"table":   "SELECT table_name, table_type, engine, row_format, table_collation, table_comment FROM information_schema.tables WHERE table_schema=DATABASE()",
		"column":  "SELECT table_name, column_name, column_default, is_nullable, column_type, collation_name, column_key, extra, column_comment, generation_expression FROM information_schema.columns WHERE table_schema=DATABASE() AND table_name NOT LIKE '\\_moult\\_%' AND column_name NOT LIKE '\\_moult\\_%'",
		"order":   "SELECT table_name, GROUP_CONCAT(column_name ORDER BY ordinal_position SEPARATOR ' ') FROM information_schema.columns WHERE table_schema=DATABASE() AND column_name NOT LIKE '\\_moult\\_%' GROUP BY table_name",
		"index":   "SELECT table_name, index_name, non_unique, seq_in_index, column_name, sub_part, index_type, index_comment FROM information_schema.statistics WHERE table_schema=DATABASE()",
		"key":     "SELECT k.table_name, k.constraint_name, k.column_name, k.ordinal_position, k.referenced_table_name, k.referenced_column_name, r.update_rule, r.delete_rule FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r ON r.constraint_schema=k.table_schema AND r.constraint_name=k.constraint_name AND r.table_name=k.table_name WHERE k.table_schema=DATABASE() AND k.referenced_table_name IS NOT NULL",
		"check":   "SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema=DATABASE()",
		"trigger": "SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_statement FROM information_schema.triggers WHERE trigger_schema=DATABASE()",
		"view":    "SELECT table_name, REPLACE(view_definition, CONCAT('`', DATABASE(), '`.'), '') FROM information_schema.views WHERE table_schema=DATABASE()",
		"routine": "SELECT routine_name, routine_type, routine_definition FROM information_schema.routines WHERE routine_schema=DATABASE()",
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(queries)) {
		rows, err := pool.Query(queries[kind])
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			line := kind
			for _, v := range values {
				text := "NULL"
				if v.Valid {
					text = v.String
				}
				line += " | " + text
			}
			if !strings.Contains(line, "| "+schema.HiddenPrefix) {
				out = append(out, displayWidth.ReplaceAllString(line, "$1"))
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	slices.Sort(out)
	return out
}

// displayWidth is cosmetic where zeros don't fill it.
var displayWidth = regexp.MustCompile(`\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)`)

func differing(got, want []string) string {
	var b strings.Builder
	for _, line := range want {
		if !slices.Contains(got, line) {
			fmt.Fprintln(&b, "missing:", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			fmt.Fprintln(&b, "extra:  ", line)
		}
	}
	return b.String()
}

// TestCorpusPairsAreReachedAndTakenBack goes from each release to a later one
// and back. Without MOULT_CORPUS_PAIRS=all it takes every twelfth pair.
func TestCorpusPairsAreReachedAndTakenBack(t *testing.T) {
	dir := corpus(t)
	pairs := corpusPairs(t, dir)
	only := os.Getenv("MOULT_CORPUS_PAIRS")
	passed := 0
	for i, pair := range pairs {
		if only == "" && i%12 != 0 || only != "" && only != "all" && !strings.Contains(pair.name, only) {
			continue
		}
		t.Run(pair.name, func(t *testing.T) {
			corpusPair(t, pair)
			passed++
		})
	}
	t.Logf("%d of %d pairs were loaded and compared", passed, len(pairs))
}

func corpusPair(t *testing.T, pair releasePair) {
	_, pool, err := load(t, pair.to)
	if err != nil {
		t.Skipf("the server can't load %s: %v", filepath.Base(pair.to), err)
	}
	want := catalogue(t, pool)
	db, pool, err := load(t, pair.from)
	if err != nil {
		t.Skipf("the server can't load %s: %v", filepath.Base(pair.from), err)
	}
	start := catalogue(t, pool)
	s := &site{t, db, pool}
	rows := s.rows()
	live := s.schema()
	fl := db.Flavor()
	file := func(name string) *schema.Schema {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, filepath.Base(name), string(text), fl)
	}
	merged := schema.Merge(file(pair.from), live, file(pair.to), fl)
	for what, left := range map[string][]schema.Left{"kept": merged.Kept, "drift": merged.Drift, "conflict": merged.Conflicts} {
		for _, l := range left {
			t.Errorf("a fresh site is not what its release says: %s: %s %s", what, l.Object, l.Reason)
		}
	}
	p, err := merged.Plan(live, schema.Options{Flavor: fl, UpdateID: "c1"})
	if err != nil {
		t.Fatal(err)
	}
	if codes := s.blocked(p); codes != nil {
		t.Skipf("the rows that the release ships stand in the way: %v", codes)
	}
	s.there(p)
	if d := differing(catalogue(t, pool), want); d != "" {
		t.Fatalf("the plan does not reach the release:\n%s\n%s", d, script(p))
	}
	s.mustEqual("after the plan", merged.Target)
	again, err := schema.NewPlan(s.schema(), file(pair.to), schema.Options{Flavor: fl, UpdateID: "c2"})
	if err != nil {
		t.Fatal(err)
	}
	if !again.Empty() {
		t.Fatalf("a second plan is not empty:\n%s", script(again))
	}
	s.back(p)
	if d := differing(catalogue(t, pool), start); d != "" {
		t.Fatalf("roll back does not reach the start:\n%s\n%s", d, script(p))
	}
	s.mustEqual("after undoing", live)
	if got := s.rows(); !maps.Equal(got, rows) {
		t.Errorf("rows differ after undoing:\n%v\n%v", got, rows)
	}
}
