package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Failure classifies why a server can't be used.
type Failure string

// The failures.
const (
	Refused         Failure = "refused"          // nothing answers there
	UnknownHost     Failure = "unknown host"     // the name does not resolve
	NoAnswer        Failure = "no answer"        // a firewall, a wrong address
	NotAServer      Failure = "not a server"     // something else answers
	AccessDenied    Failure = "access denied"    // user, password or host
	UnknownDatabase Failure = "unknown database" // or no right to it
	Encryption      Failure = "encryption"       // TLS is wanted, lacking or not trusted
	Busy            Failure = "busy"             // too many connections
	TooOld          Failure = "too old"          // the server's version
	Unusable        Failure = "unusable"         // anything else
)

// ConnectError is why [Open] could not open a database, as a sentence with a hint.
type ConnectError struct {
	Failure Failure
	Text    string // a sentence, with the place
	Err     error
}

// Error returns the sentence.
func (e *ConnectError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// Error codes of the server, from its error message reference.
const (
	codeDatabaseDenied    = 1044
	codeAccessDenied      = 1045
	codeUnknownDatabase   = 1049
	codeTooMany           = 1040
	codeShutdown          = 1053
	codeTableExists       = 1050
	codeUnknownTable      = 1051
	codeHostBlocked       = 1129
	codeHostNotAllowed    = 1130
	codeNoSuchTable       = 1146
	codeUserTooMany       = 1203
	codeLockWait          = 1205
	codeNoSuchLock        = 1221 // MySQL: a LOCK that does not go with the ALGORITHM
	codeDeadlock          = 1213
	codeUserLimit         = 1226
	codeInterrupted       = 1317
	codeMustChange        = 1820
	codeAlgorithm         = 1845
	codeAlgorithmReason   = 1846
	codePasswordExpired   = 1862
	codeKilled            = 1927 // MariaDB
	codeAccountLocked     = 3118
	codeSecureTransport   = 3159
	codeAccountBlocked    = 4151 // MariaDB: account locked
	codeDatabaseDeniedNew = 1698 // MariaDB: access denied, no password
	codeInstantLimit      = 4092 // MySQL: no more instant changes of this table
)

// algorithmRefusals are what a server says to an ALGORITHM or LOCK by which it
// can't do a statement. Nothing has happened then.
var algorithmRefusals = []uint16{codeAlgorithm, codeAlgorithmReason, codeNoSuchLock, codeInstantLimit}

// Error numbers of Windows sockets (Winsock reference); package syscall gives
// the names of Unix other numbers there.
const (
	winReset       = syscall.Errno(10054)
	winRefused     = syscall.Errno(10061)
	winNoRoute     = syscall.Errno(10051)
	winUnreachable = syscall.Errno(10065)
)

// refusal is a row of the table of connection failures.
type refusal struct {
	failure Failure
	match   func(error) bool
	text    string // with %s for the DSN, first, and for its user, second
}

// refusals are looked through in order; the first that matches speaks.
var refusals = []refusal{
	{Refused, isErrno(syscall.ECONNREFUSED, winRefused), "%[1]s: nothing answers there; is the database server running, and is the address right?"},
	{Refused, isErrno(syscall.ENOENT), "%[1]s: there is no such socket; is the database server running on this machine?"},
	{Refused, isErrno(syscall.EACCES), "%[1]s: this user may not open the socket; look at its permissions and those of its directory"},
	{UnknownHost, isNameError, "%[1]s: the name of the host is not known; is it spelt right?"},
	{NoAnswer, isTimeout, "%[1]s: the server does not answer; is the address right, and does a firewall stand in the way?"},
	{NoAnswer, isErrno(syscall.EHOSTUNREACH, syscall.ENETUNREACH, winNoRoute, winUnreachable), "%[1]s: there is no way to that host from here"},
	{AccessDenied, isCode(codeAccessDenied, codeDatabaseDeniedNew), "%[1]s: the server does not let the user %[2]q in with this password from this machine"},
	{UnknownDatabase, isCode(codeDatabaseDenied), "%[1]s: the user %[2]q has no rights on this database, or it does not exist; GRANT ALL PRIVILEGES on it"},
	{UnknownDatabase, isCode(codeUnknownDatabase), "%[1]s: there is no such database on the server"},
	{AccessDenied, isCode(codeHostNotAllowed, codeHostBlocked), "%[1]s: the server refuses connections from this machine"},
	{AccessDenied, isCode(codeMustChange, codePasswordExpired), "%[1]s: the password of the user %[2]q has expired and must be changed first"},
	{AccessDenied, isCode(codeAccountLocked, codeAccountBlocked), "%[1]s: the account of the user %[2]q is locked"},
	{Busy, isCode(codeTooMany, codeUserTooMany, codeUserLimit), "%[1]s: the server has too many connections; try again later or raise max_connections"},
	{Busy, isCode(codeShutdown), "%[1]s: the server is shutting down"},
	{Encryption, isCode(codeSecureTransport), "%[1]s: the server accepts encrypted connections only; add tls=true to the data source name"},
	{Encryption, isError(mysql.ErrNoTLS), "%[1]s: the server can't encrypt, and the data source name asks for it; take tls away if the way there is safe"},
	{Encryption, isTrustError, "%[1]s: the server's certificate is not trusted; install its authority on this machine, or use tls=skip-verify if the way there is safe"},
	{AccessDenied, isError(mysql.ErrNativePassword, mysql.ErrOldPassword, mysql.ErrCleartextPassword, mysql.ErrUnknownPlugin), "%[1]s: the account of the user %[2]q logs in by a method that is not supported; use caching_sha2_password or mysql_native_password"},
	{NotAServer, isError(mysql.ErrMalformPkt, mysql.ErrOldProtocol, mysql.ErrPktSync, mysql.ErrInvalidConn, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF), "%[1]s: what answers there does not speak as a MySQL or MariaDB server"},
}

// explain turns what the driver says about a connection into a sentence.
func explain(d DSN, err error) error {
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("connect to %s: %w", d, err)
	}
	var explained *ConnectError
	if errors.As(err, &explained) {
		return err
	}
	for _, r := range refusals {
		if r.match(err) {
			text := fmt.Sprintf(r.text, d, d.User)
			if codeOf(err) == codeAccessDenied && d.Network == "tcp" && d.TLS == "" {
				// An account or a MariaDB that requires encryption says no more than this.
				text += "; if they take encrypted connections only, add tls=true to the data source name"
			}
			return &ConnectError{r.failure, text + serverWords(err), err}
		}
	}
	return &ConnectError{Unusable, fmt.Sprintf("%s: %v", d, err), err}
}

