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
	s.DB.dsn = DSN{User: "shop", Network: "tcp", Address: "db:3307", Database: "sh,op", password: "s3cret", hasPassword: true}
	step := alterOf(t, p)
	for tool, want := range map[Tool][]string{
		PtOnlineSchemaChange: {"--alter", "DEFAULT 'a  b'", `h=db,P=3307,D=sh\,op,t=big,u=shop`, "--ask-pass"},
		GhOst:                {"--host=db", "--port=3307", "--table=big", "DEFAULT 'a  b'"},
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
		if strings.Contains(all, "s3cret") || strings.Contains(all, "ALTER TABLE") {
			t.Errorf("%s: %s", tool, all)
		}
	}
	if _, err := s.OnlineCommand(GhOst, &schema.Step{Statement: schema.Statement{SQL: "DROP VIEW v"}}); err == nil {
		t.Error("a view is left to a tool for tables")
	}
}

func TestRunWaitsForAnExternalToolAndGoesOn(t *testing.T) {
	s, p := onlineSite(t)
	before := s.sums()
	step := alterOf(t, p)
	s.Leave(step.ID)
	err := there(t.Context(), s.DB, p, nil)
	var left *LeftError
	if !errors.As(err, &left) || left.Step.ID != step.ID {
		t.Fatalf("%v; want %s to be left", err, step.ID)
	}
	command, err := s.OnlineCommand(PtOnlineSchemaChange, step)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath(command[0]); err != nil || s.dsn.HasPassword() {
		s.exec(step.SQL) // another tool stands in for it
	} else if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%s", command, err, out)
	}
	if err := there(t.Context(), s.DB, p, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
	s.undo(p)
	s.sameSums(before, "after undo")
}
