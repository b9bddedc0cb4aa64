package demo

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"

	"moult/core/release"
)

//go:embed wiki/*.txtar shop/*.txtar
var archives embed.FS

// Release is one release of a sample product, complete.
type Release struct {
	Version release.Version
	Date    time.Time
	Channel string
	Notes   string
	Schema  string            // CREATE statements
	Tree    map[string][]byte // contents by path
	Scripts map[string][]byte // by name, as in "01-welcome.sql"
}

// The sample products, which are the directories of the archives.
const (
	Wiki = "wiki"
	Shop = "shop"
)

// calendar says when and where each release was published. Dates are counted
// back from today, so that the sample's metadata is never out of date.
var calendar = map[string]struct {
	daysAgo int
	channel string
}{
	"1.4.2": {110, "stable"},
	"1.4.3": {61, "stable"},
	"1.5.0": {9, "stable"},
	"1.6.0": {2, "beta"},
	"2.0.0": {159, "stable"},
	"2.0.1": {47, "stable"},
}

// Releases returns the releases of a product, oldest first.
func Releases(product string) ([]Release, error) {
	names, err := fs.Glob(archives, product+"/*.txtar")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []Release
	tree := map[string][]byte{}
	for _, name := range names {
		r, err := readRelease(name, tree)
		if err != nil {
			return nil, fmt.Errorf("sample %s: %w", name, err)
		}
		tree = r.Tree
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no sample product is called %q", product)
	}
	return all, nil
}

// readRelease reads an archive that says how a release differs from the tree of
// the one before it.
func readRelease(name string, before map[string][]byte) (Release, error) {
	text, err := archives.ReadFile(name)
	if err != nil {
		return Release{}, err
	}
	number := strings.TrimSuffix(filepath.Base(name), ".txtar")
	r := Release{Tree: maps.Clone(before), Scripts: map[string][]byte{}}
	if r.Version, err = release.ParseVersion(number); err != nil {
		return Release{}, err
	}
	when := calendar[number]
	r.Channel = when.channel
	r.Date = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -when.daysAgo)
	for _, f := range txtar.Parse(text).Files {
		dir, rest, _ := strings.Cut(f.Name, "/")
		switch dir {
		case "notes.md":
			r.Notes = string(f.Data)
		case "schema.sql":
			r.Schema = string(f.Data)
			r.Tree["docs/schema.sql"] = f.Data
		case "scripts":
			r.Scripts[rest] = f.Data
		case "removed":
			for _, path := range strings.Fields(string(f.Data)) {
				delete(r.Tree, path)
			}
		case "tree":
			r.Tree[rest] = f.Data
		default:
			return Release{}, fmt.Errorf("%s is not part of a release", f.Name)
		}
	}
	if err := addPictures(r.Tree, number); err != nil {
		return Release{}, err
	}
	return r, nil
}

// Write writes the release's tree below dir.
func (r Release) Write(dir string) error {
	for path, data := range r.Tree {
		name := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, modeOf(path)); err != nil {
			return err
		}
	}
	return nil
}

// modeOf makes what cron runs executable.
func modeOf(path string) fs.FileMode {
	if strings.HasPrefix(path, "cron/") {
		return 0o755
	}
	return 0o644
}
