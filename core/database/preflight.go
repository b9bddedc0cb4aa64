package database

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"moult/core/schema"
)

// Finding is one line of the checklist before a run.
type Finding struct {
	Code  string // stable, as in "database rights"
	Level string // "ok", "warn" or "block"
	Text  string // what was found
	Hint  string // how to mend it
	Rows  []string
}

// The levels of a finding. A plan with a block can't be run.
const (
	levelOK    = "ok"
	levelWarn  = "warn"
	levelBlock = "block"
)

// longTransaction is how old a transaction has to be to be worth a warning:
// older than the time that our statements wait for it.
const longTransaction = lockWait * time.Second

// check looks at one thing. One that fails to look says so as a warning: a preflight
// tells all it can.
type check = func(*preflight) ([]Finding, error)

// serverChecks come before a change in either direction, in this order.
var serverChecks = []check{
	(*preflight).version,
	(*preflight).readOnly,
	(*preflight).replication,
	(*preflight).lockFree,
	(*preflight).rights,
	(*preflight).definers,
	(*preflight).sessions,
	(*preflight).engines,
	(*preflight).room,
}

// checks are those before an update.
var checks = slices.Concat(serverChecks, []check{
	(*preflight).scheduler,
	(*preflight).mode,
	(*preflight).hazards,
})

// preflight is one pass over the checks.
type preflight struct {
	ctx  context.Context
	d    *DB
	q    querier
	plan *schema.Plan
	kept []schema.Left // on a way back: what was changed here since
}

// Preflight looks for everything that would make the plan fail or hurt, before
// anything of the site has changed. It tries rights on objects with names of our
// own, counts rows that stand in the way, and names who is connected.
func (d *DB) Preflight(ctx context.Context, p *schema.Plan) ([]Finding, error) {
	conn, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	f := &preflight{ctx: ctx, d: d, q: conn, plan: p}
	return f.look(checks)
}

// look makes some checks.
func (f *preflight) look(checks []check) ([]Finding, error) {
	var all []Finding
	for _, check := range checks {
		found, err := check(f)
		if err != nil {
			if f.ctx.Err() != nil || isLost(err) {
				return all, f.d.noteLoss(err)
			}
			found = append(found, Finding{Code: "database", Level: levelWarn, Text: "A check could not be made: " + err.Error()})
		}
		all = append(all, found...)
	}
	return all, nil
}

func (f *preflight) version() ([]Finding, error) {
	found := []Finding{{Code: "database version", Level: levelOK, Text: fmt.Sprintf("%s at %s", f.d.flavor, f.d.dsn)}}
	if unsafe := f.d.flavor.Vendor == schema.MariaDB && !f.d.flavor.AtLeast(10, 6) || f.d.flavor.Vendor == schema.MySQL && !f.d.flavor.AtLeast(8); unsafe {
		found = append(found, Finding{Code: "database version", Level: levelWarn,
			Text: fmt.Sprintf("If %s itself is killed while it renames tables, it can leave them half renamed", f.d.flavor),
			Hint: "make a dump first, or update the server: MariaDB 10.6 and MySQL 8.0 are safe"})
	}
	return found, nil
}

func (f *preflight) readOnly() ([]Finding, error) {
	var readOnly bool
	if err := f.q.QueryRowContext(f.ctx, "SELECT @@GLOBAL.read_only").Scan(&readOnly); err != nil {
		return nil, fmt.Errorf("ask whether the server is read-only: %w", err)
	}
	if readOnly {
		return []Finding{{Code: "database read-only", Level: levelBlock, Text: "The server is read-only",
			Hint: "connect to the primary server, or end its maintenance with SET GLOBAL read_only = 0"}}, nil
	}
	return nil, nil
}

