package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"moult/core/trust"
)

// authority is a certificate with its key.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// template is a certificate that is right for its place; tests spoil it.
func template(name string, serial int64, ca bool) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: day.Add(-time.Hour), NotAfter: day.Add(1000 * time.Hour),
		BasicConstraintsValid: true, IsCA: ca,
	}
	if ca {
		c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	} else {
		c.KeyUsage = x509.KeyUsageDigitalSignature
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	}
	return c
}

func issue(t testing.TB, c *x509.Certificate, key crypto.Signer, by *authority) *authority {
	t.Helper()
	if by == nil {
		by = &authority{c, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{parsed, key}
}

func pemOf(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

func bundleOf(signature []byte, chain ...*authority) []byte {
	out := pemOf("MOULT SIGNATURE", signature)
	for _, a := range chain {
		out = append(out, pemOf("CERTIFICATE", a.cert.Raw)...)
	}
	return out
}

// pki is a root, an intermediate and a signer, all good.
type pki struct {
	root, middle, leaf *authority
	message            []byte
}

func newPKI(t testing.TB) *pki {
	root := issue(t, template("Root", 1, true), seeded(1), nil)
	middle := issue(t, template("Middle", 2, true), seeded(2), root)
	return &pki{root, middle, issue(t, template("Duckpond", 3, false), seeded(3), middle), []byte("package")}
}

func (p *pki) signature() []byte { return ed25519.Sign(p.leaf.key.(ed25519.PrivateKey), p.message) }

func (p *pki) pinned() *trust.Pinned { return &trust.Pinned{Roots: []*x509.Certificate{p.root.cert}} }

func TestCertificateChainIsAccepted(t *testing.T) {
	p := newPKI(t)
	direct := issue(t, template("Direct", 4, false), seeded(3), p.root)
	for name, bundle := range map[string][]byte{
		"through an intermediate":  bundleOf(p.signature(), p.leaf, p.middle),
		"with the root at its end": bundleOf(p.signature(), p.leaf, p.middle, p.root),
		"straight from the root":   bundleOf(p.signature(), direct),
	} {
		s, err := trust.VerifyPackage(p.pinned(), bundle, strings.NewReader(string(p.message)), day)
		if err != nil || !strings.HasPrefix(s.Name, "CN=D") || len(s.Fingerprint) != 64 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

func TestBadCertificateIsRefused(t *testing.T) {
	good := newPKI(t)
	stranger := issue(t, template("Root", 1, true), seeded(50), nil)
	strangerMiddle := issue(t, template("Middle", 2, true), seeded(51), stranger)
	leaf := func(change func(c *x509.Certificate), key crypto.Signer, by *authority) *authority {
		c := template("Duckpond", 30, false)
		change(c)
		return issue(t, c, key, by)
	}
	same := func(*x509.Certificate) {}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	middle := func(change func(c *x509.Certificate)) *authority {
		c := template("Middle", 20, true)
		change(c)
		return issue(t, c, seeded(2), good.root)
	}
	notCA := middle(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })
	aged := middle(func(c *x509.Certificate) { c.NotAfter = day.Add(-time.Minute) })
	short := middle(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	serverOnly := middle(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	below := issue(t, template("Below", 21, true), seeded(4), short)

	tests := map[string][]*authority{
		"chain of somebody else":           {leaf(same, seeded(3), strangerMiddle), strangerMiddle},
		"chain of somebody else with root": {leaf(same, seeded(3), strangerMiddle), strangerMiddle, stranger},
		"signed by itself":                 {leaf(same, seeded(3), nil)},
		"intermediate left out":            {good.leaf},
		"wrong order":                      {good.leaf, good.root, good.middle},
		"signer last":                      {good.middle, good.leaf},
		"foreign certificate between":      {good.leaf, strangerMiddle, good.middle},
		"foreign certificate at the end":   {good.leaf, good.middle, stranger},
		"expired signer":                   {leaf(func(c *x509.Certificate) { c.NotAfter = day.Add(-time.Minute) }, seeded(3), good.middle), good.middle},
		"signer not valid yet":             {leaf(func(c *x509.Certificate) { c.NotBefore = day.Add(time.Minute) }, seeded(3), good.middle), good.middle},
		"expired intermediate":             {leaf(same, seeded(3), aged), aged},
		"intermediate is no authority":     {leaf(same, seeded(3), notCA), notCA},
		"path too long":                    {leaf(same, seeded(3), below), below, short},
		"intermediate for web servers":     {leaf(same, seeded(3), serverOnly), serverOnly},
		"signer for web servers":           {leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, seeded(3), good.middle), good.middle},
		"signer for nothing named":         {leaf(func(c *x509.Certificate) { c.ExtKeyUsage = nil }, seeded(3), good.middle), good.middle},
		"signer for anything":              {leaf(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }, seeded(3), good.middle), good.middle},
		"signer may not sign":              {leaf(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, seeded(3), good.middle), good.middle},
		"signer is an authority": {leaf(func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		}, seeded(3), good.middle), good.middle},
		"unknown critical extension": {leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}}
		}, seeded(3), good.middle), good.middle},
		"another kind of key": {leaf(same, ec, good.middle), good.middle},
	}
	for name, chain := range tests {
		t.Run(name, func(t *testing.T) {
			err := verify(good.pinned(), bundleOf(good.signature(), chain...), good.message)
			if !errors.Is(err, trust.ErrCertificate) || errors.Is(err, trust.ErrSignature) {
				t.Errorf("got %v, want ErrCertificate", err)
			}
		})
	}
	t.Run("good chain, other package", func(t *testing.T) {
		err := verify(good.pinned(), bundleOf(good.signature(), good.leaf, good.middle), []byte("other"))
		if !errors.Is(err, trust.ErrSignature) || errors.Is(err, trust.ErrCertificate) {
			t.Errorf("got %v, want ErrSignature", err)
		}
	})
	t.Run("signer pinned as a bare key only", func(t *testing.T) {
		err := verify(pin(seeded(3)), bundleOf(good.signature(), good.leaf, good.middle), good.message)
		if !errors.Is(err, trust.ErrCertificate) {
			t.Errorf("got %v, want ErrCertificate", err)
		}
	})
}

