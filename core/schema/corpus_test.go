package schema_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
// reader, with its rows or without, and returns where it is. Statements on rows
// may fail.
func load(t testing.TB, file string, rows bool) (database.DSN, *sql.DB, error) {
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
	// Old releases were loaded by servers that forgave what strict ones refuse.
	if _, err := conn.ExecContext(context.Background(), "SET sql_mode='NO_ENGINE_SUBSTITUTION'"); err != nil {
		t.Fatal(err)
	}
	skip := map[string]bool{"USE": true, "GRANT": true, "FLUSH": true}
	splitter := parse.NewSplitter(filepath.Base(file), strings.NewReader(text(t, file)))
	splitter.KeepRows = rows
	for {
		statement, err := splitter.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return database.DSN{}, nil, err
		}
		if skip[statement.Verb] || strings.HasPrefix(strings.ToUpper(statement.Text), "CREATE DATABASE") {
			continue
		}
		_, err = conn.ExecContext(context.Background(), statement.Text)
		if err != nil && (statement.Verb == "CREATE" || statement.Verb == "ALTER") {
			return database.DSN{}, nil, err
		}
	}
	parsed, err := database.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return parsed, pool, nil
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
		"key":     "SELECT table_name, constraint_name, column_name, ordinal_position, referenced_table_name, referenced_column_name FROM information_schema.key_column_usage WHERE table_schema=DATABASE() AND referenced_table_name IS NOT NULL",
		"rule":    "SELECT table_name, constraint_name, update_rule, delete_rule FROM information_schema.referential_constraints WHERE constraint_schema=DATABASE()",
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

// passage is a walk through the pairs of releases, and what became of them.
type passage struct {
	t testing.TB // of the whole walk: what is loaded stays until its end
	sync.Mutex
	notLoaded, refused, withRows, withoutRows int
	releases                                  map[string]*release
}

// release is a database with a release in it. Since what goes from it comes back
// to it, it serves every pair that begins there.
type release struct {
	sync.Mutex
	dsn       database.DSN
	pool      *sql.DB
	err       error // of loading it
	catalogue []string
	pairs     int
}

// load returns a release with the rows that its file ships, or without them.
func (p *passage) load(file string, rows bool) *release {
	key := fmt.Sprint(file, rows)
	p.Lock()
	r := p.releases[key]
	if r == nil {
		r = &release{}
		p.releases[key] = r
	}
	p.Unlock()
	r.Lock()
	defer r.Unlock()
	if r.pool == nil && r.err == nil {
		if r.dsn, r.pool, r.err = load(p.t, file, rows); r.err == nil {
			r.pool.SetMaxIdleConns(0) // there are more releases than connections
			r.catalogue = catalogue(p.t, r.pool)
		}
	}
	return r
}

func (p *passage) count(n *int) {
	p.Lock()
	defer p.Unlock()
	*n++
}

// TestCorpusPairsAreReachedAndTakenBack goes from each release to a later one
// and back. Without MOULT_CORPUS_PAIRS=all it takes every twelfth pair.
func TestCorpusPairsAreReachedAndTakenBack(t *testing.T) {
	dir := corpus(t)
	pairs := corpusPairs(t, dir)
	only := os.Getenv("MOULT_CORPUS_PAIRS")
	p := &passage{t: t, releases: map[string]*release{}}
	t.Run("pairs", func(t *testing.T) {
		for i, pair := range pairs {
			if only == "" && i%12 != 0 || only != "" && only != "all" && !strings.Contains(pair.name, only) {
				continue
			}
			t.Run(pair.name, func(t *testing.T) {
				t.Parallel()
				p.goes(t, pair)
			})
		}
	})
	t.Logf("of %d pairs %d went there and back with the rows that they ship, %d without since these stand in the way, %d were refused, %d don't load",
		len(pairs), p.withRows, p.withoutRows, p.refused, p.notLoaded)
	if p.withRows == 0 {
		t.Error("no pair went there and back")
	}
}

func (p *passage) goes(t *testing.T, pair releasePair) {
	to := p.load(pair.to, true)
	for _, rows := range []bool{true, false} {
		from := p.load(pair.from, rows)
		if err := errors.Join(from.err, to.err); err != nil {
			p.count(&p.notLoaded)
			t.Skipf("the server can't load it: %v", err)
		}
		if !p.reaches(t, from, to, pair, rows) {
			return
		}
	}
	t.Error("a plan is blocked although there are no rows")
}

// reaches goes from one release to another and back, and reports whether rows
// stand in the way instead.
func (p *passage) reaches(t *testing.T, from, to *release, pair releasePair, rows bool) (blocked bool) {
	from.Lock()
	defer func() {
		if t.Failed() {
			from.pool = nil // nobody knows what it is like now
		}
		from.Unlock()
	}()
	from.pairs++
	db, err := database.Open(context.Background(), from.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := &site{t, db, from.pool}
	plan, merged, err := planFiles(t, s, pair, fmt.Sprint("c", from.pairs))
	if errors.Is(err, schema.ErrRefused) {
		p.count(&p.refused)
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if codes := s.blocked(plan); codes != nil {
		t.Logf("the rows that the release ships stand in the way: %v", codes)
		return true
	}
	s.thereAndBack(plan, merged.Target, read(t, filepath.Base(pair.to), text(t, pair.to), s.db.Flavor()), from.catalogue, to.catalogue)
	done := &p.withRows
	if !rows {
		done = &p.withoutRows
	}
	p.count(done)
	return false
}

func text(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// planFiles plans what an update does: three ways, by the files of both releases
// and the live schema.
func planFiles(t *testing.T, s *site, pair releasePair, id string) (*schema.Plan, *schema.Merged, error) {
	live, fl := s.schema(), s.db.Flavor()
	file := func(name string) *schema.Schema { return read(t, filepath.Base(name), text(t, name), fl) }
	merged := schema.Merge(file(pair.from), live, file(pair.to), fl)
	for what, left := range map[string][]schema.Left{"kept": merged.Kept, "drift": merged.Drift, "conflict": merged.Conflicts} {
		for _, l := range left {
			t.Errorf("a fresh site is not what its release says: %s: %s %s", what, l.Object, l.Reason)
		}
	}
	plan, err := merged.Plan(live, schema.Options{Flavor: fl, UpdateID: id})
	return plan, merged, err
}

// thereAndBack runs a plan and takes it back, and asks the catalogue both times.
func (s *site) thereAndBack(p *schema.Plan, target, file *schema.Schema, start, want []string) {
	s.t.Helper()
	live, rows := s.schema(), s.rows()
	s.there(p)
	if d := differing(catalogue(s.t, s.pool), want); d != "" {
		s.t.Fatalf("the plan does not reach the release:\n%s\n%s", d, script(p))
	}
	s.mustEqual("after the plan", target)
	again, err := schema.NewPlan(s.schema(), file, schema.Options{Flavor: s.db.Flavor(), UpdateID: "c2"})
	if err != nil {
		s.t.Fatal(err)
	}
	if !again.Empty() {
		s.t.Fatalf("a second plan is not empty:\n%s", script(again))
	}
	s.back(p)
	if d := differing(catalogue(s.t, s.pool), start); d != "" {
		s.t.Fatalf("roll back does not reach the start:\n%s\n%s", d, script(p))
	}
	s.mustEqual("after undoing", live)
	if got := s.rows(); !maps.Equal(got, rows) {
		s.t.Fatalf("rows differ after undoing:\n%v\n%v", got, rows)
	}
	if err := s.db.Discard(context.Background(), p); err != nil {
		s.t.Fatal(err)
	}
}
