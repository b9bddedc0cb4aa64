package release

import (
	"io/fs"
	"testing"
)

func TestWindowsKeepsNoModes(t *testing.T) {
	for _, mode := range []fs.FileMode{0o444, 0o644, 0o666, 0o755} {
		if got := localMode("windows", mode); got != 0o644 {
			t.Errorf("%o is %o on Windows", mode, got)
		}
		if got := localMode("linux", mode|fs.ModeSetuid); got != uint32(mode) {
			t.Errorf("%o is %o on Linux", mode, got)
		}
	}
}
