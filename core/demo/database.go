package demo

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-sql-driver/mysql"

	"moult/core/database/embedded"
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
	address, err := mysql.ParseDSN(dsn)
	if err != nil {
		return fmt.Errorf("the demo's server: %w", err)
	}
	d.address = address
	return nil
}

// databaseOf says where the product's database is. On a server that was running
// before, its name begins with that of the database in the demo's DSN, so that
// several demos don't meet.
func (d *Demo) databaseOf(product string) *mysql.Config {
	cfg := d.address.Clone()
	switch {
	case d.server != nil:
		cfg.DBName = product
	case cfg.DBName == "":
		cfg.DBName = "moult_demo_" + product
	default:
		cfg.DBName += "_" + product
	}
	return cfg
}

// createDatabase makes an empty database for the product and returns its DSN.
func (d *Demo) createDatabase(ctx context.Context, product string) (string, error) {
	cfg := d.databaseOf(product)
	name := cfg.DBName
	db, err := embedded.Connect(d.address.FormatDSN())
	if err != nil {
		return "", err
	}
	defer db.Close()
	for _, stmt := range []string{"DROP DATABASE IF EXISTS `%s`", "CREATE DATABASE `%s` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"} {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(stmt, name)); err != nil {
			return "", fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return cfg.FormatDSN(), nil
}

// dropDatabases removes the demo's databases from a server that is not its own.
// What is in the directory is made anew by the next Build.
func (d *Demo) dropDatabases() error {
	if err := os.Remove(d.marker()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	db, err := embedded.Connect(d.address.FormatDSN())
	if err != nil {
		return err
	}
	defer db.Close()
	for _, product := range []string{Wiki, Shop} {
		if _, err := db.Exec("DROP DATABASE IF EXISTS `" + d.databaseOf(product).DBName + "`"); err != nil {
			return err
		}
	}
	return nil
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
