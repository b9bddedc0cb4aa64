package publish

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Private keys are PKCS #8 in PEM, as every tool writes them. A key with a passphrase is
// the same PEM sealed by the scheme of the TUF tools (scrypt and NaCl secretbox, by
// go-securesystemslib, which go-tuf brings anyway).
const (
	blockPrivate = "PRIVATE KEY"
	blockSealed  = "ENCRYPTED MOULT KEY"
	headerID     = "Key-Id" // lets a sealed key be found without its passphrase
)

// ErrNoKey says that a role can't be signed because too few of its private keys are at hand.
var ErrNoKey = errors.New("private keys are missing")

// KeySource says where private keys come from.
type KeySource struct {
	// Place is a directory of .pem files, "env:NAME" for keys in PEM in an environment
	// variable, or "-" for standard input.
	Place string
	// Unlock gives the passphrase of a key. nil: MOULT_KEY_PASSPHRASE.
	Unlock func(key string) ([]byte, error)
	// HandOn lets a change wait for further signatures, see [Sign], where too few of
	// the keys that it needs are here.
	HandOn bool
}

// String says where the keys come from, for messages.
func (s KeySource) String() string {
	if name, isEnv := strings.CutPrefix(s.Place, "env:"); isEnv {
		return "$" + name
	}
	if s.Place == "-" {
		return "standard input"
	}
	return s.Place
}

// ErrKeyPlace says that new keys can't be put to where keys are only read from.
var ErrKeyPlace = errors.New("new keys need a directory to lie in: put the keys that are needed into one and name it (--keys DIR)")

// holdsNewKeys refuses a place that new keys can't be written to.
func holdsNewKeys(s KeySource) error {
	if s.Place == "-" || strings.HasPrefix(s.Place, "env:") {
		return fmt.Errorf("%s: %w", s, ErrKeyPlace)
	}
	return nil
}

// passphraseVariable is where passphrases come from in release jobs.
const passphraseVariable = "MOULT_KEY_PASSPHRASE"

// keyring is the private keys at hand, by TUF key id. Sealed ones are opened when
// they are first needed.
type keyring struct {
	source KeySource
	keys   map[string]*heldKey
}

type heldKey struct {
	name   string // where it came from, for messages
	sealed []byte
	key    ed25519.PrivateKey
}

// loadKeys reads every key of a source.
func loadKeys(s KeySource) (*keyring, error) {
	ring := &keyring{source: s, keys: map[string]*heldKey{}}
	switch name, isEnv := strings.CutPrefix(s.Place, "env:"); {
	case isEnv:
		return ring, ring.addAll(s.String(), []byte(os.Getenv(name)))
	case s.Place == "-":
		b, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return nil, fmt.Errorf("read keys from standard input: %w", err)
		}
		return ring, ring.addAll(s.String(), b)
	}
	entries, err := os.ReadDir(s.Place)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(e.Name()) != ".pem" {
			continue
		}
		f := filepath.Join(s.Place, e.Name())
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if err := ring.addAll(f, b); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

func (r *keyring) addAll(from string, text []byte) error {
	for rest := text; ; {
		block, after := pem.Decode(rest)
		if block == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				return fmt.Errorf("keys in %s: what follows the last key is not PEM", from)
			}
			return nil
		}
		rest = after
		if err := r.add(from, block); err != nil {
			return fmt.Errorf("key in %s: %w", from, err)
		}
	}
}

func (r *keyring) add(from string, block *pem.Block) error {
	switch block.Type {
	case blockSealed:
		id := block.Headers[headerID]
		if id == "" {
			return fmt.Errorf("an encrypted key without %s", headerID)
		}
		r.keys[id] = &heldKey{name: from, sealed: block.Bytes}
	case blockPrivate:
		key, err := parsePrivate(block.Bytes)
		if err != nil {
			return err
		}
		r.keys[keyID(key)] = &heldKey{name: from, key: key}
	default:
		return fmt.Errorf("a block %q, want %s or %s", block.Type, blockPrivate, blockSealed)
	}
	return nil
}

func parsePrivate(der []byte) (ed25519.PrivateKey, error) {
	k, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("it is a %T, want Ed25519", k)
	}
	return key, nil
}

// get returns a private key, nil if it is not at hand.
func (r *keyring) get(id string) (ed25519.PrivateKey, error) {
	held := r.keys[id]
	if held == nil || held.key != nil {
		return held.private(), nil
	}
	unlock := r.source.Unlock
	if unlock == nil {
		unlock = func(string) ([]byte, error) { return []byte(os.Getenv(passphraseVariable)), nil }
	}
	passphrase, err := unlock(held.name)
	if err != nil {
		return nil, fmt.Errorf("passphrase of %s: %w", held.name, err)
	}
	der, err := encrypted.Decrypt(held.sealed, passphrase)
	if err != nil {
		return nil, fmt.Errorf("key %s: the passphrase does not open it", held.name)
	}
	held.key, err = parsePrivate(der)
	if err == nil && keyID(held.key) != id {
		err = fmt.Errorf("it is not the key that its %s says", headerID)
	}
	if err != nil {
		held.key = nil
		return nil, fmt.Errorf("key %s: %w", held.name, err)
	}
	return held.key, nil
}

