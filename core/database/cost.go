package database

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"moult/core/schema"
)

// algorithm is one way in which a server can be asked to do an ALTER.
type algorithm struct {
	name   string // as in schema.Step.Algorithm
	clause string // added to the ALTER
	blocks bool   // writes wait
}

// mysqlAlgorithms, cheapest first. MySQL refuses a LOCK beside INSTANT (error
// 1221).
var mysqlAlgorithms = []algorithm{
	{"INSTANT", "ALGORITHM=INSTANT", false},
	{"INPLACE", "ALGORITHM=INPLACE, LOCK=NONE", false},
	{"INPLACE", "ALGORITHM=INPLACE, LOCK=SHARED", true},
	{"COPY", "ALGORITHM=COPY, LOCK=SHARED", true},
}

// mysql57Algorithms are those before INSTANT came with 8.0.12.
var mysql57Algorithms = mysqlAlgorithms[1:]

// mariadbAlgorithms, cheapest first. Without LOCK=NONE, MariaDB before 11 takes
// ALGORITHM=INSTANT for granted and copies (ENGINE=, PARTITION BY).
var mariadbAlgorithms = []algorithm{
	{"INSTANT", "ALGORITHM=INSTANT, LOCK=NONE", false},
	{"NOCOPY", "ALGORITHM=NOCOPY, LOCK=NONE", false},
	{"INPLACE", "ALGORITHM=INPLACE, LOCK=NONE", false},
	{"INPLACE", "ALGORITHM=INPLACE, LOCK=SHARED", true},
	{"COPY", "ALGORITHM=COPY, LOCK=NONE", false}, // since 11.2
	{"COPY", "ALGORITHM=COPY, LOCK=SHARED", true},
}

func algorithmsOf(f schema.Flavor) []algorithm {
	switch {
	case f.Vendor == schema.MariaDB:
		return mariadbAlgorithms
	case f.Vendor == schema.MySQL && f.AtLeast(8, 0, 12):
		return mysqlAlgorithms
	case f.Vendor == schema.MySQL:
		return mysql57Algorithms
	default:
		return nil // TiDB reads the clauses and does as it likes
	}
}

// wholeTables bounds the size of a database that is cloned as a whole to try a
// plan; of a larger one only what the plan touches is.
const wholeTables = 400

// Cost asks the server what each step costs and tries the whole plan, there and
// back, on an empty copy of the database beside it. It fills Algorithm, Blocks,
// Estimated and Rows of the plan's steps. proved is true when the copy was the
// target after all steps and the start after all inverses, with every probe
// right before and after its statement; reason says what was done, or why not.
// Where no copy can be made, what the plan says by rules is left as an estimate.
func (d *DB) Cost(ctx context.Context, p *schema.Plan, live *schema.Schema) (proved bool, reason string, err error) {
	if p.Empty() {
		return true, "there is nothing to change", nil
	}
	if err := d.countRows(ctx, p); err != nil {
		return false, "", err
	}
	scratch, closeScratch, err := d.openScratch(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return false, "", ctx.Err()
		}
		estimate(p)
		return false, scratchRefusal(d, err), nil
	}
	defer func() { err = errors.Join(err, closeScratch()) }()
	t := &trial{d: d, scratch: scratch, plan: p, asked: map[string]bool{}}
	t.live, t.partial = touched(p, live)
	reason, err = t.run(ctx)
	if err != nil {
		return false, "", err
	}
	if reason != "" {
		return false, reason, nil
	}
	return true, "run there and back on an empty copy of the database", nil
}

// scratchRefusal explains why no copy could be made.
func scratchRefusal(d *DB, err error) string {
	if isCode(codeDatabaseDenied, codeNoRight, codeNoSpecialRight)(err) {
		return fmt.Sprintf("estimated, not tried: the user %s may not create the database %s to try it in; GRANT ALL PRIVILEGES ON %s.* allows it",
			d.dsn.User, d.scratchName(), schema.Quote(d.scratchName()))
	}
	return fmt.Sprintf("estimated, not tried: %v", err)
}

