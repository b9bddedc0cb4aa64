//go:build !linux

package site

import "os"

// allocate takes room for an empty file.
func allocate(f *os.File, size int64) error { return writeZeros(f, size) }
