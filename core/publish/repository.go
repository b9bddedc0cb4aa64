package publish

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/release"
	"moult/core/trust"
)

// How long each role's metadata is good for. Root and targets are signed by keys that
// lie in a safe; snapshot and timestamp by a daily job. A timestamp's life is how long a
// mirror can hide a new release, and how long that job may be broken unnoticed.
const (
	rootLife      = 365 * 24 * time.Hour
	targetsLife   = 365 * 24 * time.Hour
	snapshotLife  = 28 * 24 * time.Hour
	timestampLife = 14 * 24 * time.Hour
)

// plainField of the root says that the repository serves clients without TUF too.
const plainField = "x-moult-plain"

// ErrNotRepository says that a folder was not made by [Init].
var ErrNotRepository = errors.New("it is not a release repository")

// repository is the current state of a repository on the disk.
type repository struct {
	dir       string
	date      time.Time // of the metadata that is written now
	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
	vouched   map[string][]string // ids of the keys that signed each role as it was read; nil: it is being made
	lock      *flock.Flock
}

// openRepository reads the newest metadata of a repository, to look at. It writes nothing
// and keeps nobody from changing it meanwhile: a document names the next by its hash, so
// at worst a file that it names has just been pruned. For mends see read.
func openRepository(dir string, date time.Time, mends ...string) (*repository, error) {
	r := &repository{dir: dir, date: date.UTC().Truncate(time.Second)}
	if _, err := os.Stat(r.path("metadata", "timestamp.json")); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
	}
	if err := r.read(mends); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return r, nil
}

// lockRepository is openRepository for a command that changes it, and keeps others from
// doing that until close.
func lockRepository(dir string, date time.Time, mends ...string) (*repository, error) {
	if _, err := os.Stat(filepath.Join(dir, "metadata", "timestamp.json")); err != nil {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
	}
	lock := flock.New(filepath.Join(dir, "metadata", ".lock"))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("%s: lock it: %w", dir, err)
	case !ok:
		return nil, fmt.Errorf("%s: another publish command is at work in it", dir)
	}
	r, err := openRepository(dir, date, mends...)
	if err == nil {
		err = r.sweep()
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	r.lock = lock
	return r, nil
}

func (r *repository) close() { r.lock.Close() }

