package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-sql-driver/mysql"
	"github.com/gofrs/flock"

	"moult/core/database/embedded"
	"moult/core/site"
)

// Options say where a demo's databases live and who hears of its making.
type Options struct {
	// DSN names a running server and an account without a password that may create
	// databases, in a form of [database.ParseDSN]; in that of go-sql-driver it need
	// not name a database. "" means a private MariaDB in the demo's directory. On a
	// named server the demo makes databases whose names contain "moult_demo", and
	// drops those when it is closed.
	DSN      string
	NoDeltas bool              // the publisher offers patches and full packages only
	Report   func(line string) // told what is being made; may be nil
}

// Demo is a publisher, two sites and their databases.
type Demo struct {
	Dir   string
	Repo  string   // the wiki's release repository
	Sites []string // the wiki, which is behind, and the shop, which is current

	lock    *flock.Flock
	record  record
	server  *embedded.Server // nil when Options.DSN named another
	address *mysql.Config    // of the server
	deltas  bool             // Add makes them
	report  func(string)
}

// Build makes a demo in dir, which is new or empty, or opens the one that is there.
// The error wraps [ErrNotDemo] when something else is in dir, and [embedded.ErrAbsent]
// when no server can be started on this machine.
func Build(ctx context.Context, dir string, o Options) (*Demo, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d := &Demo{
		Dir:    dir,
		Repo:   filepath.Join(dir, "publisher", Wiki),
		Sites:  []string{filepath.Join(dir, "sites", Wiki), filepath.Join(dir, "sites", Shop)},
		deltas: !o.NoDeltas,
		report: o.Report,
	}
	if d.report == nil {
		d.report = func(string) {}
	}
	if err := d.claim(); err != nil {
		return nil, err
	}
	if err := d.connect(ctx, o.DSN); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.fill(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// fill makes what is not there yet. The record tells a whole demo from one whose
// making was cut off.
func (d *Demo) fill(ctx context.Context) error {
	d.record = d.readRecord()
	if server := d.serverName(); d.record.Server != server {
		if d.record.Complete {
			return fmt.Errorf("the databases of the demo in %s are on %s, not on %s", d.Dir, describe(d.record.Server), describe(server))
		}
		d.record = record{Server: server}
	}
	if d.record.Complete {
		d.report("opening the demo in " + d.Dir)
		return errors.Join(d.refresh(ctx, Wiki), d.refresh(ctx, Shop), d.followMove())
	}
	for _, part := range []string{"publisher", "sites", "releases"} {
		if err := os.RemoveAll(filepath.Join(d.Dir, part)); err != nil {
			return err
		}
	}
	for i, product := range []string{Wiki, Shop} {
		releases, err := Releases(product)
		if err != nil {
			return err
		}
		d.report(fmt.Sprintf("publishing %d releases of the %s", len(releases), product))
		if err := d.publish(ctx, product, releases); err != nil {
			return fmt.Errorf("publish the %s: %w", product, err)
		}
		d.report("installing the " + product + " in " + d.Sites[i])
		if err := d.install(ctx, product, d.Sites[i], releases); err != nil {
			return fmt.Errorf("install the %s: %w", product, err)
		}
	}
	d.record.Complete = true
	return d.writeRecord()
}

// followMove tells the sites where their publisher and their database are now: the
// demo's directory may have been moved, and where its path is too long for a socket,
// each start of the server has another. What an admin has set since stays.
func (d *Demo) followMove() error {
	address, err := mysql.ParseDSN(d.record.Address)
	if err != nil {
		return fmt.Errorf("%s: %w", recordFile, err)
	}
	was := &Demo{Dir: d.record.Dir, server: d.server, address: address}
	for i, product := range []string{Wiki, Shop} {
		if err := follow(d.Sites[i], map[string]string{
			FileURL(was.repo(product)):          FileURL(d.repo(product)),
			was.databaseOf(product).FormatDSN(): d.databaseOf(product).FormatDSN(),
		}); err != nil {
			return fmt.Errorf("tell %s where it is now: %w", d.Sites[i], err)
		}
	}
	return d.writeRecord()
}

// follow replaces addresses in the settings of a site.
func follow(dir string, moved map[string]string) error {
	s, err := site.Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	cfg := s.Config
	for _, address := range []*string{&cfg.Source.URL, &cfg.Database.DSN} {
		if now, known := moved[*address]; known {
			*address = now
		}
	}
	if cfg.Source.URL == s.Config.Source.URL && cfg.Database == s.Config.Database {
		return nil
	}
	lock, err := s.Lock()
	if err != nil {
		return err
	}
	return errors.Join(s.SaveConfig(cfg), lock.Release())
}

// DSN returns the data source name of a site's database.
func (d *Demo) DSN(site string) string { return d.databaseOf(filepath.Base(site)).FormatDSN() }

// Close ends the server, or removes the demo's databases from one that was running
// before. The directory stays.
func (d *Demo) Close() error {
	end := d.dropDatabases
	if d.server != nil {
		end = d.server.Stop
	}
	return errors.Join(end(), d.lock.Unlock())
}
