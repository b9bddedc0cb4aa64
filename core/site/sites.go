package site

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

const sitesFile = "sites.toml"

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

// SaveSites replaces the list that [LoadSites] reads.
func SaveSites(config string, dirs []string) error {
	root, err := openConfigDir(config)
	if err != nil {
		return err
	}
	defer root.Close()
	b, err := toml.Marshal(sitesList{dirs})
	if err != nil {
		return err
	}
	return writeFile(root, sitesFile, b, 0o600)
}

// AddToSites puts dir at the end of the list that [LoadSites] reads, unless it is there.
func AddToSites(config, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	dirs, err := LoadSites(config)
	if err != nil || slices.Contains(dirs, dir) {
		return err
	}
	return SaveSites(config, append(dirs, dir))
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
