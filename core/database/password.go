package database

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zalando/go-keyring"
)

// KeyringService is the service under which passwords lie in a keyring; the
// account is the DSN's String.
const KeyringService = "moult"

// Ask asks the admin for a secret. It is nil where nobody can be asked.
type Ask func(ctx context.Context, prompt string) (string, error)

// ErrNoPassword is in the chain of an error when a source of passwords has none.
var ErrNoPassword = errors.New("no password there")

// maxSecretFile bounds a file that a password is read from.
const maxSecretFile = 1 << 20

// ResolvePassword returns d with the password that the site's setting
// password_from names:
//
//	""                 the DSN as it is
//	env:NAME           an environment variable
//	file:PATH          the first line of a file, as of a mounted secret
//	file:PATH#KEY      KEY=value in a file of variables, as .env
//	keyring:           the system's keyring, service "moult", account user@host/database
//	keyring:ACCOUNT    the same with another account
//	prompt             ask, which may be nil
//
// Relative paths begin at dir, the site's directory. The error names the source
// and never a secret.
func ResolvePassword(ctx context.Context, d DSN, from, dir string, ask Ask) (DSN, error) {
	if from == "" {
		return d, nil
	}
	kind, rest, _ := strings.Cut(from, ":")
	var password string
	var err error
	switch kind {
	case "env":
		password, err = fromEnvironment(rest)
	case "file":
		password, err = fromFile(rest, dir)
	case "keyring":
		password, err = fromKeyring(rest, d)
	case "prompt":
		if ask == nil {
			err = errors.New("nobody can be asked here; name an environment variable, a file or the keyring")
			break
		}
		password, err = ask(ctx, "Password of "+d.String())
	default:
		err = errors.New("want env:NAME, file:PATH#KEY, keyring:ACCOUNT or prompt")
	}
	if err != nil {
		return DSN{}, fmt.Errorf("password of %s from %q: %w", d, from, err)
	}
	return d.WithPassword(password), nil
}

// StorePassword puts the password of d into the system's keyring, where
// "keyring:" finds it.
func StorePassword(d DSN) error {
	if err := keyring.Set(KeyringService, d.String(), d.password); err != nil {
		return fmt.Errorf("store the password of %s in the keyring: %w", d, err)
	}
	return nil
}

func fromEnvironment(name string) (string, error) {
	password, ok := os.LookupEnv(name)
	if !ok {
		return "", fmt.Errorf("the environment variable %s is not set: %w", name, ErrNoPassword)
	}
	return password, nil
}

func fromKeyring(account string, d DSN) (string, error) {
	if account == "" {
		account = d.String()
	}
	password, err := keyring.Get(KeyringService, account)
	if errors.Is(err, keyring.ErrNotFound) {
		return "", fmt.Errorf("the keyring has no entry %s of %s: %w", account, KeyringService, ErrNoPassword)
	}
	if err != nil {
		return "", fmt.Errorf("the system's keyring can't be used: %w", err)
	}
	return password, nil
}

func fromFile(place, dir string) (string, error) {
	path, key, hasKey := strings.Cut(place, "#")
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	in := io.LimitReader(f, maxSecretFile)
	if hasKey {
		return variable(in, key)
	}
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("the first line of %s is empty: %w", path, ErrNoPassword)
	}
	return line, nil
}

// variable returns the value of the last KEY=value line, as a shell that reads
// the file would have it.
func variable(in io.Reader, key string) (string, error) {
	value, found := "", false
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxSecretFile)
	for lines.Scan() {
		line := strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff")), "export ")
		name, raw, ok := strings.Cut(line, "=")
		if ok && strings.TrimSpace(name) == key {
			value, found = unquoteVariable(strings.TrimSpace(raw)), true
		}
	}
	if err := lines.Err(); err != nil {
		return "", err
	}
	if !found {
		return "", fmt.Errorf("it does not set %s: %w", key, ErrNoPassword)
	}
	return value, nil
}

// unquoteVariable reads a value as .env files write it: in single quotes as it
// stands, in double quotes with backslash escapes, otherwise up to " #".
func unquoteVariable(raw string) string {
	if raw == "" {
		return ""
	}
	switch raw[0] {
	case '\'':
		if end := strings.IndexByte(raw[1:], '\''); end >= 0 {
			return raw[1 : 1+end]
		}
	case '"':
		var b strings.Builder
		for i := 1; i < len(raw); i++ {
			switch c := raw[i]; {
			case c == '"':
				return b.String()
			case c == '\\' && i+1 < len(raw):
				i++
				b.WriteByte(unescape(raw[i]))
			default:
				b.WriteByte(c)
			}
		}
	}
	if comment := strings.Index(raw, " #"); comment >= 0 {
		raw = raw[:comment]
	}
	return strings.TrimSpace(raw)
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}
