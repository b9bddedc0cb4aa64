package release

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Digest is a SHA-256 hash. The zero Digest means "no hash was given".
type Digest [sha256.Size]byte

// ParseDigest reads 64 hexadecimal digits with or without the prefix
// "sha256:". "" and "external" give the zero Digest.
func ParseDigest(s string) (Digest, error) {
	if s == "" || s == "external" {
		return Digest{}, nil
	}
	var d Digest
	digits := strings.TrimPrefix(s, "sha256:")
	if len(digits) != hex.EncodedLen(len(d)) {
		return Digest{}, fmt.Errorf("hash %q: want %d hexadecimal digits of SHA-256", s, hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, fmt.Errorf("hash %q: %w", s, err)
	}
	return d, nil
}

// DigestOf returns the digest of b.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// IsZero reports whether d is the zero Digest.
func (d Digest) IsZero() bool { return d == Digest{} }

// Hex returns the 64 lower-case digits of d, or "" for the zero Digest.
func (d Digest) Hex() string {
	if d.IsZero() {
		return ""
	}
	return hex.EncodeToString(d[:])
}

// String returns "sha256:" and the digits, or "" for the zero Digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return "sha256:" + d.Hex()
}

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Digest) UnmarshalText(b []byte) error {
	p, err := ParseDigest(string(b))
	if err != nil {
		return err
	}
	*d = p
	return nil
}
