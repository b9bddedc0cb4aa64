package database

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// DSN says where a database is and who connects. It prints without its password.
type DSN struct {
	User     string
	Network  string // "tcp" or "unix"
	Address  string // host:port, or the path of a socket
	Database string
	TLS      string // "", "true", "skip-verify" or "preferred"
	CA       string // file of the authorities that the server's certificate is checked by; "" for the system's

	password    string
	hasPassword bool
}

// urlSchemes are the schemes that name a MySQL or MariaDB server.
var urlSchemes = []string{"mysql", "mariadb"}

// tlsModes are the values of the parameter tls, as go-sql-driver knows them;
// "false" reads as "".
var tlsModes = []string{"", "true", "skip-verify", "preferred"}

// ignoredParameters may stand in a DSN that was copied from an application and
// say nothing about where the database is.
var ignoredParameters = []string{
	"charset", "collation", "parseTime", "loc", "timeout", "readTimeout", "writeTimeout",
	"multiStatements", "interpolateParams", "maxAllowedPacket", "allowNativePasswords",
	"checkConnLiveness", "rejectReadOnly", "columnsWithAlias", "clientFoundRows", "serverVersion",
	"connectionAttributes",
}

// ParseDSN reads a data source name in one of the two forms
//
//	mysql://user:password@host:port/database?tls=true
//	user:password@tcp(host:port)/database        (or unix(/path/of/socket))
//
// The first takes "socket=/path" in place of a host. Reserved characters of a
// URL's password are percent-encoded. The port is 3306 when there is none. With
// "tls-ca=/path/of/ca.pem" the connection is encrypted and the server's certificate
// has to come from that authority. An error never repeats the text: a password may
// be in it.
func ParseDSN(s string) (DSN, error) {
	var d DSN
	var err error
	if scheme, _, ok := strings.Cut(s, "://"); ok && slices.Contains(urlSchemes, strings.ToLower(scheme)) {
		d, err = parseURL(s)
	} else {
		d, err = parseDriverForm(s)
	}
	if err == nil && d.CA != "" && d.TLS == "" {
		d.TLS = "true"
	}
	if err == nil && d.CA != "" && d.TLS != "true" {
		err = fmt.Errorf("tls=%s does not ask for the certificate that tls-ca is to check", d.TLS)
	}
	if err == nil && d.Network == "unix" && d.TLS != "" {
		err = errors.New("it asks for encryption on a socket, which never leaves the machine: take tls away")
	}
	if err == nil && d.Database == "" {
		err = errors.New("it names no database: put its name after the last /")
	}
	if err != nil {
		return DSN{}, fmt.Errorf("data source name: %w", err)
	}
	return d, nil
}

func parseURL(s string) (DSN, error) {
	u, err := url.Parse(s)
	if err != nil {
		return DSN{}, errors.New("it is no valid URL: in user and password write @ as %40, / as %2F, : as %3A, # as %23, ? as %3F and % as %25")
	}
	d := DSN{User: u.User.Username(), Network: "tcp", Database: strings.TrimPrefix(u.Path, "/")}
	d.password, d.hasPassword = u.User.Password()
	if strings.Contains(d.Database, "/") {
		return DSN{}, fmt.Errorf("the name of the database %q holds a /", d.Database)
	}
	query := u.Query()
	if socket := query.Get("socket"); socket != "" {
		if u.Host != "" && u.Hostname() != "localhost" {
			return DSN{}, fmt.Errorf("it names both a host (%s) and a socket (%s)", u.Host, socket)
		}
		d.Network, d.Address = "unix", socket
	} else {
		d.Address = withPort(u.Host)
	}
	query.Del("socket")
	for name := range query {
		if err := d.setParameter(name, query.Get(name)); err != nil {
			return DSN{}, err
		}
	}
	return d, nil
}

