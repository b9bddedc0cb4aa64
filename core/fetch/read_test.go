package fetch_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/fetch"
)

func newReader(b []byte) io.ReadSeeker { return bytes.NewReader(b) }

func TestReadKeepsToItsLimit(t *testing.T) {
	o := newOrigin(t, []byte("0123456789"))
	if b, err := newClient(t).Read(t.Context(), o.URL, 10); err != nil || string(b) != "0123456789" {
		t.Errorf("got %q, %v", b, err)
	}
	if _, err := newClient(t).Read(t.Context(), o.URL, 9); !errors.Is(err, fetch.ErrTooLarge) {
		t.Errorf("announced length: got %v, want ErrTooLarge", err)
	}
	o.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool {
		w.(http.Flusher).Flush() // no Content-Length
		w.Write([]byte("0123456789"))
		return true
	}
	if _, err := newClient(t).Read(t.Context(), o.URL, 9); !errors.Is(err, fetch.ErrTooLarge) {
		t.Errorf("unannounced length: got %v, want ErrTooLarge", err)
	}
}

func TestReadRetriesWhatMayPass(t *testing.T) {
	tests := map[string]struct {
		code     int
		requests int
		missing  bool
	}{
		"busy":     {http.StatusServiceUnavailable, 4, false},
		"limited":  {http.StatusTooManyRequests, 4, false},
		"missing":  {http.StatusNotFound, 1, true},
		"refused":  {http.StatusForbidden, 1, true},
		"unwanted": {http.StatusUnauthorized, 1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, nil)
			o.answer = func(_ int, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(test.code); return true }
			_, err := newClient(t).Read(t.Context(), o.URL, 10)
			var status *fetch.StatusError
			if !errors.As(err, &status) || status.Code != test.code || fetch.NotFound(err) != test.missing {
				t.Errorf("got %v", err)
			}
			if n, _ := o.counts(); n != test.requests {
				t.Errorf("%d requests, want %d", n, test.requests)
			}
		})
	}
}

func TestRetryAfterIsWaitedForWithinReason(t *testing.T) {
	o := newOrigin(t, []byte("ok"))
	o.answer = func(n int, w http.ResponseWriter, _ *http.Request) bool {
		if n == 0 {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return n == 0
	}
	var status *fetch.StatusError
	if _, err := newClient(t).Read(t.Context(), o.URL, 10); !errors.As(err, &status) || status.RetryAfter != time.Hour {
		t.Errorf("got %v, want an error that carries the hour", err)
	}
}

func TestRedirectsNeverLeaveHTTPS(t *testing.T) {
	plain := newOrigin(t, []byte("plain"))
	redirect := func(to string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) })
	}
	secure := httptest.NewTLSServer(redirect(plain.URL))
	defer secure.Close()
	fromPlain := httptest.NewServer(redirect(plain.URL))
	defer fromPlain.Close()
	loop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }))
	defer loop.Close()
	toFile := httptest.NewServer(redirect("file:///etc/hostname"))
	defer toFile.Close()

	c := clientWith(t, fetch.Options{CAs: certificate(secure)})
	if _, err := c.Read(t.Context(), secure.URL, 10); !errors.Is(err, fetch.ErrInsecureRedirect) {
		t.Errorf("https to http: got %v, want ErrInsecureRedirect", err)
	}
	if b, err := c.Read(t.Context(), fromPlain.URL, 10); err != nil || string(b) != "plain" {
		t.Errorf("http to http: got %q, %v", b, err)
	}
	if _, err := c.Read(t.Context(), loop.URL, 10); err == nil {
		t.Error("a loop of redirects ended well")
	}
	if b, err := c.Read(t.Context(), toFile.URL, 1000); err == nil {
		t.Errorf("a server sent us to a local file: %q", b)
	}
}

func TestUnknownAuthorityIsRefusedWithoutRetry(t *testing.T) {
	var hits int
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits++; w.Write([]byte("secret")) }))
	defer s.Close()
	s.Config.ErrorLog = nil
	if b, err := newClient(t).Read(t.Context(), s.URL, 10); err == nil {
		t.Errorf("got %q from a server with an unknown certificate", b)
	}
	if b, err := clientWith(t, fetch.Options{CAs: certificate(s)}).Read(t.Context(), s.URL, 10); err != nil || string(b) != "secret" {
		t.Errorf("with its authority added: %q, %v", b, err)
	}
	if hits != 1 {
		t.Errorf("%d requests reached the server, want 1", hits)
	}
	if _, err := fetch.New(fetch.Options{CAs: []byte("no certificate")}); err == nil {
		t.Error("a text without certificates was accepted")
	}
}

func TestFileAddresses(t *testing.T) {
	missing, err := fetch.FileURL(filepath.Join(t.TempDir(), "missing"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t).Read(t.Context(), missing, 10); !fetch.NotFound(err) {
		t.Errorf("missing file: got %v", err)
	}
	folder, err := fetch.FileURL(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newClient(t).Read(t.Context(), folder, 10); !fetch.NotFound(err) {
		t.Errorf("folder: got %v", err)
	}
	for _, bad := range []string{"file://server/share", "ftp://example.org/x", "nonsense", "", "http://[::1", "file:"} {
		if _, err := newClient(t).Read(t.Context(), bad, 10); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestDefaultClientStaysAsItIs(t *testing.T) {
	newClient(t)
	if c := http.DefaultClient; c.Transport != nil || c.CheckRedirect != nil || c.Timeout != 0 {
		t.Error("http.DefaultClient was changed")
	}
}

func TestProxyIsUsed(t *testing.T) {
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.Write([]byte("through"))
	}))
	defer proxy.Close()
	c := clientWith(t, fetch.Options{Proxy: parse(t, proxy.URL)})
	if b, err := c.Read(t.Context(), "http://updates.example.invalid/x", 10); err != nil || string(b) != "through" || asked != "http://updates.example.invalid/x" {
		t.Errorf("got %q, %v; the proxy was asked for %q", b, err, asked)
	}
}

func parse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func certificate(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// An address may hold a password; errors end up in logs and diagnostics.
func TestErrorsDoNotShowPasswords(t *testing.T) {
	content := random(100)
	refuse := newOrigin(t, content)
	refuse.answer = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if user, password, _ := r.BasicAuth(); user != "duck" || password != "s3cret" {
			t.Errorf("the password did not arrive: %q, %q", user, password)
		}
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	wrong, closed := newOrigin(t, flip(content, 3)), newOrigin(t, nil)
	short := newOrigin(t, content[:50])
	closed.Close()
	c := clientWith(t, fetch.Options{Attempts: 1})
	with := func(address string) string { return strings.Replace(address, "http://", "http://duck:s3cret@", 1) }
	for _, address := range []string{
		with(refuse.URL), with(wrong.URL), with(closed.URL), with(short.URL), "http://duck:s3cret@[::1/", "ftp://duck:s3cret@example.org/", "file://duck:s3cret@server/share",
	} {
		_, err := c.Download(t.Context(), request(tempRoot(t), chunkHashes, content, address), nil)
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("download: %v", err)
		}
		if _, err = c.Read(t.Context(), address, 10); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("read: %v", err)
		}
	}
}
