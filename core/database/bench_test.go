package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"moult/core/database/embedded"
	"moult/core/schema"
	"moult/core/schema/parse"
)

// benchSite is a database on a server with room for large tables.
func benchSite(b *testing.B, statements ...string) (*DB, *sql.DB) {
	b.Helper()
	server, err := embedded.Start(b.Context(), embedded.Options{Fast: true, Args: []string{"--innodb-buffer-pool-size=512M", "--innodb-log-file-size=128M"}})
	if errors.Is(err, embedded.ErrAbsent) {
		b.Skip(err)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Stop() })
	if err := server.CreateDatabase(b.Context(), "shop"); err != nil {
		b.Fatal(err)
	}
	app, err := embedded.Connect(server.DSN("shop"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { app.Close() })
	for _, st := range statements {
		if _, err := app.Exec(st); err != nil {
			b.Fatalf("%s: %v", st, err)
		}
	}
	dsn, err := ParseDSN(server.DSN("shop"))
	if err != nil {
		b.Fatal(err)
	}
	d, err := Open(b.Context(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	return d, app
}

// BenchmarkIntrospect1000Tables reads a schema of 1000 tables of ten columns. The
// aim is a second.
func BenchmarkIntrospect1000Tables(b *testing.B) {
	var statements []string
	for i := range 1000 {
		statements = append(statements, fmt.Sprintf("CREATE TABLE table_%d (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(80) NOT NULL DEFAULT '', a int, b bigint DEFAULT 7,"+
			" c decimal(10,2) NOT NULL DEFAULT 0.00, d datetime DEFAULT NULL, e text, f enum('x','y') DEFAULT 'x', g timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, h json, KEY name (name), KEY ab (a, b))", i))
	}
	d, _ := benchSite(b, statements...)
	for b.Loop() {
		s, err := d.Introspect(b.Context())
		if err != nil || len(s.Tables) != 1000 {
			b.Fatal(err)
		}
	}
}

// Rows of the table that is migrated.
const benchRows = 1_000_000

const benchTable = "CREATE TABLE big (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, name varchar(60) NOT NULL, note varchar(200) NOT NULL, fax varchar(40) DEFAULT NULL, n bigint NOT NULL DEFAULT 0, KEY a (a))"

// benchFill makes the rows; a table of numbers comes with MariaDB.
var benchFill = fmt.Sprintf("INSERT INTO big (a, name, note, fax) SELECT seq, CONCAT('name ', seq), REPEAT('n', 100), IF(seq %% 3 = 0, NULL, 'fax') FROM seq_1_to_%d", benchRows)

// benchChanges is the migration, one statement for each change, in default
// algorithm: what the predecessor sends.
var benchChanges = []string{
	"ALTER TABLE big MODIFY COLUMN a bigint NOT NULL",
	"ALTER TABLE big MODIFY COLUMN name varchar(120) NOT NULL",
	"ALTER TABLE big MODIFY COLUMN note mediumtext NOT NULL",
	"ALTER TABLE big ADD COLUMN email varchar(100) DEFAULT NULL",
	"ALTER TABLE big ADD COLUMN created datetime DEFAULT NULL",
	"ALTER TABLE big DROP COLUMN fax",
	"CREATE INDEX name ON big (name)",
	"CREATE INDEX email ON big (email)",
}

// stall writes all the time and returns the longest that a write took.
func stall(app *sql.DB, during func()) time.Duration {
	ctx, stop := context.WithCancel(context.Background())
	worst := make(chan time.Duration)
	go func() {
		var longest time.Duration
		for i := 1; ctx.Err() == nil; i++ {
			began := time.Now()
			if _, err := app.Exec("UPDATE big SET n = n + 1 WHERE id = ?", i%benchRows+1); err == nil {
				longest = max(longest, time.Since(began))
			}
			time.Sleep(2 * time.Millisecond)
		}
		worst <- longest
	}()
	during()
	stop()
	return <-worst
}

// BenchmarkMigrate1MRows compares a plan with the predecessor's way. "ratio" is
// our time by its time, of which the aim is at most 0.5; "stall" is the longest
// that a write stood.
func BenchmarkMigrate1MRows(b *testing.B) {
	for b.Loop() {
		theirs, app := benchSite(b, benchTable, benchFill)
		began := time.Now()
		theirStall := stall(app, func() {
			for _, st := range benchChanges {
				if _, err := app.Exec(st); err != nil {
					b.Fatal(err)
				}
			}
		})
		theirTime := time.Since(began)
		target, err := theirs.Introspect(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		ours, app := benchSite(b, benchTable, benchFill)
		live, err := ours.Introspect(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		plan, err := schema.NewPlan(live, target, schema.Options{Flavor: ours.Flavor(), UpdateID: "u1"})
		if err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		ourStall := stall(app, func() {
			for _, phase := range phaseOrder {
				if err := ours.Run(b.Context(), plan, phase, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
		ourTime := time.Since(began)
		began = time.Now()
		if _, err := ours.Undo(b.Context(), plan, "", nil, nil); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/undo")
		b.ReportMetric(ourTime.Seconds(), "s/ours")
		b.ReportMetric(theirTime.Seconds(), "s/predecessor")
		b.ReportMetric(ourTime.Seconds()/theirTime.Seconds(), "ratio")
		b.ReportMetric(ourStall.Seconds(), "s/stall")
		b.ReportMetric(theirStall.Seconds(), "s/predecessor-stall")
	}
}

// BenchmarkHideAndBringBack1MRows sets a table and a column of a million rows
// aside and takes both back. The aim is a second for each way.
func BenchmarkHideAndBringBack1MRows(b *testing.B) {
	d, _ := benchSite(b, benchTable, benchFill, "CREATE TABLE gone LIKE big", "INSERT INTO gone SELECT * FROM big")
	live, err := d.Introspect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Replace(benchTable, " fax varchar(40) DEFAULT NULL,", "", 1)
	target, err := parse.Text("target", text, d.Flavor())
	if err != nil {
		b.Fatal(err)
	}
	target.Charset, target.Collation = live.Charset, live.Collation
	plan, err := schema.NewPlan(live, schema.Canonical(target, d.Flavor()), schema.Options{Flavor: d.Flavor(), UpdateID: "u1"})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, phase := range phaseOrder {
			if err := d.Run(b.Context(), plan, phase, nil, nil); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := d.Undo(b.Context(), plan, "", nil, nil); err != nil {
			b.Fatal(err)
		}
	}
}
