package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Options adjust a [Client]. The zero value is right for most.
type Options struct {
	// CAs are certificates in PEM that are trusted besides the system's.
	CAs []byte
	// Proxy is used for every request. nil: HTTP_PROXY, HTTPS_PROXY and NO_PROXY count.
	Proxy *url.URL
	// UserAgent names the program to servers. "": "moult".
	UserAgent string
	// Connect limits name lookup, connection and TLS handshake, each. 0: 15 s.
	Connect time.Duration
	// Idle is the longest time without an answer, and the window in which MinRate
	// is measured. 0: 30 s.
	Idle time.Duration
	// MinRate is the least a server must send, in bytes per second over a window of
	// Idle. 0: 256, with which a gigabyte takes 48 days: this catches servers that
	// drip on purpose, not slow lines.
	MinRate int64
	// Attempts is how often in a row a server may fail without any progress before
	// the next mirror is taken. 0: 4.
	Attempts int
	// Backoff is the first pause between attempts; it doubles up to 64 times this.
	// 0: 250 ms.
	Backoff time.Duration
	// MaxWait is the longest Retry-After that is waited for. 0: 60 s.
	MaxWait time.Duration
}

// Client fetches. It is safe for concurrent use.
type Client struct {
	http *http.Client
	o    Options
}

// New makes a client. The only error is a CAs text without a certificate in it.
func New(o Options) (*Client, error) {
	setDefault(&o.UserAgent, "moult")
	setDefault(&o.Connect, 15*time.Second)
	setDefault(&o.Idle, 30*time.Second)
	setDefault(&o.MinRate, 256)
	setDefault(&o.Attempts, 4)
	setDefault(&o.Backoff, 250*time.Millisecond)
	setDefault(&o.MaxWait, time.Minute)

	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(o.CAs) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(o.CAs) {
			return nil, errors.New("the additional certificate authorities hold no PEM certificate")
		}
		tlsConfig.RootCAs = pool
	}
	proxy := http.ProxyFromEnvironment
	if o.Proxy != nil {
		proxy = http.ProxyURL(o.Proxy)
	}
	transport := &http.Transport{
		Proxy:                 proxy,
		DialContext:           (&net.Dialer{Timeout: o.Connect, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   o.Connect,
		ResponseHeaderTimeout: o.Idle,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		DisableCompression:    true, // hashes and ranges are of the plain bytes
		ForceAttemptHTTP2:     true,
	}
	return &Client{
		http: &http.Client{Transport: transport, CheckRedirect: checkRedirect},
		o:    o,
	}, nil
}

// Close drops idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// maxRedirects is what net/http and browsers allow in the same range.
const maxRedirects = 10

// checkRedirect lets a protected request go to protected addresses only. net/http
// itself refuses anything but http and https.
func checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && next.URL.Scheme != "https" {
		return fmt.Errorf("%s to %s: %w", via[len(via)-1].URL.Redacted(), next.URL.Redacted(), ErrInsecureRedirect)
	}
	return nil
}
