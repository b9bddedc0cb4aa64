//go:build !linux

package files

import (
	"moult/core/release"
	"moult/core/site"
)

// inUse: this system doesn't tell which directories are held by whom, so none is
// sure not to be.
func inUse(string) (dirs []release.Path, sure bool) { return nil, false }

// mountsIn: what is mounted where is asked for on Linux only. Elsewhere [Preflight]
// refuses to change what is on another file system.
func mountsIn(*site.Site) ([]release.Path, error) { return nil, nil }
