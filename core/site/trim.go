package site

import (
	"io/fs"
	"os"
	"slices"
)

// JournalFile is the name of an update's journal in its directory.
const JournalFile = journalFile

// Has reports whether the update's directory holds name.
func (u *Update) Has(name string) bool {
	_, err := u.Root.Lstat(name)
	return err == nil
}

// Trim removes everything from the update's directory but the named files, its
// journal and what makes it an update. What remains is a line of the history.
func (u *Update) Trim(keep ...string) error {
	if err := u.removeOutposts(); err != nil {
		return err
	}
	entries, err := fs.ReadDir(u.Root.FS(), ".")
	if err != nil {
		return err
	}
	keep = append(keep, birthFile, journalFile)
	for _, entry := range entries {
		if slices.Contains(keep, entry.Name()) {
			continue
		}
		if err := u.Root.RemoveAll(entry.Name()); err != nil {
			return err
		}
	}
	return nil
}

// WriteFile replaces a file below a directory of .moult so that a crash leaves
// its old or its new contents, and makes it durable. It is readable by its owner only.
func WriteFile(dir *os.Root, name string, data []byte) error {
	return writeFile(dir, name, data, 0o600)
}
