package database

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/zalando/go-keyring"
)

func TestPasswordSources(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	env := "# settings\r\nexport DB_PASSWORD=\"a\\\"b # c\"\nOTHER='x \\n y' # note\nPLAIN = p#w # note\nDB_PASSWORD_OLD=no\nEMPTY=\n"
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".env", env)
	write("secret", "from file\n")
	t.Setenv("MOULT_TEST_PASSWORD", "from env")
	d, err := ParseDSN("shop@tcp(h)/shop")
	if err != nil {
		t.Fatal(err)
	}
	if err := StorePassword(d.WithPassword("from keyring")); err != nil {
		t.Fatal(err)
	}
	ask := func(_ context.Context, prompt string) (string, error) {
		if !strings.Contains(prompt, "shop@h:3306/shop") {
			t.Errorf("asked %q", prompt)
		}
		return "from admin", nil
	}
	for from, want := range map[string]string{
		"env:MOULT_TEST_PASSWORD":              "from env",
		"file:secret":                          "from file",
		"file:" + filepath.Join(dir, "secret"): "from file",
		"file:.env#DB_PASSWORD":                `a"b # c`,
		"file:.env#OTHER":                      `x \n y`,
		"file:.env#PLAIN":                      "p#w",
		"file:.env#EMPTY":                      "",
		"keyring:":                             "from keyring",
		"keyring:shop@h:3306/shop":             "from keyring",
		"prompt":                               "from admin",
	} {
		got, err := ResolvePassword(t.Context(), d, from, dir, ask)
		if err != nil || got.password != want || !got.HasPassword() {
			t.Errorf("%s: %q, %v; want %q", from, got.password, err, want)
		}
	}
	for from, target := range map[string]error{
		"env:MOULT_TEST_NO_SUCH": ErrNoPassword,
		"file:.env#MISSING":      ErrNoPassword,
		"file:absent":            os.ErrNotExist,
		"keyring:nobody":         ErrNoPassword,
		"magic:x":                nil,
	} {
		_, err := ResolvePassword(t.Context(), d, from, dir, ask)
		if err == nil || target != nil && !errors.Is(err, target) || !strings.Contains(err.Error(), from) {
			t.Errorf("%s: %v; want %v", from, err, target)
		}
	}
	if _, err := ResolvePassword(t.Context(), d, "prompt", dir, nil); err == nil {
		t.Error("prompt without anybody to ask succeeded")
	}
	if same, err := ResolvePassword(t.Context(), d.WithPassword("x"), "", dir, nil); err != nil || same.password != "x" {
		t.Error("without a source the password of the DSN is lost")
	}
}

func FuzzVariable(f *testing.F) {
	f.Add("A=1\nB='2'\n", "s3cr#t \\ \"x")
	f.Add("\ufeffexport K = \"a\\", "")
	f.Fuzz(func(t *testing.T, file, secret string) {
		if _, err := variable(strings.NewReader(file), "KEY"); err != nil && !errors.Is(err, ErrNoPassword) && !errors.Is(err, bufio.ErrTooLong) {
			t.Fatal(err)
		}
		if strings.ContainsAny(secret, "'\r\n") {
			return // what single quotes can't hold
		}
		// The last line counts, whatever stands before it.
		got, err := variable(strings.NewReader(file+"\nKEY='"+secret+"'\n"), "KEY")
		if err != nil || got != secret {
			t.Fatalf("%q reads as %q, %v", secret, got, err)
		}
	})
}
