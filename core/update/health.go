package update

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"moult/core/site"
)

// health is what a health probe says about a site.
type health int

const (
	healthUnknown health = iota // no answer, or one that says nothing: 503, TLS, timeout
	healthGood
	healthBad // an answer, and a wrong one
)

// probeTimeout bounds one request of the health check.
const probeTimeout = 10 * time.Second

// defaults of site.toml, [health].
const (
	defaultExpect   = http.StatusOK
	defaultAttempts = 10
	defaultInterval = 3 * time.Second
)

// probe asks the site once. The text says what was found.
func probe(ctx context.Context, cfg site.Health) (health, string) {
	expect := cfg.Expect
	if expect == 0 {
		expect = defaultExpect
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	resp, err := ask(ctx, cfg.URL)
	if err != nil {
		return healthUnknown, err.Error()
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case expect:
		return healthGood, resp.Status
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusGatewayTimeout:
		// What a site answers while it starts, or a proxy in front of it.
		return healthUnknown, resp.Status
	}
	return healthBad, resp.Status
}

// ask sends one request to the site itself. A redirect is an answer.
func ask(ctx context.Context, address string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client.Do(req)
}

// health asks the site until it answers as it should or the attempts are used up.
// Only a wrong answer from a site that answered rightly before the update is a
// reason to go back; when nothing can be told, a person has to look.
func (r *run) health(ctx context.Context) error {
	cfg := r.site.Config.Health
	if cfg.URL == "" {
		r.skipped = true
		return nil
	}
	b, err := r.saved()
	if err != nil {
		return err
	}
	attempts, interval := cfg.Attempts, time.Duration(cfg.Interval)
	if attempts == 0 {
		attempts = defaultAttempts
	}
	if interval == 0 {
		interval = defaultInterval
	}
	var is health
	var text string
	for i := range attempts {
		if i > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(interval):
			}
		}
		r.send(Event{Status: StepRunning, Item: cfg.URL, Done: int64(i), Total: int64(attempts), Interruptible: true})
		if is, text = probe(ctx, cfg); is == healthGood {
			return nil
		}
	}
	if err := ctx.Err(); err != nil {
		return err // a cancelled request says nothing of the site
	}
	if is == healthBad && b.Healthy {
		return errUnhealthy{fmt.Errorf("%s answered %s (attempts: %d); before the update it answered rightly", cfg.URL, text, attempts)}
	}
	r.unsure = true
	r.warn("The health check can't tell whether the site works (%s: %s). Look at it; you can roll back.", cfg.URL, text)
	return nil
}

// errUnhealthy is a health check that failed for certain.
type errUnhealthy struct{ error }

// checkHealth is the line of the preflight checklist about the health check.
func (e *Engine) checkHealth(ctx context.Context) (Check, bool) {
	cfg := e.site.Config.Health
	if cfg.URL == "" {
		return Check{}, false
	}
	is, text := probe(ctx, cfg)
	if is == healthGood {
		return Check{Code: "health", Level: CheckOK, Text: "The site answers its health check."}, true
	}
	return Check{
		Code: "health", Level: CheckWarn,
		Text: fmt.Sprintf("The site doesn't answer its health check rightly now (%s: %s), so that the update can't tell whether it has broken something.", cfg.URL, text),
		Hint: "Make the site healthy first, or correct health.url in the settings.",
	}, true
}
