package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// startPatience bounds the start of a test's server on a busy machine.
const startPatience = 2 * time.Minute

// TB is the part of testing.TB that ForTest uses; it keeps the package testing
// out of the programs that import this one.
type TB interface {
	Helper()
	Name() string
	Cleanup(func())
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// shared is the server that the tests of this process have in common. It has to
// be a variable of the package: tests know nothing of each other.
var shared struct {
	sync.Mutex
	server *Server
	users  int // tests that run, and one for Main
	made   int // databases so far, for unique names
}

// Main runs the tests of a package with one server for all of them, and returns
// the code for os.Exit. Without it a server lives as long as a test uses it.
func Main(m interface{ Run() int }) int {
	shared.Lock()
	shared.users++
	shared.Unlock()
	defer release()
	return m.Run()
}

// ForTest returns the DSN of a new empty database, in the form of go-sql-driver.
// It goes away with the test. The test is skipped when there is no server
// program, and fails when there is one that does not work.
//
// With MOULT_TEST_DSN set to the DSN of a running server (user with all rights,
// any or no database), the database is made there.
func ForTest(t TB) string {
	t.Helper()
	c, err := testServer(t)
	if errors.Is(err, ErrAbsent) {
		t.Skipf("needs a database server: %v", err)
	}
	if err != nil {
		t.Fatalf("start a database server for the test: %v", err)
	}
	shared.Lock()
	shared.made++
	name := fmt.Sprintf("moult_test_%d_%d_%s", os.Getpid(), shared.made, identifier(t.Name()))
	shared.Unlock()
	c.DBName = name[:min(len(name), 60)]
	if err := execute(c, "CREATE DATABASE "+quote(c.DBName)); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := execute(c, "DROP DATABASE IF EXISTS "+quote(c.DBName)); err != nil {
			t.Fatalf("drop the database of the test: %v", err)
		}
	})
	return c.FormatDSN()
}

// testServer returns the configuration of the server to test on; a server that
// is started for it is let go when the test ends.
func testServer(t TB) (*mysql.Config, error) {
	if dsn := os.Getenv("MOULT_TEST_DSN"); dsn != "" {
		return mysql.ParseDSN(dsn)
	}
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startPatience)
		defer cancel()
		server, err := Start(ctx, Options{Fast: true})
		if err != nil {
			return nil, err
		}
		shared.server = server
	}
	shared.users++
	t.Cleanup(release)
	return mysql.ParseDSN(shared.server.DSN(""))
}

// release lets go of the shared server and stops it after its last user.
func release() {
	shared.Lock()
	defer shared.Unlock()
	shared.users--
	if shared.users > 0 || shared.server == nil {
		return
	}
	if err := shared.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	shared.server = nil
}

// execute runs one statement on the server of c outside any database.
func execute(c *mysql.Config, statement string) error {
	c = c.Clone()
	c.DBName, c.Logger = "", &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// identifier returns the letters and digits of a test's name.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '_'
		}
	}, name)
}
