package database

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"moult/core/schema"
)

// oldest are the first versions that work, and what users have to be told.
var oldest = map[schema.Vendor][]int{
	schema.MySQL:   {5, 7},
	schema.MariaDB: {10, 5},
	schema.TiDB:    {7, 5},
}

// server is what was asked of a server when the connection was opened, before
// our own settings took effect.
type server struct {
	version   string
	database  string
	charset   string // the database's defaults
	collation string
	sqlMode   string // that the site's own connections get
	readOnly  bool
}

const serverQuery = "SELECT VERSION(), DATABASE(), @@character_set_database, @@collation_database, @@GLOBAL.sql_mode, @@GLOBAL.read_only"

// ask fills in s.
func (s *server) ask(ctx context.Context, q querier) error {
	return q.QueryRowContext(ctx, serverQuery).Scan(&s.version, &s.database, &s.charset, &s.collation, &s.sqlMode, &s.readOnly)
}

var (
	versionNumber = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)`)
	tidbNumber    = regexp.MustCompile(`(?i)TiDB-v?(\d+)\.(\d+)\.(\d+)`)
)

// flavorOf reads what VERSION() returns, as in "10.11.6-MariaDB-log",
// "8.0.36-28" or "8.0.11-TiDB-v8.5.0".
func flavorOf(version string) (schema.Flavor, error) {
	f := schema.Flavor{Vendor: schema.MySQL}
	number := versionNumber.FindStringSubmatch(version)
	if tidb := tidbNumber.FindStringSubmatch(version); tidb != nil {
		f.Vendor, number = schema.TiDB, tidb
	} else if strings.Contains(strings.ToLower(version), "mariadb") {
		f.Vendor = schema.MariaDB
	}
	if number == nil {
		return schema.Flavor{}, fmt.Errorf("the server calls its version %q, which can't be read", version)
	}
	for i := range f.Version {
		f.Version[i], _ = strconv.Atoi(number[i+1]) // digits, by the expression
	}
	return f, nil
}

// setting is a variable of our session.
type setting struct {
	name  string
	value string
	// only limits the setting to a vendor, since to its versions.
	only  schema.Vendor
	since []int
}

// strictMode makes the server refuse what it would otherwise cut or change in
// silence. Zero dates stay legal: rows that hold them must survive an ALTER.
// NO_AUTO_VALUE_ON_ZERO keeps a 0 in an AUTO_INCREMENT column a 0.
const strictMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO"

// scriptMode is for the publisher's data scripts, which expect a 0 to be counted on.
const scriptMode = "STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION"

// lockWait is how many seconds a statement of ours waits for a lock on a table.
// All the time it waits, every other statement on the table queues behind it; the
// servers' own defaults are a day (MariaDB) and a year (MySQL).
const lockWait = 3

// settings are made on every connection that changes something.
var settings = []setting{
	{name: "sql_mode", value: "'" + strictMode + "'"},
	{name: "autocommit", value: "1"},
	{name: "foreign_key_checks", value: "1"},
	{name: "unique_checks", value: "1"},
	{name: "sql_safe_updates", value: "0"},
	{name: "sql_quote_show_create", value: "1"},
	{name: "lock_wait_timeout", value: strconv.Itoa(lockWait)},
	{name: "innodb_lock_wait_timeout", value: "10"},
	// A connection whose other end has vanished must not hold our lock for
	// the server's default of eight hours.
	{name: "wait_timeout", value: "1800"},
	{name: "max_statement_time", value: "0", only: schema.MariaDB},
	// The default refuses every ALTER of a system-versioned table.
	{name: "system_versioning_alter_history", value: "KEEP", only: schema.MariaDB},
	{name: "information_schema_stats_expiry", value: "0", only: schema.MySQL, since: []int{8, 0}},
}

// settingsFor returns the statement that makes the session's settings.
func settingsFor(f schema.Flavor) string {
	var set []string
	for _, s := range settings {
		if s.only != "" && s.only != f.Vendor || !f.AtLeast(s.since...) {
			continue
		}
		set = append(set, "SESSION "+s.name+"="+s.value)
	}
	return "SET " + strings.Join(set, ", ")
}
