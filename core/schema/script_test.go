package schema_test

import (
	"strings"
	"testing"

	"moult/core/schema"
)

func TestScriptsCarryTheirDelimiterAndSession(t *testing.T) {
	for _, tt := range []struct {
		s    schema.Statement
		want string
	}{
		{schema.Statement{SQL: "ALTER TABLE t ADD a int"}, "ALTER TABLE t ADD a int;"},
		{schema.Statement{SQL: "CREATE VIEW v AS SELECT ';'"}, "CREATE VIEW v AS SELECT ';';"},
		{schema.Statement{SQL: "CREATE PROCEDURE p() BEGIN SELECT 1; END"}, "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SELECT 1; END;;\nDELIMITER ;"},
		{schema.Statement{SQL: "DROP VIEW v", Session: map[string]string{"sql_mode": "ANSI"}},
			"SET @moult_sql_mode=@@SESSION.sql_mode, SESSION sql_mode='ANSI';\nDROP VIEW v;\nSET SESSION sql_mode=@moult_sql_mode;"},
	} {
		if got := tt.s.Script(); got != tt.want {
			t.Errorf("got\n%s\nwant\n%s", got, tt.want)
		}
	}
}

func TestTiDBGetsOneChangePerStatement(t *testing.T) {
	fl := schema.DefaultTiDB
	p, err := schema.NewPlan(
		read(t, "from", "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(9), KEY a (a));", fl),
		read(t, "to", "CREATE TABLE t (id int PRIMARY KEY, x int, y int, b varchar(20), KEY b (b), KEY x (x)) COMMENT='c';", fl), schema.Options{Flavor: fl})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		for _, statement := range append([]schema.Statement{s.Statement}, s.Inverse...) {
			if strings.HasPrefix(statement.SQL, "ALTER") && strings.Count(statement.SQL, "\n") > 1 {
				t.Errorf("two changes in one statement:\n%s", statement.SQL)
			}
		}
	}
	if len(p.Steps) < 8 {
		t.Errorf("the plan has %d steps:\n%s", len(p.Steps), script(p))
	}
}
