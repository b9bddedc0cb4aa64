package database

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"moult/core/database/embedded"
	"moult/core/schema"
	"moult/core/schema/parse"
)

func TestMain(m *testing.M) {
	if os.Getenv("TORTURE_DSN") != "" {
		if err := tortureChild(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := embedded.Main(m)
	if tortured > 0 {
		fmt.Printf("%d cuts and kills of the database, each recovered with its rows; none ended mixed\n", tortured)
	}
	os.Exit(code)
}

// tortured is how many cuts and kills the tests of this process have got over.
var tortured int

// tally counts what a test got over to its end.
func tally(t *testing.T, n int, what string) {
	t.Helper()
	t.Logf("%d %s", n, what)
	if !t.Failed() {
		tortured += n
	}
}

// writePlan keeps a plan for another process.
func writePlan(t *testing.T, p *schema.Plan) string {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readPlan(path string) (*schema.Plan, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var p schema.Plan
	return &p, json.Unmarshal(b, &p)
}

// notShort leaves long tests out of the run with the race detector, which is
// about goroutines, of which they have no others than the rest.
func notShort(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
}

// quick are waits for tests. InnoDB shows transactions as they were up to 0.1 s
// ago, and later if it is asked more often.
var quick = waits{lock: 3 * time.Second, reconnect: 20 * time.Second, pause: 50 * time.Millisecond, watch: 150 * time.Millisecond, attempts: 5}

// site is a database of a test, opened twice: as Moult has it, and as the
// application has it.
type site struct {
	*DB
	t   *testing.T
	dsn DSN
	app *sql.DB
}

// newSite makes a database with the given statements run in it.
func newSite(t *testing.T, statements ...string) *site {
	t.Helper()
	text := embedded.ForTest(t)
	dsn, err := ParseDSN(text)
	if err != nil {
		t.Fatal(err)
	}
	app, err := embedded.Connect(text)
	if err != nil {
		t.Fatal(err)
	}
	app.SetMaxOpenConns(4)
	t.Cleanup(func() { app.Close() })
	s := &site{t: t, dsn: dsn, app: app}
	s.exec(statements...)
	s.DB = s.open()
	return s
}

// open opens the database once more.
func (s *site) open() *DB {
	s.t.Helper()
	d, err := Open(s.t.Context(), s.dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	d.waits = quick
	s.t.Cleanup(func() { d.Close() })
	return d
}

// exec runs statements as the application.
func (s *site) exec(statements ...string) {
	s.t.Helper()
	for _, st := range statements {
		if _, err := s.app.Exec(st); err != nil {
			s.t.Fatalf("%s: %v", shorten(st, 300), err)
		}
	}
}

// text returns the single value of a query.
func (s *site) text(query string) string {
	s.t.Helper()
	var v sql.NullString
	if err := s.app.QueryRow(query).Scan(&v); err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return v.String
}

func (s *site) introspect() *schema.Schema {
	s.t.Helper()
	live, err := s.Introspect(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return live
}

// plan plans the way from the live schema to the target text.
func (s *site) plan(target string) *schema.Plan {
	s.t.Helper()
	live := s.introspect()
	want, err := parse.Text("target", target, s.Flavor())
	if err != nil {
		s.t.Fatal(err)
	}
	want.Charset, want.Collation = live.Charset, live.Collation
	resolved, err := s.Resolve(s.t.Context(), schema.Canonical(want, s.Flavor()), live)
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := schema.NewPlan(live, resolved, schema.Options{Flavor: s.Flavor(), UpdateID: "u1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// sums returns the checksums of all tables.
func (s *site) sums() map[string]string {
	s.t.Helper()
	sums, err := s.Checksum(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return sums
}

// torture is true when every point is to be tried and not a sample.
var torture = os.Getenv("MOULT_TORTURE") != ""

// points returns the numbers 1 to n, or a sample that is the same each time.
func points(n, sample int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	if torture || n <= sample {
		return all
	}
	rand.New(rand.NewPCG(1, uint64(n))).Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:sample]
}
