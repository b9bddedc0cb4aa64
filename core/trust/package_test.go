package trust_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"moult/core/trust"
)

func pin(keys ...ed25519.PrivateKey) *trust.Pinned {
	p := &trust.Pinned{}
	for _, k := range keys {
		p.Keys = append(p.Keys, k.Public().(ed25519.PublicKey))
	}
	return p
}

func verify(p *trust.Pinned, signature, message []byte) error {
	_, err := trust.VerifyPackage(p, signature, iotest.HalfReader(bytes.NewReader(message)), day)
	return err
}

func TestStreamedSignatureIsThatOfTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := ed25519.NewKeyFromSeed(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))
		message := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "message")
		got, err := trust.SignPackage(key, bytes.NewReader(message))
		if err != nil || !bytes.Equal(got, ed25519.Sign(key, message)) {
			t.Fatalf("got %x, %v", got, err)
		}
		if err := verify(pin(key), got, message); err != nil {
			t.Fatal(err)
		}
	})
}

// Whatever the bytes, our verification says what crypto/ed25519 says.
func TestVerificationAgreesWithTheStandardLibrary(t *testing.T) {
	special := specialPoints(t)
	rapid.Check(t, func(t *rapid.T) {
		private := seeded(rapid.IntRange(1, 3).Draw(t, "key"))
		public := append(ed25519.PublicKey(nil), private.Public().(ed25519.PublicKey)...)
		message := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "message")
		signature := ed25519.Sign(private, message)
		switch rapid.IntRange(0, 5).Draw(t, "change") {
		case 1:
			signature[rapid.IntRange(0, 63).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 2:
			public[rapid.IntRange(0, 31).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		case 3:
			copy(signature, rapid.SampledFrom(special).Draw(t, "R"))
		case 4:
			copy(public, rapid.SampledFrom(special).Draw(t, "A"))
			copy(signature, rapid.SampledFrom(special).Draw(t, "R"))
			copy(signature[32:], make([]byte, 32))
		case 5:
			signature = rapid.SliceOfN(rapid.Byte(), 64, 64).Draw(t, "signature")
		}
		want := ed25519.Verify(public, message, signature)
		if got := verify(&trust.Pinned{Keys: []ed25519.PublicKey{public}}, signature, message); (got == nil) != want {
			t.Fatalf("got %v, the standard library says %t", got, want)
		}
	})
}

// specialPoints are encodings of points of small order and non-canonical ones: "Taming
// the many EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020), table 1.
func specialPoints(t testing.TB) [][]byte {
	var out [][]byte
	for _, s := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"0100000000000000000000000000000000000000000000000000000000000080",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

// The vectors that come with Go: secret and public key, message, signature and message.
func TestVectorsOfTheStandardLibrary(t *testing.T) {
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("the go command is not there: ", err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(goroot)), "src/crypto/ed25519/testdata/sign.input.gz"))
	if err != nil {
		t.Skip("this Go comes without its test data: ", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for scan := bufio.NewScanner(z); scan.Scan(); lines++ {
		parts := strings.Split(scan.Text(), ":")
		private, public, message, signed := unhex(t, parts[0]), unhex(t, parts[1]), unhex(t, parts[2]), unhex(t, parts[3])
		signature := signed[:64]
		got, err := trust.SignPackage(ed25519.PrivateKey(append(private[:32:32], public...)), bytes.NewReader(message))
		if err != nil || !bytes.Equal(got, signature) {
			t.Fatalf("line %d: signature %x, %v", lines+1, got, err)
		}
		p := &trust.Pinned{Keys: []ed25519.PublicKey{public}}
		if err := verify(p, signature, message); err != nil {
			t.Fatalf("line %d: %v", lines+1, err)
		}
		signature[lines%64] ^= 1
		if err := verify(p, signature, message); !errors.Is(err, trust.ErrSignature) {
			t.Fatalf("line %d, changed: %v", lines+1, err)
		}
	}
	if lines < 100 {
		t.Errorf("only %d vectors", lines)
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The kinds of fault that Wycheproof's vectors for Ed25519 are about.
func TestBadSignatureIsRefused(t *testing.T) {
	key, message := seeded(1), []byte("package")
	good := ed25519.Sign(key, message)
	// The order of the group, little-endian: RFC 8032, section 5.1.
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	plusOrder := func(times int) []byte {
		b := append([]byte(nil), good...)
		for range times {
			carry := 0
			for i := range 32 {
				sum := int(b[32+i]) + int(order[i]) + carry
				b[32+i], carry = byte(sum), sum>>8
			}
		}
		return b
	}
	with := func(change func(b []byte) []byte) []byte { return change(append([]byte(nil), good...)) }
	tests := map[string][]byte{
		"none":                    nil,
		"empty":                   {},
		"one byte":                good[:1],
		"half":                    good[:32],
		"truncated":               good[:63],
		"one byte more":           with(func(b []byte) []byte { return append(b, 0) }),
		"twice":                   with(func(b []byte) []byte { return append(b, b...) }),
		"zero":                    make([]byte, 64),
		"all ones":                bytes.Repeat([]byte{0xff}, 64),
		"R zero":                  with(func(b []byte) []byte { copy(b, make([]byte, 32)); return b }),
		"S zero":                  with(func(b []byte) []byte { copy(b[32:], make([]byte, 32)); return b }),
		"S is the order":          with(func(b []byte) []byte { copy(b[32:], order); return b }),
		"S plus the order":        plusOrder(1),
		"S plus twice the order":  plusOrder(2),
		"S plus 8 times":          plusOrder(8),
		"high bit of S":           with(func(b []byte) []byte { b[63] |= 0x80; return b }),
		"sign of R":               with(func(b []byte) []byte { b[31] ^= 0x80; return b }),
		"halves swapped":          with(func(b []byte) []byte { return append(b[32:], b[:32]...) }),
		"base64 text":             []byte(base64.StdEncoding.EncodeToString(good)),
		"hexadecimal text":        []byte(hex.EncodeToString(good)),
		"of another key":          ed25519.Sign(seeded(2), message),
		"of another package":      ed25519.Sign(key, []byte("Package")),
		"of the package's prefix": ed25519.Sign(key, message[:6]),
		"any base64":              []byte("bm90IGEgc2lnbmF0dXJl"),
	}
	for name, signature := range tests {
		t.Run(name, func(t *testing.T) {
			if err := verify(pin(key), signature, message); !errors.Is(err, trust.ErrSignature) {
				t.Errorf("got %v, want ErrSignature", err)
			}
		})
	}
	if err := verify(pin(key), good, message); err != nil {
		t.Errorf("the good one: %v", err)
	}
	if err := verify(pin(seeded(3), key, seeded(4)), good, message); err != nil {
		t.Errorf("one of several keys: %v", err)
	}
	if err := verify(&trust.Pinned{}, good, message); !errors.Is(err, trust.ErrSignature) {
		t.Errorf("nothing pinned: got %v, want ErrSignature", err)
	}
}

func TestReaderErrorIsNotABadSignature(t *testing.T) {
	key := seeded(1)
	_, err := trust.VerifyPackage(pin(key), ed25519.Sign(key, nil), iotest.ErrReader(io.ErrClosedPipe), day)
	if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, trust.ErrSignature) {
		t.Errorf("got %v", err)
	}
}

func TestParsePinned(t *testing.T) {
	key := seeded(1).Public().(ed25519.PublicKey)
	plain := base64.StdEncoding.EncodeToString(key)
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for _, entry := range []string{plain, "ed25519:" + plain, " " + plain + "\n", text, "\n" + text + text} {
		p, err := trust.ParsePinned([]string{entry})
		if err != nil || len(p.Keys) == 0 || !p.Keys[0].Equal(key) || p.Empty() {
			t.Errorf("%q: %v, %v", entry, p, err)
		}
	}
	private, err := x509.MarshalPKCS8PrivateKey(seeded(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range []string{
		"", "x", plain[:40], plain + plain, "rsa:" + plain, text[:50], text + "junk",
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: private})),
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})),
	} {
		if p, err := trust.ParsePinned([]string{plain, entry}); err == nil || !strings.Contains(err.Error(), "keys[1]") {
			t.Errorf("%q: got %v, %v", entry, p, err)
		}
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestPackageIsNotReadIntoMemory(t *testing.T) {
	const size = 64 << 20
	p := pin(seeded(1), seeded(2))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := trust.VerifyPackage(p, ed25519.Sign(seeded(1), nil), io.LimitReader(zeros{}, size), day)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, trust.ErrSignature) {
		t.Errorf("got %v", err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated to verify %d", used, size)
	}
}

// What the configuration holds is either a key or an error, and never both or neither.
func FuzzParsePinned(f *testing.F) {
	pki := newPKI(f)
	f.Add(base64.StdEncoding.EncodeToString(seeded(1).Public().(ed25519.PublicKey)))
	f.Add("ed25519:")
	f.Add(string(pemOf("CERTIFICATE", pki.root.cert.Raw)))
	f.Add("-----BEGIN X509 CRL-----\n-----END X509 CRL-----\n")
	f.Fuzz(func(t *testing.T, entry string) {
		p, err := trust.ParsePinned([]string{entry})
		if err == nil && p.Empty() && len(p.Lists) == 0 {
			t.Errorf("%q pinned nothing", entry)
		}
		if (err == nil) == (p == nil) {
			t.Errorf("%q: %v, %v", entry, p, err)
		}
	})
}
