package publish

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/release"
	"moult/core/trust"
)

// read takes the newest metadata from the disk, which may have come from a server: each
// document must be signed by the root, as it must be for a site, and be the one that the
// document before it names. Only when they end doesn't matter, as whoever renews them
// must be able to read them.
//
// A rotation that was killed leaves documents that the root before the last one vouches
// for. They are accepted for the roles in mends, which the command is about to sign.
func (r *repository) read(mends []string) error {
	r.vouched = map[string][]string{}
	before, err := r.readRoots()
	if err != nil {
		return err
	}
	d := &reading{repo: r, before: before, mends: mends}
	if r.timestamp, err = readDocument[metadata.TimestampType](d, metadata.TIMESTAMP, "timestamp.json", nil); err != nil {
		return err
	}
	named := r.timestamp.Signed.Meta["snapshot.json"]
	if r.snapshot, err = readDocument[metadata.SnapshotType](d, metadata.SNAPSHOT, fmt.Sprintf("%d.snapshot.json", named.Version), named); err != nil {
		return err
	}
	named = r.snapshot.Signed.Meta["targets.json"]
	if named == nil {
		return fmt.Errorf("%s: %w: it names no targets", metadata.SNAPSHOT, trust.ErrUntrusted)
	}
	if r.targets, err = readDocument[metadata.TargetsType](d, metadata.TARGETS, fmt.Sprintf("%d.targets.json", named.Version), named); err != nil {
		return err
	}
	return checkTargets(r.targets)
}

// readRoots follows the roots from the first one on (TUF specification, section 5.3) and
// returns the last but one, nil if there is none.
func (r *repository) readRoots() (before *metadata.Metadata[metadata.RootType], err error) {
	for version := int64(1); ; version++ {
		b, err := os.ReadFile(r.path("metadata", fmt.Sprintf("%d.root.json", version)))
		if errors.Is(err, fs.ErrNotExist) && version > 1 {
			r.vouched[metadata.ROOT] = vouchers(r.root, metadata.ROOT, r.root)
			return before, nil
		}
		if err == nil {
			err = trust.CheckDocument(metadata.ROOT, b)
		}
		if err != nil {
			return nil, err
		}
		next, err := metadata.Root().FromBytes(b)
		if err == nil && next.Signed.Version != version {
			err = fmt.Errorf("%d.root.json is of version %d", version, next.Signed.Version)
		}
		if err == nil {
			err = next.VerifyDelegate(metadata.ROOT, next)
		}
		if err == nil && r.root != nil {
			err = r.root.VerifyDelegate(metadata.ROOT, next)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", metadata.ROOT, trust.ErrUntrusted, err)
		}
		before, r.root = r.root, next
	}
}

// reading is what readDocument needs to know.
type reading struct {
	repo   *repository
	before *metadata.Metadata[metadata.RootType]
	mends  []string
}

// readDocument reads and verifies the document of a role. named is what another document
// says of it, nil for a timestamp.
func readDocument[T metadata.Roles](d *reading, role, file string, named *metadata.MetaFiles) (*metadata.Metadata[T], error) {
	b, err := os.ReadFile(d.repo.path("metadata", file))
	if err == nil {
		err = trust.CheckDocument(role, b)
	}
	if err != nil {
		return nil, err
	}
	if named != nil {
		err = named.VerifyLengthHashes(b)
	}
	m := new(metadata.Metadata[T])
	if err == nil {
		_, err = m.FromBytes(b)
	}
	root := d.repo.root
	if err == nil {
		err = root.VerifyDelegate(role, m)
		if err != nil && d.before != nil && slices.Contains(d.mends, role) && d.before.VerifyDelegate(role, m) == nil {
			root, err = d.before, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", role, trust.ErrUntrusted, err)
	}
	d.repo.vouched[role] = vouchers(root, role, m)
	return m, nil
}

// vouchers lists the keys of a role whose signatures of a document are valid. A key that a
// root has under the id of another is not among them.
func vouchers(root *metadata.Metadata[metadata.RootType], role string, document any) []string {
	var ids []string
	for _, id := range root.Signed.Roles[role].KeyIDs {
		one := metadata.Root()
		one.Signed.Keys = root.Signed.Keys
		one.Signed.Roles[role] = &metadata.Role{KeyIDs: []string{id}, Threshold: 1}
		if own, err := root.Signed.Keys[id].ID(); err == nil && own == id && one.VerifyDelegate(role, document) == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// vouches makes sure that one of the keys at hand has signed one of these roles as the
// repository was read. Without that the whole of it, root included, may be somebody
// else's work that only names our keys, and our signature would make it true.
func (r *repository) vouches(ring *keyring, roles ...string) error {
	if r.vouched == nil {
		return nil // it is being made
	}
	for _, role := range roles {
		for _, id := range r.vouched[role] {
			if ring.keys[id] != nil {
				return nil
			}
		}
	}
	return fmt.Errorf("%s: %w: it was last signed by none of the keys in %s, so this may be somebody else's repository",
		roles[0], trust.ErrUntrusted, ring.source)
}

// checkTargets refuses targets whose files can't be named or compared.
func checkTargets(m *metadata.Metadata[metadata.TargetsType]) error {
	for name, t := range m.Signed.Targets {
		path, err := release.ParsePath(name)
		if err == nil && string(path) != name {
			err = fmt.Errorf("%q is a directory", name)
		}
		if err == nil && len(t.Hashes["sha256"]) != sha256.Size {
			err = fmt.Errorf("%s has no SHA-256", name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %w", metadata.TARGETS, trust.ErrUntrusted, err)
		}
	}
	return nil
}

// openTarget opens the file of a target after hashing it.
func (r *repository) openTarget(name string) (*os.File, error) {
	t, ok := r.targets.Signed.Targets[name]
	if !ok {
		return nil, fmt.Errorf("%s is not in the repository", name)
	}
	place, _ := r.targetFile(name)
	f, err := os.Open(place)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err == nil && (n != t.Length || release.Digest(h.Sum(nil)) != release.Digest(t.Hashes["sha256"])) {
		err = trust.ErrHash
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}
