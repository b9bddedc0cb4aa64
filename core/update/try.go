package update

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"moult/core/fetch"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/trust"
)

// with returns the engine as it would be under other settings.
func (e *Engine) with(cfg site.Config) *Engine {
	s, other := *e.site, *e
	s.Config = cfg
	other.site = &s
	return &other
}

// TrySource asks the publisher of cfg for its newest release and says what it
// offers, in a sentence. Nothing is recorded.
func (e *Engine) TrySource(ctx context.Context, cfg site.Config) (string, error) {
	src, err := e.with(cfg).openSource(ctx)
	if err != nil {
		return "", classify(StageCheck, err)
	}
	m, err := src.newest(ctx)
	if err != nil {
		return "", classify(StageCheck, err)
	}
	return fmt.Sprintf("%s of %s is offered.", m.Version, m.Released.Format("2 January 2006")), nil
}

// TryDatabase connects to the database of cfg and says what it found.
func (e *Engine) TryDatabase(ctx context.Context, cfg site.Config) (string, error) {
	db, err := e.with(cfg).connect(ctx)
	if err != nil {
		return "", classify(StagePreflight, databaseError{err})
	}
	if db == nil {
		return "This site has no database.", nil
	}
	defer db.Close()
	live, err := db.Introspect(ctx)
	if err != nil {
		return "", classify(StagePreflight, databaseError{err})
	}
	return fmt.Sprintf("Connected to %s, tables: %d.", db.Flavor(), len(live.Tables)), nil
}

// TryHealth asks the health check of cfg once and says what it answered.
func (e *Engine) TryHealth(ctx context.Context, cfg site.Config) (string, error) {
	if cfg.Health.URL == "" {
		return "This site has no health check.", nil
	}
	is, text := probe(ctx, cfg.Health)
	if is != healthGood {
		return "", &Error{Kind: KindUnhealthy, Stage: StageHealth, Err: fmt.Errorf("%s: %s", cfg.Health.URL, text)}
	}
	return fmt.Sprintf("The site answers %s.", text), nil
}

// Contents reads the versions of one file of a plan, for comparing them.
func (e *Engine) Contents(p *Plan, path release.Path) (files.Versions, error) {
	u, err := e.site.Update(p.ID)
	if err != nil {
		return files.Versions{}, classify(StagePlan, err)
	}
	defer u.Close()
	contents, err := u.Root.OpenRoot(packageDir)
	if err != nil {
		contents = nil // an applied update has only what it staged and kept
	} else {
		defer contents.Close()
	}
	v, err := files.Read(e.site, u, p.Files, path, contents)
	if err != nil {
		return v, classify(StagePlan, err)
	}
	return v, nil
}

// Publisher is who signs the releases at an address, as it presents itself. Only
// the fingerprint, compared with one from another source, proves it.
type Publisher struct {
	Root        []byte // root.json
	Fingerprint string
	Name        string
}

// maxRoot bounds root.json; one with a hundred keys has 40 KB.
const maxRoot = 1 << 20

// MeetPublisher reads the root of a publisher that is not trusted yet, from its
// repository's address. A server without one gives an error of KindHTTP or
// KindDownload.
func MeetPublisher(ctx context.Context, address string) (*Publisher, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &Error{Kind: KindMalformed, Stage: StageCheck, Err: fmt.Errorf("address of the publisher: %w", err)}
	}
	client, err := fetch.New(fetch.Options{})
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	defer client.Close()
	root, err := client.Read(ctx, u.JoinPath("root.json").String(), maxRoot)
	var status *fetch.StatusError
	if errors.As(err, &status) && status.Code == http.StatusNotFound {
		err = fmt.Errorf("%s has no root.json: this is not the address of a signed repository: %w", address, err)
	}
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	return ReadPublisher(root)
}

// ReadPublisher reads a publisher's root.json that the caller has.
func ReadPublisher(root []byte) (*Publisher, error) {
	fingerprint, err := trust.Fingerprint(root)
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	var named struct {
		Signed struct {
			Product string `json:"x-moult-product"`
		} `json:"signed"`
	}
	if err := json.Unmarshal(root, &named); err != nil {
		return nil, &Error{Kind: KindMalformed, Stage: StageCheck, Err: fmt.Errorf("root.json: %w", err)}
	}
	return &Publisher{Root: root, Fingerprint: fingerprint, Name: named.Signed.Product}, nil
}
