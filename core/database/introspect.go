package database

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"moult/core/schema"
	"moult/core/schema/parse"
)

// Introspect returns the definition of the whole database in canonical form,
// from what the server itself writes down (SHOW CREATE). What is kept aside in
// it is left out.
func (d *DB) Introspect(ctx context.Context) (*schema.Schema, error) {
	var s *schema.Schema
	err := d.insist(ctx, func() error {
		conn, err := d.session(ctx)
		if err != nil {
			return err
		}
		r := reader{ctx: ctx, q: conn, flavor: d.flavor}
		s, err = r.schema()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the definition of database %s: %w", d.dsn.Database, err)
	}
	return schema.Canonical(s, d.flavor), nil
}

// reader reads definitions from one connection.
type reader struct {
	ctx    context.Context
	q      querier
	flavor schema.Flavor
}

// object is a table, view or sequence, in the words of SHOW FULL TABLES.
type object struct{ name, kind string }

func (r *reader) schema() (*schema.Schema, error) {
	var name, charset, collation string
	err := r.q.QueryRowContext(r.ctx, "SELECT DATABASE(), @@character_set_database, @@collation_database").Scan(&name, &charset, &collation)
	if err != nil {
		return nil, err
	}
	s, err := r.tables()
	if err != nil {
		return nil, err
	}
	s.Name, s.Charset, s.Collation = name, charset, collation
	if r.flavor.Vendor == schema.TiDB {
		return s, nil // it has no stored programs
	}
	for _, read := range []func(*schema.Schema) error{r.triggers, r.routines, r.events} {
		if err := read(s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// objects lists tables, views and sequences that are not kept aside.
func (r *reader) objects() ([]object, error) {
	rows, err := r.q.QueryContext(r.ctx, "SHOW FULL TABLES")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.name, &o.kind); err != nil {
			return nil, err
		}
		if !schema.Hidden(o.name) {
			all = append(all, o)
		}
	}
	return all, rows.Err()
}

// tables reads tables, views and sequences. Their texts are read as one source,
// a line of which is never shown to anybody.
func (r *reader) tables() (*schema.Schema, error) {
	objects, err := r.objects()
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	stored := map[string]schema.Stored{}
	raw := map[string]string{}
	for _, o := range objects {
		create, err := r.create(o)
		if err != nil {
			return nil, err
		}
		if o.kind == "VIEW" {
			stored[o.name] = create
		}
		raw[o.name] = create.Raw
		text.WriteString(create.Raw)
		text.WriteString(";\n")
	}
	s, err := parse.Text("the server's definitions", text.String(), r.flavor)
	if err != nil {
		return nil, err
	}
	for _, t := range s.Tables {
		t.Raw, t.Pos = raw[t.Name], schema.Pos{}
	}
	for _, v := range s.Views {
		v.Stored, v.Pos = stored[v.Name], schema.Pos{}
	}
	if got := len(s.Tables) + len(s.Views) + len(s.Sequences); got != len(objects) {
		return nil, fmt.Errorf("the server has %d tables, views and sequences, of which %d could be read", len(objects), got)
	}
	return s, nil
}

// create returns what SHOW CREATE says.
func (r *reader) create(o object) (schema.Stored, error) {
	statement, column := "SHOW CREATE TABLE ", "create table"
	switch o.kind {
	case "VIEW":
		statement, column = "SHOW CREATE VIEW ", "create view"
	case "SEQUENCE":
		statement = "SHOW CREATE SEQUENCE "
	}
	row, err := r.one(statement + schema.Quote(o.name))
	if err != nil {
		return schema.Stored{}, fmt.Errorf("%s %s: %w", strings.ToLower(o.kind), o.name, err)
	}
	return schema.Stored{Raw: row[column], Charset: row["character_set_client"], Collation: row["collation_connection"]}, nil
}

// one reads a single row by column names.
func (r *reader) one(query string) (map[string]string, error) {
	rows, err := r.q.QueryContext(r.ctx, query)
	if err != nil {
		return nil, err
	}
	all, err := readNamed(rows)
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, sql.ErrNoRows
	}
	return all[0], nil
}

// programDelimiter ends stored programs in the text that is handed to the parser.
const programDelimiter = "$$moult$$"

// program reads one stored program into a schema of its own, and its state.
func (r *reader) program(kind, name, column string) (*schema.Schema, schema.Stored, map[string]string, error) {
	row, err := r.one("SHOW CREATE " + kind + " " + schema.Quote(name))
	if err != nil {
		return nil, schema.Stored{}, nil, fmt.Errorf("%s %s: %w", strings.ToLower(kind), name, err)
	}
	text := row[column]
	if text == "" {
		return nil, schema.Stored{}, nil, fmt.Errorf("%s %s: the user may not read its text; it takes to be its definer, or the right SHOW CREATE ROUTINE (MariaDB from 11.3), SHOW_ROUTINE (MySQL) or SELECT on mysql.proc (older servers)", strings.ToLower(kind), name)
	}
	s, err := parse.Text(strings.ToLower(kind)+" "+name, "DELIMITER "+programDelimiter+"\n"+text+"\n"+programDelimiter+"\n", r.flavor)
	if err != nil {
		return nil, schema.Stored{}, nil, err
	}
	stored := schema.Stored{
		SQLMode:   row["sql_mode"],
		Charset:   row["character_set_client"],
		Collation: row["collation_connection"],
		Database:  row["database collation"],
		Raw:       text,
	}
	return s, stored, row, nil
}

// names lists the first column of a query, without what is kept aside.
func (r *reader) names(query string) ([]string, error) {
	rows, err := r.q.QueryContext(r.ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		if !schema.Hidden(name) {
			names = append(names, name)
		}
	}
	return names, rows.Err()
}

func (r *reader) triggers(s *schema.Schema) error {
	// Triggers of one table, time and event run in the order of their numbers.
	names, err := r.names("SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()" +
		" ORDER BY event_object_table, action_timing, event_manipulation, action_order")
	if err != nil {
		return fmt.Errorf("triggers: %w", err)
	}
	for _, name := range names {
		one, stored, _, err := r.program("TRIGGER", name, "sql original statement")
		if err != nil {
			return err
		}
		for _, t := range one.Triggers {
			if schema.Hidden(t.Table) {
				continue
			}
			t.Stored, t.Pos = stored, schema.Pos{}
			s.Triggers = append(s.Triggers, t)
		}
	}
	return nil
}

func (r *reader) routines(s *schema.Schema) error {
	for _, kind := range []string{"FUNCTION", "PROCEDURE"} {
		names, err := r.names("SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE() AND routine_type = '" + kind + "' ORDER BY routine_name")
		if err != nil {
			return fmt.Errorf("%ss: %w", strings.ToLower(kind), err)
		}
		for _, name := range names {
			one, stored, _, err := r.program(kind, name, "create "+strings.ToLower(kind))
			if err != nil {
				return err
			}
			for _, p := range one.Routines {
				p.Stored, p.Pos = stored, schema.Pos{}
				s.Routines = append(s.Routines, p)
			}
		}
	}
	return nil
}

func (r *reader) events(s *schema.Schema) error {
	names, err := r.names("SELECT event_name FROM information_schema.events WHERE event_schema = DATABASE() ORDER BY event_name")
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	for _, name := range names {
		one, stored, row, err := r.program("EVENT", name, "create event")
		if err != nil {
			return err
		}
		for _, e := range one.Events {
			e.Stored, e.TimeZone, e.Pos = stored, row["time_zone"], schema.Pos{}
			s.Events = append(s.Events, e)
		}
	}
	return nil
}
