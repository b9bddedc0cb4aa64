package database

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"moult/core/schema"
)

func onlineSite(t *testing.T) (*site, *schema.Plan) {
	s := newSite(t, "CREATE TABLE big (id int NOT NULL PRIMARY KEY, a int NOT NULL, v varchar(20) NOT NULL DEFAULT 'a,b')",
		"INSERT INTO big (id, a) VALUES (1, 2), (2, 3), (3, 4)")
	return s, s.plan("CREATE TABLE big (id int NOT NULL PRIMARY KEY, a bigint NOT NULL, v varchar(20) NOT NULL DEFAULT 'a  b', KEY a (a)); CREATE TABLE later (id int PRIMARY KEY)")
}

// alterOf returns the step that alters the table.
func alterOf(t *testing.T, p *schema.Plan) *schema.Step {
	t.Helper()
	i := slices.IndexFunc(p.Steps, func(s schema.Step) bool { return strings.HasPrefix(s.SQL, "ALTER TABLE `big`") })
	if i < 0 {
		t.Fatal("the plan alters no table")
	}
	return &p.Steps[i]
}

func TestCommandOfAnOnlineTool(t *testing.T) {
	s, p := onlineSite(t)
	s.DB.flavor = schema.DefaultMySQL
	s.DB.dsn = DSN{User: "shop", Network: "tcp", Address: "db:3307", Database: "sh,op", password: "s3cret", hasPassword: true}
	step := alterOf(t, p)
	for tool, want := range map[Tool][]string{
		PtOnlineSchemaChange: {"--alter", "DEFAULT 'a  b'", `h=db,P=3307,D=sh\,op,t=big,u=shop`, "--ask-pass"},
		GhOst:                {"--host=db", "--port=3307", "--table=big", "DEFAULT 'a  b'", "--ask-pass", "--approve-renamed-columns"},
	} {
		command, err := s.OnlineCommand(tool, step)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(command, " ")
		for _, part := range want {
			if !strings.Contains(all, part) {
				t.Errorf("%s: %s lacks %s", tool, all, part)
			}
		}
		if strings.Contains(all, "s3cret") || strings.Contains(all, "ALTER TABLE") || strings.Contains(all, "\n") {
			t.Errorf("%s: %s", tool, all)
		}
	}
	for _, sql := range []string{"DROP VIEW v", "ALTER TABLE `t`\n  DROP PARTITION `p`"} {
		if _, err := s.OnlineCommand(GhOst, &schema.Step{Statement: schema.Statement{SQL: sql, Probe: "SELECT 1"}}); err == nil {
			t.Errorf("%s is left to a tool for tables", sql)
		}
	}
}

// largeOld is a table for a tool: with foreign keys both ways, a trigger, a column
// that goes, values that are cut, and a timestamp that must not notice.
var largeOld = []string{
	"CREATE TABLE kinds (id int NOT NULL PRIMARY KEY)",
	"CREATE TABLE big (id int NOT NULL PRIMARY KEY, a int NOT NULL, kind int NOT NULL, fax varchar(30), v varchar(20) NOT NULL DEFAULT 'a,b'," +
		" changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY kind (kind), CONSTRAINT big_kind FOREIGN KEY (kind) REFERENCES kinds (id))",
	"CREATE TABLE child (id int PRIMARY KEY, big int, CONSTRAINT child_big FOREIGN KEY (big) REFERENCES big (id) ON DELETE CASCADE)",
	"CREATE TABLE log (n int)",
	"CREATE TRIGGER big_in AFTER INSERT ON big FOR EACH ROW INSERT INTO log VALUES (NEW.id)",
	"INSERT INTO kinds VALUES (1)",
	"INSERT INTO big (id, a, kind, fax, v) VALUES (1, 2, 1, '11', 'x'), (2, 3, 1, NULL, 'a long value'), (3, 4, 1, '33', 'y')",
	"INSERT INTO child VALUES (1, 1), (2, 3)",
}

