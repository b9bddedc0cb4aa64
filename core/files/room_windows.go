package files

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// room is what a file system has left for whoever runs Moult.
type room struct {
	bytes    int64
	files    int64 // how many more files; -1 where that has no limit
	readOnly bool
	quota    bool // a quota leaves less than the disk does, where that can be told apart
}

// roomOf asks the volume of a directory; quota is in what it answers.
func roomOf(dir *os.Root) (room, error) {
	name, err := windows.UTF16PtrFromString(dir.Name())
	if err != nil {
		return room{}, err
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return room{}, err
	}
	return room{bytes: int64(min(free, math.MaxInt64)), files: -1}, nil
}

// immutable: Windows has no such flag beyond read-only, which a rename ignores.
func immutable(*os.File) bool { return false }
