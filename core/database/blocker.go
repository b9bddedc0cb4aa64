package database

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"moult/core/schema"
)

// Blocker is another session of the server that is in the way.
type Blocker struct {
	Connection int64
	User       string
	Host       string
	Database   string
	Since      time.Duration // of its transaction, or of its statement
	State      string
	Statement  string // "" between two statements

	command  string
	progress float64 // per cent, MariaDB only
}

// String names the session and what it does.
func (b Blocker) String() string {
	s := fmt.Sprintf("connection %d", b.Connection)
	if b.User != "" {
		s += fmt.Sprintf(" of %s from %s, for %v", b.User, b.Host, b.Since.Round(time.Second))
	}
	switch {
	case b.Statement != "":
		s += ", doing: " + shorten(b.Statement, 120)
	case b.User != "":
		s += ", idle inside a transaction"
	}
	return s
}

// shorten cuts a statement for a sentence.
func shorten(s string, length int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > length {
		return string(r[:length]) + "…"
	}
	return s
}

// processes lists the server's sessions that our user may see. Columns differ
// between servers, so they are found by name.
func (d *DB) processes(ctx context.Context, q querier) ([]Blocker, error) {
	rows, err := q.QueryContext(ctx, "SHOW FULL PROCESSLIST")
	if err != nil {
		return nil, fmt.Errorf("list the server's connections: %w", err)
	}
	all, err := readNamed(rows)
	if err != nil {
		return nil, fmt.Errorf("list the server's connections: %w", err)
	}
	var list []Blocker
	for _, row := range all {
		b := Blocker{
			User: row["user"], Host: row["host"], Database: row["db"],
			State: row["state"], Statement: row["info"], command: row["command"],
		}
		b.Connection, _ = strconv.ParseInt(row["id"], 10, 64) // a number on every server
		seconds, _ := strconv.ParseInt(row["time"], 10, 64)
		b.Since = time.Duration(seconds) * time.Second
		b.progress, _ = strconv.ParseFloat(row["progress"], 64) // absent: 0
		list = append(list, b)
	}
	return list, nil
}

// readNamed reads rows as text by lower-case column name; NULL reads as "".
func readNamed(rows *sql.Rows) ([]map[string]string, error) {
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.NullString, len(names))
	targets := make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	var all []map[string]string
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		row := make(map[string]string, len(names))
		for i, name := range names {
			row[strings.ToLower(name)] = values[i].String
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// mdlQuery asks MySQL who holds metadata locks in this database. It answers
// only with performance_schema on, which is MySQL's default.
const mdlQuery = `SELECT DISTINCT t.processlist_id, 0 FROM performance_schema.metadata_locks l
	JOIN performance_schema.threads t ON t.thread_id = l.owner_thread_id
	WHERE l.lock_status = 'GRANTED' AND l.object_type = 'TABLE' AND l.object_schema = DATABASE() AND t.processlist_id IS NOT NULL`

// transactionQuery asks for open transactions; whoever has read a table in one
// keeps it from being altered. It needs the right PROCESS.
const transactionQuery = `SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.innodb_trx`

// Blockers returns the sessions that can keep a table of the database from being
// altered: those with open transactions or statements in it, longest first. What
// our user may not see is not in the list.
func (d *DB) Blockers(ctx context.Context) ([]Blocker, error) {
	all, err := d.processes(ctx, d.pool)
	if err != nil {
		return nil, err
	}
	ages := map[int64]time.Duration{}
	d.eachPair(ctx, transactionQuery, func(id, seconds int64) { ages[id] = time.Duration(seconds) * time.Second })
	holds := map[int64]bool{}
	if d.flavor.Vendor == schema.MySQL {
		d.eachPair(ctx, mdlQuery, func(id, _ int64) { holds[id] = true })
	}
	var found []Blocker
	for _, b := range all {
		age, open := ages[b.Connection]
		running := b.Statement != "" && b.command != "Sleep"
		if b.Connection == d.id || b.command == "Daemon" || !open && !holds[b.Connection] && !running {
			continue
		}
		if b.Database != "" && b.Database != d.dsn.Database && !holds[b.Connection] || strings.Contains(b.Statement, "PROCESSLIST") {
			continue
		}
		if strings.HasPrefix(b.State, "Waiting for table metadata lock") && !open {
			continue // a victim like us
		}
		b.Since = max(b.Since, age)
		found = append(found, b)
	}
	slices.SortStableFunc(found, func(a, b Blocker) int { return cmp.Compare(b.Since, a.Since) })
	return found, nil
}

// eachPair calls f for each row of two numbers. Errors are left out: without the
// right to look, less is known, and that is all.
func (d *DB) eachPair(ctx context.Context, query string, f func(a, b int64)) {
	rows, err := d.pool.QueryContext(ctx, query)
	if err != nil {
		return
	}
	defer rows.Close()
	for rows.Next() {
		var a, b int64
		if rows.Scan(&a, &b) == nil {
			f(a, b)
		}
	}
	_ = rows.Err() // as above
}

// warnings returns what the last statement of a connection was warned of, by code.
func (d *DB) warnings(ctx context.Context, q querier) (map[int]string, error) {
	rows, err := q.QueryContext(ctx, "SHOW WARNINGS")
	if err != nil {
		return nil, err
	}
	all, err := readNamed(rows)
	if err != nil {
		return nil, err
	}
	found := map[int]string{}
	for _, row := range all {
		code, _ := strconv.Atoi(row["code"]) // a number on every server
		found[code] = row["message"]
	}
	return found, nil
}
