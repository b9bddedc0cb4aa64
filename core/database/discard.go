package database

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"moult/core/schema"
)

// hiddenName is a quoted name of something that is kept aside.
var hiddenName = regexp.MustCompile("`(" + schema.HiddenPrefix + "[^`]+)`")

// keptNames returns the names that a plan gives to what it keeps aside, on the
// way there or back.
func keptNames(p *schema.Plan) []string {
	var names []string
	collect := func(statements ...schema.Statement) {
		for _, st := range statements {
			for _, m := range hiddenName.FindAllStringSubmatch(st.SQL, -1) {
				if m[1] != marksTable && !slices.Contains(names, m[1]) {
					names = append(names, m[1])
				}
			}
		}
	}
	for _, s := range p.Steps {
		collect(s.Statement)
		collect(s.Inverse...)
		collect(s.Discard...)
	}
	return names
}

// keptObject is a table that is kept aside, or a column in another table.
type keptObject struct {
	table  string
	column string // "" for the whole table
}

// keptObjects finds what is there under the names, or further names of them.
func keptObjects(ctx context.Context, q querier, names []string) ([]keptObject, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var kept []keptObject
	for _, query := range []string{
		"SELECT table_name, '' FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'VIEW' ORDER BY table_name",
		"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name LIKE '\\_moult\\_%' ORDER BY table_name, column_name",
	} {
		rows, err := q.QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var o keptObject
			if err := rows.Scan(&o.table, &o.column); err != nil {
				_ = rows.Close()
				return nil, err
			}
			if o.column == "" && isKept(o.table, names) || o.column != "" && isKept(o.column, names) && !schema.Hidden(o.table) {
				kept = append(kept, o)
			}
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// Discard removes for good what the update of the plan keeps aside, and its
// marks. After that the update can't be taken back. It can be called again after
// a failure.
func (d *DB) Discard(ctx context.Context, p *schema.Plan) error {
	if p.Empty() {
		return nil
	}
	return d.exclusively(ctx, nil, func() error {
		return d.insist(ctx, func() error { return d.discard(ctx, p) })
	})
}

func (d *DB) discard(ctx context.Context, p *schema.Plan) error {
	conn, err := d.session(ctx)
	if err != nil {
		return err
	}
	// The plan's own statements know the order; whatever they leave, because
	// it was set aside on the way back, is found by name.
	for _, s := range p.Steps {
		for _, st := range s.Discard {
			if err := d.discardOne(ctx, st); err != nil {
				return fmt.Errorf("discard what %s keeps aside: %w", s.ID, err)
			}
		}
	}
	kept, err := keptObjects(ctx, conn, keptNames(p))
	if err != nil {
		return fmt.Errorf("list what is kept aside: %w", err)
	}
	for _, o := range kept {
		if err := d.execute(ctx, o.drop(), nil); err != nil {
			return fmt.Errorf("discard %s: %w", schema.Quote(o.table), err)
		}
	}
	return forget(ctx, conn, p.UpdateID)
}

// DiscardEmpty removes, after Undo, what the update of the plan keeps aside and nobody
// has written into: tables without a row, and columns of small tables that hold nothing
// but their default. It returns how many tables and columns are left for Discard.
func (d *DB) DiscardEmpty(ctx context.Context, p *schema.Plan) (left int, err error) {
	if p.Empty() {
		return 0, nil
	}
	err = d.exclusively(ctx, nil, func() error {
		return d.insist(ctx, func() error {
			left, err = d.discardEmpty(ctx, p)
			return err
		})
	})
	return left, err
}

func (d *DB) discardEmpty(ctx context.Context, p *schema.Plan) (left int, err error) {
	conn, err := d.session(ctx)
	if err != nil {
		return 0, err
	}
	kept, err := keptObjects(ctx, conn, keptNames(p))
	if err != nil {
		return 0, fmt.Errorf("list what is kept aside: %w", err)
	}
	for _, o := range kept {
		empty, err := o.isEmpty(ctx, conn)
		if err != nil {
			return 0, d.noteLoss(fmt.Errorf("look into %s: %w", schema.Quote(o.table), err))
		}
		if !empty {
			left++
		} else if err := d.execute(ctx, o.drop(), nil); err != nil {
			return 0, fmt.Errorf("discard %s: %w", schema.Quote(o.table), err)
		}
	}
	return left, nil
}

// isEmpty reports whether nothing was written into what is kept. Of a column in a
// table of many rows it says no without a look: to read them all, and perhaps to write
// them all anew, is more than its removal is worth.
func (o keptObject) isEmpty(ctx context.Context, q querier) (bool, error) {
	table, column := schema.Quote(o.table), schema.Quote(o.column)
	var is bool
	if o.column == "" {
		err := q.QueryRowContext(ctx, "SELECT NOT EXISTS (SELECT 1 FROM "+table+")").Scan(&is)
		return is, err
	}
	small := fmt.Sprintf("SELECT COUNT(*) < %d FROM (SELECT 1 FROM %s LIMIT %[1]d) AS some", sampleRows, table)
	if err := q.QueryRowContext(ctx, small).Scan(&is); err != nil || !is {
		return false, err
	}
	err := q.QueryRowContext(ctx, fmt.Sprintf("SELECT NOT EXISTS (SELECT 1 FROM %s WHERE NOT (%s <=> DEFAULT(%[2]s)))", table, column)).Scan(&is)
	if codeOf(err) != 0 {
		return false, nil // it has no default, or one that the server can't compare with
	}
	return is, err
}

// drop is the statement that removes what is kept, whatever refers to it.
func (o keptObject) drop() schema.Statement {
	if o.column != "" {
		return schema.Statement{SQL: "ALTER TABLE " + schema.Quote(o.table) + " DROP COLUMN " + schema.Quote(o.column)}
	}
	return schema.Statement{SQL: "DROP TABLE IF EXISTS " + schema.Quote(o.table), Session: map[string]string{"foreign_key_checks": "0"}}
}

// codeCantDrop is the refusal to drop a column or key that is not there.
const codeCantDrop = 1091

// discardOne runs one of the plan's statements, unless it was run before.
func (d *DB) discardOne(ctx context.Context, st schema.Statement) error {
	happened, err := d.probe(ctx, st)
	if err != nil || happened {
		return err
	}
	err = d.execute(ctx, st, nil)
	if isCode(codeUnknownTable, codeNoSuchTable, codeCantDrop)(err) {
		return nil
	}
	return err
}

// sampleRows bounds how many rows of a table are read to size a column.
const sampleRows = 10_000

// KeptBytes says how much room the server needs for what the update of the plan
// keeps aside, by its own estimate: what Discard would free.
func (d *DB) KeptBytes(ctx context.Context, p *schema.Plan) (int64, error) {
	if p.Empty() {
		return 0, nil
	}
	conn, err := d.session(ctx)
	if err != nil {
		return 0, err
	}
	kept, err := keptObjects(ctx, conn, keptNames(p))
	if err != nil {
		return 0, d.noteLoss(fmt.Errorf("size what is kept aside: %w", err))
	}
	var total int64
	for _, o := range kept {
		if o.column == "" {
			bytes, err := tableBytes(ctx, conn, o.table)
			if err != nil {
				return 0, d.noteLoss(err)
			}
			total += bytes
			continue
		}
		query := fmt.Sprintf("SELECT CAST(COALESCE(AVG(OCTET_LENGTH(%s)), 0) * (SELECT COALESCE(MAX(table_rows), 0) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s) AS SIGNED) FROM (SELECT %s FROM %s LIMIT %d) AS moult_sample",
			schema.Quote(o.column), schema.QuoteText(o.table), schema.Quote(o.column), schema.Quote(o.table), sampleRows)
		var bytes int64
		if err := conn.QueryRowContext(ctx, query).Scan(&bytes); err != nil {
			return 0, d.noteLoss(fmt.Errorf("size what is kept aside in %s: %w", schema.Quote(o.table), err))
		}
		total += bytes
	}
	return total, nil
}
