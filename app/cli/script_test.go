package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"

	"moult/app/cli"
	"moult/core/database/embedded"
	"moult/core/demo"
	"moult/core/site"
)

// TestMain makes this test binary the programs that scripts run: moult itself, and
// the tracer that kills it.
func TestMain(m *testing.M) {
	testscript.Main(withServer{m}, map[string]func(){
		"moult": func() {
			stopAtChanges()
			p := &cli.Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: "1.0.0"}
			os.Exit(p.Run(os.Args[1:]))
		},
		"killat": killAt,
	})
}

// withServer has the tests of this package share one database server.
type withServer struct{ m *testing.M }

func (w withServer) Run() int { return embedded.Main(w.m) }

// TestScripts are the commands that need no database.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: commands, Setup: setup(""), RequireExplicitExec: true})
}

// TestServerScripts are those that do.
func TestServerScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/server", Cmds: commands, Setup: setup(embedded.ForTest(t)), RequireExplicitExec: true})
}

// scripts numbers the scripts of a run, so that each has databases of its own.
var scripts atomic.Int64

// setup gives each script the DSN of a database of its own as $DSN, and homes that
// hold nothing of the person who runs the tests.
func setup(dsn string) func(*testscript.Env) error {
	return func(env *testscript.Env) error {
		env.Setenv("XDG_CONFIG_HOME", filepath.Join(env.WorkDir, ".config"))
		env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
		env.Values[snapshotsKey{}] = map[string]*demo.Snapshot{}
		if dsn == "" {
			return nil
		}
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			return err
		}
		cfg.DBName = fmt.Sprintf("%s_script%d", cfg.DBName, scripts.Add(1))
		env.Setenv("DSN", cfg.FormatDSN())
		db, err := embedded.Connect(dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		if _, err := db.Exec("CREATE DATABASE `" + cfg.DBName + "`"); err != nil {
			return err
		}
		env.Defer(func() {
			db, err := embedded.Connect(dsn)
			if err != nil {
				return
			}
			defer db.Close()
			db.Exec("DROP DATABASE `" + cfg.DBName + "`")
		})
		return nil
	}
}

// commands are what scripts can say besides testscript's own.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"exits":   exits,
	"json":    printsJSON,
	"demo":    makeDemo,
	"snap":    snap,
	"same":    same,
	"lock":    lock,
	"sql":     runSQL,
	"corrupt": corrupt,
}

// exits CODE PROGRAM ARGS… runs a program that must exit with the code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if (code == want) == neg {
		ts.Fatalf("%s exited with %d, want %d", strings.Join(args[1:], " "), code, want)
	}
}

// json PROGRAM ARGS… runs a program that must print one JSON document and nothing else
// on standard output. Its keys are in snake_case, and those of the outermost object
// in docs/formats.md.
func printsJSON(ts *testscript.TestScript, _ bool, args []string) {
	if err := ts.Exec(args[0], args[1:]...); errors.As(err, new(*exec.ExitError)) {
		ts.Logf("%v", err) // what differs, waits or failed is told in JSON, too
	} else {
		ts.Check(err)
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var doc any
	if err := d.Decode(&doc); err != nil {
		ts.Fatalf("%s prints no JSON: %v", strings.Join(args, " "), err)
	}
	if d.More() {
		ts.Fatalf("%s prints more than one JSON document", strings.Join(args, " "))
	}
	if bad := regexp.MustCompile(`"[a-z0-9_]*[^a-z0-9_"\n][^"\n]*": `).FindString(ts.ReadFile("stdout")); bad != "" {
		ts.Fatalf("%s prints the key %s", strings.Join(args, " "), bad)
	}
	formats, err := os.ReadFile(root + "/docs/formats.md")
	ts.Check(err)
	object, _ := doc.(map[string]any)
	for key := range object {
		if !bytes.Contains(formats, []byte("`"+key+"`")) {
			ts.Fatalf("%s prints the key %s, which is not in docs/formats.md", strings.Join(args, " "), key)
		}
	}
}

// demo DIR makes a demo on the script's server. $WIKI_DSN is its wiki's database.
func makeDemo(ts *testscript.TestScript, _ bool, args []string) {
	d, err := demo.Build(context.Background(), ts.MkAbs(args[0]), demo.Options{DSN: ts.Getenv("DSN")})
	ts.Check(err)
	ts.Defer(func() { d.Close() })
	ts.Setenv("WIKI_DSN", d.DSN(d.Sites[0]))
}

type snapshotsKey struct{}

func snapshots(ts *testscript.TestScript) map[string]*demo.Snapshot {
	return ts.Value(snapshotsKey{}).(map[string]*demo.Snapshot)
}

// snap SITE NAME keeps what the site is now.
func snap(ts *testscript.TestScript, _ bool, args []string) {
	s, err := demo.Snap(context.Background(), ts.MkAbs(args[0]))
	ts.Check(err)
	snapshots(ts)[args[1]] = s
}

// same SITE NAME fails unless the site is what it was then; with ! if it is.
func same(ts *testscript.TestScript, neg bool, args []string) {
	was, ok := snapshots(ts)[args[1]]
	if !ok {
		ts.Fatalf("no snapshot is called %s", args[1])
	}
	is, err := demo.Snap(context.Background(), ts.MkAbs(args[0]))
	ts.Check(err)
	err = was.Same(is)
	if neg && err == nil {
		ts.Fatalf("%s is still as %s", args[0], args[1])
	}
	if !neg {
		ts.Check(err)
	}
}

// lock SITE holds the site's lock until the end of the script.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	s, err := site.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	l, err := s.Lock()
	ts.Check(err)
	ts.Defer(func() {
		l.Release()
		s.Close()
	})
}

// sql STATEMENT runs a statement in the script's database.
func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	db, err := embedded.Connect(ts.Getenv("DSN"))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[0])
	if neg != (err != nil) {
		ts.Fatalf("%s: %v", args[0], err)
	}
}

// corrupt PATTERN changes a byte in the middle of each file that matches.
func corrupt(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("nothing matches %s", args[0])
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		ts.Check(err)
		b[len(b)/2] ^= 0x01
		ts.Check(os.WriteFile(name, b, 0o644))
	}
}