func parseDriverForm(s string) (DSN, error) {
	// The driver rejects modes of TLS that were not registered with it and
	// reads many parameters that must not reach our connection, so parameters
	// are taken off first.
	slash := strings.LastIndex(s, ")/") + 1 // the path of an authority's file may hold more of them
	if slash == 0 {
		slash = strings.LastIndexByte(s, '/')
	}
	if slash < 0 {
		return DSN{}, errors.New("want mysql://user@host:port/database or user@tcp(host:port)/database")
	}
	base, parameters, _ := strings.Cut(s[slash:], "?")
	c, err := mysql.ParseDSN(s[:slash] + base)
	if err != nil {
		return DSN{}, errors.New("want user@tcp(host:port)/database, user@unix(/path/of/socket)/database or mysql://user@host:port/database")
	}
	if c.Net != "tcp" && c.Net != "unix" {
		return DSN{}, fmt.Errorf("network %q: want tcp or unix", c.Net)
	}
	d := DSN{User: c.User, Network: c.Net, Address: c.Addr, Database: c.DBName, password: c.Passwd, hasPassword: c.Passwd != ""}
	values, err := url.ParseQuery(parameters)
	if err != nil {
		return DSN{}, errors.New("the parameters after ? are no valid query")
	}
	for name := range values {
		if err := d.setParameter(name, values.Get(name)); err != nil {
			return DSN{}, err
		}
	}
	return d, nil
}

func (d *DSN) setParameter(name, value string) error {
	switch {
	case name == "tls":
		if strings.EqualFold(value, "false") {
			value = ""
		}
		if !slices.Contains(tlsModes, value) {
			return fmt.Errorf("tls=%s: want true, skip-verify, preferred or false", value)
		}
		d.TLS = value
	case name == "tls-ca":
		d.CA = value
	case slices.Contains(ignoredParameters, name):
	default:
		return fmt.Errorf("unknown parameter %q", name)
	}
	return nil
}

// withPort completes the host of a URL.
func withPort(host string) string {
	if host == "" {
		host = "127.0.0.1"
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "3306")
}

// String returns user@host:port/database, never the password.
func (d DSN) String() string {
	return d.User + "@" + d.Address + "/" + d.Database
}

// Text returns the whole DSN in the form of go-sql-driver but for its password:
// what a configuration file may hold.
func (d DSN) Text() string {
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.DBName = d.User, d.Network, d.Address, d.Database
	text := c.FormatDSN()
	if d.TLS != "" {
		text += "?tls=" + d.TLS
	}
	if d.CA != "" {
		text += "&tls-ca=" + url.QueryEscape(d.CA)
	}
	return text
}

// HasPassword reports whether the DSN carries a password.
func (d DSN) HasPassword() bool { return d.hasPassword }

// WithPassword returns the DSN with another password.
func (d DSN) WithPassword(password string) DSN {
	d.password, d.hasPassword = password, true
	return d
}

// WithDatabase returns the DSN with another database.
func (d DSN) WithDatabase(name string) DSN {
	d.Database = name
	return d
}

// dialPatience is how long a server may take to answer a connection attempt.
const dialPatience = 10 * time.Second

// config returns the driver's configuration. There is no read timeout: an ALTER
// may take hours, and a dead peer is found by TCP's keep-alive. The error is about
// the file of authorities.
func (d DSN) config() (*mysql.Config, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = d.User, d.password, d.Network, d.Address, d.Database
	c.TLSConfig = d.TLS
	c.Timeout = dialPatience
	c.Logger = &mysql.NopLogger{}
	c.ConnectionAttributes = "program_name:moult"
	// The caller's statement sits between two probes of ours; it is never
	// split or rewritten.
	c.MultiStatements, c.InterpolateParams = false, false
	if d.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, fmt.Errorf("tls-ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls-ca: there is no certificate in %s", d.CA)
	}
	c.TLS = &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	return c, nil
}

// connector returns how the server is connected to. A failure is a *[ConnectError].
func (d DSN) connector() (driver.Connector, error) {
	c, err := d.config()
	if err != nil {
		return nil, &ConnectError{Encryption, fmt.Sprintf("%s: %v", d, err), err}
	}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, &ConnectError{Unusable, fmt.Sprintf("%s: %v", d, err), err}
	}
	return connector, nil
}
