package site

import (
	"io/fs"
	"os"
)

// syncDir does nothing: NTFS journals the entries of directories itself, and a
// directory handle can't be flushed.
func syncDir(*os.Root, string) error { return nil }

// Barrier makes every file below root durable before it returns. Windows can
// flush a whole volume for administrators only, so each file is flushed.
func Barrier(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := root.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		return f.Sync()
	})
}
