package database

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/database/embedded"
	"moult/core/schema"
)

// listener is a server of the test's own that listens on a port of this machine.
type listener struct {
	*embedded.Server
	t       *testing.T
	address string
	app     *sql.DB // by the socket, with all rights
}

func listen(t *testing.T, args ...string) *listener {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(address)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	server, err := embedded.Start(ctx, embedded.Options{Fast: true, Args: append([]string{"--skip-networking=0", "--bind-address=127.0.0.1", "--port=" + port}, args...)})
	if errors.Is(err, embedded.ErrAbsent) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	if err := server.CreateDatabase(t.Context(), "shop"); err != nil {
		t.Fatal(err)
	}
	app, err := embedded.Connect(server.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	return &listener{server, t, address, app}
}

func (l *listener) exec(statements ...string) {
	l.t.Helper()
	for _, st := range statements {
		if _, err := l.app.Exec(st); err != nil {
			l.t.Fatalf("%s: %v", st, err)
		}
	}
}

// dsn is the data source name of a user, with parameters.
func (l *listener) dsn(user, parameters string) DSN {
	l.t.Helper()
	d, err := ParseDSN(user + "@tcp(" + l.address + ")/shop" + parameters)
	if err != nil {
		l.t.Fatal(err)
	}
	return d
}

// authority is a private certificate authority.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.key = a.newKey()
	a.cert, a.file = a.sign("ca", template, template, a.key, a.key)
	return a
}

func (a *authority) newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	return key
}

// sign makes a certificate and returns the file that it is in.
func (a *authority) sign(name string, template, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, string) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, a.write(name+".pem", "CERTIFICATE", der)
}

