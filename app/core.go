package app

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"moult/core/database"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// CoreOptions say how the window works with the real parts.
type CoreOptions struct {
	Logger  *slog.Logger
	Version string // of Moult itself, "" for a development build
}

// Core returns what the window needs, from the parts that do the work.
func Core(o CoreOptions) Deps {
	// A version that can't be read is a development build, which counts as new enough.
	program, _ := release.ParseVersion(o.Version)
	options := func(ask AskPassword) update.Options {
		return update.Options{Logger: o.Logger, Password: ask, Program: program}
	}
	return Deps{
		Open: func(dir string, ask AskPassword) (Engine, error) {
			e, err := update.Open(dir, options(ask))
			if err != nil {
				return nil, err
			}
			return coreEngine{e}, nil
		},
		Publisher: meetPublisher,
		Adopt: func(ctx context.Context, dir string, a Adoption, ask AskPassword) (Engine, error) {
			e, err := adopt(ctx, dir, a, options(ask))
			if err != nil {
				return nil, err
			}
			return coreEngine{e}, nil
		},
		KeepPassword: keepPassword,
		Logger:       o.Logger,
		Version:      o.Version,
		Sites:        userSites{},
	}
}

// FixedSites is a list of sites that lasts as long as the window, as for a demo.
func FixedSites(dirs []string) SiteList { return &givenSites{dirs: dirs} }

// coreEngine is an [update.Engine] as the window wants it.
type coreEngine struct{ *update.Engine }

var _ Engine = coreEngine{}

func (e coreEngine) Config() site.Config { return e.Site().Config }

func (e coreEngine) SaveConfig(c site.Config) error { return e.Site().SaveConfig(c) }

func (e coreEngine) Checked() time.Time {
	state, err := e.Site().State()
	if err != nil {
		return time.Time{}
	}
	return state.LastCheck
}

func (e coreEngine) Skipped() release.Version {
	state, err := e.Site().State()
	if err != nil {
		return release.Version{}
	}
	return state.Skipped
}

func meetPublisher(ctx context.Context, address string) (Publisher, error) {
	p, err := update.MeetPublisher(ctx, address)
	if err != nil {
		return Publisher{}, err
	}
	return Publisher{Address: address, Root: p.Root, Fingerprint: p.Fingerprint, Product: p.Name}, nil
}

func adopt(ctx context.Context, dir string, a Adoption, o update.Options) (*update.Engine, error) {
	io := update.InitOptions{Name: a.Name, URL: a.Address, RootJSON: a.Root, Version: a.Version, DSN: a.DSN}
	if a.DSN != "" && a.Password != "" {
		from, err := keepPassword(a.DSN, a.Password)
		if err != nil {
			return nil, err
		}
		io.PasswordFrom = from
	}
	return update.Init(ctx, dir, io, o, nil)
}

// keepPassword puts the password of a database into the keyring, under the name
// that the database has there.
func keepPassword(text, password string) (string, error) {
	dsn, err := database.ParseDSN(text)
	if err != nil {
		return "", err
	}
	if err := database.StorePassword(dsn.WithPassword(password)); err != nil {
		return "", err
	}
	return "keyring:" + dsn.String(), nil
}

// userSites is the list in the user's configuration directory.
type userSites struct{}

func (userSites) Load() ([]string, error) { return site.LoadSites("") }
func (userSites) Add(dir string) error    { return site.AddToSites("", dir) }
func (userSites) Remove(dir string) error { return site.RemoveFromSites("", dir) }

// givenSites is a list that lasts as long as the window.
type givenSites struct {
	mu   sync.Mutex
	dirs []string
}

func (s *givenSites) Load() ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dirs), nil
}

func (s *givenSites) Add(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs = append(s.dirs, dir)
	return nil
}

func (s *givenSites) Remove(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dirs = slices.DeleteFunc(s.dirs, func(d string) bool { return d == dir })
	return nil
}
