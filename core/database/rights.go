package database

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"

	"moult/core/schema"
)

// The names of what rights are tried on.
const (
	tryTable   = "`" + schema.HiddenPrefix + "try`"
	tryOther   = "`" + schema.HiddenPrefix + "try2`"
	tryView    = "`" + schema.HiddenPrefix + "try_v`"
	tryTrigger = "`" + schema.HiddenPrefix + "try_t`"
	tryRoutine = "`" + schema.HiddenPrefix + "try_p`"
	tryEvent   = "`" + schema.HiddenPrefix + "try_e`"
)

// right is a row of the table of rights: a statement that needs it, tried in order.
type right struct {
	name string
	try  string
	// object is the beginning of schema.Step.Object of the steps that need
	// the right; "" for every plan.
	object string
}

var rights = []right{
	{"CREATE", "CREATE TABLE " + tryTable + " (`id` int NOT NULL PRIMARY KEY, `n` int) ENGINE=InnoDB", ""},
	{"INSERT", "INSERT INTO " + tryTable + " VALUES (1, 1)", ""},
	{"UPDATE", "UPDATE " + tryTable + " SET n = NULL", ""},
	{"SELECT", "DO (SELECT COUNT(*) FROM " + tryTable + ")", ""},
	{"ALTER", "ALTER TABLE " + tryTable + " ADD COLUMN `m` int", ""},
	{"INDEX", "CREATE INDEX `i` ON " + tryTable + " (`n`)", ""},
	{"REFERENCES", "ALTER TABLE " + tryTable + " ADD CONSTRAINT `" + schema.HiddenPrefix + "try_f` FOREIGN KEY (`n`) REFERENCES " + tryTable + " (`id`)", "table "},
	{"DELETE", "DELETE FROM " + tryTable, ""},
	{"ALTER, DROP", "RENAME TABLE " + tryTable + " TO " + tryOther, ""},
	{"CREATE VIEW", "CREATE VIEW " + tryView + " AS SELECT 1 AS n", "view "},
	{"TRIGGER", "CREATE TRIGGER " + tryTrigger + " BEFORE INSERT ON " + tryOther + " FOR EACH ROW SET NEW.n = NEW.n", "trigger "},
	{"CREATE ROUTINE", "CREATE PROCEDURE " + tryRoutine + "() SELECT 1", "procedure "},
	{"CREATE ROUTINE", "CREATE FUNCTION " + tryRoutine + "() RETURNS int DETERMINISTIC RETURN 1", "function "},
	{"EVENT", "CREATE EVENT " + tryEvent + " ON SCHEDULE EVERY 1 YEAR DISABLE DO SELECT 1", "event "},
	{"DROP", "DROP TABLE " + tryOther, ""},
}

// untry removes what a trial may have left, in an order that always works.
var untry = []string{
	"DROP EVENT IF EXISTS " + tryEvent,
	"DROP FUNCTION IF EXISTS " + tryRoutine,
	"DROP PROCEDURE IF EXISTS " + tryRoutine,
	"DROP VIEW IF EXISTS " + tryView,
	"DROP TABLE IF EXISTS " + tryTable + ", " + tryOther,
}

// rights tries what the plan will need, on objects of our own.
func (f *preflight) rights() ([]Finding, error) {
	f.untry()
	defer f.untry()
	var missing []string
	refusal := ""
	for _, r := range rights {
		if r.object != "" && !f.changes(r.object) {
			continue
		}
		_, err := f.q.ExecContext(f.ctx, r.try)
		if isLost(err) {
			return nil, err
		}
		if err != nil {
			// What comes after it may fail for want of the object alone,
			// so the first refusal is the one to mend.
			missing, refusal = append(missing, r.name), err.Error()
			break
		}
	}
	if len(missing) > 0 {
		return []Finding{{Code: "database rights", Level: levelBlock,
			Text: fmt.Sprintf("The user %s lacks the right %s: %s", f.d.dsn.User, strings.Join(missing, ", "), refusal),
			Hint: fmt.Sprintf("GRANT ALL PRIVILEGES ON %s.* TO the user", schema.Quote(f.d.dsn.Database))}}, nil
	}
	return []Finding{{Code: "database rights", Level: levelOK, Text: "The user " + f.d.dsn.User + " has the rights that the update needs"}}, nil
}

// changes reports whether a step's object begins so.
func (f *preflight) changes(object string) bool {
	for _, s := range f.plan.Steps {
		if strings.HasPrefix(s.Object, object) {
			return true
		}
	}
	return false
}

// untry can't do more than try: what is refused was not there to drop.
func (f *preflight) untry() {
	for _, drop := range untry {
		_, _ = f.q.ExecContext(f.ctx, drop)
	}
}

// definerClause is who a stored program runs as.
var definerClause = regexp.MustCompile("DEFINER\\s*=\\s*(`(?:[^`]|``)+`@`(?:[^`]|``)*`)")

// definers tries to create a view for each account that the plan's stored
// programs run as.
func (f *preflight) definers() ([]Finding, error) {
	accounts := map[string]string{}
	for _, s := range f.plan.Steps {
		for _, st := range append([]schema.Statement{s.Statement}, s.Inverse...) {
			if m := definerClause.FindStringSubmatch(st.SQL); m != nil {
				accounts[m[1]] = s.Object
			}
		}
	}
	defer f.untry()
	var found []Finding
	for account, object := range accounts {
		f.untry()
		_, err := f.q.ExecContext(f.ctx, "CREATE DEFINER="+account+" VIEW "+tryView+" AS SELECT 1 AS n")
		if isLost(err) {
			return found, err
		}
		if err != nil {
			found = append(found, Finding{Code: "database definers", Level: levelBlock,
				Text: fmt.Sprintf("%s runs as %s, and the user %s may not create it so: %v", object, account, f.d.dsn.User, err),
				Hint: "GRANT SET USER (MariaDB) or SET_ANY_DEFINER (MySQL) to the user, or connect as the definer"})
			continue
		}
		warnings, err := f.d.warnings(f.ctx, f.q)
		if err != nil {
			return found, err
		}
		if _, absent := warnings[codeNoSuchUser]; absent {
			found = append(found, Finding{Code: "database definers", Level: levelWarn,
				Text: fmt.Sprintf("%s runs as %s, an account that does not exist on this server", object, account)})
		}
	}
	return found, nil
}

// codeNoSuchUser is the warning that a definer does not exist.
const codeNoSuchUser = 1449

// readSamples turns rows into lines of "column = value".
func readSamples(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.NullString, len(names))
	targets := make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	var lines []string
	for len(lines) < maxSamples && rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return nil, err
		}
		fields := make([]string, len(names))
		for i, name := range names {
			fields[i] = name + " = NULL"
			if values[i].Valid {
				fields[i] = fmt.Sprintf("%s = %s", name, shorten(values[i].String, 60))
			}
		}
		lines = append(lines, strings.Join(fields, ", "))
	}
	return lines, rows.Err()
}
