package database

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"moult/core/schema"
)

// failure opens a DSN that can't be opened.
func failure(t *testing.T, dsn DSN) *ConnectError {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d, err := Open(ctx, dsn)
	if err == nil {
		d.Close()
		t.Fatalf("%s: opened", dsn)
	}
	var explained *ConnectError
	if !errors.As(err, &explained) {
		t.Fatalf("%s: %v is not explained", dsn, err)
	}
	return explained
}

func TestOpenExplainsEachFailureOfTheNetwork(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	go func() {
		for {
			c, err := web.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		}
	}()
	for _, c := range []struct {
		dsn  string
		want Failure
	}{
		{"u@tcp(" + closed.Addr().String() + ")/x", Refused},
		{"u@tcp(" + web.Addr().String() + ")/x", NotAServer},
		{"u@unix(" + filepath.Join(t.TempDir(), "none") + ")/x", Refused},
		{"u@tcp(no-such-host.invalid)/x", UnknownHost},
	} {
		d, err := ParseDSN(c.dsn)
		if err != nil {
			t.Fatal(err)
		}
		got := failure(t, d)
		if got.Failure != c.want || !strings.Contains(got.Text, d.Address) {
			t.Errorf("%s: %s, %q; want %s", c.dsn, got.Failure, got.Text, c.want)
		}
	}
}

func TestOpenExplainsEachRefusalOfTheServer(t *testing.T) {
	s := newSite(t)
	host := "localhost"
	if s.dsn.Network != "unix" {
		host = "%"
	}
	account := fmt.Sprintf("'moult_no_rights'@'%s'", host)
	s.exec("DROP USER IF EXISTS "+account, "CREATE USER "+account+" IDENTIFIED BY 's3cret'")
	defer s.exec("DROP USER " + account)
	wrong := s.dsn
	wrong.User = "moult_no_rights"
	for _, c := range []struct {
		name string
		dsn  DSN
		want Failure
	}{
		{"no such database", s.dsn.WithDatabase("moult_no_such"), UnknownDatabase},
		{"wrong password", wrong.WithPassword("wr0ng"), AccessDenied},
		{"no rights", wrong.WithPassword("s3cret"), UnknownDatabase},
	} {
		got := failure(t, c.dsn)
		if got.Failure != c.want || strings.Contains(got.Text, "s3cret") || strings.Contains(got.Text, "wr0ng") {
			t.Errorf("%s: %s, %q; want %s", c.name, got.Failure, got.Text, c.want)
		}
	}
}

func TestFailuresThatNeedASpecialServerAreExplained(t *testing.T) {
	dsn := DSN{User: "shop", Network: "tcp", Address: "db:3306", Database: "shop"}
	for _, c := range []struct {
		err  error
		want Failure
		word string
	}{
		{mysql.ErrNoTLS, Encryption, "tls"},
		{&mysql.MySQLError{Number: 3159, Message: "Connections using insecure transport are prohibited"}, Encryption, "tls=true"},
		{x509.UnknownAuthorityError{}, Encryption, "certificate"},
		{&mysql.MySQLError{Number: 1040, Message: "Too many connections"}, Busy, "max_connections"},
		{&mysql.MySQLError{Number: 1130, Message: "Host is not allowed"}, AccessDenied, "this machine"},
		{&mysql.MySQLError{Number: 1862, Message: "expired"}, AccessDenied, "expired"},
		{mysql.ErrUnknownPlugin, AccessDenied, "caching_sha2_password"},
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, NoAnswer, "no way"},
		{errors.New("something new"), Unusable, "something new"},
	} {
		var got *ConnectError
		if err := explain(dsn, c.err); !errors.As(err, &got) || got.Failure != c.want || !strings.Contains(got.Text, c.word) || !strings.Contains(got.Text, "db:3306") {
			t.Errorf("%v: %v; want %s with the word %q", c.err, err, c.want, c.word)
		}
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // it accepts in the kernel and never says a word
	d, err := ParseDSN("u@tcp(" + silent.Addr().String() + ")/x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	started := time.Now()
	_, err = Open(ctx, d)
	var explained *ConnectError
	if !errors.As(err, &explained) || explained.Failure != NoAnswer || time.Since(started) > 3*time.Second {
		t.Errorf("after %v: %v", time.Since(started), err)
	}
}

func TestFlavorOfVersion(t *testing.T) {
	for version, want := range map[string]schema.Flavor{
		"10.11.6-MariaDB-0+deb12u1-log": {Vendor: schema.MariaDB, Version: [3]int{10, 11, 6}},
		"8.0.36-28":                     {Vendor: schema.MySQL, Version: [3]int{8, 0, 36}},
		"5.7.44-log":                    {Vendor: schema.MySQL, Version: [3]int{5, 7, 44}},
		"8.0.11-TiDB-v8.5.0":            {Vendor: schema.TiDB, Version: [3]int{8, 5, 0}},
		"9.7.4":                         {Vendor: schema.MySQL, Version: [3]int{9, 7, 4}},
	} {
		if got, err := flavorOf(version); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", version, got, err, want)
		}
	}
	if _, err := flavorOf("dev"); err == nil {
		t.Error("a version without a number is read")
	}
}

func TestSecondMoultIsToldWhoHoldsTheDatabase(t *testing.T) {
	s := newSite(t)
	other := s.open()
	other.waits.lock = 0
	err := s.exclusively(t.Context(), nil, func() error {
		err := other.exclusively(t.Context(), nil, func() error { return errors.New("ran at the same time") })
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Holder.Connection != s.id {
			t.Errorf("the second one gets %v; want connection %d to be named", err, s.id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.exclusively(t.Context(), nil, func() error { return nil }); err != nil {
		t.Errorf("after the first one has ended: %v", err)
	}
}

func TestSessionIsStrictOnAServerThatIsNot(t *testing.T) {
	s := newSite(t, "CREATE TABLE t (n tinyint)", "SET GLOBAL sql_mode = ''")
	defer s.exec("SET GLOBAL sql_mode = DEFAULT")
	d := s.open()
	if _, err := d.conn.ExecContext(t.Context(), "INSERT INTO t VALUES (1000)"); err == nil {
		t.Error("a value that does not fit was cut without an error")
	}
	findings, err := d.Preflight(t.Context(), &schema.Plan{UpdateID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	if !hasFinding(findings, "database mode", levelWarn) {
		t.Errorf("nobody is told that the server is not strict: %+v", findings)
	}
}

func hasFinding(all []Finding, code, level string) bool {
	for _, f := range all {
		if f.Code == code && f.Level == level {
			return true
		}
	}
	return false
}
