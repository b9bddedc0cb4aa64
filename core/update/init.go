package update

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"

	"moult/core/archive"
	"moult/core/database"
	"moult/core/fetch"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
)

// InitOptions say how a site that Moult takes under its care is reached and whom
// it trusts.
type InitOptions struct {
	Name     string          // "": the directory's name
	URL      string          // the publisher's repository, also as a folder here, or the manifest of a plain server
	RootJSON []byte          // the publisher's root, compared by its fingerprint; nil for a plain server
	Keys     []string        // of a plain server
	Unsigned bool            // accept packages that nobody has signed
	Channel  string          // "": stable
	Version  release.Version // zero: found by comparing files
	DSN      string          // "": no database
	// PasswordFrom is written to site.toml as it is. Without it a password in the
	// DSN goes to the system's keyring.
	PasswordFrom string
	Own          []release.Path
}

// leastMatch is the share of a release's files that must be here, edited or not, for
// the release to be taken as the installed one.
const leastMatch = 0.5

// Adoption is what Init has found on a site.
type Adoption struct {
	BaseKnown       bool // it is known what the installed release shipped
	Edited, Missing int  // of the files that it shipped; 0 where that is not known
}

// Adopted returns what Init has found; the zero value for an engine from [Open].
func (e *Engine) Adopted() Adoption { return e.adopted }

// Init takes an existing site under care: it pins the publisher's root, finds the
// installed release, and records what that release shipped, so that what was
// edited on the site is known from then on. When it fails it leaves nothing behind.
func Init(ctx context.Context, dir string, io InitOptions, o Options, report Report) (*Engine, error) {
	e, err := initSite(ctx, dir, io, o, report)
	if err != nil {
		return nil, classify(StageCheck, err)
	}
	return e, nil
}

func initSite(ctx context.Context, dir string, io InitOptions, o Options, report Report) (_ *Engine, err error) {
	cfg, password, err := io.config(dir)
	if err != nil {
		return nil, err
	}
	s, err := site.Init(dir, cfg, site.State{})
	if err != nil {
		return nil, err
	}
	e := newEngine(s, o)
	defer func() {
		if err != nil {
			// site.Init has just made this directory; nothing else is in it.
			err = errors.Join(err, e.Close(), os.RemoveAll(filepath.Join(s.Dir, site.Home)))
		}
	}()
	e.dsn = password
	if len(io.RootJSON) > 0 {
		trustDir, err := s.SubDir("trust")
		if err != nil {
			return nil, err
		}
		defer trustDir.Close()
		if err := site.WriteFile(trustDir, pinnedRoot, io.RootJSON); err != nil {
			return nil, err
		}
	}
	db, err := e.connect(ctx)
	if err != nil {
		return nil, databaseError{err}
	}
	if db != nil {
		defer db.Close()
	}
	src, err := e.openSource(ctx)
	if err != nil {
		return nil, err
	}
	m, err := e.installedRelease(ctx, src, io.Version, report)
	if err != nil {
		return nil, err
	}
	if err := e.record(ctx, src, m, io.Version, db != nil, report); err != nil {
		return nil, err
	}
	return e, e.storePassword()
}

// storePassword puts the password that Init was given into the keyring. It comes last,
// so that an Init that fails leaves nothing there either.
func (e *Engine) storePassword() error {
	if e.dsn == nil {
		return nil
	}
	if err := database.StorePassword(*e.dsn); err != nil {
		return passwordError{fmt.Errorf("%w; say where it is with password_from instead, as in file:.env#DB_PASSWORD", err)}
	}
	e.dsn = nil
	return nil
}

// address returns the address of a repository, which may be named by its folder.
func address(text string) (string, error) {
	if filepath.IsAbs(text) {
		if _, err := os.Stat(text); err != nil {
			return "", settingError("source.url", err)
		}
		return fetch.FileURL(text)
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", settingError("source.url", fetch.ErrAddress) // err would repeat a password
	}
	if !slices.Contains([]string{"https", "http", "file"}, u.Scheme) {
		return "", settingError("source.url", fmt.Errorf("%q is no address: write https://… or, for a folder on this machine, its whole path", fetch.Redacted(text)))
	}
	return text, nil
}

// config makes the site's configuration. The second value is a DSN whose password
// belongs into the keyring, nil if there is none.
func (io InitOptions) config(dir string) (site.Config, *database.DSN, error) {
	cfg := site.Config{Name: io.Name, Source: site.Source{Channel: io.Channel, Keys: io.Keys}}
	if io.URL != "" {
		var err error
		if cfg.Source.URL, err = address(io.URL); err != nil {
			return cfg, nil, err
		}
	}
	cfg.Files.Own = io.Own
	if cfg.Name == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return cfg, nil, err
		}
		cfg.Name = filepath.Base(abs)
	}
	if cfg.Source.Channel == "" {
		cfg.Source.Channel = "stable"
	}
	if io.Unsigned {
		cfg.Source.Unsigned = "allow"
	}
	if io.DSN == "" {
		return cfg, nil, nil
	}
	dsn, err := database.ParseDSN(io.DSN)
	if err != nil {
		return cfg, nil, settingError("database.dsn", err)
	}
	cfg.Database = site.Database{DSN: dsn.Text(), PasswordFrom: io.PasswordFrom}
	if !dsn.HasPassword() || io.PasswordFrom != "" {
		return cfg, nil, nil
	}
	cfg.Database.PasswordFrom = "keyring:" + dsn.String()
	return cfg, &dsn, nil
}

