package trust

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"moult/core/release"
)

// Names in the trust directory of a site. The floor is not among the cached
// documents, so that whatever empties the cache leaves it alone.
const (
	floorName = "root.json"
	viewName  = "view.json"
	cacheDir  = "metadata"
	targetDir = "targets" // of targets that were read, by digest
)

// maxStored caps what is read back from the trust directory, in bytes: a manifest is
// the longest.
const maxStored = release.MaxManifest

// floor is the newest root ever seen for a pinned root. Its version only grows.
type floor struct {
	Format  int            `json:"format"`
	Pinned  release.Digest `json:"pinned"` // of the root that the admin pinned
	Version int64          `json:"version"`
	Root    string         `json:"root"` // the document, byte for byte
}

// view is the last complete set of metadata that passed every check, expiry included.
type view struct {
	Timestamp string `json:"timestamp"`
	Snapshot  string `json:"snapshot"`
	Targets   string `json:"targets"`
}

// loadFloor returns the newest root known for the pinned one: the pinned one itself
// at first, and again when the admin pinned another.
func loadFloor(dir *os.Root, pinned []byte) (floor, error) {
	first := floor{Format: 1, Pinned: release.DigestOf(pinned), Root: string(pinned)}
	b, err := dir.ReadFile(floorName)
	if errors.Is(err, fs.ErrNotExist) {
		return first, nil
	}
	if err != nil {
		return floor{}, fmt.Errorf("read the record of the newest root: %w", err)
	}
	var f floor
	if err := json.Unmarshal(b, &f); err != nil || f.Format != 1 || f.Root == "" {
		return floor{}, untrusted(floorName, errors.New("the record of the newest root is damaged; add the site again with the publisher's root"))
	}
	if f.Pinned != first.Pinned {
		return first, nil
	}
	return f, nil
}

// saveFloor records a newer root and never an older one.
func saveFloor(dir *os.Root, f floor) error {
	old, err := loadFloor(dir, nil)
	if err == nil && old.Pinned == f.Pinned && old.Version > f.Version {
		return untrusted(floorName, fmt.Errorf("root version %d is older than %d, which was seen before", f.Version, old.Version))
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return writeFile(dir, floorName, b)
}

func saveView(dir *os.Root, v view) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if old, err := dir.ReadFile(viewName); err == nil && string(old) == string(b) {
		return nil
	}
	return writeFile(dir, viewName, b)
}

func loadView(dir *os.Root) (view, error) {
	var v view
	b, err := readStored(dir, viewName)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(b, &v)
}

func cached(dir *os.Root, role string) ([]byte, error) {
	return readStored(dir, cacheDir+"/"+role+".json")
}

func saveCached(dir *os.Root, role string, b []byte) error {
	if err := dir.MkdirAll(path.Dir(cacheDir+"/"+role), 0o700); err != nil {
		return err
	}
	return writeFile(dir, cacheDir+"/"+role+".json", b)
}

func cachedTarget(dir *os.Root, d release.Digest) ([]byte, error) {
	b, err := readStored(dir, targetDir+"/"+d.Hex())
	if err == nil && release.DigestOf(b) != d {
		err = ErrHash
	}
	return b, err
}

// saveTarget keeps a target and removes those that are not wanted any more.
func saveTarget(dir *os.Root, d release.Digest, b []byte, wanted map[release.Digest]bool) error {
	if len(b) > maxStored {
		return nil
	}
	if err := dir.MkdirAll(targetDir, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(dir.FS(), targetDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		// Other names are files that another check is just writing.
		old, err := release.ParseDigest(e.Name())
		if err != nil || wanted[old] {
			continue
		}
		if err := dir.Remove(targetDir + "/" + e.Name()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return writeFile(dir, targetDir+"/"+d.Hex(), b)
}

func readStored(dir *os.Root, name string) ([]byte, error) {
	info, err := dir.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxStored {
		return nil, fmt.Errorf("%s: %d bytes are more than any metadata has", name, info.Size())
	}
	return dir.ReadFile(name)
}

// writeFile replaces a file so that after a power loss it is the old or the new one. The
// window and a job may check one site at a time, so each writes a file of its own first.
func writeFile(dir *os.Root, name string, b []byte) error {
	temp := name + ".new-" + rand.Text()
	f, err := dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), dir.Remove(temp))
	}
	if err := dir.Rename(temp, name); err != nil {
		return err
	}
	return syncDir(dir)
}
