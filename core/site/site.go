package site

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Home is the name of Moult's own directory in a site.
const Home = ".moult"

// ErrNotSite is returned by [Open] for a directory that [Init] has not been
// called on.
var ErrNotSite = errors.New("is not a site of Moult")

// ErrAlreadySite is returned by [Init] for a directory that is one already.
var ErrAlreadySite = errors.New("is a site of Moult already")

// Site is one open site.
type Site struct {
	Dir    string   // absolute
	Root   *os.Root // opened on Dir; every access to the site's files goes through it
	Config Config

	home  *os.Root // .moult
	state *os.Root // .moult, or what [state] dir names
}

// Init makes dir a site, with cfg as what the admin set and st as what is
// installed. It returns [ErrAlreadySite] if dir is one, and leaves it alone.
func Init(dir string, cfg Config, st State) (*Site, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: abs, Root: root, Config: cfg}
	if err := s.create(st); err != nil {
		s.Close()
		return nil, fmt.Errorf("make %s a site: %w", dir, err)
	}
	return s, nil
}

func (s *Site) create(st State) error {
	if _, err := s.Root.Lstat(Home + "/" + configFile); err == nil {
		return ErrAlreadySite
	}
	if err := s.Root.Mkdir(Home, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.openHome(); err != nil {
		return err
	}
	if err := s.home.Chmod(".", 0o700); err != nil {
		return err
	}
	for name, text := range denyFiles {
		if err := writeFile(s.home, name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := s.openState(); err != nil {
		return err
	}
	if err := s.SetState(st); err != nil {
		return err
	}
	// site.toml comes last: it is what makes the directory a site.
	return s.SaveConfig(s.Config)
}

// denyFiles keep web servers from handing out .moult: httpd.apache.org/docs/2.4/mod/mod_authz_core.html
// and learn.microsoft.com/iis/configuration/system.webserver/security/authorization.
var denyFiles = map[string]string{
	".htaccess": "<IfModule mod_authz_core.c>\n\tRequire all denied\n</IfModule>\n" +
		"<IfModule !mod_authz_core.c>\n\tOrder deny,allow\n\tDeny from all\n</IfModule>\n",
	"web.config": `<?xml version="1.0" encoding="UTF-8"?>
<configuration>
	<system.webServer>
		<security><authorization><clear /><add accessType="Deny" users="*" /></authorization></security>
	</system.webServer>
</configuration>
`,
}

// Open opens the site in dir. It returns [ErrNotSite] if there is none, and an
// error that names file and line if site.toml is not valid.
func Open(dir string) (*Site, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, err
	}
	s := &Site{Dir: abs, Root: root}
	if err := s.open(); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return s, nil
}

func (s *Site) open() error {
	if err := s.openHome(); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return ErrNotSite
		}
		return err
	}
	b, err := readFile(s.home, configFile, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotSite
	}
	if err != nil {
		return err
	}
	if s.Config, err = ParseConfig(b); err != nil {
		return err
	}
	return s.openState()
}

// openHome opens .moult, which must be a directory and not a link to one:
// whoever can plant a link there could have Moult write elsewhere.
func (s *Site) openHome() error {
	info, err := s.Root.Lstat(Home)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", Home)
	}
	s.home, err = s.Root.OpenRoot(Home)
	return err
}

func (s *Site) openState() error {
	if s.Config.State.Dir == "" {
		s.state = s.home
		return nil
	}
	dir := s.Config.State.Dir
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(s.Dir, dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	s.state = root
	return err
}

// Close closes the site. It does not release a [Lock].
func (s *Site) Close() error {
	var errs []error
	if s.state != nil && s.state != s.home {
		errs = append(errs, s.state.Close())
	}
	if s.home != nil {
		errs = append(errs, s.home.Close())
	}
	return errors.Join(append(errs, s.Root.Close())...)
}

// SubDir opens a subdirectory of .moult, such as "trust" or "cache", and makes it
// if need be. The caller closes it.
func (s *Site) SubDir(name string) (*os.Root, error) { return subDir(s.state, name) }

func subDir(parent *os.Root, name string) (*os.Root, error) {
	err := parent.Mkdir(name, 0o700)
	switch {
	case err == nil:
		if err := syncDir(parent, "."); err != nil {
			return nil, err
		}
	case !errors.Is(err, fs.ErrExist):
		return nil, err
	}
	info, err := parent.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", filepath.Join(parent.Name(), name))
	}
	return parent.OpenRoot(name)
}