// installedRelease finds out which release a site is of: the one that the caller
// names, or the published one with the most files here as they were shipped, if most of
// its files are here at all. Nil means that the publisher has no longer got it.
func (e *Engine) installedRelease(ctx context.Context, src source, named release.Version, report Report) (*release.Manifest, error) {
	newest, err := src.newest(ctx)
	if err != nil {
		return nil, err
	}
	if newest.Moult != nil {
		if newest.Moult.Files, err = filesOf(ctx, src, newest); err != nil {
			return nil, err
		}
	}
	if !named.IsZero() {
		if named.Compare(newest.Version) == 0 {
			return newest, nil
		}
		m, err := src.at(ctx, named)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return m, err
	}
	candidates := []release.Version{newest.Version}
	if newest.Moult != nil {
		for _, earlier := range slices.Backward(newest.Moult.Earlier) {
			candidates = append(candidates, earlier.Version)
		}
	}
	var best *release.Manifest
	bestShare := 0.0
	for i, v := range candidates {
		report.send(Event{Stage: StageCheck, Status: StepRunning, Item: "compare with " + v.String(), Done: int64(i), Total: int64(len(candidates)), Interruptible: true})
		m := newest
		if i > 0 {
			if m, err = src.at(ctx, v); errors.Is(err, fs.ErrNotExist) {
				continue // no longer published
			}
			if err != nil {
				return nil, err
			}
		}
		if m.Moult == nil || len(m.Moult.Files) == 0 {
			continue
		}
		diff, err := files.Compare(ctx, e.site, &site.Inventory{Version: v, Files: slices.Clone(m.Moult.Files)}, nil)
		if err != nil {
			return nil, err
		}
		of := float64(len(m.Moult.Files))
		if float64(missingOf(diff))/of >= 1-leastMatch {
			continue
		}
		if share := 1 - float64(len(diff))/of; share > bestShare {
			best, bestShare = m, share
		}
	}
	if best == nil {
		return nil, &Error{Kind: KindUnknown, Stage: StageCheck, Err: errors.New("none of the publisher's releases looks like this site")}
	}
	return best, nil
}

// missingOf counts the files that are not here at all.
func missingOf(diff []files.Difference) int {
	n := 0
	for _, d := range diff {
		if d.Missing {
			n++
		}
	}
	return n
}

// record writes down what the installed release shipped. Without a manifest that
// lists its files, what is on disk now is taken as shipped, and the inventory says
// that its base is unknown.
func (e *Engine) record(ctx context.Context, src source, m *release.Manifest, v release.Version, withSchema bool, report Report) error {
	st := site.State{Version: v, Installed: e.opts.Now(), By: "init"}
	if m == nil || m.Moult == nil || len(m.Moult.Files) == 0 {
		found, err := files.Scan(ctx, e.site, nil)
		if err != nil {
			return err
		}
		if err := e.site.SetInventory(&site.Inventory{Version: v, Files: found}); err != nil {
			return err
		}
		return e.site.SetState(st)
	}
	st.Version = m.Version
	inv := &site.Inventory{Version: m.Version, BaseKnown: true, Files: slices.Clone(m.Moult.Files)}
	if err := e.site.SetInventory(inv); err != nil {
		return err
	}
	diff, err := files.Compare(ctx, e.site, inv, nil)
	if err != nil {
		return err
	}
	missing := missingOf(diff)
	e.adopted = Adoption{BaseKnown: true, Edited: len(diff) - missing, Missing: missing}
	edited := make(map[release.Path]bool, len(diff))
	for _, d := range diff {
		edited[d.Path] = true
	}
	same := slices.DeleteFunc(slices.Clone(m.Moult.Files), func(f release.File) bool { return edited[f.Path] })
	if err := keepPristine(e.site, e.site.Root, same, nil); err != nil {
		return err
	}
	withSchema = withSchema && !m.Moult.Schema.Target.IsZero()
	if len(edited) > 0 || withSchema {
		if err := e.recordFromPackage(ctx, src, m, edited, withSchema, report); err != nil {
			return err
		}
	}
	return e.site.SetState(st)
}

// recordFromPackage fetches the full package of the installed release for what
// the site itself can't tell: the shipped contents of edited files, and the schema.
func (e *Engine) recordFromPackage(ctx context.Context, src source, m *release.Manifest, edited map[release.Path]bool, withSchema bool, report Report) (err error) {
	arch, err := release.ParseArch(e.site.Config.Source.Arch)
	if err != nil {
		return err
	}
	full, found := m.Full(arch)
	if !found {
		return nil
	}
	u, err := e.site.NewUpdate(e.newID())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, u.Remove(), e.emptyCache()) }()
	o := &Offer{Current: m.Version, Target: m.Version, source: src, arch: arch, Strategy: release.Strategy{Kind: release.Full, Package: full, Bytes: full.Size}}
	var in intake
	if err := e.fetch(ctx, u, o, &in, report); err != nil {
		return err
	}
	contents, err := u.Root.OpenRoot(packageDir)
	if err != nil {
		return err
	}
	defer contents.Close()
	wanted := slices.DeleteFunc(in.Files, func(f release.File) bool { return !edited[f.Path] })
	if err := keepPristine(e.site, contents, wanted, nil); err != nil {
		return err
	}
	if !withSchema {
		return nil
	}
	text, err := contents.ReadFile(path.Join(archive.PackageDir, "schema", "to.sql"))
	if err != nil {
		return err
	}
	return recordSchema(e.site, text, len(bytes.TrimSpace(text)) > 0)
}
