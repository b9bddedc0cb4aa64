package app

import (
	"context"
	"io"
	"io/fs"
	"log/slog"
	"time"

	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

// Engine does the work on one site. [Core] makes it of an [update.Engine]; tests
// have a fake. Only Config, Current, Checked and Skipped may be called on Fyne's
// thread.
type Engine interface {
	Config() site.Config
	Current() release.Version
	Checked() time.Time       // the last check, zero: none yet
	Skipped() release.Version // not to be offered unasked, zero: none

	Skip(release.Version) error // zero: skip none
	Verify(context.Context, update.Report) (*update.Verification, error)

	Check(context.Context, update.Choices, update.Report) (*update.Offer, error)
	Prepare(context.Context, *update.Offer, update.Choices, update.Report) (*update.Plan, error)
	Replan(context.Context, *update.Plan, update.Choices, update.Report) (*update.Plan, error)
	Apply(context.Context, *update.Plan, update.Report) (*update.Result, error)
	RollBack(ctx context.Context, id string, report update.Report) (*update.Result, error)
	Interrupted() (*update.Run, error)
	Recover(context.Context, update.Direction, update.Report) (*update.Result, error)
	History() ([]update.Record, error)
	Discard(ctx context.Context, id string) error
	Log(id string) (fs.File, error) // JSON lines
	Contents(*update.Plan, release.Path) (files.Versions, error)
	Bundle(context.Context, io.Writer) error
	SaveConfig(site.Config) error
	TrySource(context.Context, site.Config) (string, error)
	TryDatabase(context.Context, site.Config) (string, error)
	TryHealth(context.Context, site.Config) (string, error)
	Close() error
}

// Deps are what the window needs from the rest of the program.
type Deps struct {
	// Open opens the engine of the site in dir. ask is what it asks a person
	// for a password with.
	Open func(dir string, ask AskPassword) (Engine, error)
	// Sites is the list of this user's sites.
	Sites SiteList
	// Publisher reads the root of trust at an address or in a file and returns
	// it with the fingerprint that the admin compares.
	Publisher func(ctx context.Context, address string) (Publisher, error)
	// Adopt takes a directory under care.
	Adopt func(ctx context.Context, dir string, a Adoption, ask AskPassword) (Engine, error)
	// KeepPassword puts the password of a database into the system's keyring
	// and returns where site.toml says that it is.
	KeepPassword func(dsn, password string) (from string, err error)
	// Logger hears what goes wrong; nil: nothing is logged.
	Logger *slog.Logger
	// Version is Moult's own, for the window's title bar and reports.
	Version string
	// Select is the directory of the site that is shown first; "": the first.
	Select string
}

// SiteList is a list of sites, by their directories. Others may change it too.
type SiteList interface {
	Load() ([]string, error)
	Add(dir string) error
	Remove(dir string) error
}

// AskPassword asks a person for a password, on any goroutine but Fyne's.
type AskPassword func(ctx context.Context, prompt string) (string, error)

// Publisher is who signs the releases of an address.
type Publisher struct {
	Address     string
	Root        []byte // root.json
	Fingerprint string
	Product     string
}

// Adoption is what the guided path collected about a site.
type Adoption struct {
	Name     string
	Address  string
	Root     []byte
	Version  release.Version // zero: found out
	DSN      string
	Password string // kept in the keyring
}
