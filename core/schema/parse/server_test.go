package parse

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"moult/core/database/embedded"
	"moult/core/schema"
)

func TestMain(m *testing.M) { os.Exit(embedded.Main(m)) }

// server is a real MariaDB that judges what the parser says.
type server struct {
	*sql.DB
	t *testing.T
}

func newServer(t *testing.T) server {
	t.Helper()
	cfg, err := mysql.ParseDSN(embedded.ForTest(t))
	if err != nil {
		t.Fatal(err)
	}
	cfg.MultiStatements = true
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return server{db, t}
}

// rows returns a query's result as text, NULL as "NULL".
func (s server) rows(query string, args ...any) [][]string {
	s.t.Helper()
	rows, err := s.Query(query, args...)
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		s.t.Fatal(err)
	}
	var all [][]string
	for rows.Next() {
		cells := make([]sql.NullString, len(names))
		to := make([]any, len(names))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			s.t.Fatal(err)
		}
		row := make([]string, len(names))
		for i, c := range cells {
			row[i] = "NULL"
			if c.Valid {
				row[i] = c.String
			}
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// run executes a source as the splitter cuts it, and returns the first error.
func (s server) run(text string) error {
	split := NewSplitter("", strings.NewReader(text))
	split.KeepRows = true
	for {
		st, err := split.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := s.Exec(st.Text); err != nil {
			return err
		}
	}
}

// catalogue compares what SHOW CREATE TABLE is read as with what the server
// says about the same table in information_schema.
func (s server) catalogue(table string, fl schema.Flavor) []string {
	s.t.Helper()
	text := s.rows("SHOW CREATE TABLE " + schema.Quote(table))[0][1]
	read, err := Text("SHOW CREATE TABLE "+table, text, fl)
	if err != nil {
		return []string{err.Error()}
	}
	t := read.Table(table)
	if t == nil {
		return []string{"not read: " + text}
	}
	var wrong []string
	compare := func(what string, got, want []string) {
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			wrong = append(wrong, fmt.Sprintf("%s of %s are read as\n  %s\nand are\n  %s", what, table, strings.Join(got, "\n  "), strings.Join(want, "\n  ")))
		}
	}
	var got, want []string
	for i, c := range t.Columns {
		extra := words(when("auto_increment", c.AutoInc), when("on update", c.OnUpdateNow >= 0), when("invisible", c.Invisible),
			when("virtual", c.Generated != nil && !c.Generated.Stored), when("stored", c.Generated != nil && c.Generated.Stored || c.RowStart || c.RowEnd))
		got = append(got, fmt.Sprintf("%d %s %s null=%v %s comment=%s", i+1, c.Name, catalogueType(c.Type), c.Nullable, extra, c.Comment))
	}
	for _, r := range s.rows(`SELECT ordinal_position, column_name, column_type, is_nullable, extra, column_comment
		FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`, table) {
		extra := strings.ToLower(r[4])
		name := words(when("auto_increment", strings.Contains(extra, "auto_increment")), when("on update", strings.Contains(extra, "on update")),
			when("invisible", strings.Contains(extra, "invisible")), when("virtual", strings.Contains(extra, "virtual generated")),
			when("stored", strings.Contains(extra, "stored generated")))
		kind := strings.Replace(r[2], "year(4)", "year", 1)
		kind, _, _ = strings.Cut(strings.Replace(kind, "geomcollection", "geometrycollection", 1), " /*")
		got := fmt.Sprintf("%s %s %s null=%v %s comment=%s", r[0], r[1], kind, r[3] == "YES", name, r[5])
		want = append(want, got)
	}
	compare("the columns", got, want)

	got, want = nil, nil
	for _, x := range append(slices.Clone(t.Indexes), t.PrimaryKey) {
		if x == nil {
			continue
		}
		for _, o := range x.Options {
			for _, p := range t.Periods {
				if o.Key == "WITHOUT OVERLAPS" && o.Value == p.Name {
					x.Parts = append(x.Parts, schema.IndexPart{Column: p.End}, schema.IndexPart{Column: p.Start})
				}
			}
		}
		unique := x.Kind == schema.UniqueIndex || x.Kind == schema.PrimaryIndex
		for i, p := range x.Parts {
			order := "A"
			if p.Desc {
				order = "D"
			}
			if x.Kind == schema.FulltextIndex {
				order = "NULL"
			}
			prefix := fmt.Sprint(p.Prefix)
			got = append(got, fmt.Sprintf("%s %d %s %s unique=%v %s ignored=%v %s", x.Name, i+1, p.Column, prefix, unique, order, x.Invisible, x.Comment))
		}
	}
	hidden := "ignored"
	if fl.Vendor == schema.MySQL {
		hidden = "IF(is_visible = 'NO', 'YES', 'NO')"
	}
	for _, r := range s.rows(`SELECT index_name, seq_in_index, IFNULL(column_name, ''), IFNULL(sub_part, 0), non_unique, collation, `+hidden+`, index_comment, index_type
		FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ?`, table) {
		if r[8] == "SPATIAL" {
			r[3] = "0" // the server indexes the bounding box and calls that a prefix
		}
		if r[8] == "HASH" && fl.Vendor == schema.MySQL && r[5] == "NULL" {
			r[5] = "A"
		}
		if r[8] == "FULLTEXT" {
			r[5] = "NULL"
		}
		want = append(want, fmt.Sprintf("%s %s %s %s unique=%v %s ignored=%v %s", r[0], r[1], r[2], r[3], r[4] == "0", r[5], r[6] == "YES", r[7]))
	}
	compare("the indexes", got, want)

	got, want = nil, nil
	for _, f := range t.ForeignKeys {
		for i := range f.Columns {
			got = append(got, fmt.Sprintf("%s %d %s -> %s.%s", f.Name, i+1, f.Columns[i], f.RefTable, f.RefColumns[i]))
		}
	}
	for _, r := range s.rows(`SELECT constraint_name, ordinal_position, column_name, referenced_table_name, referenced_column_name
		FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name = ? AND referenced_table_name IS NOT NULL`, table) {
		want = append(want, fmt.Sprintf("%s %s %s -> %s.%s", r[0], r[1], r[2], r[3], r[4]))
	}
	compare("the foreign keys", got, want)

	got, want = nil, nil
	for _, k := range t.Checks {
		name := k.Name
		if k.Column != "" {
			name = k.Column
		}
		got = append(got, name+" "+k.Expr.Raw)
	}
	clauses := `SELECT constraint_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() AND table_name = ?`
	if fl.Vendor == schema.MySQL {
		clauses = `SELECT c.constraint_name, c.check_clause FROM information_schema.check_constraints c
			JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name) WHERE c.constraint_schema = DATABASE() AND t.table_name = ?`
	}
	for _, p := range t.Periods {
		if p.Name != "SYSTEM_TIME" {
			got = append(got, fmt.Sprintf("%s `%s` < `%s`", p.Name, p.Start, p.End))
		}
	}
	for _, r := range s.rows(clauses, table) {
		r[1] = strings.ReplaceAll(r[1], `\'`, "'") // MySQL escapes the clause there once more
		want = append(want, r[0]+" "+r[1])
	}
	compare("the checks", got, want)

	got, want = nil, nil
	if p := t.Partition; p != nil {
		for i, part := range p.Parts {
			got = append(got, fmt.Sprintf("%d %s %s", i+1, part.Name, p.Method))
		}
		if len(p.Parts) == 0 {
			p.Count = max(p.Count, 1)
		}
		for i := range p.Count {
			got = append(got, fmt.Sprintf("%d p%d %s", i+1, i, p.Method))
		}
	}
	for _, r := range s.rows(`SELECT DISTINCT partition_ordinal_position, partition_name, partition_method FROM information_schema.partitions
		WHERE table_schema = DATABASE() AND table_name = ? AND partition_name IS NOT NULL`, table) {
		want = append(want, r[0]+" "+r[1]+" "+strings.TrimPrefix(r[2], "LINEAR "))
	}
	compare("the partitions", got, want)
	return wrong
}

