package fetch

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// A range that is understood is one that a server may send, and is written back alike.
func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-9/10", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "bytes 0-10/10", "bytes -1-5/10", "items 0-1/2", "bytes 0-9223372036854775807/9223372036854775808", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, last, total, err := parseContentRange(s)
		if err != nil {
			return
		}
		if first < 0 || last < first || (total != -1 && last >= total) {
			t.Fatalf("%q: %d-%d/%d", s, first, last, total)
		}
		size := "*"
		if total != -1 {
			size = fmt.Sprint(total)
		}
		again, lastAgain, totalAgain, err := parseContentRange(fmt.Sprintf("bytes %d-%d/%s", first, last, size))
		if err != nil || again != first || lastAgain != last || totalAgain != total {
			t.Fatalf("%q does not survive being written: %v", s, err)
		}
	})
}

func TestRetryAfterInEitherForm(t *testing.T) {
	now := time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"120":                           2 * time.Minute,
		"-5":                            0,
		"99999999999999":                0,
		"soon":                          0,
		"Thu, 12 Nov 2026 09:00:30 GMT": 30 * time.Second,
		"Thu, 12 Nov 2026 08:00:00 GMT": 0,
	} {
		resp := &http.Response{Header: http.Header{"Retry-After": {text}}}
		if got := retryAfter(resp, now); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
