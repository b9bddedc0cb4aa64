//go:build !windows

package trust

import (
	"errors"
	"os"
)

// syncDir makes renames in dir survive a power loss.
func syncDir(dir *os.Root) error {
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