func TestMalformedBundleIsRefused(t *testing.T) {
	p := newPKI(t)
	sig := pemOf("MOULT SIGNATURE", p.signature())
	leaf, middle := pemOf("CERTIFICATE", p.leaf.cert.Raw), pemOf("CERTIFICATE", p.middle.cert.Raw)
	join := func(parts ...[]byte) []byte {
		var out []byte
		for _, part := range parts {
			out = append(out, part...)
		}
		return out
	}
	withHeader := pem.EncodeToMemory(&pem.Block{Type: "MOULT SIGNATURE", Headers: map[string]string{"A": "b"}, Bytes: p.signature()})
	tests := map[string][]byte{
		"no certificate":        sig,
		"no signature":          join(leaf, middle),
		"signature last":        join(leaf, middle, sig),
		"two signatures":        join(sig, sig, leaf, middle),
		"text before":           join([]byte("hello\n"), sig, leaf, middle),
		"text between":          join(sig, []byte("hello\n"), leaf, middle),
		"text after":            join(sig, leaf, middle, []byte("hello")),
		"blank after":           join(sig, leaf, middle, []byte("\n")),
		"headers":               join(withHeader, leaf, middle),
		"carriage returns":      []byte(strings.ReplaceAll(string(join(sig, leaf, middle)), "\n", "\r\n")),
		"short signature":       join(pemOf("MOULT SIGNATURE", p.signature()[:63]), leaf, middle),
		"long signature":        join(pemOf("MOULT SIGNATURE", append(p.signature(), 0)), leaf, middle),
		"other block":           join(sig, leaf, pemOf("PUBLIC KEY", p.middle.cert.Raw)),
		"damaged certificate":   join(sig, leaf, pemOf("CERTIFICATE", p.middle.cert.Raw[:100])),
		"bytes after the DER":   join(sig, pemOf("CERTIFICATE", append(p.leaf.cert.Raw[:len(p.leaf.cert.Raw):len(p.leaf.cert.Raw)], 0)), middle),
		"too many certificates": join(sig, leaf, middle, middle, middle, middle, middle, middle, middle, middle),
		"too long":              append(sig, make([]byte, 64<<10)...),
		"truncated":             join(sig, leaf, middle[:100]),
	}
	for name, b := range tests {
		t.Run(name, func(t *testing.T) {
			if err := verify(p.pinned(), b, p.message); !errors.Is(err, trust.ErrSignature) {
				t.Errorf("got %v, want ErrSignature", err)
			}
		})
	}
}

func TestRevokedCertificateIsRefused(t *testing.T) {
	p := newPKI(t)
	bundle := bundleOf(p.signature(), p.leaf, p.middle)
	list := func(by *authority, at time.Time, serials ...int64) *x509.RevocationList {
		tpl := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: day.Add(-time.Hour), NextUpdate: day.Add(time.Hour)}
		for _, s := range serials {
			tpl.RevokedCertificateEntries = append(tpl.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: at})
		}
		der, err := x509.CreateRevocationList(rand.Reader, tpl, by.cert, by.key)
		if err != nil {
			t.Fatal(err)
		}
		pinned, err := trust.ParsePinned([]string{string(pemOf("CERTIFICATE", p.root.cert.Raw)) + string(pemOf("X509 CRL", der))})
		if err != nil {
			t.Fatal(err)
		}
		return pinned.Lists[0]
	}
	stranger := issue(t, template("Middle", 2, true), seeded(51), nil)
	past, future := day.Add(-time.Minute), day.Add(time.Minute)
	tests := map[string]struct {
		list    *x509.RevocationList
		revoked bool
	}{
		"signer":                              {list(p.middle, past, 3), true},
		"signer among others":                 {list(p.middle, past, 7, 3, 9), true},
		"intermediate":                        {list(p.root, past, 2), true},
		"nobody":                              {list(p.middle, past), false},
		"another signer":                      {list(p.middle, past, 4), false},
		"by somebody else":                    {list(stranger, past, 3), false},
		"by the root, which did not issue it": {list(p.root, past, 3), false},
		"only from tomorrow":                  {list(p.middle, future, 3), false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pinned := p.pinned()
			pinned.Lists = []*x509.RevocationList{test.list}
			err := verify(pinned, bundle, p.message)
			if revoked := errors.Is(err, trust.ErrCertificate); revoked != test.revoked || (err != nil) != test.revoked {
				t.Errorf("got %v, want revoked %t", err, test.revoked)
			}
		})
	}
}
