package schema_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// hazard is an entry of the tables in testdata/hazards: a change that goes wrong
// when it is made by the statements that come to mind, and what we make of it.
// An entry is a list of lines "key: value"; a key that stands several times is a
// list of statements.
type hazard struct {
	name string // begins with the code of the risk, if the plan is to tell it
	on   string // the servers that have the matter, as in "mysql, mariadb 10.8"; "" for all
	from []string
	to   []string
	rows []string // of the site
	fine []string // rows with which the change does go through
	// naive are the statements of a tool that compares definitions, in the session
	// of a site that has switched strict mode off, as many do. undo are those of
	// its way back, and since is what the new release writes before it.
	naive, since, undo []string
	// ask is a question to the database, in the end.
	ask string
	// bad is what comes of the naive statements: "error" and its number, the
	// answer to ask, or both; or "the same", if SHOW CREATE TABLE says what it
	// said before, so that the tool will find the same difference again.
	bad map[string]string
	// good is what comes of us: the answer to ask, when the plan has been run and,
	// if there is an undo, has been taken back. Or it is what we say before
	// anything happens: "blocked" and a code, "refused" and words, "warned" and a
	// code, "not proved" (by the trial on a clone) or "nothing to do".
	good map[string]string
}

func readHazards(t testing.TB) []*hazard {
	t.Helper()
	files, err := filepath.Glob("testdata/hazards/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables of hazards: %v", err)
	}
	var all []*hazard
	for _, name := range files {
		var h *hazard
		for n, line := range strings.Split(text(t, name), "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, value, ok := strings.Cut(line, ":")
			value = strings.TrimPrefix(value, " ")
			if key == "hazard" {
				h = &hazard{name: value, bad: map[string]string{}, good: map[string]string{}}
				all = append(all, h)
			} else if !ok || !h.set(key, value) {
				t.Fatalf("%s:%d: %s", name, n+1, line)
			}
		}
	}
	return all
}

func (h *hazard) set(key, value string) bool {
	lists := map[string]*[]string{"from": &h.from, "to": &h.to, "rows": &h.rows, "fine": &h.fine, "naive": &h.naive, "since": &h.since, "undo": &h.undo}
	singles := map[string]*string{"on": &h.on, "ask": &h.ask}
	word, vendor, _ := strings.Cut(key, " ")
	switch {
	case lists[key] != nil:
		*lists[key] = append(*lists[key], value)
	case singles[key] != nil && *singles[key] == "":
		*singles[key] = value
	case word == "bad":
		h.bad[vendor] = value
	case word == "good":
		h.good[vendor] = value
	default:
		return false
	}
	return true
}

// of returns what a table says about a vendor, or about all.
func of(m map[string]string, v schema.Vendor) string {
	if s, ok := m[string(v)]; ok {
		return s
	}
	return m[""]
}

// concerns reports whether a server is one of a list, as in "mysql, mariadb 10.8".
func concerns(t testing.TB, list string, fl schema.Flavor) bool {
	t.Helper()
	for item := range strings.SplitSeq(list, ", ") {
		vendor, version, _ := strings.Cut(item, " ")
		least, err := schema.ParseFlavor(vendor, version)
		if list != "" && err != nil {
			t.Fatal(err)
		}
		if list == "" || least.Vendor == fl.Vendor && (version == "" || fl.AtLeast(least.Version[:]...)) {
			return true
		}
	}
	return false
}

func (h *hazard) code() string {
	code, _, _ := strings.Cut(h.name, " ")
	if len(code) == 2 && code[1] >= '0' && code[1] <= '9' {
		return code
	}
	return ""
}

