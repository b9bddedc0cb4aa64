package release

import (
	"io/fs"
	"runtime"
)

// LocalMode returns what this system keeps of a file's permission bits: all of them,
// or 0644 on Windows, which has none. It is asked for both sides of a comparison, and
// for what a publisher on Windows writes down, whose sites may be on other systems.
func LocalMode(mode fs.FileMode) uint32 { return localMode(runtime.GOOS, mode) }

func localMode(system string, mode fs.FileMode) uint32 {
	if system == "windows" {
		return 0o644
	}
	return uint32(mode.Perm())
}
