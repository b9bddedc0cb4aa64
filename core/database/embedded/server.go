package embedded

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// ErrAbsent is in the chain of an error of [Start] when the machine has no
// server program to start.
var ErrAbsent = errors.New("mariadbd is not installed (Debian and Ubuntu: apt install mariadb-server-core)")

// Account is the user of [Server.DSN]. It has every right, no password, and
// can be used over the socket only.
const Account = "moult"

// maxSocketPath is the longest path of a Unix socket on Linux (unix(7): 108
// bytes with the final zero).
const maxSocketPath = 107

// stopPatience is how long a server may take to shut down before it is killed.
const stopPatience = 30 * time.Second

// Options say how a server is started. The zero value is a durable server in a
// new temporary directory.
type Options struct {
	// Dir holds the data, the socket and the log. An existing data directory
	// in it is used again. "" means a new temporary directory, removed by Stop.
	Dir string
	// Fast turns off every fsync: the data survives the end of the process,
	// even by kill -9, but not a power cut.
	Fast bool
	// Args are given to the server after our own.
	Args []string
}

// Server is a running server.
type Server struct {
	Dir    string
	Socket string

	process *process
	remove  []string // directories that go with the server
}

// Start starts a server and returns when it answers. The context bounds the
// start only; the server then runs until Stop or the end of this process. The
// error wraps [ErrAbsent] when there is no program to start.
func Start(ctx context.Context, o Options) (*Server, error) {
	program, err := findProgram()
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: o.Dir}
	if err := s.start(ctx, program, o); err != nil {
		s.removeTemporary()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, program *program, o Options) error {
	if s.Dir == "" {
		dir, err := os.MkdirTemp("", "moult-db-")
		if err != nil {
			return fmt.Errorf("start a private database server: %w", err)
		}
		s.Dir, s.remove = dir, append(s.remove, dir)
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("start a private database server: %w", err)
	}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return fmt.Errorf("start a private database server in %s: %w", s.Dir, err)
	}
	s.Dir = dir
	if err := s.placeSocket(); err != nil {
		return err
	}
	data := filepath.Join(s.Dir, "data")
	if err := program.provideData(ctx, data); err != nil {
		return fmt.Errorf("make the data directory %s: %w", data, err)
	}
	log, err := os.Create(filepath.Join(s.Dir, "server.log"))
	if err != nil {
		return fmt.Errorf("start a private database server: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(program.path, append(program.arguments(data, s.Socket, o.Fast), o.Args...)...)
	cmd.Dir = s.Dir
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start %s: %w", program.path, err)
	}
	return s.waitReady(ctx)
}

// placeSocket puts the socket beside the data, or where that path is too long
// for a socket or can't stand in a DSN, in a temporary directory.
func (s *Server) placeSocket() error {
	s.Socket = filepath.Join(s.Dir, "socket")
	if len(s.Socket) <= maxSocketPath && !strings.Contains(s.Socket, "@") {
		return nil
	}
	dir, err := os.MkdirTemp("", "moult-db-")
	if err != nil {
		return fmt.Errorf("place the socket of the database server: %w", err)
	}
	s.remove = append(s.remove, dir)
	s.Socket = filepath.Join(dir, "socket")
	if len(s.Socket) > maxSocketPath {
		return fmt.Errorf("place the socket of the database server: the path %s is longer than %d bytes; set TMPDIR to a shorter one", s.Socket, maxSocketPath)
	}
	return nil
}

// waitReady asks until the server answers, ends, or the context is over.
func (s *Server) waitReady(ctx context.Context) error {
	db, err := Connect(s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	for {
		if db.PingContext(ctx) == nil {
			return nil
		}
		select {
		case <-s.process.done:
			return fmt.Errorf("the database server in %s ended at once: %w\n%s", s.Dir, s.process.err, s.logTail())
		case <-ctx.Done():
			s.process.kill()
			return fmt.Errorf("the database server in %s did not get ready: %w\n%s", s.Dir, ctx.Err(), s.logTail())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Connect opens a pool for the DSN, in the form of go-sql-driver, with a driver
// that writes nothing to standard error.
func Connect(dsn string) (*sql.DB, error) {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return nil, fmt.Errorf("the data source name of the private server: %w", err)
	}
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("the data source name of the private server: %w", err)
	}
	return sql.OpenDB(connector), nil
}

// DSN returns the data source name of a database of the server, in the form of
// go-sql-driver. The database need not exist; "" selects none.
func (s *Server) DSN(database string) string {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = Account, "unix", s.Socket, database
	return c.FormatDSN()
}

// CreateDatabase makes an empty database unless it is there.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	db, err := Connect(s.DSN(""))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS "+quote(name)); err != nil {
		return fmt.Errorf("create database %s: %w", name, err)
	}
	return nil
}

// Stop shuts the server down and waits for it. The directory stays, unless the
// server made it up. Stopping a stopped server does nothing.
func (s *Server) Stop() error {
	defer s.removeTemporary()
	s.process.terminate()
	select {
	case <-s.process.done:
	case <-time.After(stopPatience):
		s.process.kill()
		return fmt.Errorf("the database server in %s did not shut down within %v and was killed", s.Dir, stopPatience)
	}
	if s.process.err != nil && !s.process.killed() {
		return fmt.Errorf("stop the database server in %s: %w", s.Dir, s.process.err)
	}
	return nil
}

// Kill ends the server at once, as kill -9 does, and waits for its end. The
// directory stays, so that a new Start can recover it.
func (s *Server) Kill() { s.process.kill() }

func (s *Server) removeTemporary() {
	for _, dir := range s.remove {
		_ = os.RemoveAll(dir) // a temporary directory that can't be removed harms nobody
	}
}

// logTail returns the last lines that the server wrote.
func (s *Server) logTail() string {
	const lines = 12
	b, err := os.ReadFile(filepath.Join(s.Dir, "server.log"))
	if err != nil {
		return ""
	}
	all := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

func quote(name string) string {
	return "`" + string(bytes.ReplaceAll([]byte(name), []byte("`"), []byte("``"))) + "`"
}
