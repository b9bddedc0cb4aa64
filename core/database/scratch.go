package database

import (
	"context"
	"errors"
	"fmt"

	"moult/core/schema"
)

// scratchPrefix begins the name of the database in which plans are tried.
const scratchPrefix = "moult_scratch_"

// scratchMarker is a table that tells our scratch database from one that
// somebody happens to have called so.
const scratchMarker = schema.HiddenPrefix + "scratch"

// Error codes around databases.
const (
	codeDatabaseExists = 1007
	codeNoRight        = 1142
	codeNoSpecialRight = 1227
)

// scratchName returns the name for the scratch database, which may be longer than
// the 64 characters that servers take only when the site's name is.
func (d *DB) scratchName() string {
	name := scratchPrefix + d.dsn.Database
	return name[:min(len(name), 64)]
}

// openScratch makes an empty database with the defaults of the site's and opens
// it. The returned close drops it. Its connections are its own: one that is lost
// and opened again is in the scratch database still.
func (d *DB) openScratch(ctx context.Context) (scratch *DB, closeScratch func() error, err error) {
	name := d.scratchName()
	create := fmt.Sprintf("CREATE DATABASE %s CHARACTER SET %s COLLATE %s", schema.Quote(name), d.server.charset, d.server.collation)
	_, err = d.pool.ExecContext(ctx, create)
	if codeOf(err) == codeDatabaseExists {
		if err := d.dropScratch(ctx, name); err != nil {
			return nil, nil, err
		}
		_, err = d.pool.ExecContext(ctx, create)
	}
	if err != nil {
		return nil, nil, err
	}
	connector, err := d.dsn.WithDatabase(name).connector()
	if err != nil {
		return nil, nil, err
	}
	scratch, err = open(ctx, d.dsn.WithDatabase(name), connector)
	if err == nil {
		_, err = scratch.conn.ExecContext(ctx, "CREATE TABLE `"+scratchMarker+"` (`site` varchar(64)) ENGINE=InnoDB")
	}
	closeScratch = func() error {
		if scratch != nil {
			_ = scratch.Close()
		}
		return d.dropScratch(context.WithoutCancel(ctx), name)
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeScratch())
	}
	scratch.waits = d.waits
	return scratch, closeScratch, nil
}

// dropScratch drops a scratch database, if it is one of ours: marked, or empty.
func (d *DB) dropScratch(ctx context.Context, name string) error {
	var tables, marked int
	err := d.pool.QueryRowContext(ctx, "SELECT COUNT(*), COALESCE(SUM(table_name = '"+scratchMarker+"'), 0) FROM information_schema.tables WHERE table_schema = "+schema.QuoteText(name)).Scan(&tables, &marked)
	if err != nil {
		return err
	}
	if tables > 0 && marked == 0 {
		return fmt.Errorf("the database %s is not one of Moult's and stands where it would try the plan", name)
	}
	_, err = d.pool.ExecContext(ctx, "DROP DATABASE IF EXISTS "+schema.Quote(name))
	return err
}

// clone creates empty copies of the objects in a scratch database. Events are
// left out: the server would run them.
func (d *DB) clone(ctx context.Context, s *schema.Schema) error {
	conn, err := d.session(ctx)
	if err != nil {
		return err
	}
	restore, err := setVariables(ctx, conn, map[string]string{"foreign_key_checks": "0"})
	if err != nil {
		return err
	}
	for _, q := range s.Sequences {
		if _, err := conn.ExecContext(ctx, q.Create()); err != nil {
			return fmt.Errorf("clone sequence %s: %w", q.Name, err)
		}
	}
	for _, t := range s.Tables {
		if _, err := conn.ExecContext(ctx, t.Raw); err != nil {
			return fmt.Errorf("clone table %s: %w", t.Name, err)
		}
	}
	if _, err := conn.ExecContext(ctx, restore); err != nil {
		return err
	}
	return d.cloneStored(ctx, s)
}

// storedObject is a view or stored program to be cloned.
type storedObject struct {
	name   string
	create schema.Statement
}

// cloneStored creates functions, procedures, views and triggers. Views and
// functions may need each other in any order, so what fails is tried again as
// long as something else succeeds.
func (d *DB) cloneStored(ctx context.Context, s *schema.Schema) error {
	var left []storedObject
	for _, p := range s.Routines {
		left = append(left, storedObject{"routine " + p.Name, restoring(p.Stored, true)})
	}
	for _, v := range s.Views {
		left = append(left, storedObject{"view " + v.Name, restoring(v.Stored, false)})
	}
	for _, t := range s.Triggers {
		left = append(left, storedObject{"trigger " + t.Name, restoring(t.Stored, true)})
	}
	for len(left) > 0 {
		var failed []storedObject
		var failure error
		for _, o := range left {
			if err := d.execute(ctx, o.create, nil); err != nil {
				failed, failure = append(failed, o), fmt.Errorf("clone %s: %w", o.name, err)
			}
		}
		if len(failed) == len(left) {
			return failure
		}
		left = failed
	}
	return nil
}

// restoring returns the statement that makes a stored object again as it was,
// under the session state that is part of it. Of that a view has no sql_mode.
func restoring(o schema.Stored, program bool) schema.Statement {
	session := map[string]string{}
	if o.Charset != "" {
		session["character_set_client"] = o.Charset
	}
	if o.Collation != "" {
		session["collation_connection"] = o.Collation
	}
	if program {
		session["sql_mode"] = o.SQLMode
	}
	return schema.Statement{SQL: o.Raw, Session: session}
}
