package site

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gofrs/flock"
	"github.com/pelletier/go-toml/v2"
)

const (
	sitesFile = "sites.toml"
	sitesLock = "sites.lock" // is held while the list is read, changed and written
)

// sitesList is what sites.toml holds.
type sitesList struct {
	Sites []string `toml:"sites"`
}

// LoadSites reads the list of this user's sites, as directories, from
// moult/sites.toml below config, which is [os.UserConfigDir] when it is "". No
// list yet is an empty one.
func LoadSites(config string) ([]string, error) {
	root, err := openConfigDir(config)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return readSites(root)
}

func readSites(root *os.Root) ([]string, error) {
	b, err := readFile(root, sitesFile, maxConfig)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list sitesList
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&list); err != nil {
		var fault *ConfigError
		if errors.As(tomlFault(err), &fault) {
			return nil, fmt.Errorf("%s:%d: %s: %w", sitesFile, fault.Line, fault.Key, fault.Err)
		}
		return nil, fmt.Errorf("%s: %w", sitesFile, err)
	}
	return list.Sites, nil
}

// AddToSites puts dir at the end of the list that [LoadSites] reads, unless it is
// there. Several processes may change the list at once: each changes what the
// others have written.
func AddToSites(config, dir string) error { return listSite(config, dir, true) }

// RemoveFromSites takes dir off the list that [LoadSites] reads, if it is there.
func RemoveFromSites(config, dir string) error { return listSite(config, dir, false) }

// listSite makes dir part of the list or not.
func listSite(config, dir string, wanted bool) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	root, err := openConfigDir(config)
	if err != nil {
		return err
	}
	defer root.Close()
	lock := flock.New(filepath.Join(root.Name(), sitesLock), flock.SetPermissions(0o600))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", sitesFile, err)
	}
	defer lock.Close()
	dirs, err := readSites(root)
	if err != nil {
		return err
	}
	same := func(listed string) bool { return filepath.Clean(listed) == dir } // people write lists too
	switch {
	case slices.ContainsFunc(dirs, same) == wanted:
		return nil
	case wanted:
		dirs = append(dirs, dir)
	default:
		dirs = slices.DeleteFunc(dirs, same)
	}
	b, err := toml.Marshal(sitesList{dirs})
	if err != nil {
		return err
	}
	return writeFile(root, sitesFile, b, 0o600)
}

func openConfigDir(config string) (*os.Root, error) {
	if config == "" {
		var err error
		if config, err = os.UserConfigDir(); err != nil {
			return nil, err
		}
	}
	dir := filepath.Join(config, "moult")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}
