//go:build unix

package site

import (
	"os"
	"syscall"
	"testing"
)

func TestFlagIsReadableByEveryoneWhateverTheUmask(t *testing.T) {
	s, name := leased(t)
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	l := s.Lease()
	if err := l.Raise("u1"); err != nil {
		t.Fatal(err)
	}
	defer l.Lower()
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the flag is %v, %v", info.Mode(), err)
	}
}
