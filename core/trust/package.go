package trust

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Pinned is what the admin of a site trusts on a server without TUF.
type Pinned struct {
	Keys  []ed25519.PublicKey
	Roots []*x509.Certificate    // authorities for signing certificates
	Lists []*x509.RevocationList // of revoked certificates
}

// ParsePinned reads the keys of a site's configuration. Each entry is an Ed25519 public
// key as base64 of its 32 bytes, with or without "ed25519:" before it, or PEM with any
// number of public keys (PUBLIC KEY), root certificates (CERTIFICATE) and revocation
// lists (X509 CRL).
func ParsePinned(entries []string) (*Pinned, error) {
	p := &Pinned{}
	for i, e := range entries {
		if err := p.add(strings.TrimSpace(e)); err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
	}
	return p, nil
}

func (p *Pinned) add(entry string) error {
	if !strings.HasPrefix(entry, "-----BEGIN ") {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(entry, "ed25519:"))
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return errors.New("want an Ed25519 public key as base64 of 32 bytes, or PEM")
		}
		p.Keys = append(p.Keys, raw)
		return nil
	}
	for rest := []byte(entry); len(strings.TrimSpace(string(rest))) > 0; {
		block, after := pem.Decode(rest)
		if block == nil {
			return errors.New("the PEM text is damaged")
		}
		rest = after
		if err := p.addBlock(block); err != nil {
			return fmt.Errorf("block %q: %w", block.Type, err)
		}
	}
	return nil
}

func (p *Pinned) addBlock(block *pem.Block) error {
	switch block.Type {
	case blockPublicKey:
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return err
		}
		key, ok := k.(ed25519.PublicKey)
		if !ok {
			return fmt.Errorf("it is a %T, want Ed25519", k)
		}
		p.Keys = append(p.Keys, key)
	case blockCertificate:
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return err
		}
		if !c.IsCA || !c.BasicConstraintsValid {
			return fmt.Errorf("%s is not an authority", c.Subject)
		}
		p.Roots = append(p.Roots, c)
	case blockCRL:
		l, err := x509.ParseRevocationList(block.Bytes)
		if err != nil {
			return err
		}
		p.Lists = append(p.Lists, l)
	default:
		return errors.New("want PUBLIC KEY, CERTIFICATE or X509 CRL")
	}
	return nil
}

// Empty reports whether nothing is pinned.
func (p *Pinned) Empty() bool { return len(p.Keys) == 0 && len(p.Roots) == 0 }

// Signer is who signed a package.
type Signer struct {
	Name        string // of the certificate, "" for a bare key
	Fingerprint string // SHA-256 of the public key, 64 digits
}

// VerifyPackage checks the signature that a manifest gives for a package against what
// is pinned. The signature is either the 64 bytes of an Ed25519 signature by a pinned
// key, or a bundle of such a signature and the certificates that lead to a pinned root.
// The package is read once and not kept.
//
// It fails with [ErrSignature] if there is no signature or it does not fit, with
// [ErrCertificate] if the certificates are not good for it, and with the reader's error.
func VerifyPackage(p *Pinned, signature []byte, pkg io.Reader, now time.Time) (*Signer, error) {
	keys, name := p.Keys, ""
	switch {
	case len(signature) == 0:
		return nil, fmt.Errorf("%w: it has no signature", ErrSignature)
	case p.Empty():
		return nil, fmt.Errorf("%w: no key is pinned for this site", ErrSignature)
	case len(signature) != ed25519.SignatureSize:
		b, err := parseBundle(signature)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSignature, err)
		}
		leaf, err := p.signer(b, now)
		if err != nil {
			return nil, err
		}
		keys, name, signature = []ed25519.PublicKey{leaf.PublicKey.(ed25519.PublicKey)}, leaf.Subject.String(), b.signature
	}
	key, err := verifyAny(keys, signature, pkg)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, fmt.Errorf("%w: the signature does not fit the package", ErrSignature)
	}
	sum := sha256.Sum256(key)
	return &Signer{Name: name, Fingerprint: hex.EncodeToString(sum[:])}, nil
}
