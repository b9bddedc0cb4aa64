//go:build unix

package site

import (
	"io/fs"
	"syscall"
)

// linkedElsewhere reports whether a file has another name too.
func linkedElsewhere(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Nlink > 1
}
