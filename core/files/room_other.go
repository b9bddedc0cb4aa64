//go:build unix && !linux && !darwin

package files

import (
	"math"
	"os"
)

// room is what a file system has left for whoever runs Moult.
type room struct {
	bytes    int64
	files    int64 // how many more files; -1 where that has no limit
	readOnly bool
	quota    bool // a quota leaves less than the disk does, where that can be told apart
}

// roomOf: what to ask differs too much between these systems; the probe in each
// directory tells the rest.
func roomOf(*os.Root) (room, error) { return room{bytes: math.MaxInt64, files: -1}, nil }

// immutable: the probe tells.
func immutable(*os.File) bool { return false }