const largeNew = `
CREATE TABLE kinds (id int NOT NULL PRIMARY KEY, label varchar(9) DEFAULT NULL);
CREATE TABLE big (id int NOT NULL PRIMARY KEY, a bigint NOT NULL, kind int NOT NULL, v varchar(8) NOT NULL DEFAULT 'a  b',
	changed timestamp NOT NULL DEFAULT '2020-01-01 00:00:00' ON UPDATE CURRENT_TIMESTAMP, KEY a (a), KEY kind (kind), CONSTRAINT big_kind FOREIGN KEY (kind) REFERENCES kinds (id));
CREATE TABLE child (id int PRIMARY KEY, big int, CONSTRAINT child_big FOREIGN KEY (big) REFERENCES big (id) ON DELETE CASCADE);
CREATE TABLE log (n bigint);
CREATE TRIGGER big_in AFTER INSERT ON big FOR EACH ROW INSERT INTO log VALUES (NEW.id + 1);
`

// largeSite is a site whose plan leaves the slow statements on big to a tool.
func largeSite(t *testing.T) (*site, *schema.Plan) {
	s := newSite(t, largeOld...)
	p := s.plan(largeNew)
	if _, _, err := s.Cost(t.Context(), p, s.introspect()); err != nil {
		t.Fatal(err)
	}
	s.leave(s.DB, p)
	return s, p
}

func (s *site) leave(d *DB, p *schema.Plan) {
	s.t.Helper()
	ids, err := d.Leavable(s.t.Context(), p, []string{"big"}, 0)
	if err != nil || len(ids) == 0 {
		s.t.Fatalf("%v, %v; want steps on big to be left", ids, err)
	}
	d.Leave(ids...)
}

// useTool does what is left by the tool, or in its place where it is not installed
// or would ask for a password.
func (s *site) useTool(err error) {
	s.t.Helper()
	var left *LeftError
	if !errors.As(err, &left) {
		s.t.Fatalf("%v; want a step to be left", err)
	}
	for _, step := range left.Steps {
		if step.Table != "big" {
			s.t.Fatalf("left: %+v", step)
		}
		command, err := s.OnlineCommand(PtOnlineSchemaChange, &step)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := exec.LookPath(command[0]); err != nil || s.dsn.HasPassword() {
			s.exec(step.SQL)
		} else if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			s.t.Fatalf("%q: %v\n%s", command, err, out)
		}
	}
}

func TestRunAndUndoWaitForAnExternalToolAndGoOn(t *testing.T) {
	s, p := largeSite(t)
	before := s.sums()
	s.useTool(there(t.Context(), s.DB, p, nil))
	s.run(p)
	s.useTool(back(t.Context(), s.DB, p, nil))
	s.undo(p)
	s.sameSums(before, "after undo")
}

func TestUndoTakesBackWhatAToolHasDoneUnseen(t *testing.T) {
	for _, happened := range []bool{true, false} {
		s, p := largeSite(t)
		before := s.sums()
		err := there(t.Context(), s.DB, p, nil)
		if happened {
			s.useTool(err)
		}
		s.Leave()
		s.undo(p)
		s.sameSums(before, "after undo")
	}
}

func TestLeftStatementHoldsBackOnlyWhatNeedsIt(t *testing.T) {
	s, p := largeSite(t)
	for range 2 { // the second time finds all as the first one left it
		var left *LeftError
		if err := there(t.Context(), s.DB, p, nil); !errors.As(err, &left) || !strings.Contains(err.Error(), "table big") {
			t.Fatalf("%v; want big to be left", err)
		}
	}
	for query, want := range map[string]string{
		"SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'big' AND column_name = 'a'":      "int",
		"SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'kinds' AND column_name = 'label'": "1",
		"SELECT data_type FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'log'":                            "bigint",
		"SELECT COUNT(*) FROM information_schema.triggers WHERE trigger_schema = DATABASE()":                                                 "0",
		"SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'big' AND index_name = 'a'":     "0",
	} {
		if got := s.text(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	s.Leave() // it is done here after all
	s.run(p)
}

func TestLargeTablesAreLeftBySize(t *testing.T) {
	s, p := largeSite(t)
	for larger, some := range map[int64]bool{0: false, 1: true, 1 << 40: false} {
		ids, err := s.Leavable(t.Context(), p, nil, larger)
		if err != nil || (len(ids) > 0) != some {
			t.Errorf("larger than %d: %v, %v", larger, ids, err)
		}
	}
}
