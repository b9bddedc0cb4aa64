package site

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

const wholeConfig = `name = "Duckpond wiki"
requires = ["docker/docker-compose.yml"]

[source]
url = "https://updates.example.org/duckpond/"
channel = "stable"
arch = "auto"
unsigned = "refuse"
keys = []

[database]
dsn = "wiki@tcp(127.0.0.1:3306)/wiki"
password_from = "file:.env#DB_PASSWORD"

[hooks]
before = ["docker compose stop app"]
after = ["docker compose start app"]
timeout = "2m"

[maintenance]
file = "maintenance.flag"

[health]
url = "http://127.0.0.1:8080/health"
expect = 200
attempts = 10
interval = "3s"

[files]
own = ["uploads/", "config/local.php"]
on_edited = "ask"
switch = "auto"

[keep]
restore_points = 3
max_age = "90d"
`

func TestConfigOfTheDocumentation(t *testing.T) {
	c, err := ParseConfig([]byte(wholeConfig))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]release.Path{"uploads", "config/local.php"}, c.Files.Own); diff != "" {
		t.Error(diff)
	}
	if c.Keep.MaxAge != Duration(90*24*time.Hour) || c.Hooks.Timeout != Duration(2*time.Minute) {
		t.Errorf("spans of time are %v and %v", c.Keep.MaxAge, c.Hooks.Timeout)
	}
	b, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseConfig(b)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	if len(c.Source.Keys) == 0 {
		c.Source.Keys, again.Source.Keys = nil, nil
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("after encoding (-was +is):\n%s", diff)
	}
}

func TestFaultsInConfigNameTheirLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "name = \"x\"\ncolour = 1\n", "site.toml:2: colour: is no key"},
		{"unknown key in a table", "name = \"x\"\n[files]\nown = []\nmine = []\n", "site.toml:4: files.mine: is no key"},
		{"key twice", "name = \"x\"\nname = \"y\"\n", "site.toml:2"},
		{"table twice", "[files]\nown=[]\n[hooks]\n[files]\n", "site.toml:4"},
		{"not TOML", "name = \"x\"\nwhat is this\n", "site.toml:2"},
		{"wrong type", "name = 3\n", "site.toml:1"},
		{"absolute own path", "[files]\non_edited = \"ask\"\nown = [\"a\", \"/etc\"]\n", "site.toml:3: files.own[1]: path \"/etc\": is absolute"},
		{"own path that is Moult's", "[files]\nown = [\".moult/x\"]\n", "site.toml:2: files.own[0]"},
		{"own path that climbs", "files.own = [\"../x\"]\n", "site.toml:1: files.own[0]"},
		{"word", "[files]\n\nswitch = \"fast\"\n", "site.toml:3: files.switch: \"fast\" is not one of auto, tree, file"},
		{"unsigned", "[source]\nunsigned = \"yes\"\n", "site.toml:2: source.unsigned"},
		{"arch", "[source]\narch = \"mips\"\n", "site.toml:2: source.arch"},
		{"duration", "[hooks]\ntimeout = \"soon\"\n", "site.toml:2"},
		{"negative duration", "[keep]\nmax_age = \"-3d\"\n", "site.toml:2"},
		{"negative number", "[keep]\nrestore_points = -1\n", "site.toml:2: keep.restore_points"},
		{"password source", "[database]\npassword_from = \"secret\"\n", "site.toml:2: database.password_from"},
		{"maintenance path", "[maintenance]\nfile = \"/tmp/x\"\n", "site.toml:2: maintenance.file"},
		{"requires", "requires = [\"\"]\n", "site.toml:1: requires[0]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseConfig([]byte(test.text))
			var fault *ConfigError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want a ConfigError", err)
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want it to have %q", err, test.want)
			}
		})
	}
}

func TestPasswordInDSNIsRefused(t *testing.T) {
	tests := []struct {
		dsn string
		has bool
	}{
		{"", false},
		{"wiki@tcp(127.0.0.1:3306)/wiki", false},
		{"wiki@unix(/run/mysqld.sock)/wiki", false},
		{"wiki:secret@tcp(127.0.0.1:3306)/wiki", true},
		{"wiki:p@ss@tcp(127.0.0.1:3306)/wiki", true},
		{"mysql://wiki@db.example.org:3306/wiki", false},
		{"mysql://wiki:secret@db.example.org:3306/wiki", true},
		{"wiki:@tcp(127.0.0.1)/wiki", false},
		{"tcp(127.0.0.1:3306)/wiki", false},
	}
	for _, test := range tests {
		_, err := ParseConfig([]byte("[database]\ndsn = \"" + test.dsn + "\"\n"))
		if got := errors.Is(err, ErrPasswordInDSN); got != test.has {
			t.Errorf("%q: %v", test.dsn, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", test.dsn, err)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(wholeConfig))
	f.Add([]byte("files.own = [\"a/\"]\n[keep]\nmax_age = \"1h\"\n"))
	f.Add([]byte("[[files]]\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseConfig(b)
		if err != nil {
			var fault *ConfigError
			if !errors.As(err, &fault) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		text, err := c.Encode()
		if err != nil {
			t.Fatalf("what was parsed can't be encoded: %v", err)
		}
		again, err := ParseConfig(text)
		if err != nil {
			t.Fatalf("what was encoded can't be parsed: %v\n%s", err, text)
		}
		twice, err := again.Encode()
		if err != nil || string(twice) != string(text) {
			t.Fatalf("encoding is not stable: %v\n%s\n%s", err, text, twice)
		}
	})
}
