package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// stream is an opened source, positioned at offset.
type stream struct {
	io.ReadCloser
	offset int64     // where the bytes begin in the document
	total  int64     // length of the whole document; -1 unknown
	etag   string    // strong entity tag; "" none
	date   time.Time // the server's clock; zero unknown
}

// open asks for the document from offset on. An entity tag makes the answer begin at
// 0 if the document is no longer the tagged one (RFC 9110, section 13.1.5).
func (c *Client) open(ctx context.Context, address string, offset int64, etag string) (*stream, error) {
	u, err := url.Parse(address)
	if err != nil {
		var parse *url.Error // its own text repeats the address, password and all
		if errors.As(err, &parse) {
			err = parse.Err
		}
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	switch u.Scheme {
	case "http", "https":
		return c.openHTTP(ctx, u, offset, etag)
	case "file":
		return openFile(u, offset)
	}
	return nil, fmt.Errorf("%w: %q: want http, https or file", ErrAddress, Redacted(address))
}

func (c *Client) openHTTP(ctx context.Context, u *url.URL, offset int64, etag string) (*stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	req.Header.Set("User-Agent", c.o.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
		if etag != "" {
			req.Header.Set("If-Range", etag)
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	s, err := readHeader(u, resp, offset)
	if err != nil {
		resp.Body.Close()
		cancel(nil)
		return nil, err
	}
	s.ReadCloser = newGuard(ctx, cancel, resp.Body, c.o.Idle, c.o.MinRate)
	return s, nil
}

// readHeader checks that the answer fits the question.
func readHeader(u *url.URL, resp *http.Response, offset int64) (*stream, error) {
	s := &stream{total: -1, etag: strongTag(resp.Header.Get("ETag"))}
	if d, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		s.date = d
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, fmt.Errorf("%s: sent as %q although plain was asked for: %w", u.Redacted(), e, ErrProtocol)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		s.total = resp.ContentLength
		return s, nil
	case resp.StatusCode == http.StatusPartialContent && offset > 0:
		first, last, total, err := parseContentRange(resp.Header.Get("Content-Range"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", u.Redacted(), err)
		}
		if first != offset || (resp.ContentLength >= 0 && resp.ContentLength != last-first+1) {
			return nil, fmt.Errorf("%s: asked for bytes from %d on, got %q: %w", u.Redacted(), offset, resp.Header.Get("Content-Range"), ErrProtocol)
		}
		s.offset, s.total = first, total
		return s, nil
	}
	return nil, &StatusError{URL: u.Redacted(), Code: resp.StatusCode, RetryAfter: retryAfter(resp, time.Now())}
}

// parseContentRange reads "bytes FIRST-LAST/TOTAL"; a TOTAL of "*" is -1.
func parseContentRange(s string) (first, last, total int64, err error) {
	fault := fmt.Errorf("content range %q: %w", s, ErrProtocol)
	rest, ok := strings.CutPrefix(s, "bytes ")
	if !ok {
		return 0, 0, 0, fault
	}
	span, size, ok := strings.Cut(rest, "/")
	if !ok {
		return 0, 0, 0, fault
	}
	a, b, ok := strings.Cut(span, "-")
	if !ok {
		return 0, 0, 0, fault
	}
	total = -1
	if size != "*" {
		if total, err = parseLength(size); err != nil {
			return 0, 0, 0, fault
		}
	}
	if first, err = parseLength(a); err != nil {
		return 0, 0, 0, fault
	}
	if last, err = parseLength(b); err != nil || last < first || (total >= 0 && last >= total) {
		return 0, 0, 0, fault
	}
	return first, last, total, nil
}

func parseLength(s string) (int64, error) {
	n, err := strconv.ParseUint(s, 10, 63)
	return int64(n), err
}

// strongTag returns the entity tag if it identifies the exact bytes; weak tags don't.
func strongTag(tag string) string {
	if len(tag) >= 2 && tag[0] == '"' && tag[len(tag)-1] == '"' {
		return tag
	}
	return ""
}

// retryAfter reads the header of that name: seconds or a date.
func retryAfter(resp *http.Response, now time.Time) time.Duration {
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

func openFile(u *url.URL, offset int64) (*stream, error) {
	path, err := FilePath(u)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(u, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &StatusError{URL: u.String(), Code: http.StatusNotFound}
	}
	if err == nil && offset > info.Size() {
		err = &StatusError{URL: u.String(), Code: http.StatusRequestedRangeNotSatisfiable}
	}
	if err == nil {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &stream{ReadCloser: f, offset: offset, total: info.Size()}, nil
}

func fileError(u *url.URL, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &StatusError{URL: u.String(), Code: http.StatusNotFound}
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w", u, fs.ErrPermission)
	}
	return err
}

// FilePath returns the path that a file URL names.
func FilePath(u *url.URL) (string, error) {
	if u.Host != "" && u.Host != "localhost" {
		return "", fmt.Errorf("%w: %q: a file address has three slashes, as in file:///srv/releases", ErrAddress, u.Redacted())
	}
	p := u.Path
	if runtime.GOOS == "windows" {
		p = strings.TrimPrefix(p, "/") // file:///C:/releases
	}
	if p == "" {
		return "", fmt.Errorf("%w: %q names no file", ErrAddress, u.Redacted())
	}
	return filepath.FromSlash(p), nil
}

// FileURL returns the URL of a file or folder on this machine.
func FileURL(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	p := filepath.ToSlash(abs)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return (&url.URL{Scheme: "file", Path: p}).String(), nil
}

// permanent reports whether the same request to the same server would fail again.
func permanent(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return !status.Temporary()
	}
	var cert *tls.CertificateVerificationError
	return errors.As(err, &cert) || errors.Is(err, ErrInsecureRedirect) || errors.Is(err, ErrProtocol) ||
		errors.Is(err, ErrTooLarge) || errors.Is(err, fs.ErrPermission) || errors.Is(err, ErrAddress)
}

// Redacted returns an address for people and logs: a password in it is replaced.
func Redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(an address that can't be read)"
	}
	return u.Redacted()
}
