package trust

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// maxDepth is how deep metadata may nest; TUF's own documents need seven levels.
const maxDepth = 32

// parseRoot reads a root document that is trusted as it is, if its own keys signed it.
func parseRoot(b []byte) (*trustedmetadata.TrustedMetadata, error) {
	if err := checkRoot(b); err != nil {
		return nil, untrusted("root", err)
	}
	t, err := trustedmetadata.New(b)
	if err != nil {
		return nil, untrusted("root", err)
	}
	return t, nil
}

// checkDocument refuses JSON that two readers could take for different things, and
// the nulls that go-tuf would follow as pointers. Only what a publisher adds under
// "custom" may hold nulls.
func checkDocument(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := checkValue(d, 0, false); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the document")
	}
	return nil
}

func checkValue(d *json.Decoder, depth int, custom bool) error {
	if depth > maxDepth {
		return fmt.Errorf("it nests deeper than %d levels", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case nil:
		if !custom {
			return errors.New("it has a null")
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			token, err := d.Token()
			if err != nil {
				return err
			}
			key := token.(string) // the decoder lets nothing else stand there
			if seen[key] {
				return fmt.Errorf("it has %q twice", key)
			}
			seen[key] = true
			if err := checkValue(d, depth+1, custom || key == "custom"); err != nil {
				return err
			}
		}
		_, err = d.Token()
	case json.Delim('['):
		for d.More() {
			if err := checkValue(d, depth+1, custom); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

// checkRoot adds to checkDocument that Ed25519 keys have the length of Ed25519 keys,
// without which the verification would panic.
func checkRoot(b []byte) error {
	if err := checkDocument(b); err != nil {
		return err
	}
	root, err := metadata.Root().FromBytes(b)
	if err != nil {
		return err
	}
	for id, k := range root.Signed.Keys {
		if k.Type != metadata.KeyTypeEd25519 {
			continue
		}
		if raw, err := hex.DecodeString(k.Value.PublicKey); err != nil || len(raw) != ed25519.PublicKeySize {
			return fmt.Errorf("key %.16s is not an Ed25519 key", id)
		}
	}
	return nil
}

// checkTimestamp adds to checkDocument that a snapshot is named.
func checkTimestamp(b []byte) error {
	if err := checkDocument(b); err != nil {
		return err
	}
	t, err := metadata.Timestamp().FromBytes(b)
	if err != nil {
		return err
	}
	if t.Signed.Meta["snapshot.json"] == nil {
		return errors.New("it names no snapshot")
	}
	return nil
}

// CheckDocument refuses a document of metadata that would not survive being decoded and
// verified: JSON that two readers could take for different things, nulls, keys of a wrong
// length. It is for whoever reads metadata otherwise than by [Open], and checks no
// signature. The error is an [ErrUntrusted] that names the role.
func CheckDocument(role string, b []byte) error {
	check := checkDocument
	switch role {
	case metadata.ROOT:
		check = checkRoot
	case metadata.TIMESTAMP:
		check = checkTimestamp
	}
	if err := check(b); err != nil {
		return untrusted(role, err)
	}
	return nil
}
