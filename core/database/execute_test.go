package database

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"moult/core/schema"
)

func TestCancelEndsTheStatementOnTheServer(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (id int PRIMARY KEY) AS SELECT 1 AS id")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(200*time.Millisecond, cancel)
	started := time.Now()
	err := s.execute(ctx, schema.Statement{SQL: "UPDATE t SET id = id + SLEEP(60)", DML: true}, nil)
	if !errors.Is(err, context.Canceled) || time.Since(started) > 10*time.Second {
		t.Fatalf("after %v: %v", time.Since(started), err)
	}
	ended := func() bool {
		all, err := s.processes(t.Context(), s.pool)
		if err != nil {
			t.Fatal(err)
		}
		return !slices.ContainsFunc(all, func(b Blocker) bool { return strings.Contains(b.Statement, "SLEEP(60)") })
	}
	if !eventually(ended) {
		t.Error("it still runs on the server")
	}
}

// blockedSite is a site with a table that a reader holds on to.
func blockedSite(t *testing.T) (s *site, p *schema.Plan, letGo func()) {
	s = newSite(t, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
	p = s.plan("CREATE TABLE t (id int PRIMARY KEY, a int DEFAULT NULL)")
	tx, err := s.app.Begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback() })
	var n int
	if err := tx.QueryRow("SELECT COUNT(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return s, p, func() { tx.Rollback() }
}

func TestCancelOfABlockedAlterLeavesTheOldTable(t *testing.T) {
	s, p, letGo := blockedSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting := ""
	err := s.Run(ctx, p, p.Steps[0].Phase, nil, func(now Progress) {
		if now.Waiting != "" && waiting == "" {
			waiting = now.Waiting
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if !strings.Contains(waiting, "connection ") {
		t.Errorf("waits for %q; want the connection of the reader", waiting)
	}
	letGo()
	time.Sleep(100 * time.Millisecond) // an ALTER that went on would be through now
	if err := s.Matches(t.Context(), p.Start); err != nil {
		t.Errorf("the ALTER ran after the cancel: %v", err)
	}
	s.undo(p)
}

func TestReadersNeverStandLongerThanTheLockWait(t *testing.T) {
	s, p, letGo := blockedSite(t)
	s.waits.attempts = 3
	// Another reader asks all the time, as visitors do.
	stop, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		var worst time.Duration
		for {
			select {
			case <-stop:
				longest <- worst
				return
			default:
			}
			began := time.Now()
			var n int
			if s.app.QueryRow("SELECT COUNT(*) FROM t").Scan(&n) == nil {
				worst = max(worst, time.Since(began))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	time.AfterFunc(4*time.Second, letGo)
	err := s.Run(t.Context(), p, p.Steps[0].Phase, nil, nil)
	close(stop)
	if worst := <-longest; worst > (lockWait+2)*time.Second {
		t.Errorf("a reader stood for %v; want at most %d s", worst, lockWait)
	}
	if err != nil {
		t.Fatalf("the attempt after the reader's end fails: %v", err)
	}
	if err := s.Matches(t.Context(), p.Target); err != nil {
		t.Error(err)
	}
}

func TestFailureNamesWhoStandsInTheWay(t *testing.T) {
	s, p, letGo := blockedSite(t)
	defer letGo()
	s.waits.attempts = 1
	err := s.Run(t.Context(), p, p.Steps[0].Phase, nil, nil)
	var failure *StepError
	if !errors.As(err, &failure) || len(failure.Blockers) == 0 || !strings.Contains(err.Error(), "idle inside a transaction") {
		t.Fatalf("%v; want a blocker named", err)
	}
	s.undo(p)
}

func TestStatementRunsUnderItsSessionAndLeavesOurs(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (v varchar(100))")
	before := s.sessionText("SELECT CONCAT(@@sql_mode, @@foreign_key_checks, @@character_set_client)")
	st := schema.Statement{SQL: "INSERT INTO t SELECT CONCAT(@@sql_mode, '|', @@foreign_key_checks + 0, '|', 'é')", Session: map[string]string{
		"sql_mode": "ANSI_QUOTES", "foreign_key_checks": "0", "character_set_client": "latin1"}}
	if err := s.execute(t.Context(), st, nil); err != nil {
		t.Fatal(err)
	}
	if got := s.text("SELECT v FROM t"); got != "ANSI_QUOTES|0|é" {
		t.Errorf("ran under %q", got)
	}
	if after := s.sessionText("SELECT CONCAT(@@sql_mode, @@foreign_key_checks, @@character_set_client)"); after != before {
		t.Errorf("the session is %q now, was %q", after, before)
	}
	if err := s.execute(t.Context(), schema.Statement{SQL: "SELECT 1", Session: map[string]string{"x; DROP TABLE t": "1"}}, nil); err == nil {
		t.Error("a variable with a bad name is accepted")
	}
}

func (s *site) sessionText(query string) string {
	s.t.Helper()
	var v string
	if err := s.conn.QueryRowContext(s.t.Context(), query).Scan(&v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

func TestRecoveryEndsTheStatementOfAProcessThatDied(t *testing.T) {
	s, p, letGo := blockedSite(t)
	// A connection of a dead process: it holds the lock, and the server still
	// works on its statement.
	dead, err := s.app.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	var got int
	if err := dead.QueryRowContext(t.Context(), "SELECT GET_LOCK(?, 0)", s.lockName()).Scan(&got); err != nil || got != 1 {
		t.Fatal(got, err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := dead.ExecContext(t.Context(), p.Steps[0].SQL)
		ended <- err
	}()
	waiting := func() bool {
		return s.text("SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%' AND db = DATABASE()") == "1"
	}
	if !eventually(waiting) {
		t.Fatal("the statement does not wait")
	}
	s.waits.lock = 10 * time.Second
	s.undo(p)
	if err := <-ended; err == nil {
		t.Error("the statement of the dead process went through")
	}
	letGo()
	if err := s.Matches(t.Context(), p.Start); err != nil {
		t.Error(err)
	}
}
