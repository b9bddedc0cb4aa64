package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"moult/core/schema"
)

// column is what a checksum has to know of a column.
type column struct{ table, name, kind string }

// wholeTypes are hashed on their own: a row of several of them may be longer
// than what the server lets a function return.
var wholeTypes = []string{"tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json",
	"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection", "geomcollection"}

// byteTypes are compared byte by byte.
var byteTypes = []string{"char", "varchar", "binary", "varbinary", "enum", "set", "bit"}

// digest is the expression for one column's part of a row.
func (c column) digest() string {
	name := schema.Quote(c.name)
	var value string
	switch {
	case slices.Contains(wholeTypes, c.kind):
		value = "SHA2(" + name + ", 256)"
	case slices.Contains(byteTypes, c.kind):
		value = "HEX(" + name + ")"
	case c.kind == "float" || c.kind == "double":
		value = name + " + 0E0" // all digits, where CAST rounds to six
	default:
		value = "CAST(" + name + " AS CHAR)"
	}
	return "COALESCE(" + value + ", 'null')"
}

// Checksum returns, for each table that is not kept aside, a text that stands
// for all its rows in all columns, whatever their order. The rows of a large
// table are all read.
func (d *DB) Checksum(ctx context.Context) (map[string]string, error) {
	conn, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := d.columns(ctx, conn)
	if err != nil {
		return nil, fmt.Errorf("checksums of database %s: %w", d.dsn.Database, err)
	}
	sums := make(map[string]string, len(tables))
	for table, columns := range tables {
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = c.digest()
		}
		// Two halves of each row's hash are folded in two ways, so that
		// neither a pair of equal rows nor a swap cancels out.
		query := "SELECT COUNT(*), CONCAT(COALESCE(BIT_XOR(CAST(CONV(LEFT(h, 15), 16, 10) AS UNSIGNED)), 0), '.', COALESCE(SUM(CAST(CONV(RIGHT(h, 12), 16, 10) AS UNSIGNED)), 0))" +
			" FROM (SELECT SHA2(CONCAT_WS('|', " + strings.Join(parts, ", ") + "), 256) AS h FROM " + schema.Quote(table) + ") AS moult_rows"
		var rows int64
		var sum string
		if err := conn.QueryRowContext(ctx, query).Scan(&rows, &sum); err != nil {
			return nil, d.noteLoss(fmt.Errorf("checksum of table %s: %w", table, err))
		}
		sums[table] = fmt.Sprintf("%d rows %s", rows, sum)
	}
	return sums, nil
}

// columns returns the columns of each base table, in order.
func (d *DB) columns(ctx context.Context, q querier) (map[string][]column, error) {
	rows, err := q.QueryContext(ctx, `SELECT c.table_name, c.column_name, c.data_type
		FROM information_schema.columns c JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
		WHERE c.table_schema = DATABASE() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')
		ORDER BY c.table_name, c.ordinal_position`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	tables := map[string][]column{}
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name, &c.kind); err != nil {
			return nil, err
		}
		if !schema.Hidden(c.table) && !schema.Hidden(c.name) {
			c.kind = strings.ToLower(c.kind)
			tables[c.table] = append(tables[c.table], c)
		}
	}
	return tables, rows.Err()
}
