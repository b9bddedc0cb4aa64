package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-sql-driver/mysql"

	"moult/core/database"
	"moult/core/database/embedded"
	"moult/core/release"
	"moult/core/schema"
)

// connect starts the demo's own server, or remembers the one that dsn names.
func (d *Demo) connect(ctx context.Context, dsn string) error {
	if dsn == "" {
		d.report("starting a private MariaDB")
		server, err := embedded.Start(ctx, embedded.Options{Dir: filepath.Join(d.Dir, "db")})
		if err != nil {
			return err
		}
		d.server, dsn = server, server.DSN("")
	}
	var err error
	if d.address, err = parseServer(dsn); err != nil {
		return fmt.Errorf("the demo's server: %w", err)
	}
	if d.server != nil {
		return nil
	}
	db, err := d.openServer()
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("the demo's server: %w", err)
	}
	return nil
}

// parseServer reads a DSN in the forms that a site's may have, but need not name a
// database. A password has no place where the sites could find it again.
func parseServer(dsn string) (*mysql.Config, error) {
	if strings.Contains(dsn, "://") {
		parsed, err := database.ParseDSN(dsn)
		if err != nil {
			return nil, err
		}
		if parsed.HasPassword() {
			return nil, errPassword
		}
		dsn = parsed.Text()
	}
	address, err := mysql.ParseDSN(dsn)
	if err == nil && address.Passwd != "" {
		err = errPassword
	}
	return address, err
}

var errPassword = errors.New("an account with a password is of no use to a demo: name one without")

// serverName says which server the databases are on: "" for the demo's own.
func (d *Demo) serverName() string {
	if d.server != nil {
		return ""
	}
	return fmt.Sprintf("%s(%s)/%s", d.address.Net, d.address.Addr, d.address.DBName)
}

func describe(server string) string {
	if server == "" {
		return "its own server"
	}
	return server
}

// maxDatabase is the longest name of a demo's database. Servers take 64 characters, of
// which Moult puts 14 before the name for the database in which it tries plans.
const maxDatabase = 50

// databaseOf says where the product's database is. On a server that was running
// before, its name begins with that of the database in the demo's DSN, so that
// several demos don't meet, and says that it is a demo's, so that it is no one else's.
func (d *Demo) databaseOf(product string) *mysql.Config {
	cfg := d.address.Clone()
	end := "moult_demo_" + product
	switch {
	case d.server != nil:
		cfg.DBName = product
	case cfg.DBName == "":
		cfg.DBName = end
	default:
		cfg.DBName = shorten(cfg.DBName, maxDatabase-len("_"+end)) + "_" + end
	}
	return cfg
}

// shorten returns a name of at most most characters, another for each name.
func shorten(name string, most int) string {
	letters := []rune(name)
	if len(letters) <= most {
		return name
	}
	hash := release.DigestOf([]byte(name)).Hex()[:8]
	return string(letters[:most-len("_"+hash)]) + "_" + hash
}

// errDatabaseExists is the code of a server's refusal to make a database twice.
const errDatabaseExists = 1007

// createDatabase makes an empty database for the product and returns its DSN. Only one
// that the demo has made before is dropped for it.
func (d *Demo) createDatabase(ctx context.Context, product string) (string, error) {
	cfg := d.databaseOf(product)
	db, err := d.openServer()
	if err != nil {
		return "", err
	}
	defer db.Close()
	name := schema.Quote(cfg.DBName)
	ours := d.server != nil || slices.Contains(d.record.Databases, cfg.DBName)
	if ours {
		if _, err := db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			return "", fmt.Errorf("drop database %s: %w", cfg.DBName, err)
		}
	}
	_, err = db.ExecContext(ctx, "CREATE DATABASE "+name+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
	var refusal *mysql.MySQLError
	if errors.As(err, &refusal) && refusal.Number == errDatabaseExists {
		return "", fmt.Errorf("the database %s is there already and not of this demo: drop it, or put another name after the last / of the DSN", cfg.DBName)
	}
	if err != nil {
		return "", fmt.Errorf("create database %s: %w", cfg.DBName, err)
	}
	if !ours {
		d.record.Databases = append(d.record.Databases, cfg.DBName)
		if err := d.writeRecord(); err != nil {
			return "", err
		}
	}
	return cfg.FormatDSN(), nil
}

// dropDatabases removes the demo's databases from a server that is not its own.
// What is in the directory is made anew by the next Build.
func (d *Demo) dropDatabases() error {
	if len(d.record.Databases) == 0 {
		return nil
	}
	d.record.Complete = false
	if err := d.writeRecord(); err != nil {
		return err
	}
	db, err := d.openServer()
	if err != nil {
		return err
	}
	defer db.Close()
	for _, name := range d.record.Databases {
		if _, err := db.Exec("DROP DATABASE IF EXISTS " + schema.Quote(name)); err != nil {
			return fmt.Errorf("drop database %s: %w", name, err)
		}
	}
	d.record.Databases = nil
	return d.writeRecord()
}

// openServer opens the server outside any database: the one that the DSN names need
// not be there.
func (d *Demo) openServer() (*sql.DB, error) {
	address := d.address.Clone()
	address.DBName = ""
	return embedded.Connect(address.FormatDSN())
}

// load runs a schema, whose statements end in ";" at the end of a line, and
// what is to be put into its tables.
func load(ctx context.Context, dsn, schema string, data []insert) error {
	db, err := embedded.Connect(dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for stmt := range strings.SplitSeq(schema, ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := db.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("load the schema: %w in %q", err, stmt)
		}
	}
	for _, i := range data {
		if err := i.run(ctx, db); err != nil {
			return fmt.Errorf("fill table %s: %w", i.table, err)
		}
	}
	return nil
}

// insert is rows for one table, or a statement of the admin's own.
type insert struct {
	table     string
	columns   []string
	rows      [][]any
	statement string
}

func (i insert) run(ctx context.Context, db *sql.DB) error {
	if i.statement != "" {
		_, err := db.ExecContext(ctx, i.statement)
		return err
	}
	mark := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(i.columns)), ", ") + ")"
	marks := strings.TrimSuffix(strings.Repeat(mark+", ", len(i.rows)), ", ")
	var values []any
	for _, r := range i.rows {
		values = append(values, r...)
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES %s", i.table, strings.Join(i.columns, ", "), marks), values...)
	return err
}
