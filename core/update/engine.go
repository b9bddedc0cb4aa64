package update

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"moult/core/database"
	"moult/core/release"
	"moult/core/site"
)

// Options are what an [Engine] needs from its surroundings. The zero value logs
// nothing, never asks for a password and takes the system's time.
type Options struct {
	Logger *slog.Logger
	// Password asks a person for the password that prompt describes. Nil: a
	// site whose password comes from a prompt can't be opened.
	Password func(ctx context.Context, prompt string) (string, error)
	Now      func() time.Time
	// Program is Moult's own version, for releases that need a newer one; zero:
	// a development build, which is taken as new enough.
	Program release.Version
	// Medium is a folder or a file with the publisher's repository, or the part of it
	// that `moult publish carry` takes along, for a site that can't reach its server: it
	// takes the place of the address in site.toml. "": none.
	Medium string
}

// Engine works on one site. Its methods may be called from any goroutine, but
// only one that changes the site runs at a time; the others give KindLocked.
type Engine struct {
	site *site.Site
	opts Options
	log  *slog.Logger

	dsn     *database.DSN // with its password, until the keyring has it; else nil
	adopted Adoption
}

// Open opens the engine on the site in dir. The error is of KindMalformed for a
// broken site.toml, of KindPermission for a site that may not be read, and wraps
// [site.ErrNotSite] for a directory that Moult does not look after.
func Open(dir string, o Options) (*Engine, error) {
	s, err := site.Open(dir)
	if errors.Is(err, site.ErrNotSite) {
		return nil, &Error{Kind: KindPath, Stage: StageCheck, Err: err}
	}
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	return newEngine(s, o), nil
}

func newEngine(s *site.Site, o Options) *Engine {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Engine{site: s, opts: o, log: o.Logger.With("site", s.Config.Name)}
}

// Close releases what the engine holds open. It doesn't end a run.
func (e *Engine) Close() error {
	var err error
	if e.opts.Medium != "" {
		err = e.dropMedium()
	}
	return errors.Join(err, e.site.Close())
}

// Site returns the site that the engine works on.
func (e *Engine) Site() *site.Site { return e.site }

// Current returns the installed version, zero if none is recorded.
func (e *Engine) Current() release.Version {
	st, err := e.site.State()
	if err != nil {
		return release.Version{}
	}
	return st.Version
}

// connect opens the site's database. It returns nil without an error for a site
// that has none.
func (e *Engine) connect(ctx context.Context) (*database.DB, error) {
	cfg := e.site.Config.Database
	if cfg.DSN == "" {
		return nil, nil
	}
	if e.dsn != nil {
		return database.Open(ctx, *e.dsn)
	}
	dsn, err := database.ParseDSN(cfg.DSN)
	if err != nil {
		return nil, settingError("database.dsn", err)
	}
	dsn, err = database.ResolvePassword(ctx, dsn, cfg.PasswordFrom, e.site.Dir, e.opts.Password)
	if err != nil {
		return nil, passwordError{err}
	}
	return database.Open(ctx, dsn)
}
