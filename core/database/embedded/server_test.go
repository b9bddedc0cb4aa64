//go:build linux

package embedded_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"moult/core/database/embedded"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("EMBEDDED_TEST_ORPHAN"); dir != "" {
		startAndWait(dir)
		return
	}
	os.Exit(embedded.Main(m))
}

// start starts a fast server, or skips.
func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := embedded.Start(ctx, o)
	if errors.Is(err, embedded.ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func number(t *testing.T, dsn, query string) int {
	t.Helper()
	db, err := embedded.Connect(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func execute(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	db, err := embedded.Connect(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestDataSurviveStopAndKill(t *testing.T) {
	for name, end := range map[string]func(*embedded.Server) error{
		"stop": (*embedded.Server).Stop,
		"kill": func(s *embedded.Server) error { s.Kill(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := start(t, embedded.Options{Dir: dir, Fast: true})
			if err := s.CreateDatabase(t.Context(), "shop`s"); err != nil {
				t.Fatal(err)
			}
			execute(t, s.DSN("shop`s"), "CREATE TABLE t (n int)", "INSERT INTO t VALUES (7)", "INSERT INTO t VALUES (8)")
			if err := end(s); err != nil {
				t.Fatal(err)
			}
			s = start(t, embedded.Options{Dir: dir, Fast: true})
			defer s.Stop()
			if n := number(t, s.DSN("shop`s"), "SELECT SUM(n) FROM t"); n != 15 {
				t.Errorf("after %s and a new start the sum is %d, want 15", name, n)
			}
		})
	}
}

func TestTemporaryDirectoryGoesWithTheServer(t *testing.T) {
	s := start(t, embedded.Options{Fast: true})
	dir := s.Dir
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there (%v)", dir, err)
	}
}

func TestSocketOfADirectoryThatNoDSNCanNameIsPlacedElsewhere(t *testing.T) {
	for _, name := range []string{strings.Repeat("long", 30), "me@home"} {
		s := start(t, embedded.Options{Dir: filepath.Join(t.TempDir(), name), Fast: true})
		if n := number(t, s.DSN(""), "SELECT 1"); n != 1 {
			t.Errorf("%s: no answer", name)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Dir(s.Socket)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the directory of the socket is left behind: %v", err)
		}
	}
}

func TestBadArgumentIsReportedWithTheServersWords(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := embedded.Start(ctx, embedded.Options{Fast: true, Args: []string{"--no-such-option"}})
	if errors.Is(err, embedded.ErrAbsent) {
		t.Skip(err)
	}
	if err == nil {
		s.Stop()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("the error does not name the option: %v", err)
	}
}

func TestServerListensOnNoPort(t *testing.T) {
	dsn := embedded.ForTest(t)
	if os.Getenv("MOULT_TEST_DSN") != "" {
		t.Skip("the server is not ours")
	}
	if n := number(t, dsn, "SELECT @@skip_networking"); n != 1 {
		t.Error("the server listens on the network")
	}
}

func TestEveryTestGetsAnEmptyDatabase(t *testing.T) {
	first, second := embedded.ForTest(t), embedded.ForTest(t)
	if first == second {
		t.Fatal("two databases with one name")
	}
	execute(t, first, "CREATE TABLE t (n int)")
	if n := number(t, second, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema=DATABASE()"); n != 0 {
		t.Errorf("a new database has %d tables", n)
	}
}

// startAndWait is the body of the process that is killed below.
func startAndWait(dir string) {
	s, err := embedded.Start(context.Background(), embedded.Options{Dir: dir, Fast: true})
	if err != nil {
		os.Stdout.WriteString("error: " + err.Error())
		return
	}
	os.Stdout.WriteString("ready " + s.Dir + "\n")
	select {}
}

func TestServerDiesWithTheProcessThatStartedIt(t *testing.T) {
	dir := t.TempDir()
	start(t, embedded.Options{Dir: dir, Fast: true}).Stop() // or skip
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "EMBEDDED_TEST_ORPHAN="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, _ := out.Read(b)
	if !strings.HasPrefix(string(b[:n]), "ready") {
		t.Fatalf("the child says %q", b[:n])
	}
	if err := parent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	// InnoDB locks its files: a new server on them starts only when the
	// orphan has gone.
	deadline := time.Now().Add(20 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		s, err := embedded.Start(ctx, embedded.Options{Dir: dir, Fast: true, Args: []string{"--innodb-open-files=100"}})
		cancel()
		if err == nil {
			s.Stop()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the orphan still holds its files: %v", err)
		}
	}
}
