package publish

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/fetch"
	"moult/core/trust"
)

// SetMirrors names further places that hand out copies of the repository, best first,
// in the signed metadata; an empty list removes them. Sites take packages from the next
// place when one fails. Metadata always comes from the repository itself. A zero date
// is the clock.
func SetMirrors(ctx context.Context, repo string, mirrors []string, keys KeySource, date time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list := make([]any, len(mirrors))
	for i, m := range mirrors {
		if err := checkMirror(m); err != nil {
			return err
		}
		list[i] = m
	}
	if date.IsZero() {
		date = time.Now()
	}
	r, err := openToChange(repo, date)
	if err != nil {
		return err
	}
	defer r.close()
	ring, err := loadKeys(keysOf(repo, keys))
	if err != nil {
		return err
	}
	if _, err := r.changers(ring); err != nil {
		return err
	}
	if r.targets.Signed.UnrecognizedFields == nil {
		r.targets.Signed.UnrecognizedFields = map[string]any{}
	}
	r.targets.Signed.UnrecognizedFields[trust.MirrorsField] = list
	if len(list) == 0 {
		delete(r.targets.Signed.UnrecognizedFields, trust.MirrorsField)
	}
	return r.commit(ctx, ring, true)
}

func checkMirror(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return fmt.Errorf("mirror %q: want the https address of a copy of the repository", fetch.Redacted(address))
	}
	return nil
}

// mirrors reads the mirrors that targets name.
func mirrors(m *metadata.Metadata[metadata.TargetsType]) ([]string, error) {
	field, ok := m.Signed.UnrecognizedFields[trust.MirrorsField]
	if !ok {
		return nil, nil
	}
	entries, ok := field.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is not a list", trust.MirrorsField)
	}
	var list []string
	for _, entry := range entries {
		address, _ := entry.(string)
		if err := checkMirror(address); err != nil {
			return nil, err
		}
		list = append(list, address)
	}
	return list, nil
}