// catalogueType writes a type as information_schema does.
func catalogueType(ty schema.Type) string {
	if ty.Values == nil {
		return typeText(ty)
	}
	var q []string
	for _, v := range ty.Values {
		q = append(q, "'"+strings.NewReplacer("'", "''", "\n", `\n`).Replace(v)+"'")
	}
	return ty.Base + "(" + strings.Join(q, ",") + ")"
}

// tables lists the base tables.
func (s server) tables() []string {
	var names []string
	for _, r := range s.rows("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE' OR Table_type = 'SYSTEM VERSIONED'") {
		names = append(names, r[0])
	}
	return names
}

// clear empties the database.
func (s server) clear() {
	s.t.Helper()
	name := s.rows("SELECT DATABASE()")[0][0]
	if _, err := s.Exec("DROP TEMPORARY TABLE IF EXISTS t; DROP DATABASE " + schema.Quote(name) + "; CREATE DATABASE " + schema.Quote(name) + "; USE " + schema.Quote(name) +
		"; SET sql_mode = DEFAULT, NAMES utf8mb4, collation_connection = DEFAULT, foreign_key_checks = 0"); err != nil {
		s.t.Fatal(err)
	}
}

// flavor returns what the server says it is.
func (s server) flavor() schema.Flavor {
	s.t.Helper()
	version := s.rows("SELECT VERSION()")[0][0]
	f := schema.Flavor{Vendor: schema.MySQL}
	if strings.Contains(version, "MariaDB") {
		f.Vendor = schema.MariaDB
	}
	if _, err := fmt.Sscanf(version, "%d.%d.%d", &f.Version[0], &f.Version[1], &f.Version[2]); err != nil {
		s.t.Fatal(err)
	}
	return f
}

