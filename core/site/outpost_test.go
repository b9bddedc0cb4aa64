package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"moult/core/release"
)

func TestOutpostsGoWithTheirUpdate(t *testing.T) {
	for _, way := range []struct {
		name string
		end  func(*Update) error
	}{
		{"removed", (*Update).Remove},
		{"trimmed", func(u *Update) error { return errors.Join(u.Trim(), u.Close()) }},
	} {
		t.Run(way.name, func(t *testing.T) {
			s := newSite(t)
			dir := filepath.Join(s.Dir, "volume")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			u, err := s.NewUpdate("u1")
			if err != nil {
				t.Fatal(err)
			}
			before, err := u.Size()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // as after a crash
				if err := u.MakeOutposts([]release.Path{"volume"}); err != nil {
					t.Fatal(err)
				}
			}
			root, err := u.Outpost("volume")
			if err != nil {
				t.Fatal(err)
			}
			if err := root.WriteFile("kept", make([]byte, 1000), 0o600); err != nil {
				t.Fatal(err)
			}
			if info, err := root.Stat("."); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the outpost has %v, %v", info.Mode(), err)
			}
			if _, err := root.Stat(".htaccess"); err != nil {
				t.Errorf("web servers may hand it out: %v", err)
			}
			if err := root.Close(); err != nil {
				t.Error(err)
			}
			if size, err := u.Size(); err != nil || size < before+1000 {
				t.Errorf("the size is %d, and was %d before, %v", size, before, err)
			}
			if err := way.end(u); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Lstat(filepath.Join(dir, OutpostPrefix+"u1")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the outpost is still there: %v", err)
			}
		})
	}
}