// TestHazards shows each of the hazards on the server: what comes of it without
// care, and with ours.
func TestHazards(t *testing.T) {
	all := readHazards(t)
	if len(all) < 100 {
		t.Errorf("the tables have %d hazards, want 100 at least", len(all))
	}
	only := os.Getenv("MOULT_HAZARD")
	for _, h := range all {
		if !strings.Contains(h.name, only) {
			continue
		}
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			vendor := s.db.Flavor().Vendor
			if !concerns(t, h.on, s.db.Flavor()) {
				t.Skipf("a matter of %s", h.on)
			}
			execute(t, s.pool, strings.Join(h.from, ";;\n"))
			want := of(h.bad, vendor)
			if got := h.naively(s); got != want {
				t.Errorf("without care it comes to %q, want %q", got, want)
			}
			h.carefully(newSite(t, strings.Join(h.from, ";;\n")), of(h.good, vendor))
		})
	}
}

// unstrict is a session of the application on which statements can be run one
// after the other.
func (s *site) unstrict() *sql.Conn {
	s.t.Helper()
	conn, err := s.pool.Conn(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	if _, err := conn.ExecContext(context.Background(), "SET sql_mode=''"); err != nil {
		s.t.Fatal(err)
	}
	return conn
}

// until runs statements up to the first that fails, and says by which error.
func until(conn *sql.Conn, statements []string) string {
	for _, statement := range statements {
		_, err := conn.ExecContext(context.Background(), statement)
		var refusal *mysql.MySQLError
		switch {
		case errors.As(err, &refusal):
			return fmt.Sprint("error ", refusal.Number)
		case err != nil:
			return err.Error()
		}
	}
	return ""
}

// naively returns what comes of the statements that come to mind.
func (h *hazard) naively(s *site) string {
	s.t.Helper()
	conn := s.unstrict()
	if failed := until(conn, h.rows); failed != "" {
		s.t.Fatalf("rows: %s", failed)
	}
	before := s.shown()
	said := until(conn, h.naive)
	if of(h.bad, s.db.Flavor().Vendor) == "the same" && said == "" && s.shown() == before {
		return "the same"
	}
	if said == "" {
		said = until(conn, append(slices.Clone(h.since), h.undo...))
	}
	if h.ask == "" {
		return said
	}
	return strings.TrimPrefix(said+", "+h.answer(s), ", ")
}

// shown is what the server says about the table t, "" if there is none.
func (s *site) shown() string {
	var name, text string
	if err := s.pool.QueryRow("SHOW CREATE TABLE t").Scan(&name, &text); err != nil {
		return ""
	}
	return text
}

// answer asks the question; no row is no answer.
func (h *hazard) answer(s *site) string {
	var v sql.NullString
	var refusal *mysql.MySQLError
	err := s.pool.QueryRow(h.ask).Scan(&v)
	switch {
	case errors.As(err, &refusal):
		return fmt.Sprint("error ", refusal.Number)
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err.Error()
	}
	return v.String
}

// carefully does what Moult does, and compares with what the table wants.
func (h *hazard) carefully(s *site, want string) {
	t := s.t
	t.Helper()
	if failed := until(s.unstrict(), h.rows); failed != "" {
		t.Fatalf("rows: %s", failed)
	}
	p, live, target, err := h.plan(s)
	word, rest, _ := strings.Cut(want, " ")
	if err != nil || word == "refused" {
		if err == nil || word != "refused" || !strings.Contains(err.Error(), rest) {
			t.Errorf("refused with %v, want %s\n%s", err, want, script(p))
		}
		return
	}
	var codes []string
	for _, step := range p.Steps {
		for _, hazard := range step.Hazards {
			codes = append(codes, hazard.Code)
		}
	}
	for _, warning := range p.Warnings {
		codes = append(codes, warning[:2])
	}
	if code := h.code(); code != "" && !slices.Contains(codes, code) {
		t.Errorf("the plan tells of %v, want %s\n%s", codes, code, script(p))
	}
	blocked := s.blocked(p)
	switch {
	case word == "blocked":
		if !slices.Contains(blocked, rest) {
			t.Errorf("blocked by %v, want %s\n%s", blocked, rest, script(p))
		}
		if h.fine != nil {
			h.goesThrough(newSite(t, strings.Join(h.from, ";;\n")))
		}
		return
	case blocked != nil:
		t.Fatalf("blocked by %v\n%s", blocked, script(p))
	case want == "nothing to do":
		if !p.Empty() {
			t.Errorf("there is nothing to do, but the plan is\n%s", script(p))
		}
		return
	case want == "not proved":
		if proved, _, err := s.db.Cost(context.Background(), p, live); proved || err != nil {
			t.Errorf("proved %v, %v", proved, err)
		}
		return
	}
	rows := s.rows()
	s.there(p)
	s.mustEqual("after the plan\n"+script(p), inDatabase(target, live, s.db.Flavor()))
	if word == "warned" && !slices.Contains(codes, rest) {
		t.Errorf("the plan tells of %v, want %s", codes, rest)
	}
	if h.undo == nil && word != "warned" {
		h.compare(s, want, p)
	}
	if failed := until(s.unstrict(), h.since); failed != "" {
		t.Fatalf("since: %s", failed)
	}
	s.back(p)
	s.mustEqual("after undoing\n"+script(p), live)
	if h.undo != nil && word != "warned" {
		h.compare(s, want, p)
	}
	if got := s.rows(); h.since == nil && !maps.Equal(got, rows) && h.code() != "D6" && h.code() != "N2" {
		t.Errorf("rows differ after undoing: %v, want %v\n%s", got, rows, script(p))
	}
}

func (h *hazard) compare(s *site, want string, p *schema.Plan) {
	s.t.Helper()
	if got := h.answer(s); got != want {
		s.t.Errorf("with care it comes to %q, want %q\n%s", got, want, script(p))
	}
}

// plan reads the target and plans the way to it.
func (h *hazard) plan(s *site) (p *schema.Plan, live, target *schema.Schema, err error) {
	s.t.Helper()
	fl := s.db.Flavor()
	live = s.schema()
	if target, err = parse.Text("to.sql", delimited(strings.Join(h.to, ";;\n")), fl); err != nil {
		return nil, live, nil, err
	}
	p, err = schema.NewPlan(live, target, schema.Options{Flavor: fl, UpdateID: "h"})
	return p, live, target, err
}

// goesThrough runs the same change over rows that do not stand in its way.
func (h *hazard) goesThrough(s *site) {
	t := s.t
	t.Helper()
	if failed := until(s.unstrict(), h.fine); failed != "" {
		t.Fatalf("fine rows: %s", failed)
	}
	p, _, _, err := h.plan(s)
	if err != nil {
		t.Fatal(err)
	}
	if codes := s.blocked(p); codes != nil {
		t.Errorf("fine rows are blocked by %v\n%s", codes, script(p))
		return
	}
	rows := s.rows()
	s.there(p)
	s.back(p)
	if got := s.rows(); !maps.Equal(got, rows) {
		t.Errorf("fine rows differ after undoing: %v, want %v", got, rows)
	}
}

// notices are changes that are only warned of.
var notices = []struct{ code, from, to string }{
	{"D1", "CREATE TABLE t (a int); CREATE TABLE u (a int);", "CREATE TABLE t (a int);"},
	{"D2", "CREATE TABLE t (a int, b int);", "CREATE TABLE t (a int);"},
	{"D3", "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION p VALUES IN (1), PARTITION q VALUES IN (2));", "CREATE TABLE t (a int) PARTITION BY LIST (a) (PARTITION p VALUES IN (1));"},
	{"D4", "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t;", "CREATE TABLE t (a int);"},
	{"N2", "CREATE TABLE t (a int);", "CREATE TABLE t (a int, b int NOT NULL);"},
	{"D6", "CREATE TABLE t (a int) WITH SYSTEM VERSIONING;", "CREATE TABLE t (a int);"},
	{"G2", "CREATE TABLE t (a int, g int AS (a + connection_id()) VIRTUAL);", "CREATE TABLE t (a int, g int DEFAULT 0);"},
	{"E1", "CREATE TABLE t (a int) ENGINE=MyISAM;", "CREATE TABLE t (a int) ENGINE=InnoDB;"},
	{"P1", "CREATE TABLE t (a int);", "CREATE TABLE t (a int) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (9));"},
}

func TestHazardsThatRowsDoNotDecide(t *testing.T) {
	for _, tt := range notices {
		t.Run(tt.code, func(t *testing.T) {
			p, err := schema.NewPlan(read(t, "from", tt.from, schema.DefaultMariaDB), read(t, "to", tt.to, schema.DefaultMariaDB), schema.Options{Flavor: schema.DefaultMariaDB})
			if err != nil {
				t.Fatal(err)
			}
			var codes []string
			for _, s := range p.Steps {
				for _, h := range s.Hazards {
					codes = append(codes, h.Code)
				}
			}
			if !slices.Contains(codes, tt.code) {
				t.Errorf("hazards are %v, want %s", codes, tt.code)
			}
		})
	}
}

func TestLossOfPastVersionsIsSaidToBeFinal(t *testing.T) {
	fl := schema.DefaultMariaDB
	for _, c := range []struct {
		from, to string
		final    bool
	}{
		{"CREATE TABLE t (a int, b int) WITH SYSTEM VERSIONING;", "CREATE TABLE t (a int);", true},
		{"CREATE TABLE t (a int);", "CREATE TABLE t (a int) WITH SYSTEM VERSIONING;", false},
	} {
		p, err := schema.NewPlan(read(t, "from", c.from, fl), read(t, "to", c.to, fl), schema.Options{Flavor: fl})
		if err != nil {
			t.Fatal(err)
		}
		final := slices.ContainsFunc(p.Steps, func(s schema.Step) bool {
			return s.Risk == schema.CantUndo && slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, "does not bring the deleted ones back") })
		})
		if final != c.final {
			t.Errorf("%s to %s: said to be final %v, want %v\n%s", c.from, c.to, final, c.final, script(p))
		}
	}
}