// refusals are the reasons for which something is not read that the server
// accepts, each because its meaning can't be told from the text or because it
// concerns Moult alone.
var refusals = []string{
	"is made from a query",        // the columns depend on other tables
	"can't be told from the text", // CALL, PREPARE
	"@renamed",                    // a comment to the server
	"a schema is one database",
	"write CONCAT", // || under PIPES_AS_CONCAT
}

// otherDatabases are the constructs that would reach beyond the test's database.
var otherDatabases = regexp.MustCompile(`\b(USE|DATABASE|USER|SERVER|SONAME)\b|d\.t`)

func TestServerAgreesWithWhatIsReadOfEveryConstruct(t *testing.T) {
	s := newServer(t)
	fl := s.flavor()
	tables := 0
	for _, c := range readConstructs(t) {
		if otherDatabases.MatchString(c.sql) {
			continue
		}
		s.clear()
		if err := s.run(c.sql); err != nil {
			continue // what the server refuses may be meant for another one
		}
		if _, err := Text("", c.sql, fl); err != nil {
			if !slices.ContainsFunc(refusals, func(r string) bool { return strings.Contains(err.Error(), r) }) {
				t.Errorf("%s: the server accepts %s\n%v", c.file, c.text, err)
			}
		}
		if _, err := s.Exec("SET sql_mode = DEFAULT"); err != nil {
			t.Fatal(err)
		}
		for _, name := range s.tables() {
			tables++
			for _, w := range s.catalogue(name, fl) {
				t.Errorf("%s: %s\n%s", c.file, c.text, w)
			}
		}
	}
	if tables < 200 {
		t.Errorf("only %d tables were compared", tables)
	}
}

func TestServerAcceptsWhatIsWrittenOfEveryConstruct(t *testing.T) {
	s := newServer(t)
	fl := s.flavor()
	written := 0
	for _, c := range readConstructs(t) {
		if otherDatabases.MatchString(c.sql) || strings.Contains(c.sql, "PROCEDURE \"p\"") {
			continue // the text of a program is written for its own sql_mode
		}
		read, err := Text("", c.sql, fl)
		if err != nil {
			continue
		}
		s.clear()
		if s.run(c.sql) != nil {
			continue
		}
		s.clear()
		defaults := s.rows("SELECT @@character_set_database, @@collation_database")[0]
		canonical := func(x *schema.Schema) *schema.Schema {
			x.Name, x.Charset, x.Collation = "", defaults[0], defaults[1]
			return schema.Canonical(x, fl)
		}
		want := canonical(read)
		text := schema.Emit(want, fl)
		written++
		again, err := Text("", text, fl)
		if err != nil {
			t.Errorf("%s: %s\n%v\n%s", c.file, c.text, err, text)
			continue
		}
		if same, differences := schema.Equal(want, canonical(again)); !same {
			t.Errorf("%s: %s\n%s\n%s", c.file, c.text, strings.Join(differences, "\n"), text)
		}
		if err := s.run(text); err != nil {
			t.Errorf("%s: %s\n%v\n%s", c.file, c.text, err, text)
		}
	}
	if written < 200 {
		t.Errorf("only %d constructs were written", written)
	}
}