// sweep removes what a command left behind that was killed. The lock is held, so
// nobody else is writing.
func (r *repository) sweep() error {
	for _, dir := range []string{"targets", "metadata", "."} {
		entries, err := os.ReadDir(r.path(dir))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nothing was published yet
		}
		if err != nil {
			return err
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), tempPrefix) {
				continue
			}
			if err := os.Remove(r.path(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".new-"

func (r *repository) path(parts ...string) string {
	return filepath.Join(append([]string{r.dir}, parts...)...)
}

// product is the name that the root gives the product.
func (r *repository) product() string {
	name, _ := r.root.Signed.UnrecognizedFields[trust.ProductField].(string)
	return name
}

func (r *repository) plain() bool {
	plain, _ := r.root.Signed.UnrecognizedFields[plainField].(bool)
	return plain
}

// targetFile is where a target lies on the disk.
func (r *repository) targetFile(name string) (string, bool) {
	t, ok := r.targets.Signed.Targets[name]
	if !ok {
		return "", false
	}
	return r.path("targets", filepath.FromSlash(trust.ConsistentName(name, release.Digest(t.Hashes["sha256"])))), true
}

// manifest reads the manifest of a target, nil if there is none.
func (r *repository) manifest(name string) (*release.Manifest, error) {
	if _, ok := r.targets.Signed.Targets[name]; !ok {
		return nil, nil
	}
	f, err := r.openTarget(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	m, err := release.ParseManifest(b, nil)
	if err == nil && m.Moult == nil {
		err = errors.New("it lacks what every manifest of a repository has, the moult object")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// releaseManifest reads the manifest of a release that has to be there.
func (r *repository) releaseManifest(v release.Version) (*release.Manifest, error) {
	m, err := r.manifest(manifestName(v))
	if err == nil && m == nil {
		err = fmt.Errorf("%s is not in the repository", manifestName(v))
	}
	return m, err
}

func manifestName(v release.Version) string { return "releases/" + v.String() + "/manifest.json" }

func channelName(channel string) string { return channel + "/manifest.json" }

// putBytes adds a target with the given contents.
func (r *repository) putBytes(name string, b []byte) error {
	temp, err := r.temp()
	if err != nil {
		return err
	}
	_, err = temp.Write(b)
	if err != nil {
		return errors.Join(err, temp.Close(), os.Remove(temp.Name()))
	}
	return r.put(name, temp, int64(len(b)), release.DigestOf(b))
}

// temp makes a file on the same file system as the targets.
func (r *repository) temp() (*os.File, error) {
	if err := os.MkdirAll(r.path("targets"), 0o755); err != nil {
		return nil, err
	}
	return os.CreateTemp(r.path("targets"), tempPrefix+"*")
}

// put moves a finished temporary file to its place as a target and closes it.
func (r *repository) put(name string, temp *os.File, size int64, digest release.Digest) error {
	place := r.path("targets", filepath.FromSlash(trust.ConsistentName(name, digest)))
	err := errors.Join(temp.Chmod(0o644), temp.Sync(), temp.Close(), os.MkdirAll(filepath.Dir(place), 0o755))
	if err == nil {
		err = os.Rename(temp.Name(), place)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("add %s: %w", name, err), os.Remove(temp.Name()))
	}
	r.targets.Signed.Targets[name] = &metadata.TargetFiles{
		Length: size, Path: name, Hashes: metadata.Hashes{"sha256": digest[:]},
	}
	return nil
}

// putManifest adds the manifest of a release, and that of its channel if it is the
// newest there.
//
// The channel's is read at every check and again at each step of a rollout, and a list
// of files is most of a manifest: it stands in the release's own manifest only, which a
// site reads once it has decided to install.
func (r *repository) putManifest(m *release.Manifest, newest bool) error {
	b, err := m.Encode()
	if err != nil {
		return err
	}
	if _, err := release.ParseManifest(b, nil); err != nil {
		return fmt.Errorf("the manifest would not be accepted by sites: %w", err)
	}
	if err := r.putBytes(manifestName(m.Version), b); err != nil || !newest {
		return err
	}
	short, extension := *m, *m.Moult
	extension.Files, extension.ArchFiles = nil, nil
	short.Moult = &extension
	if b, err = short.Encode(); err != nil {
		return err
	}
	return r.putBytes(channelName(m.Moult.Channel), b)
}

// layPlain gives the targets names without hashes, for clients without TUF.
func (r *repository) layPlain() error {
	if !r.plain() {
		return nil
	}
	for name := range r.targets.Signed.Targets {
		if strings.HasPrefix(name, "releases/") {
			if err := r.linkTarget(name, name); err != nil {
				return err
			}
		}
	}
	for _, channel := range r.channels() {
		m, err := r.manifest(channelName(channel))
		if err != nil {
			return err
		}
		// A client without TUF knows one address, so it gets everything there. It stands
		// directly in targets/, so that the packages it names are relative to itself too.
		if err := r.linkTarget(manifestName(m.Version), channel+".json"); err != nil {
			return err
		}
	}
	return nil
}

// linkTarget gives a target a second name, unless it has it already.
func (r *repository) linkTarget(target, name string) error {
	place, _ := r.targetFile(target)
	want, err := os.Stat(place)
	if err != nil {
		return err
	}
	have, err := os.Stat(r.path("targets", filepath.FromSlash(name)))
	if err == nil && os.SameFile(want, have) {
		return nil
	}
	return r.link(place, name)
}

// link gives a target a second name, by a hard link where the disk can.
func (r *repository) link(place, name string) error {
	second := r.path("targets", filepath.FromSlash(name))
	temp := second + ".new"
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(place, temp) != nil {
		b, err := os.ReadFile(place)
		if err != nil {
			return err
		}
		if err := os.WriteFile(temp, b, 0o644); err != nil {
			return err
		}
	}
	return os.Rename(temp, second)
}

// commit signs what changed and writes it: targets, snapshot and, last, timestamp. With
// too few keys at hand it leaves the targets to be signed by others, see suspend.
func (r *repository) commit(ctx context.Context, ring *keyring, newTargets bool) error {
	if newTargets {
		r.targets.Signed.Version++
		r.targets.Signed.Expires = r.date.Add(targetsLife)
		keys, err := r.changers(ring)
		if err != nil {
			return err
		}
		if err := sign(r.targets, keys); err != nil {
			return fmt.Errorf("sign %s: %w", metadata.TARGETS, err)
		}
		if missing, err := r.missing(ring, r.targets); err != nil || len(missing) > 0 {
			return errors.Join(err, r.suspend(r.targets, missing))
		}
		if err := r.placeTargets(); err != nil {
			return err
		}
	}
	return r.commitOnline(ctx, ring)
}

// placeTargets writes targets metadata that is signed, for the next snapshot to name.
func (r *repository) placeTargets() error {
	b, err := r.targets.ToBytes(false)
	if err != nil {
		return err
	}
	if err := r.write(strconv.FormatInt(r.targets.Signed.Version, 10)+".targets.json", b); err != nil {
		return err
	}
	r.snapshot.Signed.Meta["targets.json"] = metaFile(r.targets.Signed.Version, b)
	return r.layPlain()
}

// commitOnline renews the snapshot and the timestamp.
func (r *repository) commitOnline(ctx context.Context, ring *keyring) error {
	for _, role := range onlineRoles {
		if _, err := ring.signers(r.root, role); err != nil {
			return err
		}
	}
	if err := r.vouches(ring, onlineVouchers...); err != nil {
		return err
	}
	r.snapshot.Signed.Version++
	r.snapshot.Signed.Expires = r.date.Add(snapshotLife)
	b, err := signed(ring, r.root, metadata.SNAPSHOT, r.snapshot)
	if err != nil {
		return err
	}
	if err := r.write(strconv.FormatInt(r.snapshot.Signed.Version, 10)+".snapshot.json", b); err != nil {
		return err
	}
	r.timestamp.Signed.Meta["snapshot.json"] = metaFile(r.snapshot.Signed.Version, b)
	r.timestamp.Signed.Version++
	r.timestamp.Signed.Expires = r.date.Add(timestampLife)
	if b, err = signed(ring, r.root, metadata.TIMESTAMP, r.timestamp); err != nil {
		return err
	}
	if err := r.write("timestamp.json", b); err != nil {
		return err
	}
	// A command that was killed half-way, or a role whose keys are lost, must not be
	// found by a hundred thousand sites first.
	if err := r.verifyTrust(ctx, r.date); err != nil {
		return fmt.Errorf("sites would not accept the repository: %w", err)
	}
	return nil
}

// commitRoot signs a new root with its own keys and with those of the one before, and
// writes it.
func (r *repository) commitRoot(keys []ed25519.PrivateKey) error {
	if err := sign(r.root, keys); err != nil {
		return err
	}
	b, err := r.root.ToBytes(false)
	if err != nil {
		return err
	}
	if err := r.write(strconv.FormatInt(r.root.Signed.Version, 10)+".root.json", b); err != nil {
		return err
	}
	return writeFile(r.path("root.json"), b)
}

func (r *repository) write(name string, b []byte) error {
	return writeFile(r.path("metadata", name), b)
}

func signed[T metadata.Roles](ring *keyring, root *metadata.Metadata[metadata.RootType], role string, m *metadata.Metadata[T]) ([]byte, error) {
	keys, err := ring.signers(root, role)
	if err != nil {
		return nil, err
	}
	if err := sign(m, keys); err != nil {
		return nil, fmt.Errorf("sign %s: %w", role, err)
	}
	return m.ToBytes(false)
}

func metaFile(version int64, b []byte) *metadata.MetaFiles {
	d := release.DigestOf(b)
	return &metadata.MetaFiles{Version: version, Length: int64(len(b)), Hashes: metadata.Hashes{"sha256": d[:]}}
}

// writeFile replaces a file so that a web server hands out the old or the new one.
func writeFile(name string, b []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, b) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(name), tempPrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(f.Name()))
	}
	return nil
}

// versions lists the releases of the repository, oldest first.
func (r *repository) versions() []release.Version {
	var all []release.Version
	for name := range maps.Keys(r.targets.Signed.Targets) {
		rest, isRelease := strings.CutPrefix(name, "releases/")
		text, base, _ := strings.Cut(rest, "/")
		if v, err := release.ParseVersion(text); err == nil && isRelease && base == "manifest.json" {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, release.Version.Compare)
	return all
}
