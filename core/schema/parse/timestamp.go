package parse

import "moult/core/schema"

// onUpdateUnset marks a timestamp column of which NULL or NOT NULL has not been
// said, until the table is complete.
const onUpdateUnset = -2

// explicitTimestamps reports whether the server's default of
// explicit_defaults_for_timestamp is ON: MySQL since 8.0.2, MariaDB since
// 10.10, TiDB always.
func (c *cursor) explicitTimestamps() bool {
	switch c.fl.Vendor {
	case schema.MySQL:
		return c.fl.AtLeast(8)
	case schema.MariaDB:
		return c.fl.AtLeast(10, 10)
	default:
		return true
	}
}

// unsetTimestamp returns what marks the column.
func unsetTimestamp(col *schema.Column) int {
	if col.OnUpdateNow < 0 {
		return onUpdateUnset
	}
	col.Nullable = false
	return col.OnUpdateNow
}

// implicitTimestamps does what older servers do: a timestamp of which nothing
// is said is NOT NULL, the first one follows the clock, others are zero (MySQL
// 5.7 Reference Manual, explicit_defaults_for_timestamp).
func (c *cursor) implicitTimestamps(t *schema.Table) {
	first := true
	for _, col := range t.Columns {
		if col.Type.Base != "timestamp" {
			continue
		}
		unset := col.OnUpdateNow == onUpdateUnset
		if unset {
			col.Nullable, col.OnUpdateNow = false, -1
		}
		switch {
		case col.Nullable || col.Generated != nil || col.RowStart || col.RowEnd || col.Default.Kind != schema.NoDefault:
		case first && col.OnUpdateNow < 0:
			col.Default = schema.Default{Kind: schema.NowDefault}
			col.OnUpdateNow = max(col.Type.Length, 0)
		default:
			col.Default = schema.Default{Kind: schema.LiteralDefault, Text: "0000-00-00 00:00:00"}
		}
		first = false
	}
}
