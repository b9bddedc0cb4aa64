package site

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"moult/core/release"
)

const (
	configFile = "site.toml"
	// maxConfig is the longest site.toml read, in bytes.
	maxConfig = 1 << 20
)

// Config is what the admin set. [ParseConfig] makes it from the text of
// site.toml; the zero value of each field is its safe default.
type Config struct {
	Name        string         `toml:"name"`
	Requires    []release.Path `toml:"requires,omitempty"` // without these, no release counts as installed
	Source      Source         `toml:"source"`
	Database    Database       `toml:"database,omitempty"`
	Hooks       Hooks          `toml:"hooks,omitempty"`
	Maintenance Maintenance    `toml:"maintenance,omitempty"`
	Health      Health         `toml:"health,omitempty"`
	Files       Files          `toml:"files,omitempty"`
	Keep        Keep           `toml:"keep,omitempty"`
	Unattended  Unattended     `toml:"unattended,omitempty"`
	State       StateDir       `toml:"state,omitempty"`
}

// Source says where releases come from.
type Source struct {
	URL      string   `toml:"url"`
	Channel  string   `toml:"channel,omitempty"`
	Arch     string   `toml:"arch,omitempty"`     // "" and "auto": this machine's
	Unsigned string   `toml:"unsigned,omitempty"` // "" and "refuse", or "allow"
	Keys     []string `toml:"keys,omitempty"`     // Ed25519 public keys or root certificates of a server without TUF
}

// Database says how the site's database is reached. The DSN never holds a password.
type Database struct {
	DSN string `toml:"dsn,omitempty"`
	// PasswordFrom is "", "prompt", "keyring:NAME", "env:NAME" or "file:PATH#KEY".
	PasswordFrom string `toml:"password_from,omitempty"`
}

// Hooks are commands run around an update, each by the system's shell in the
// site's directory.
type Hooks struct {
	Before  []string `toml:"before,omitempty"`
	After   []string `toml:"after,omitempty"`
	Timeout Duration `toml:"timeout,omitempty"` // of each command; 0: [DefaultHookTimeout]
}

// DefaultHookTimeout is how long a hook may take when site.toml doesn't say.
const DefaultHookTimeout = Duration(2 * time.Minute)

// Maintenance names the flag file that exists while the site is being changed.
type Maintenance struct {
	File release.Path `toml:"file,omitempty"`
}

// Health says how to tell that the site works after an update.
type Health struct {
	URL      string   `toml:"url,omitempty"`
	Expect   int      `toml:"expect,omitempty"`   // HTTP status; 0: 200
	Attempts int      `toml:"attempts,omitempty"` // 0: 10
	Interval Duration `toml:"interval,omitempty"` // between attempts; 0: 3s
}

// Files says how the site's files are treated.
type Files struct {
	// Own are the admin's paths. They are never touched, nor what is below them.
	Own      []release.Path `toml:"own,omitempty"`
	OnEdited string         `toml:"on_edited,omitempty"` // "" and "ask", "keep", "new"
	Switch   string         `toml:"switch,omitempty"`    // "" and "auto", "tree", "file"
}

// Keep says which restore points outlive the next update.
type Keep struct {
	RestorePoints int      `toml:"restore_points,omitempty"` // 0: [DefaultRestorePoints]
	MaxAge        Duration `toml:"max_age,omitempty"`        // 0: any age
}

// DefaultRestorePoints is how many restore points are kept when site.toml doesn't say.
const DefaultRestorePoints = 3

// StateDir moves the bulky part of .moult to another directory of the site's device.
type StateDir struct {
	Dir string `toml:"dir,omitempty"`
}

// ConfigError is a fault in site.toml.
type ConfigError struct {
	Line int    // 0 when it has no line, as for a key that is missing
	Key  string // dotted, as in "files.own[2]"
	Err  error
}

// Error names the line and the key.
func (e *ConfigError) Error() string {
	var b strings.Builder
	b.WriteString(configFile)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, ": %s", e.Key)
	}
	return fmt.Sprintf("%s: %v", &b, e.Err)
}

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Err }

// ErrPasswordInDSN is the cause of the [ConfigError] for a DSN with a password.
var ErrPasswordInDSN = errors.New("holds a password, and site.toml may be read by others: " +
	"leave it out here and say in password_from where it is, as in keyring:NAME, env:NAME, file:.env#DB_PASSWORD or prompt")

// ParseConfig reads the text of site.toml. Every fault is a [*ConfigError]:
// what is not TOML, a key that Moult doesn't know, a key given twice, and a value
// that can't be meant.
func ParseConfig(b []byte) (Config, error) {
	var c Config
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&c); err != nil {
		return Config{}, tomlFault(err)
	}
	if err := c.Validate(); err != nil {
		var fault *ConfigError
		if errors.As(err, &fault) {
			fault.Line = lineOf(b, fault.Key)
		}
		return Config{}, err
	}
	for _, list := range [][]release.Path{c.Requires, c.Files.Own} {
		for i, p := range list {
			list[i] = release.Path(strings.TrimSuffix(string(p), "/"))
		}
	}
	c.Maintenance.File = release.Path(strings.TrimSuffix(string(c.Maintenance.File), "/"))
	return c, nil
}

