package files

import (
	"io/fs"
	"os"
)

// readAttrs reads what a file has besides its contents.
func readAttrs(f *os.File) (attrs, error) {
	info, err := f.Stat()
	if err != nil {
		return attrs{}, unwrapPath(err)
	}
	return attrs{mode: info.Mode().Perm(), uid: -1, gid: -1}, nil
}

// inheritAttrs returns what a new file in a directory gets. Windows passes access
// lists on by itself.
func inheritAttrs(_ *os.File, mode fs.FileMode) (attrs, error) {
	return attrs{mode: mode, uid: -1, gid: -1}, nil
}

// applyAttrs gives an open file its attributes: on Windows, whether it may be written.
func applyAttrs(f *os.File, a attrs) error { return f.Chmod(a.mode) }

// identOf returns what tells a file from all others as long as nobody writes to it.
// Windows tells no inode here, so recovery there falls back to hashes.
func identOf(info fs.FileInfo) ident {
	if info.IsDir() {
		return ident{}
	}
	return ident{Size: info.Size(), Time: info.ModTime().UnixNano()}
}

// deviceOf returns the device that a file is on; os tells none on Windows, and a
// rename across volumes fails in [Preflight].
func deviceOf(fs.FileInfo) uint64 { return 0 }

// ownerOf returns a file's owner, -1 when the system doesn't tell.
func ownerOf(fs.FileInfo) int { return -1 }

// groupOf returns a file's group, -1 when the system doesn't tell.
func groupOf(fs.FileInfo) int { return -1 }

// isOwnedBy: owners don't go over on Windows.
func isOwnedBy(fs.FileInfo, int, int) bool { return true }

// namesOf returns how many names a file has.
func namesOf(fs.FileInfo) uint64 { return 1 }

// readDirAttrs reads what a directory has besides its entries.
func readDirAttrs(dir *os.File) (attrs, error) { return readAttrs(dir) }

// stampOf: Windows tells no inode and no time of change here, so every file is read.
func stampOf(fs.FileInfo) (stamp, bool) { return stamp{}, false }

// inheritDirAttrs returns what a new directory gets that is made elsewhere and moved
// below dir.
func inheritDirAttrs(dir *os.File) (attrs, error) { return readAttrs(dir) }
