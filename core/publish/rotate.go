package publish

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/trust"
)

// RotateOptions say which keys are replaced.
type RotateOptions struct {
	Role string // root, targets, snapshot or timestamp
	// Keep leaves the keys of the role as they are and only renews the root, or the
	// targets, before it expires.
	Keep bool
	Keys KeySource
	// Passphrase is for the new keys, as in [InitOptions].
	Passphrase func(key string) ([]byte, error)
	Date       time.Time // zero: the clock
}

// Rotate gives a role new keys, as many as it has now, in the directory of the keys.
// The old ones count for nothing from then on, in every site that has seen the new
// root; their files stay, to be destroyed by whoever keeps them. It needs the root
// keys, old and new, and those of every role that must sign again.
func Rotate(ctx context.Context, repo string, o RotateOptions) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !slices.Contains(metadata.TOP_LEVEL_ROLE_NAMES[:], o.Role) {
		return fmt.Errorf("role %q: want root, targets, snapshot or timestamp", o.Role)
	}
	o.Keys = keysOf(repo, o.Keys)
	if !o.Keep {
		if err := holdsNewKeys(o.Keys); err != nil {
			return err
		}
	}
	if o.Date.IsZero() {
		o.Date = time.Now()
	}
	r, err := openToChange(repo, o.Date, metadata.TARGETS)
	if err != nil {
		return err
	}
	defer r.close()
	ring, err := loadKeys(o.Keys)
	if err != nil {
		return err
	}
	// The old root keys vouch for the new root (TUF specification, section 6.1).
	signers, err := ring.signers(r.root, metadata.ROOT)
	if err != nil {
		return err
	}
	if err := r.vouches(ring, metadata.ROOT); err != nil {
		return err
	}
	role := r.root.Signed.Roles[o.Role]
	if !o.Keep {
		fresh, err := createKeys(ring.source.Place, o.Role, len(role.KeyIDs), o.Passphrase)
		if err != nil {
			return err
		}
		for _, k := range fresh {
			ring.keys[keyID(k)] = &heldKey{name: o.Role, key: k}
		}
		if err := setKeys(r.root, o.Role, fresh, role.Threshold); err != nil {
			return err
		}
		if o.Role == metadata.ROOT {
			signers = append(signers, fresh...)
		}
	}
	r.root.Signed.Version++
	r.root.Signed.Expires = r.date.Add(rootLife)
	// Everything that the new root no longer vouches for is signed before the root
	// is written; if a key is missing, nothing has changed.
	for _, name := range []string{metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP} {
		if name == metadata.TARGETS && o.Role != metadata.TARGETS {
			continue
		}
		if _, err := ring.signers(r.root, name); err != nil {
			return err
		}
	}
	if o.Role == metadata.TARGETS && !o.Keep {
		keys, err := ring.signers(r.root, metadata.TARGETS)
		if err != nil {
			return err
		}
		if err := r.resign(keys[0]); err != nil {
			return err
		}
	}
	if err := r.commitRoot(distinct(signers)); err != nil {
		return err
	}
	err = r.commit(ctx, ring, o.Role == metadata.TARGETS)
	if expired := (*trust.ExpiredError)(nil); errors.As(err, &expired) && expired.Role != o.Role {
		return nil // root and targets are renewed one after the other
	}
	return err
}

func distinct(keys []ed25519.PrivateKey) []ed25519.PrivateKey {
	var out []ed25519.PrivateKey
	for _, k := range keys {
		if !slices.ContainsFunc(out, func(o ed25519.PrivateKey) bool { return o.Equal(k) }) {
			out = append(out, k)
		}
	}
	return out
}