func (h *heldKey) private() ed25519.PrivateKey {
	if h == nil {
		return nil
	}
	return h.key
}

// atHand returns the keys of a role that are at hand.
func (r *keyring) atHand(root *metadata.Metadata[metadata.RootType], role string) ([]ed25519.PrivateKey, error) {
	var found []ed25519.PrivateKey
	for _, id := range root.Signed.Roles[role].KeyIDs {
		key, err := r.get(id)
		if err != nil {
			return nil, err
		}
		if key != nil {
			found = append(found, key)
		}
	}
	return found, nil
}

// signers is atHand for a role that has to be signed: fewer keys than its threshold are
// [ErrNoKey].
func (r *keyring) signers(root *metadata.Metadata[metadata.RootType], role string) ([]ed25519.PrivateKey, error) {
	found, err := r.atHand(root, role)
	if err != nil {
		return nil, err
	}
	if want := root.Signed.Roles[role].Threshold; len(found) < want {
		return nil, fmt.Errorf("role %s: %w: %d of the %d that must sign are in %s", role, ErrNoKey, len(found), want, r.source)
	}
	return found, nil
}

// onlineRoles are signed whenever anything is published.
var onlineRoles = []string{metadata.SNAPSHOT, metadata.TIMESTAMP}

// onlineVouchers are the roles of which one must have been signed by a key at hand before
// snapshot and timestamp are signed again: each of them says what the next one is, and a
// rotation replaces the keys of one of them at a time.
var onlineVouchers = []string{metadata.SNAPSHOT, metadata.TIMESTAMP, metadata.ROOT}

// changers returns the keys to sign a change of the targets with. Without
// [KeySource.HandOn] everything must be there that it takes to publish the change.
func (r *repository) changers(ring *keyring) ([]ed25519.PrivateKey, error) {
	if ring.source.HandOn {
		keys, err := ring.atHand(r.root, metadata.TARGETS)
		if err == nil && len(keys) == 0 {
			err = fmt.Errorf("role %s: %w: none of its keys is in %s", metadata.TARGETS, ErrNoKey, ring.source)
		}
		if err == nil {
			err = r.vouches(ring, metadata.TARGETS, metadata.ROOT)
		}
		return keys, err
	}
	keys, err := ring.signers(r.root, metadata.TARGETS)
	for _, role := range onlineRoles {
		if err == nil {
			_, err = ring.signers(r.root, role)
		}
	}
	if err == nil {
		err = r.vouches(ring, metadata.TARGETS, metadata.ROOT)
	}
	if err == nil {
		err = r.vouches(ring, onlineVouchers...)
	}
	return keys, err
}

// createKeys makes n keys for a role in files ROLE-1.pem, ROLE-2.pem, … of a directory,
// starting with the first free number.
func createKeys(dir, role string, n int, passphrase func(key string) ([]byte, error)) ([]ed25519.PrivateKey, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var keys []ed25519.PrivateKey
	for number := 1; len(keys) < n; number++ {
		name := filepath.Join(dir, fmt.Sprintf("%s-%d.pem", role, number))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err == nil {
			err = writeKey(f, name, key, passphrase)
		}
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return nil, fmt.Errorf("make key %s: %w", name, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func writeKey(w io.Writer, name string, key ed25519.PrivateKey, passphrase func(key string) ([]byte, error)) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: blockPrivate, Bytes: der}
	if passphrase != nil {
		p, err := passphrase(name)
		if err != nil {
			return err
		}
		if len(p) > 0 {
			sealed, err := encrypted.Encrypt(der, p)
			if err != nil {
				return err
			}
			block = &pem.Block{Type: blockSealed, Headers: map[string]string{headerID: keyID(key)}, Bytes: sealed}
		}
	}
	return pem.Encode(w, block)
}

func publicKey(key ed25519.PrivateKey) (*metadata.Key, error) {
	return metadata.KeyFromPublicKey(key.Public())
}

// keyID is the TUF id of a key. A key that is in hand always has one.
func keyID(key ed25519.PrivateKey) string {
	k, err := publicKey(key)
	if err != nil {
		return ""
	}
	id, err := k.ID()
	if err != nil {
		return ""
	}
	return id
}

// sign replaces the signatures of a document by those of the keys.
func sign[T metadata.Roles](m *metadata.Metadata[T], keys []ed25519.PrivateKey) error {
	m.ClearSignatures()
	return cosign(m, keys)
}

// cosign adds the signatures of keys to a document, in order of ids.
func cosign[T metadata.Roles](m *metadata.Metadata[T], keys []ed25519.PrivateKey) error {
	defer func() {
		slices.SortFunc(m.Signatures, func(a, b metadata.Signature) int { return strings.Compare(a.KeyID, b.KeyID) })
	}()
	for _, k := range keys {
		m.Signatures = slices.DeleteFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == keyID(k) })
		signer, err := signature.LoadED25519Signer(k)
		if err != nil {
			return err
		}
		if _, err := m.Sign(signer); err != nil {
			return err
		}
	}
	return nil
}
