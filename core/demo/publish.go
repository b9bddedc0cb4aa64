package demo

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"moult/core/publish"
	"moult/core/release"
)

// products are the names that the sites show.
var products = map[string]string{Wiki: "Duckpond wiki", Shop: "Shop"}

// publish makes a repository for the product and adds its releases to it.
func (d *Demo) publish(ctx context.Context, product string, releases []Release) error {
	repo := d.repo(product)
	if err := publish.Init(repo, publish.InitOptions{Product: products[product]}); err != nil {
		return err
	}
	var before []release.Version // of the channel that most sites follow
	for _, r := range releases {
		dir := filepath.Join(d.Dir, "releases", product, r.Version.String())
		next, err := r.forPublishing(dir)
		if err != nil {
			return err
		}
		next.PatchFrom = before
		next.Delta = d.deltas && len(before) > 0
		if err := publish.Add(ctx, repo, next); err != nil {
			return err
		}
		if r.Channel == "stable" {
			before = append(before, r.Version)
		}
	}
	// Each Add signed with the date of its release; sites want to see today's.
	return d.refresh(ctx, product)
}

// refresh renews what expires, as a publisher's daily job does.
func (d *Demo) refresh(ctx context.Context, product string) error {
	_, err := publish.Refresh(ctx, d.repo(product), publish.KeySource{}, time.Time{})
	return err
}

func (d *Demo) repo(product string) string { return filepath.Join(d.Dir, "publisher", product) }

// forPublishing lays the release out below dir as a publisher has it.
func (r Release) forPublishing(dir string) (publish.Release, error) {
	p := publish.Release{
		Version: r.Version,
		Date:    r.Date,
		Channel: r.Channel,
		Tree:    filepath.Join(dir, "tree"),
		Schema:  filepath.Join(dir, "schema.sql"),
		Notes:   filepath.Join(dir, "notes.md"),
	}
	if err := r.Write(p.Tree); err != nil {
		return p, err
	}
	extra := map[string][]byte{p.Schema: []byte(r.Schema), p.Notes: []byte(r.Notes)}
	if len(r.Scripts) > 0 {
		p.Scripts = filepath.Join(dir, "scripts")
		if err := os.MkdirAll(p.Scripts, 0o755); err != nil {
			return p, err
		}
		for name, sql := range r.Scripts {
			extra[filepath.Join(p.Scripts, name)] = sql
		}
	}
	for name, data := range extra {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return p, err
		}
	}
	return p, nil
}
