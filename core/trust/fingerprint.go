package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// ProductField is where a publisher's root metadata names the product. It stands
// among the fields that TUF lets a repository add, and is signed with the rest.
const ProductField = "x-moult-product"

// Fingerprint returns what an admin compares with the publisher's web page before
// trusting a root: the SHA-256 of the root role's keys and threshold, as eight groups
// of four digits. It changes when who may decide changes, and at no other time. A
// root that is not signed by its own keys is [ErrUntrusted].
func Fingerprint(rootJSON []byte) (string, error) {
	trusted, err := parseRoot(rootJSON)
	if err != nil {
		return "", err
	}
	return fingerprint(trusted.Root), nil
}

// fingerprint hashes the keys themselves: a key id is only a name, which whoever
// writes the root chooses.
func fingerprint(root *metadata.Metadata[metadata.RootType]) string {
	role := root.Signed.Roles[metadata.ROOT]
	var keys []string
	for _, id := range role.KeyIDs {
		k := root.Signed.Keys[id]
		keys = append(keys, fmt.Sprintf("%s %s %s", k.Type, k.Scheme, k.Value.PublicKey))
	}
	slices.Sort(keys)
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d of\n%s\n", role.Threshold, strings.Join(slices.Compact(keys), "\n"))))
	var groups []string
	for digits := hex.EncodeToString(sum[:16]); digits != ""; digits = digits[4:] {
		groups = append(groups, digits[:4])
	}
	return strings.Join(groups, " ")
}

// describe makes the status of a set of metadata, apart from its freshness.
func describe(t *trustedmetadata.TrustedMetadata) Status {
	s := Status{Fingerprint: fingerprint(t.Root), RootVersion: int(t.Root.Signed.Version)}
	if name, ok := t.Root.Signed.UnrecognizedFields[ProductField].(string); ok {
		s.Signer = name
	} else {
		s.Signer = "key " + s.Fingerprint[:9]
	}
	s.Expires = t.Root.Signed.Expires
	for _, e := range []time.Time{t.Timestamp.Signed.Expires, t.Snapshot.Signed.Expires, t.Targets[metadata.TARGETS].Signed.Expires} {
		if e.Before(s.Expires) {
			s.Expires = e
		}
	}
	return s
}
