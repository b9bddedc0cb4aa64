package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"moult/core/release"
)

// An outpost is a directory of an update on another file system that is mounted inside
// the site: files can only be swapped with others on their own. It is closed like
// .moult and goes with the update.

// outpostsFile lists the directories of the site in which the update has outposts.
const outpostsFile = "outposts.json"

// OutpostPrefix begins the name of every outpost.
const OutpostPrefix = Home + "-"

func (u *Update) outpost(dir release.Path) string { return path.Join(string(dir), OutpostPrefix+u.ID) }

// MakeOutposts makes an outpost in each of the directories. They are written down
// first, so that [Update.Remove] finds also those that a crash cut off.
func (u *Update) MakeOutposts(dirs []release.Path) error {
	if len(dirs) == 0 {
		return nil
	}
	if err := u.WriteJSON(outpostsFile, dirs); err != nil {
		return err
	}
	for _, dir := range dirs {
		name := u.outpost(dir)
		if err := u.site.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("outpost: %w", err)
		}
		for file, text := range denyFiles {
			if err := u.site.WriteFile(path.Join(name, file), []byte(text), 0o600); err != nil {
				return fmt.Errorf("outpost: %w", err)
			}
		}
	}
	return nil
}

// Outpost opens the outpost in a directory. One that was not made gives an error that
// is [fs.ErrNotExist].
func (u *Update) Outpost(dir release.Path) (*os.Root, error) { return u.site.OpenRoot(u.outpost(dir)) }

// outposts lists the directories of the site in which the update has outposts.
func (u *Update) outposts() (dirs []release.Path, err error) {
	if err := u.ReadJSON(outpostsFile, &dirs); err != nil && !isMissing(err) {
		return nil, err
	}
	return dirs, nil
}

// removeOutposts removes the outposts with all that is in them.
func (u *Update) removeOutposts() error {
	dirs, err := u.outposts()
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range dirs {
		errs = append(errs, u.site.RemoveAll(u.outpost(dir)))
	}
	return errors.Join(errs...)
}
