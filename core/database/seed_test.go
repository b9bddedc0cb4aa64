package database

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"moult/core/schema"
)

// seedRows is how many rows each table gets at most.
const seedRows = 4

// seed fills every table with so many rows of boundary values, foreign keys included:
// columns that are part of a key have a value that depends on their type and the
// row's number only, so that children find their parents. Keys of the target
// count as well.
func (s *site) seed(live, target *schema.Schema, rows int) {
	s.t.Helper()
	conn, err := s.app.Conn(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	run := func(statement string) error {
		_, err := conn.ExecContext(context.Background(), statement)
		return err
	}
	if err := run("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'"); err != nil {
		s.t.Fatal(err)
	}
	keyed := keyedColumns(live)
	maps.Copy(keyed, keyedColumns(target))
	// Parents may come after their children, so there are several rounds. What
	// a unique key or a check does not take is left out.
	for range 3 {
		for _, t := range live.Tables {
			if s.text("SELECT COUNT(*) FROM (SELECT 1 FROM "+schema.Quote(t.Name)+" LIMIT 1) AS x") != "0" {
				continue
			}
			for i := range rows {
				if err := run(seedInsert(t, keyed, i)); err != nil {
					s.t.Logf("seed %s: %v", t.Name, err)
				}
			}
		}
	}
}

// keyedColumns returns "table.column" for what stands in a unique or foreign key,
// on either side.
func keyedColumns(s *schema.Schema) map[string]bool {
	keyed := map[string]bool{}
	for _, t := range s.Tables {
		for _, x := range append(slices.Clone(t.Indexes), t.PrimaryKey) {
			if x == nil || x.Kind != schema.UniqueIndex && x.Kind != schema.PrimaryIndex {
				continue
			}
			for _, p := range x.Parts {
				keyed[t.Name+"."+p.Column] = true
			}
		}
		for _, k := range t.ForeignKeys {
			for i := range k.Columns {
				keyed[t.Name+"."+k.Columns[i]] = true
				keyed[k.RefTable+"."+k.RefColumns[i]] = true
			}
		}
	}
	return keyed
}

func seedInsert(t *schema.Table, keyed map[string]bool, i int) string {
	var names, values []string
	for _, c := range t.Columns {
		if c.Generated != nil || c.RowStart || c.RowEnd {
			continue
		}
		value := boundary(c, i)
		if keyed[t.Name+"."+c.Name] {
			value = keyValue(c, i)
		}
		names, values = append(names, schema.Quote(c.Name)), append(values, value)
	}
	return "INSERT IGNORE INTO " + schema.Quote(t.Name) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(values, ", ") + ")"
}

// keyValue is the same for all columns of a type.
func keyValue(c *schema.Column, i int) string {
	switch c.Type.Base {
	case "char", "varchar", "text", "tinytext", "mediumtext", "longtext", "binary", "varbinary", "blob", "tinyblob":
		return fmt.Sprintf("'%d'", i+1)
	case "date":
		return fmt.Sprintf("'2020-01-%02d'", i+1)
	case "datetime", "timestamp":
		return fmt.Sprintf("'2020-01-%02d 10:00:00'", i+1)
	case "time":
		return fmt.Sprintf("'10:00:%02d'", i+1)
	case "enum", "set":
		return schema.QuoteText(c.Type.Values[i%len(c.Type.Values)])
	default:
		return fmt.Sprint(i + 1)
	}
}

// boundaries are the values at the edges of each type, seedRows of them.
var boundaries = map[string][seedRows]string{
	"tinyint":            {"-128", "127", "0", "1"},
	"tinyint unsigned":   {"255", "127", "0", "1"},
	"smallint":           {"-32768", "32767", "0", "12"},
	"smallint unsigned":  {"65535", "32767", "0", "12"},
	"mediumint":          {"-8388608", "8388607", "0", "12"},
	"mediumint unsigned": {"16777215", "8388607", "0", "12"},
	"int":                {"-2147483648", "2147483647", "0", "12"},
	"int unsigned":       {"4294967295", "2147483647", "0", "12"},
	"bigint":             {"-9223372036854775808", "9223372036854775807", "0", "12"},
	"bigint unsigned":    {"18446744073709551615", "9223372036854775807", "0", "12"},
	"float":              {"3.4e38", "-1.17e-38", "0", "0.1"},
	"double":             {"1.7e308", "-2.2e-308", "0", "0.1"},
	"date":               {"'1000-01-01'", "'9999-12-31'", "'0000-00-00'", "'2024-02-29'"},
	"datetime":           {"'1000-01-01 00:00:00'", "'9999-12-31 23:59:59'", "'0000-00-00 00:00:00'", "'2024-02-29 12:00:00'"},
	"timestamp":          {"'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-03-31 02:30:00'", "'2024-02-29 12:00:00'"},
	"time":               {"'-838:59:59'", "'838:59:59'", "'00:00:00'", "'12:00:00'"},
	"year":               {"1901", "2155", "0", "2024"},
	"json":               {"'{\"a\": [1, \"é\"]}'", "'[]'", "'null'", "'\"x\"'"},
	"bit":                {"0", "1", "0", "1"},
	"blob":               {"x'00ff27'", "''", "REPEAT('x', 200)", "x'5c27'"},
	"text":               {"'O''Reilly \\\\ \"x\" ; --'", "''", "REPEAT('é', 100)", "'  blanks  '"},
}

// boundary is a value at the edge of what a column holds; the third row is NULL
// where that is allowed.
func boundary(c *schema.Column, i int) string {
	if c.Nullable && i == 2 {
		return "NULL"
	}
	base := c.Type.Base
	switch {
	case base == "char" || base == "varchar":
		return [seedRows]string{schema.QuoteText("O'R; --\\"), "''", fmt.Sprintf("REPEAT('é', %d)", max(c.Type.Length, 1)), "'a  '"}[i]
	case base == "binary" || base == "varbinary":
		return boundaries["blob"][i]
	case strings.HasSuffix(base, "text"):
		return boundaries["text"][i]
	case strings.HasSuffix(base, "blob"):
		return boundaries["blob"][i]
	case (base == "float" || base == "double") && c.Type.Scale >= 0:
		// A float(15,8) rounds its own largest value up to one that it refuses.
		return [seedRows]string{"99.5", "-99.5", "0", "0.1"}[i]
	case base == "decimal":
		digits := strings.Repeat("9", c.Type.Length-c.Type.Scale) + "." + strings.Repeat("9", c.Type.Scale)
		return [seedRows]string{digits, "-" + digits, "0", "0.5"}[i]
	case base == "enum" || base == "set":
		return schema.QuoteText(c.Type.Values[(len(c.Type.Values)-1)*(i%2)])
	case c.Type.Unsigned && boundaries[base+" unsigned"][0] != "":
		return boundaries[base+" unsigned"][i]
	}
	if values, ok := boundaries[base]; ok {
		return values[i]
	}
	return "NULL"
}