// refusals are targets that no plan may lead to.
var refusals = []struct {
	name, from, to string
	vendor         schema.Flavor
	words          string
}{
	{"a trigger over a column that goes", "CREATE TABLE t (a int, b int);", "CREATE TABLE t (a int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1;", schema.DefaultMariaDB, "trigger g uses column b of table t"},
	{"a trigger over a table that goes", "CREATE TABLE t (a int);", "CREATE TABLE u (a int); CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;", schema.DefaultMariaDB, "trigger g is on table t"},
	{"a collation of the other vendor", "CREATE TABLE t (a int);", "CREATE TABLE t (a varchar(3) COLLATE utf8mb4_0900_ai_ci);", schema.DefaultMariaDB, "utf8mb4_0900_ai_ci"},
	{"a collation of the other vendor", "CREATE TABLE t (a int);", "CREATE TABLE t (a varchar(3) COLLATE utf8mb4_uca1400_ai_ci);", schema.DefaultMySQL, "utf8mb4_uca1400_ai_ci"},
	{"a character set that nobody has", "CREATE TABLE t (a int);", "CREATE TABLE t (\n  a varchar(3) CHARACTER SET utf9);", schema.DefaultMariaDB, "column a of table t (to:2:3) has the character set utf9"},
	{"an engine that nobody has", "CREATE TABLE u (a int);", "CREATE TABLE u (a int);\nCREATE TABLE t (a int) ENGINE=Inodb;", schema.DefaultMariaDB, "table t (to:2:1) has the engine Inodb"},
	{"a name that is too long", "CREATE TABLE t (a int);", "CREATE TABLE t (`" + strings.Repeat("x", 65) + "` int);", schema.DefaultMariaDB, "longer than 64"},
}

func TestPlanRefusesWhatWouldBreakTheSite(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			p, err := schema.NewPlan(read(t, "from", tt.from, tt.vendor), read(t, "to", tt.to, tt.vendor), schema.Options{Flavor: tt.vendor})
			if !errors.Is(err, schema.ErrRefused) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("error is %v, want one about %q\n%s", err, tt.words, script(p))
			}
		})
	}
}
