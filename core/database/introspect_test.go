package database

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"moult/core/schema"
	"moult/core/schema/parse"
)

func TestIntrospectionReadsEveryKindOfObject(t *testing.T) {
	s := newSite(t,
		"CREATE TABLE parent (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'it''s; new', KEY name (name(10)))",
		"CREATE TABLE child (id bigint PRIMARY KEY, parent int unsigned, CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)",
		"CREATE TABLE _moult_u0_1 (x int)",
		"ALTER TABLE parent ADD COLUMN _moult_u0_2 int",
		"CREATE VIEW v AS SELECT id, name FROM parent WHERE name <> ';'",
		"CREATE TRIGGER trg BEFORE INSERT ON child FOR EACH ROW BEGIN SET NEW.id = NEW.id; IF NEW.parent < 0 THEN SET NEW.parent = NULL; END IF; END",
		"CREATE FUNCTION f(a int) RETURNS int DETERMINISTIC RETURN a + 1",
		"CREATE PROCEDURE p(IN a int) BEGIN SELECT a; SELECT a + 1; END",
		"CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM child WHERE id < 0",
	)
	live := s.introspect()
	if len(live.Tables) != 2 || len(live.Views) != 1 || len(live.Triggers) != 1 || len(live.Routines) != 2 || len(live.Events) != 1 {
		t.Fatalf("read %d tables, %d views, %d triggers, %d routines, %d events", len(live.Tables), len(live.Views), len(live.Triggers), len(live.Routines), len(live.Events))
	}
	parent := live.Table("parent")
	if len(parent.Columns) != 2 || parent.Columns[1].Default.Text != "it's; new" {
		t.Errorf("parent's columns: %+v", parent.Columns)
	}
	if trg := live.Triggers[0]; trg.Stored.SQLMode == "" || trg.Stored.Raw == "" || trg.Table != "child" {
		t.Errorf("trigger %+v", trg)
	}
	if err := s.Matches(t.Context(), schema.Emit(live, s.Flavor())); err != nil {
		t.Errorf("the live schema does not match its own text: %v", err)
	}
	s.exec("ALTER TABLE child ADD COLUMN extra int")
	if err := s.Matches(t.Context(), schema.Emit(live, s.Flavor())); err == nil {
		t.Error("an added column is not noticed")
	}
}

// statements returns what the server is told while do runs.
func (s *site) statements(do func()) []string {
	s.t.Helper()
	log := filepath.Join(s.t.TempDir(), "general.log")
	s.exec("SET GLOBAL general_log_file = "+schema.QuoteText(log), "SET GLOBAL log_output = 'FILE'", "SET GLOBAL general_log = ON")
	do()
	s.exec("SET GLOBAL general_log = OFF", "SET GLOBAL general_log_file = DEFAULT")
	b, err := os.ReadFile(log)
	if err != nil {
		s.t.Skipf("the server's log can't be read: %v", err)
	}
	return regexp.MustCompile(`(?m)^.*\d (Query|Prepare|Execute)\t`).Split(string(b), -1)[1:]
}

func TestOneChangedTableOfAThousandIsAllThatTheServerIsAskedAbout(t *testing.T) {
	notShort(t)
	const tables, changed = 1000, "table_7"
	// Whether two checks mean the same is for the server to say.
	define := func(i int) string {
		return fmt.Sprintf("CREATE TABLE table_%d (id int NOT NULL PRIMARY KEY, a int DEFAULT NULL, CHECK (a + 1 > %d))", i, i)
	}
	var now, target []string
	for i := range tables {
		now = append(now, define(i))
		if text := define(i); fmt.Sprintf("table_%d", i) == changed {
			target = append(target, strings.Replace(text, "a int DEFAULT NULL", "a bigint DEFAULT NULL, b int AS (a * 2)", 1))
		} else {
			target = append(target, text)
		}
	}
	s := newSite(t, now...)
	live := s.introspect()
	want, err := parse.Text("target", strings.Join(target, ";\n"), s.Flavor())
	if err != nil {
		t.Fatal(err)
	}
	want.Charset, want.Collation = live.Charset, live.Collation
	var plan *schema.Plan
	asked := s.statements(func() {
		resolved, err := s.Resolve(t.Context(), schema.Canonical(want, s.Flavor()), live)
		if err != nil {
			t.Fatal(err)
		}
		if plan, err = schema.NewPlan(live, resolved, schema.Options{Flavor: s.Flavor(), UpdateID: "u1"}); err != nil {
			t.Fatal(err)
		}
		if proved, reason, err := s.Cost(t.Context(), plan, live); err != nil || !proved {
			t.Fatalf("proved %v, %s, %v", proved, reason, err)
		}
		s.findings(s.DB, plan)
	})
	if len(plan.Steps) == 0 {
		t.Fatal("there is nothing to do")
	}
	name := regexp.MustCompile(`table_\d+`)
	about := 0
	for _, statement := range asked {
		for _, found := range name.FindAllString(statement, -1) {
			if about++; found != changed {
				t.Errorf("asked about %s: %s", found, shorten(statement, 200))
			}
		}
	}
	t.Logf("%d statements, of which %d are about the table", len(asked), about)
	if about == 0 || len(asked) > 150 {
		t.Errorf("%d statements, %d about the table; want at most 150", len(asked), about)
	}
}
