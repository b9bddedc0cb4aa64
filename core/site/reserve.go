package site

import (
	"fmt"
	"os"
)

const (
	reserveFile = "reserve"
	// reserveSize is enough for the journal and the directories of an undo of
	// 20 000 files, with a margin.
	reserveSize = 8 << 20
)

// Reserve makes sure that the reserve file is there: room that is given free
// when the disk is full, so that an undo can always write what it must.
func (s *Site) Reserve() error {
	if info, err := s.state.Stat(reserveFile); err == nil && info.Size() == reserveSize {
		return nil
	}
	f, err := s.state.OpenFile(reserveFile, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("reserve file: %w", err)
	}
	defer f.Close()
	if err := allocate(f, reserveSize); err != nil {
		s.FreeReserve()
		return fmt.Errorf("reserve file: %w", err)
	}
	return nil
}

// writeZeros takes room by writing: a hole would reserve nothing.
func writeZeros(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for range size / int64(len(zeros)) {
		if _, err := f.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}

// FreeReserve gives the reserve file's room free.
func (s *Site) FreeReserve() error {
	if err := s.state.Remove(reserveFile); err != nil && !isMissing(err) {
		return fmt.Errorf("reserve file: %w", err)
	}
	return nil
}
