package demo

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"moult/core/release"
	"moult/core/update"
)

// installed says which release each site begins with.
var installed = map[string]string{Wiki: "1.4.2", Shop: "2.0.1"}

// install copies a release to dir as an admin would, fills its database, edits
// what admins edit, and takes the site under care.
func (d *Demo) install(ctx context.Context, product, dir string, releases []Release) error {
	r, err := pick(releases, installed[product])
	if err != nil {
		return err
	}
	if err := r.Write(dir); err != nil {
		return err
	}
	db, err := d.createDatabase(ctx, product)
	if err != nil {
		return err
	}
	if err := load(ctx, db, r.Schema, rows[product]()); err != nil {
		return err
	}
	for _, e := range edits[product] {
		if err := e.apply(dir); err != nil {
			return err
		}
	}
	root, err := os.ReadFile(filepath.Join(d.repo(product), "root.json"))
	if err != nil {
		return err
	}
	e, err := update.Init(ctx, dir, update.InitOptions{
		Name:     products[product],
		URL:      FileURL(d.repo(product)),
		RootJSON: root,
		Version:  r.Version,
		DSN:      db,
		Own:      own[product],
	}, update.Options{}, nil)
	if err != nil {
		return err
	}
	return e.Close()
}

func pick(releases []Release, version string) (Release, error) {
	for _, r := range releases {
		if r.Version.String() == version {
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("there is no sample release %s", version)
}

// FileURL returns the address of a repository in a directory.
func FileURL(dir string) string {
	path := filepath.ToSlash(dir)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/… on Windows
	}
	return (&url.URL{Scheme: "file", Path: path + "/"}).String()
}

// own are the paths that belong to the sites' admins.
var own = map[string][]release.Path{
	Wiki: {"uploads", "config/local.php"},
	Shop: {"config.php"},
}

// edit is something that an admin has done to the site's files.
type edit struct {
	path     string
	old, new string // what is replaced by what; with old == "" the file is new
}

var edits = map[string][]edit{
	Wiki: {
		{path: "config/local.php", new: "<?php\nreturn ['name' => 'Duckpond wiki', 'database' => ['dsn' => 'mysql:dbname=wiki']];\n"},
		{path: "uploads/pond-in-june.txt", new: "Stands for a picture that a visitor uploaded.\n"},
		{path: "assets/css/own.css", new: "header { background: url(/assets/img/pond.png); }\n"},
		// 1.5.0 changes other lines of this file: a clean merge exists.
		{path: "config/default.php", old: "=> 'Duckpond',", new: "=> 'The duckpond wiki',"},
		// 1.5.0 changes the same line of this one: the admin has to decide.
		{path: "templates/layout.html", old: "<footer>Duckpond {{ version }}</footer>", new: "<footer>Duckpond {{ version }} · <a href=\"/imprint\">Imprint</a></footer>"},
		// No release changes this one: it stays without a question.
		{path: ".htaccess", old: "RewriteEngine On\n", new: "RewriteEngine On\nRewriteBase /wiki/\n"},
	},
	Shop: {
		{path: "config.php", new: "<?php\nreturn ['currency' => 'EUR'];\n"},
	},
}

func (e edit) apply(dir string) error {
	name := filepath.Join(dir, filepath.FromSlash(e.path))
	if e.old == "" {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		return os.WriteFile(name, []byte(e.new), 0o644)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if !strings.Contains(string(b), e.old) {
		return fmt.Errorf("%s does not contain %q", e.path, e.old)
	}
	return os.WriteFile(name, []byte(strings.Replace(string(b), e.old, e.new, 1)), 0o644)
}
