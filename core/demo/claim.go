package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// ErrNotDemo is returned by [Build] for a directory that holds anything but a demo.
// Nothing in it was touched.
var ErrNotDemo = errors.New("is not empty and not a demo")

const (
	// markFile is the first thing in a demo's directory. Only where it is may anything
	// be removed, and who holds its lock has the demo open.
	markFile   = ".moult-demo"
	recordFile = "demo.json"
)

// claim makes the directory a demo's, or opens one that is, for this process alone.
func (d *Demo) claim() error {
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return err
	}
	mark := filepath.Join(d.Dir, markFile)
	info, err := os.Lstat(mark)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		there, err := os.ReadDir(d.Dir)
		if err != nil {
			return err
		}
		// Another Build may have put the mark there since.
		if len(there) > 0 && !(len(there) == 1 && there[0].Name() == markFile) {
			return fmt.Errorf("%s %w", d.Dir, ErrNotDemo)
		}
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s %w", d.Dir, ErrNotDemo)
	}
	d.lock = flock.New(mark, flock.SetPermissions(0o600))
	got, err := d.lock.TryLock()
	if err != nil {
		return fmt.Errorf("claim %s: %w", d.Dir, err)
	}
	if !got {
		return fmt.Errorf("the demo in %s is open in another process", d.Dir)
	}
	return nil
}

// record is what a demo knows of itself from one Build to the next.
type record struct {
	Server    string   `json:"server"`              // "" for the demo's own
	Address   string   `json:"address"`             // of the server, when the demo was last open
	Dir       string   `json:"directory"`           // of the demo, then
	Databases []string `json:"databases,omitempty"` // on a server that is not its own: what it made and has to drop
	Complete  bool     `json:"complete"`            // false: its making was cut off
}

// readRecord returns the record, or a blank one where it can't be read: such a demo
// is made anew.
func (d *Demo) readRecord() (r record) {
	b, err := os.ReadFile(filepath.Join(d.Dir, recordFile))
	if err != nil || json.Unmarshal(b, &r) != nil {
		return record{}
	}
	return r
}

func (d *Demo) writeRecord() error {
	d.record.Address, d.record.Dir = d.address.FormatDSN(), d.Dir
	b, err := json.MarshalIndent(d.record, "", "\t")
	if err != nil {
		return err
	}
	name := filepath.Join(d.Dir, recordFile)
	if err := os.WriteFile(name+".new", append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
