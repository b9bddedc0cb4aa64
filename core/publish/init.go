package publish

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/trust"
)

// InitOptions describe a new repository.
type InitOptions struct {
	// Keys is the directory for the private keys, made if need be. "": the
	// repository's own path with "-keys" after it, so that it is not inside.
	Keys string
	// Threshold is how many keys must sign root and targets. 0: 1. The root gets one
	// key more than that, from 2 on, so that one can be lost.
	Threshold int
	// Product is shown to admins as the signer.
	Product string
	// Plain also lays the files out for clients without TUF.
	Plain bool
	// Passphrase gives the passphrase for a new key; an empty one, or nil, leaves the
	// key without.
	Passphrase func(key string) ([]byte, error)
	// Date counts as now. Zero: the clock.
	Date time.Time
}

// DefaultKeys is where [Init] puts the keys of a repository.
func DefaultKeys(repo string) string { return repo + "-keys" }

// Init makes an empty repository and its keys. A repository that is there already is
// an error, whatever is in it.
//
// Afterwards the keys of root and targets should be moved to where no server can read
// them; snapshot and timestamp are what a daily [Refresh] needs.
func Init(repo string, o InitOptions) error {
	if _, err := os.Stat(repo + "/metadata"); err == nil {
		return fmt.Errorf("%s: there is a repository already", repo)
	}
	if o.Keys == "" {
		o.Keys = DefaultKeys(repo)
	}
	if err := errors.Join(holdsNewKeys(KeySource{Place: o.Keys}), outside(repo, o.Keys)); err != nil {
		return err
	}
	o.Threshold = max(o.Threshold, 1)
	if o.Date.IsZero() {
		o.Date = time.Now()
	}
	date := o.Date.UTC().Truncate(time.Second)
	r := &repository{
		dir: repo, date: date,
		root:      metadata.Root(date.Add(rootLife)),
		targets:   metadata.Targets(date.Add(targetsLife)),
		snapshot:  metadata.Snapshot(date.Add(snapshotLife)),
		timestamp: metadata.Timestamp(date.Add(timestampLife)),
	}
	r.root.Signed.UnrecognizedFields = map[string]any{trust.ProductField: o.Product}
	if o.Plain {
		r.root.Signed.UnrecognizedFields[plainField] = true
	}
	// commit counts each of them up to 1.
	r.targets.Signed.Version, r.snapshot.Signed.Version, r.timestamp.Signed.Version = 0, 0, 0

	rootKeys := o.Threshold
	if o.Threshold > 1 {
		rootKeys++
	}
	ring := &keyring{source: KeySource{Place: o.Keys}, keys: map[string]*heldKey{}}
	var signers []ed25519.PrivateKey
	for _, role := range []struct {
		name            string
		keys, threshold int
	}{
		{metadata.ROOT, rootKeys, o.Threshold},
		{metadata.TARGETS, o.Threshold, o.Threshold},
		{metadata.SNAPSHOT, 1, 1},
		{metadata.TIMESTAMP, 1, 1},
	} {
		keys, err := createKeys(o.Keys, role.name, role.keys, o.Passphrase)
		if err != nil {
			return err
		}
		for _, k := range keys {
			ring.keys[keyID(k)] = &heldKey{name: role.name, key: k}
		}
		if err := setKeys(r.root, role.name, keys, role.threshold); err != nil {
			return err
		}
		if role.name == metadata.ROOT {
			signers = keys
		}
	}
	if err := errors.Join(os.MkdirAll(r.path("metadata"), 0o755), os.MkdirAll(r.path("targets"), 0o755)); err != nil {
		return err
	}
	if err := r.commitRoot(signers); err != nil {
		return err
	}
	return r.commit(context.Background(), ring, true)
}

// outside refuses a directory for keys that would be uploaded with the repository.
func outside(repo, keys string) error {
	r, err := filepath.Abs(repo)
	if err != nil {
		return err
	}
	k, err := filepath.Abs(keys)
	if err != nil {
		return err
	}
	if inside, err := filepath.Rel(r, k); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("keys in %s would be uploaded with the repository %s: choose a directory outside", keys, repo)
	}
	return nil
}

// setKeys makes keys the only keys of a role.
func setKeys(root *metadata.Metadata[metadata.RootType], role string, keys []ed25519.PrivateKey, threshold int) error {
	for _, id := range append([]string(nil), root.Signed.Roles[role].KeyIDs...) {
		if err := root.Signed.RevokeKey(id, role); err != nil {
			return err
		}
	}
	for _, k := range keys {
		public, err := publicKey(k)
		if err != nil {
			return err
		}
		if err := root.Signed.AddKey(public, role); err != nil {
			return err
		}
	}
	root.Signed.Roles[role].Threshold = threshold
	return nil
}
