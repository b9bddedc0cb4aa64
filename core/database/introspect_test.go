package database

import (
	"testing"

	"moult/core/schema"
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
