package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"io"

	"filippo.io/edwards25519"
)

// crypto/ed25519 wants the whole message in memory. A package may be a gigabyte, and
// plain Ed25519 (RFC 8032, section 5.1) needs its message in no other way than
// through SHA-512, so verification and signing are written here over a reader, on the
// arithmetic that crypto/ed25519 is made of. Tests hold them against crypto/ed25519.

// verifier is one key waiting for the end of the message.
type verifier struct {
	key       ed25519.PublicKey
	signature []byte
	hash      hash.Hash // of R, A and the message so far
}

func newVerifier(key ed25519.PublicKey, signature []byte) *verifier {
	v := &verifier{key: key, signature: signature, hash: sha512.New()}
	v.hash.Write(signature[:32])
	v.hash.Write(key)
	return v
}

// ok reports whether the signature is valid: R == S·B − k·A (RFC 8032, section 5.1.7).
func (v *verifier) ok() bool {
	minusA, err := new(edwards25519.Point).SetBytes(v.key)
	if err != nil {
		return false
	}
	minusA.Negate(minusA)
	k, err := edwards25519.NewScalar().SetUniformBytes(v.hash.Sum(nil))
	if err != nil {
		return false
	}
	// A non-canonical S would let anyone make a second valid signature of the same
	// package; SetCanonicalBytes refuses it.
	s, err := edwards25519.NewScalar().SetCanonicalBytes(v.signature[32:])
	if err != nil {
		return false
	}
	r := new(edwards25519.Point).VarTimeDoubleScalarBaseMult(k, minusA, s)
	return bytes.Equal(v.signature[:32], r.Bytes())
}

// verifyAny returns the first of the keys whose signature of the message is valid, nil
// if none. The message is read once.
func verifyAny(keys []ed25519.PublicKey, signature []byte, message io.Reader) (ed25519.PublicKey, error) {
	var verifiers []*verifier
	var sinks []io.Writer
	if len(signature) == ed25519.SignatureSize {
		for _, k := range keys {
			if len(k) == ed25519.PublicKeySize {
				v := newVerifier(k, signature)
				verifiers, sinks = append(verifiers, v), append(sinks, v.hash)
			}
		}
	}
	if len(verifiers) == 0 {
		return nil, nil
	}
	if _, err := io.Copy(io.MultiWriter(sinks...), message); err != nil {
		return nil, err
	}
	for _, v := range verifiers {
		if v.ok() {
			return v.key, nil
		}
	}
	return nil, nil
}

// SignPackage returns the Ed25519 signature of everything in message, the same that
// [ed25519.Sign] gives. The message is read twice, since RFC 8032 hashes it twice.
func SignPackage(key ed25519.PrivateKey, message io.ReadSeeker) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("sign: not an Ed25519 private key")
	}
	seedHash := sha512.Sum512(key.Seed())
	s, err := edwards25519.NewScalar().SetBytesWithClamping(seedHash[:32])
	if err != nil {
		return nil, err
	}
	public := key[32:]

	r, err := hashToScalar(message, seedHash[32:])
	if err != nil {
		return nil, err
	}
	commitment := new(edwards25519.Point).ScalarBaseMult(r).Bytes()
	k, err := hashToScalar(message, commitment, public)
	if err != nil {
		return nil, err
	}
	response := edwards25519.NewScalar().MultiplyAdd(k, s, r)
	return append(commitment, response.Bytes()...), nil
}

func hashToScalar(message io.ReadSeeker, prefix ...[]byte) (*edwards25519.Scalar, error) {
	if _, err := message.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	h := sha512.New()
	for _, p := range prefix {
		h.Write(p)
	}
	if _, err := io.Copy(h, message); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return edwards25519.NewScalar().SetUniformBytes(h.Sum(nil))
}
