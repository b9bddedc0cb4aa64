package update_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/zalando/go-keyring"

	"moult/core/database"
	"moult/core/site"
	"moult/core/update"
)

func TestAnInitThatFailsLeavesNoPasswordBehind(t *testing.T) {
	keyring.MockInit()
	dir := t.TempDir()
	const dsn = "wiki:secret@tcp(127.0.0.1:9)/wiki"
	_, err := update.Init(t.Context(), dir, update.InitOptions{URL: "http://127.0.0.1:9/", Unsigned: true, DSN: dsn}, update.Options{}, nil)
	if update.KindOf(err) != update.KindDatabase {
		t.Fatalf("init without a server: %v", err)
	}
	d, err := database.ParseDSN(dsn)
	must(t, err)
	if _, err := keyring.Get(database.KeyringService, d.String()); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the keyring has the password of a site that is none: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, site.Home)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind: %v", site.Home, err)
	}
}

func TestASiteThatMayNotBeReadIsNotMalformed(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("the administrator may read everything, and Windows has no such modes")
	}
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, site.Home), 0))
	if _, err := update.Open(dir, update.Options{}); update.KindOf(err) != update.KindPermission {
		t.Errorf("opening it gives %v, of kind %q", err, update.KindOf(err))
	}
}
