package database

import (
	"fmt"
	"strings"
	"testing"

	"moult/core/schema"
)

func TestPlanIsProvedOnAnEmptyCopy(t *testing.T) {
	s := newSite(t, shopOld...)
	live := s.introspect()
	before := s.sums()
	p := s.plan(shopNew)
	proved, reason, err := s.Cost(t.Context(), p, live)
	if err != nil {
		t.Fatal(err)
	}
	if !proved {
		t.Fatalf("not proved: %s", reason)
	}
	widening := ""
	for _, step := range p.Steps {
		if isAlter(step.SQL) && (step.Algorithm == "" || step.Estimated) {
			t.Errorf("%s (%s): algorithm %q, estimated %v", step.ID, step.Change, step.Algorithm, step.Estimated)
		}
		if strings.Contains(step.SQL, "MODIFY COLUMN `id` bigint") {
			widening = step.Algorithm
		}
	}
	if widening != "COPY" {
		t.Errorf("int to bigint goes by %q, want COPY", widening)
	}
	s.sameSums(before, "after a trial")
	if err := s.Matches(t.Context(), p.Start); err != nil {
		t.Error(err)
	}
	if n := s.text("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = " + schema.QuoteText(s.scratchName())); n != "0" {
		t.Error("the scratch database is left behind")
	}
}

func TestCostIsAskedOfTheServer(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a varchar(10), b int NOT NULL DEFAULT 0)")
	want := map[string]map[string]bool{ // change, and what servers may answer
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(10), b int NOT NULL DEFAULT 0, c int DEFAULT NULL)": {"INSTANT": true, "REBUILD": true},
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(10), b int NOT NULL DEFAULT 0, KEY a (a))":          {"NOCOPY": true, "INPLACE": true},
		"CREATE TABLE t (id int PRIMARY KEY, a varchar(200), b bigint NOT NULL DEFAULT 0)":                 {"COPY": true},
	}
	for target, algorithms := range want {
		p := s.plan(target)
		if proved, reason, err := s.Cost(t.Context(), p, s.introspect()); err != nil || !proved {
			t.Errorf("%s: proved %v, %s, %v", target, proved, reason, err)
		}
		if got := p.Steps[0]; !algorithms[got.Algorithm] || got.Estimated {
			t.Errorf("%s: %s, estimated %v; want one of %v", target, got.Algorithm, got.Estimated, algorithms)
		}
	}
}

func TestWrongInverseIsFoundBeforeTheRun(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY, a varchar(10) DEFAULT NULL)")
	live := s.introspect()
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a varchar(10) DEFAULT NULL, b int DEFAULT NULL)")
	p.Steps[0].Inverse = nil
	if proved, reason, err := s.Cost(t.Context(), p, live); err != nil || proved || !strings.Contains(reason, "old schema") {
		t.Errorf("without an inverse: proved %v, %q, %v", proved, reason, err)
	}
	p = s.plan("CREATE TABLE t (id int PRIMARY KEY, a varchar(10) DEFAULT NULL, b int DEFAULT NULL)")
	p.Steps[0].Probe = "SELECT 1"
	if proved, reason, err := s.Cost(t.Context(), p, live); err != nil || proved || !strings.Contains(reason, "counts as done") {
		t.Errorf("with a probe that always says yes: proved %v, %q, %v", proved, reason, err)
	}
}

// limited makes a user with rights on the database of the site only.
func (s *site) limited(rights string) *DB {
	s.t.Helper()
	host := "localhost"
	if s.dsn.Network != "unix" {
		host = "%"
	}
	account := fmt.Sprintf("'moult_limited'@'%s'", host)
	s.exec("DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY 'x'",
		"GRANT "+rights+" ON "+schema.Quote(s.dsn.Database)+".* TO "+account)
	s.t.Cleanup(func() { s.exec("DROP USER " + account) })
	dsn := s.dsn.WithPassword("x")
	dsn.User = "moult_limited"
	d, err := Open(s.t.Context(), dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	d.waits = quick
	s.t.Cleanup(func() { d.Close() })
	return d
}

func TestWithoutAScratchDatabaseTheCostIsSaidToBeAnEstimate(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL)")
	d := s.limited("ALL PRIVILEGES")
	proved, reason, err := d.Cost(t.Context(), p, s.introspect())
	if err != nil || proved || !strings.Contains(reason, "estimated") || !strings.Contains(reason, "GRANT") {
		t.Errorf("proved %v, %q, %v", proved, reason, err)
	}
	for _, step := range p.Steps {
		if step.Algorithm != "" && !step.Estimated {
			t.Errorf("%s is said to go by %s, which nobody asked", step.ID, step.Algorithm)
		}
	}
}

func TestDatabaseOfSomebodyElseIsNotDroppedForATrial(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY)")
	name := schema.Quote(s.scratchName())
	s.exec("CREATE DATABASE "+name, "CREATE TABLE "+name+".precious (x int)")
	defer s.exec("DROP DATABASE " + name)
	p := s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL)")
	proved, reason, err := s.Cost(t.Context(), p, s.introspect())
	if err != nil || proved || !strings.Contains(reason, "not one of Moult's") {
		t.Errorf("proved %v, %q, %v", proved, reason, err)
	}
	if s.text("SELECT COUNT(*) FROM "+name+".precious") != "0" {
		t.Error("the table is gone")
	}
}