func tomlFault(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		line, _ := unknown.Errors[0].Position()
		return &ConfigError{Line: line, Key: strings.Join(unknown.Errors[0].Key(), "."), Err: errors.New("is no key that Moult knows")}
	}
	var fault *toml.DecodeError
	if errors.As(err, &fault) {
		line, _ := fault.Position()
		return &ConfigError{Line: line, Key: strings.Join(fault.Key(), "."), Err: errors.New(strings.TrimPrefix(fault.Error(), "toml: "))}
	}
	return &ConfigError{Err: err}
}

// Encode writes the configuration as the text of site.toml.
func (c Config) Encode() ([]byte, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := toml.NewEncoder(&b)
	e.SetIndentTables(false)
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("encode %s: %w", configFile, err)
	}
	return b.Bytes(), nil
}

// words are the keys that take one of a few words. The first is the default,
// which "" means too.
var words = []struct {
	key   string
	of    func(*Config) string
	words []string
}{
	{"source.unsigned", func(c *Config) string { return c.Source.Unsigned }, []string{"refuse", "allow"}},
	{"files.on_edited", func(c *Config) string { return c.Files.OnEdited }, []string{"ask", "keep", "new"}},
	{"files.switch", func(c *Config) string { return c.Files.Switch }, []string{"auto", "tree", "file"}},
	{"unattended.releases", func(c *Config) string { return c.Unattended.Releases }, []string{"all", "minor", "patch"}},
}

// Validate reports the first value that can't be meant, as a [*ConfigError]
// without a line.
func (c Config) Validate() error {
	for _, w := range words {
		if v := w.of(&c); v != "" && !slices.Contains(w.words, v) {
			return &ConfigError{Key: w.key, Err: fmt.Errorf("%q is not one of %s", v, strings.Join(w.words, ", "))}
		}
	}
	for key, list := range map[string][]release.Path{"requires": c.Requires, "files.own": c.Files.Own} {
		for i, p := range list {
			if _, err := release.ParsePath(string(p)); err != nil {
				return &ConfigError{Key: fmt.Sprintf("%s[%d]", key, i), Err: err}
			}
		}
	}
	if p := c.Maintenance.File; p != "" {
		if _, err := release.ParsePath(string(p)); err != nil {
			return &ConfigError{Key: "maintenance.file", Err: err}
		}
	}
	if _, err := release.ParseArch(c.Source.Arch); err != nil && c.Source.Arch != "" && c.Source.Arch != "auto" {
		return &ConfigError{Key: "source.arch", Err: err}
	}
	if dsnHasPassword(c.Database.DSN) {
		return &ConfigError{Key: "database.dsn", Err: ErrPasswordInDSN}
	}
	if err := passwordFault(c.Database.PasswordFrom); err != nil {
		return &ConfigError{Key: "database.password_from", Err: err}
	}
	if _, _, err := parseHours(c.Unattended.Hours); err != nil {
		return &ConfigError{Key: "unattended.hours", Err: err}
	}
	for key, n := range map[string]int{
		"health.expect": c.Health.Expect, "health.attempts": c.Health.Attempts, "keep.restore_points": c.Keep.RestorePoints,
	} {
		if n < 0 {
			return &ConfigError{Key: key, Err: fmt.Errorf("%d is negative", n)}
		}
	}
	return nil
}

// dsnHasPassword tells for both forms of a DSN, mysql://user:pass@host/db and
// user:pass@tcp(host)/db: the last @ before the host ends the credentials, and a
// colon in them begins the password.
func dsnHasPassword(dsn string) bool {
	_, rest, found := strings.Cut(dsn, "://")
	if !found {
		rest = dsn
	}
	at := strings.LastIndexByte(rest, '@')
	if at < 0 {
		return false
	}
	_, password, _ := strings.Cut(rest[:at], ":")
	return password != ""
}

func passwordFault(from string) error {
	kind, arg, _ := strings.Cut(from, ":")
	switch kind {
	case "", "prompt":
		if arg == "" {
			return nil
		}
	case "keyring", "env":
		if arg != "" {
			return nil
		}
	case "file":
		if name, _, _ := strings.Cut(arg, "#"); name != "" {
			return nil
		}
	}
	return fmt.Errorf("%q is none of prompt, keyring:NAME, env:NAME, file:PATH#KEY", from)
}

// SaveConfig writes cfg to site.toml and makes it the site's configuration.
func (s *Site) SaveConfig(cfg Config) error {
	b, err := cfg.Encode()
	if err != nil {
		return err
	}
	if err := writeFile(s.home, configFile, b, 0o600); err != nil {
		return err
	}
	s.Config = cfg
	return nil
}