// replication reads the state under the name that the server knows.
func (f *preflight) replication() ([]Finding, error) {
	var found []Finding
	for _, query := range []string{"SHOW REPLICA STATUS", "SHOW SLAVE STATUS"} {
		rows, err := f.q.QueryContext(f.ctx, query)
		if err != nil {
			continue // an older or newer name, or no right to ask
		}
		all, err := readNamed(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
		for _, row := range all {
			source := row["source_host"] + row["master_host"]
			found = append(found, Finding{Code: "database replica", Level: levelWarn,
				Text: fmt.Sprintf("The server is a replica of %s: what is changed here does not reach the others", source),
				Hint: "connect to the primary server"})
		}
		break
	}
	nodes, err := f.number("SELECT COALESCE(MAX(variable_value), 0) FROM information_schema.global_status WHERE variable_name = 'wsrep_cluster_size'")
	if err == nil && nodes > 1 {
		found = append(found, Finding{Code: "database cluster", Level: levelWarn,
			Text: fmt.Sprintf("The server is one of a Galera cluster of %d: every change of a definition stops writes on all of them while it runs", nodes)})
	}
	return found, nil
}

func (f *preflight) number(query string) (int64, error) {
	var n int64
	err := f.q.QueryRowContext(f.ctx, query).Scan(&n)
	return n, err
}

func (f *preflight) lockFree() ([]Finding, error) {
	free, err := f.number("SELECT COALESCE(IS_FREE_LOCK(" + schema.QuoteText(f.d.lockName()) + "), 1)")
	if err != nil || free == 1 {
		return nil, err
	}
	holder, err := f.d.lockHolder(f.ctx)
	if err != nil {
		return nil, err
	}
	return []Finding{{Code: "database lock", Level: levelBlock, Text: "Another Moult works on this database: " + holder.String(),
		Hint: fmt.Sprintf("wait for its end; if it is left over, KILL %d", holder.Connection)}}, nil
}

func (f *preflight) sessions() ([]Finding, error) {
	blockers, err := f.d.Blockers(f.ctx)
	if err != nil {
		return nil, err
	}
	var found []Finding
	for _, b := range blockers {
		if b.Since >= longTransaction {
			found = append(found, Finding{Code: "database sessions", Level: levelWarn,
				Text: "A long transaction or statement would hold up the update, and everybody behind it: " + b.String(),
				Hint: fmt.Sprintf("wait for its end, or KILL %d", b.Connection)})
		}
	}
	if len(found) == 0 {
		found = []Finding{{Code: "database sessions", Level: levelOK, Text: "No long transaction is in the way"}}
	}
	return found, nil
}

// engines names tables that the plan touches and whose engine knows no
// transactions.
func (f *preflight) engines() ([]Finding, error) {
	rows, err := f.q.QueryContext(f.ctx, "SELECT table_name, engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND engine NOT IN ('InnoDB', 'TiKV') ORDER BY table_name")
	if err != nil {
		return nil, fmt.Errorf("list the tables' engines: %w", err)
	}
	defer rows.Close()
	touched := f.tables()
	var list []string
	for rows.Next() {
		var name, engine string
		if err := rows.Scan(&name, &engine); err != nil {
			return nil, err
		}
		if touched[name] {
			list = append(list, name+" ("+engine+")")
		}
	}
	if len(list) == 0 {
		return nil, rows.Err()
	}
	return []Finding{{Code: "database engines", Level: levelWarn,
		Text: "Tables that the update touches know no transactions; if the server dies in the middle, they may have to be repaired: " + strings.Join(list, ", "),
		Hint: "make a dump first, or convert them with ALTER TABLE … ENGINE=InnoDB"}}, rows.Err()
}

// tables are those that the plan works on.
func (f *preflight) tables() map[string]bool {
	touched := map[string]bool{}
	for _, s := range f.plan.Steps {
		touched[s.Table] = true
	}
	return touched
}

func (f *preflight) scheduler() ([]Finding, error) {
	var on string
	if err := f.q.QueryRowContext(f.ctx, "SELECT @@GLOBAL.event_scheduler").Scan(&on); err != nil {
		return nil, nil // TiDB has none
	}
	active, err := f.number("SELECT COUNT(*) FROM information_schema.events WHERE event_schema = DATABASE() AND status = 'ENABLED'")
	if err != nil {
		return nil, fmt.Errorf("count the events: %w", err)
	}
	if strings.EqualFold(on, "ON") || on == "1" {
		if active > 0 {
			return []Finding{{Code: "database events", Level: levelWarn, Text: fmt.Sprintf("Scheduled events may run while the update runs: %d", active)}}, nil
		}
		return nil, nil
	}
	for _, s := range f.plan.Steps {
		if strings.HasPrefix(s.Object, "event ") {
			return []Finding{{Code: "database events", Level: levelWarn, Text: "The release has scheduled events, and the server's event scheduler is off",
				Hint: "SET GLOBAL event_scheduler = ON, and in the server's configuration"}}, nil
		}
	}
	return nil, nil
}

func (f *preflight) mode() ([]Finding, error) {
	if strings.Contains(f.d.server.sqlMode, "STRICT_") {
		return nil, nil
	}
	return []Finding{{Code: "database mode", Level: levelWarn,
		Text: "The server is not strict: it cuts values that are too long for their column without an error. Moult's own statements are strict"}}, nil
}

// maxSamples bounds the rows that are shown for a hazard.
const maxSamples = 5

// hazards counts the rows that stand in the way of each step.
func (f *preflight) hazards() ([]Finding, error) {
	var found []Finding
	for _, s := range f.plan.Steps {
		for _, h := range s.Hazards {
			finding, err := f.hazard(h)
			if err != nil {
				return found, fmt.Errorf("%s, %s: %w", s.ID, h.Code, err)
			}
			if finding != nil {
				found = append(found, *finding)
			}
		}
	}
	return found, nil
}

// hazard returns what is to be said of one hazard, nil if no row is in the way.
func (f *preflight) hazard(h schema.Hazard) (*Finding, error) {
	finding := &Finding{Code: "schema " + h.Code, Level: levelWarn, Text: h.Text}
	if h.Count == "" {
		if h.Blocks {
			finding.Level = levelBlock
		}
		return finding, nil
	}
	count, err := f.number(h.Count)
	if err != nil {
		return nil, err
	}
	if count == 0 {
		return nil, nil
	}
	if h.Blocks {
		finding.Level = levelBlock
	}
	finding.Text += fmt.Sprintf(" (rows: %d)", count)
	if h.Sample == "" {
		return finding, nil
	}
	rows, err := f.q.QueryContext(f.ctx, h.Sample)
	if err != nil {
		return nil, err
	}
	finding.Rows, err = readSamples(rows)
	return finding, err
}