// estimate marks what the plan says as said by rules.
func estimate(p *schema.Plan) {
	for i := range p.Steps {
		if p.Steps[i].Algorithm != "" {
			p.Steps[i].Estimated = true
		}
	}
}

// countRows fills in how many rows each step's table has, as the server estimates.
func (d *DB) countRows(ctx context.Context, p *schema.Plan) error {
	counts, err := d.RowEstimates(ctx)
	if err != nil {
		return err
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if n, ok := counts[s.Table]; ok {
			s.Rows = n
		} else {
			s.Rows = -1
		}
	}
	return nil
}

// RowEstimates returns the number of rows of each table as the server estimates
// it; for InnoDB that can be off by half.
func (d *DB) RowEstimates(ctx context.Context) (map[string]int64, error) {
	counts := map[string]int64{}
	err := d.insist(ctx, func() error {
		conn, err := d.session(ctx)
		if err != nil {
			return err
		}
		rows, err := conn.QueryContext(ctx, "SELECT table_name, COALESCE(table_rows, 0) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type <> 'VIEW'")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var n int64
			if err := rows.Scan(&name, &n); err != nil {
				return err
			}
			counts[name] = n
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("estimate the rows of database %s: %w", d.dsn.Database, err)
	}
	return counts, nil
}

// touched returns the part of a schema that is cloned: all of it, or of a large
// one the tables of the plan's steps and their neighbours by foreign keys.
// Events are never part of it.
func touched(p *schema.Plan, live *schema.Schema) (clone *schema.Schema, partial bool) {
	part := *live
	part.Events = nil
	if len(live.Tables) <= wholeTables {
		return &part, false
	}
	wanted := map[string]bool{}
	for _, s := range p.Steps {
		wanted[s.Table] = true
	}
	near := map[string]bool{}
	for _, t := range live.Tables {
		for _, k := range t.ForeignKeys {
			if wanted[t.Name] {
				near[k.RefTable] = true
			}
			if wanted[k.RefTable] {
				near[t.Name] = true
			}
		}
	}
	part.Tables, part.Triggers, part.Views, part.Routines = nil, nil, nil, nil
	for _, t := range live.Tables {
		if wanted[t.Name] || near[t.Name] {
			part.Tables = append(part.Tables, t)
		}
	}
	for _, t := range live.Triggers {
		if part.Table(t.Table) != nil {
			part.Triggers = append(part.Triggers, t)
		}
	}
	return &part, true
}

// isAlter reports whether a statement is an ALTER TABLE that takes an algorithm.
func isAlter(sql string) bool {
	return strings.HasPrefix(strings.ToUpper(strings.TrimSpace(sql)), "ALTER TABLE ")
}

// partitionClauses take no ALGORITHM beside them on every server.
var partitionClauses = []string{" PARTITION ", " PARTITIONING", " PARTITION BY "}

// withAlgorithm adds an algorithm to an ALTER TABLE. Clauses on partitions stand
// last and take none.
func withAlgorithm(sql, clause string) (string, bool) {
	upper := strings.ToUpper(sql)
	for _, c := range partitionClauses {
		if strings.Contains(upper, c) {
			return sql, false
		}
	}
	return sql + ", " + clause, true
}

// promised returns a step's statement with the algorithm that the server took on
// the empty copy. Of a copying one nothing is asked: the server does no worse.
func (d *DB) promised(s *schema.Step) string {
	if s.Estimated || s.DML || s.Algorithm == "COPY" || !isAlter(s.SQL) {
		return s.SQL
	}
	name := s.Algorithm
	if name == "REBUILD" {
		name = "INPLACE"
	}
	for _, a := range algorithmsOf(d.flavor) {
		if a.name == name && a.blocks == s.Blocks {
			asked, _ := withAlgorithm(s.SQL, a.clause)
			return asked
		}
	}
	return s.SQL
}
