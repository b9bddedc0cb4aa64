//go:build !linux && !windows

package site

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// syncDir makes the entries of a directory durable.
func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Barrier makes everything that was written to the file system of root durable
// before it returns: sync(2) hands all of it to the drive, and syncing the
// directory (F_FULLFSYNC on macOS) makes the drive write it down.
func Barrier(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Sync(); err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync the file system of %s: %w", root.Name(), err)
	}
	return nil
}
