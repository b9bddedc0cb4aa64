package update

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"

	"moult/core/site"
)

// checkExposed is the line of the preflight checklist about the web server and
// Moult's own directory: whoever can read that can read the old copies of the site's
// configuration. It can be asked only where the site's address is known.
func (e *Engine) checkExposed(ctx context.Context) (Check, bool) {
	u, err := url.Parse(e.site.Config.Health.URL)
	if err != nil || u.Host == "" {
		return Check{}, false
	}
	const name = site.Home + "/" + site.StateFile
	secret, err := e.site.Root.ReadFile(name)
	if err != nil {
		return Check{}, false
	}
	// The site may lie at any level of the address of its health check.
	u.RawQuery, u.Fragment = "", ""
	for dir := path.Dir("/" + u.Path); ; dir = path.Dir(dir) {
		u.Path = path.Join(dir, name)
		if hands(ctx, u.String(), secret) {
			return Check{
				Code: "exposed", Level: CheckStop,
				Text: fmt.Sprintf("The web server hands out what Moult keeps of this site (%s), old copies of its configuration among it.", u),
				Hint: `Deny it in the web server's settings, as in nginx: location ~ /\.moult/ { deny all; }`,
			}, true
		}
		if dir == "/" || dir == "." {
			return Check{Code: "exposed", Level: CheckOK, Text: "The web server doesn't hand out what Moult keeps of this site."}, true
		}
	}
}

// hands reports whether an address answers with exactly these contents. A server
// that can't be reached hands out nothing.
func hands(ctx context.Context, address string, contents []byte) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	resp, err := ask(ctx, address)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, int64(len(contents))+1))
	return err == nil && resp.StatusCode == http.StatusOK && bytes.Equal(got, contents)
}