func (a *authority) write(name, kind string, der []byte) string {
	file := filepath.Join(a.dir, name)
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// server returns the options of a server with a certificate for 127.0.0.1.
func (a *authority) server() []string {
	key := a.newKey()
	_, cert := a.sign("server", &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "db"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, a.cert, key, a.key)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return []string{"--ssl-cert=" + cert, "--ssl-key=" + a.write("server.key", "PRIVATE KEY", der), "--ssl-ca=" + a.file}
}

func TestEncryptedConnectionsCheckTheServersCertificate(t *testing.T) {
	ours, another := newAuthority(t, "ours"), newAuthority(t, "another")
	l := listen(t, append(ours.server(), "--require-secure-transport=ON")...)
	l.exec("CREATE USER shop@'127.0.0.1'", "GRANT ALL PRIVILEGES ON `shop`.* TO shop@'127.0.0.1'", "GRANT ALL PRIVILEGES ON `moult_scratch_shop`.* TO shop@'127.0.0.1'")
	for _, parameters := range []string{"?tls-ca=" + ours.file, "?tls=skip-verify", "?tls=preferred"} {
		d, err := Open(t.Context(), l.dsn("shop", parameters))
		if err != nil {
			t.Fatalf("%s: %v", parameters, err)
		}
		var name, cipher string
		if err := d.conn.QueryRowContext(t.Context(), "SHOW SESSION STATUS LIKE 'Ssl_cipher'").Scan(&name, &cipher); err != nil || cipher == "" {
			t.Errorf("%s: the cipher is %q, %v", parameters, cipher, err)
		}
		// The connections beside it, to kill and to try plans, are encrypted too.
		if _, closeScratch, err := d.openScratch(t.Context()); err != nil {
			t.Errorf("%s: %v", parameters, err)
		} else if err := closeScratch(); err != nil {
			t.Error(err)
		}
		d.Close()
	}
	elsewhere := l.dsn("shop", "?tls-ca="+ours.file)
	elsewhere.Address = strings.Replace(elsewhere.Address, "127.0.0.1", "localhost", 1)
	if got := failure(t, l.dsn("shop", "")); !strings.Contains(got.Text, "tls=true") {
		t.Errorf("without encryption: %q", got.Text)
	}
	for _, c := range []struct {
		name string
		dsn  DSN
		word string
	}{
		{"authority unknown to the system", l.dsn("shop", "?tls=true"), "not trusted"},
		{"another authority", l.dsn("shop", "?tls-ca="+another.file), "not trusted"},
		{"another name", elsewhere, "not trusted"},
		{"no such file", l.dsn("shop", "?tls-ca=/none.pem"), "/none.pem"},
		{"no certificate in the file", l.dsn("shop", "?tls-ca="+filepath.Join(ours.dir, "server.key")), "no certificate"},
	} {
		if got := failure(t, c.dsn); got.Failure != Encryption || !strings.Contains(got.Text, c.word) {
			t.Errorf("%s: %s, %q; want %s with %q", c.name, got.Failure, got.Text, Encryption, c.word)
		}
	}
}

func TestOpenExplainsTheRefusalsOfAServerOfItsOwn(t *testing.T) {
	l := listen(t, "--skip-ssl", "--max-connections=10", "--disconnect-on-expired-password=ON")
	if got := failure(t, l.dsn("nobody", "")); got.Failure != AccessDenied || !strings.Contains(got.Text, "this machine") {
		t.Errorf("no account for this host: %s, %q", got.Failure, got.Text)
	}
	for user, clause := range map[string]string{"shop": "", "locked": " ACCOUNT LOCK", "expired": " PASSWORD EXPIRE", "single": " WITH MAX_USER_CONNECTIONS 1", "parsec": " IDENTIFIED VIA unix_socket"} {
		l.exec("CREATE USER "+user+"@'127.0.0.1'"+clause, "GRANT ALL PRIVILEGES ON `shop`.* TO "+user+"@'127.0.0.1'")
	}
	single, err := Open(t.Context(), l.dsn("single", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	for _, c := range []struct {
		user, parameters string
		want             Failure
		word             string
	}{
		{"shop", "?tls=true", Encryption, "can't encrypt"},
		{"locked", "", AccessDenied, "locked"},
		{"expired", "", AccessDenied, "expired"},
		{"single", "", Busy, "too many"},
		{"parsec", "", AccessDenied, "parsec"},
	} {
		if got := failure(t, l.dsn(c.user, c.parameters)); got.Failure != c.want || !strings.Contains(got.Text, c.word) {
			t.Errorf("%s%s: %s, %q; want %s with %q", c.user, c.parameters, got.Failure, got.Text, c.want, c.word)
		}
	}
	var open []*sql.Conn
	many, err := embedded.Connect(l.dsn("shop", "").Text())
	if err != nil {
		t.Fatal(err)
	}
	defer many.Close()
	for len(open) < 20 {
		conn, err := many.Conn(t.Context())
		if err != nil {
			break
		}
		open = append(open, conn)
	}
	got := failure(t, l.dsn("shop", ""))
	for _, conn := range open {
		conn.Close()
	}
	if got.Failure != Busy || !strings.Contains(got.Text, "max_connections") {
		t.Errorf("all connections taken: %s, %q", got.Failure, got.Text)
	}
}

func TestPreflightTellsThatTheServerIsAReplica(t *testing.T) {
	primary := listen(t, "--log-bin", "--server-id=1")
	primary.exec("CREATE USER repl@'127.0.0.1'", "GRANT REPLICATION SLAVE ON *.* TO repl@'127.0.0.1'")
	_, port, _ := net.SplitHostPort(primary.address)
	replica := listen(t, "--server-id=2", "--read-only=ON")
	replica.exec("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_USER='repl', MASTER_PORT="+port+", MASTER_USE_GTID=slave_pos", "START SLAVE")
	primary.exec("CREATE TABLE arrived (id int PRIMARY KEY)")
	dsn, err := ParseDSN(replica.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !eventually(func() bool { s, err := d.Introspect(t.Context()); return err == nil && s.Table("arrived") != nil }) {
		t.Fatal("nothing is replicated; the test is not about a replica")
	}
	found, err := d.Preflight(t.Context(), &schema.Plan{UpdateID: "u1"})
	if err != nil {
		t.Fatal(err)
	}
	if !hasFinding(found, "database replica", levelWarn) || !hasFinding(found, "database read-only", levelBlock) || !strings.Contains(fmt.Sprint(found), "replica of 127.0.0.1") {
		t.Errorf("%+v", found)
	}
}

func TestAServerThatIsTooOldIsRefusedByName(t *testing.T) {
	l := listen(t, "--version=5.6.51")
	dsn, err := ParseDSN(l.DSN("shop"))
	if err != nil {
		t.Fatal(err)
	}
	if got := failure(t, dsn); got.Failure != TooOld || !strings.Contains(got.Text, "5.6.51") || !strings.Contains(got.Text, "MySQL 5.7") {
		t.Errorf("%s, %q", got.Failure, got.Text)
	}
}
