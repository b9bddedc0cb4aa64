package trust

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

// A signature by certificate is a bundle in PEM: a block with the 64 bytes of the
// Ed25519 signature, then the certificate of the key that made it, then each issuer in
// order, without the pinned root at the end (with it is accepted).
const (
	blockSignature   = "MOULT SIGNATURE"
	blockCertificate = "CERTIFICATE"
	blockPublicKey   = "PUBLIC KEY"
	blockCRL         = "X509 CRL"
)

// maxBundle and maxChain bound what is parsed before anything is verified.
const (
	maxBundle = 64 << 10
	maxChain  = 8
)

// bundle is a parsed signature by certificate.
type bundle struct {
	signature []byte
	chain     []*x509.Certificate // the signer's first
}

// parseBundle reads a bundle. Text between the blocks, other blocks, headers and
// anything after the last block are refused, so that one signature has one spelling.
func parseBundle(b []byte) (*bundle, error) {
	if len(b) > maxBundle {
		return nil, fmt.Errorf("the signature is longer than %d bytes", maxBundle)
	}
	var out bundle
	for rest := b; len(rest) > 0; {
		block, after := pem.Decode(rest)
		if block == nil {
			return nil, errors.New("the signature is neither 64 bytes nor a bundle in PEM")
		}
		if !bytes.Equal(rest[:len(rest)-len(after)], pem.EncodeToMemory(block)) || len(block.Headers) > 0 {
			return nil, errors.New("the signature bundle has text outside its blocks")
		}
		rest = after
		switch {
		case block.Type == blockSignature && out.signature == nil && len(out.chain) == 0:
			if len(block.Bytes) != ed25519.SignatureSize {
				return nil, fmt.Errorf("the signature has %d bytes, an Ed25519 signature has %d", len(block.Bytes), ed25519.SignatureSize)
			}
			out.signature = block.Bytes
		case block.Type == blockCertificate && out.signature != nil && len(out.chain) < maxChain:
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, err
			}
			out.chain = append(out.chain, c)
		default:
			return nil, fmt.Errorf("the signature bundle has a block %q where none belongs", block.Type)
		}
	}
	if out.signature == nil || len(out.chain) == 0 {
		return nil, errors.New("the signature bundle lacks a signature or a certificate")
	}
	return &out, nil
}

// signer checks the chain of a bundle against the pinned roots and returns the
// certificate of the signing key. Failures are [ErrCertificate].
func (p *Pinned) signer(b *bundle, now time.Time) (*x509.Certificate, error) {
	leaf := b.chain[0]
	if _, ok := leaf.PublicKey.(ed25519.PublicKey); !ok {
		return nil, fmt.Errorf("%w: its key is %s, want Ed25519", ErrCertificate, leaf.PublicKeyAlgorithm)
	}
	if leaf.IsCA {
		return nil, fmt.Errorf("%w: %s is an authority, not a signer", ErrCertificate, leaf.Subject)
	}
	intermediates := x509.NewCertPool()
	for i, c := range b.chain[1:] {
		// The order is checked for itself: x509 would find a path in any heap of
		// certificates, and what stands in the bundle should be what counts.
		if err := b.chain[i].CheckSignatureFrom(c); err != nil {
			return nil, fmt.Errorf("%w: certificate %d (%s) is not issued by the next one (%s): %w", ErrCertificate, i+1, b.chain[i].Subject, c.Subject, err)
		}
		intermediates.AddCert(c)
	}
	roots := x509.NewCertPool()
	for _, r := range p.Roots {
		roots.AddCert(r)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		CurrentTime:   now,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return nil, fmt.Errorf("%w: %s may not sign data", ErrCertificate, leaf.Subject)
	}
	if !explicitlyForCode(leaf) {
		return nil, fmt.Errorf("%w: %s is not for code signing", ErrCertificate, leaf.Subject)
	}
	var reasons []error
	for _, chain := range chains {
		reason := p.revoked(chain, now)
		if reason == nil {
			return leaf, nil
		}
		reasons = append(reasons, reason)
	}
	return nil, fmt.Errorf("%w: %w", ErrCertificate, errors.Join(reasons...))
}

// explicitlyForCode asks for the code-signing usage by name. x509 takes a certificate
// that names no usage, or any usage, for good enough; a web server's would then do.
func explicitlyForCode(c *x509.Certificate) bool {
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageCodeSigning {
			return true
		}
	}
	return false
}

// revoked says why a chain does not count any more, nil if it does. A list that has
// passed its next update still counts: what was revoked stays so.
func (p *Pinned) revoked(chain []*x509.Certificate, now time.Time) error {
	for i, c := range chain[:len(chain)-1] {
		for _, list := range p.Lists {
			if list.CheckSignatureFrom(chain[i+1]) != nil {
				continue
			}
			for _, entry := range list.RevokedCertificateEntries {
				if entry.SerialNumber.Cmp(c.SerialNumber) == 0 && !entry.RevocationTime.After(now) {
					return fmt.Errorf("%s was revoked on %s", c.Subject, entry.RevocationTime.UTC().Format(time.DateOnly))
				}
			}
		}
	}
	return nil
}