// serverWords returns what the server itself said, in parentheses, if it did.
func serverWords(err error) string {
	var said *mysql.MySQLError
	if errors.As(err, &said) {
		return fmt.Sprintf(" (%s)", said.Message)
	}
	return ""
}

// codeOf returns the server's error code, 0 if the error is not the server's.
func codeOf(err error) uint16 {
	var said *mysql.MySQLError
	if errors.As(err, &said) {
		return said.Number
	}
	return 0
}

func isCode(codes ...uint16) func(error) bool {
	return func(err error) bool {
		got := codeOf(err)
		for _, code := range codes {
			if got == code {
				return true
			}
		}
		return false
	}
}

func isErrno(numbers ...syscall.Errno) func(error) bool {
	return func(err error) bool {
		for _, n := range numbers {
			if errors.Is(err, n) {
				return true
			}
		}
		return false
	}
}

func isError(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
}

func isNameError(err error) bool {
	var e *net.DNSError
	return errors.As(err, &e) && !e.IsTimeout
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &e) && e.Timeout()
}

func isTrustError(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &name)
}

// isLost reports whether the connection is gone, so that nobody knows what
// became of the statement.
func isLost(err error) bool {
	var network net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, mysql.ErrInvalidConn) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) ||
		isErrno(syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, syscall.ENOENT, winReset, winRefused)(err) ||
		isCode(codeShutdown, codeKilled)(err)
}

// isRetryable reports whether the same statement may succeed a little later.
func isRetryable(err error) bool {
	return isLost(err) || isCode(codeLockWait, codeDeadlock, codeInterrupted)(err)
}
