package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/aymanbagabas/go-udiff"

	"moult/core/database"
	"moult/core/files"
	"moult/core/schema"
	"moult/core/site"
	"moult/core/update"
)

// Snapshot is everything of a site that an update may change and a roll back
// has to bring back.
type Snapshot struct {
	Version string
	Tree    string            // hash of paths, modes and contents
	Schema  string            // canonical SQL of the live schema, "" without a database
	Rows    map[string]string // a checksum of each table's rows
}

// Snap takes a snapshot of the site in dir.
func Snap(ctx context.Context, dir string) (*Snapshot, error) {
	e, err := update.Open(dir, update.Options{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	s := &Snapshot{Version: e.Current().String()}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if s.Tree, err = files.TreeDigest(ctx, root, func(path string) bool { return path == site.Home }); err != nil {
		return nil, err
	}
	if e.Site().Config.Database.DSN == "" {
		return s, nil
	}
	dsn, err := database.ParseDSN(e.Site().Config.Database.DSN)
	if err != nil {
		return nil, err
	}
	db, err := database.Open(ctx, dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	live, err := db.Introspect(ctx)
	if err != nil {
		return nil, err
	}
	s.Schema = schema.Emit(live, db.Flavor())
	s.Rows, err = db.Checksum(ctx)
	return s, err
}

// Same returns nil if the site was in the same state when both snapshots were
// taken, and otherwise an error that says what differs.
func (s *Snapshot) Same(t *Snapshot) error {
	var differ []error
	if s.Version != t.Version {
		differ = append(differ, fmt.Errorf("the version was %s and is %s", s.Version, t.Version))
	}
	if s.Tree != t.Tree {
		differ = append(differ, errors.New("the files differ"))
	}
	if d := udiff.Unified("before", "after", s.Schema, t.Schema); d != "" {
		differ = append(differ, fmt.Errorf("the schema differs:\n%s", d))
	}
	tables := maps.Clone(s.Rows)
	maps.Copy(tables, t.Rows)
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if s.Rows[table] != t.Rows[table] {
			differ = append(differ, fmt.Errorf("the rows of table %s differ", table))
		}
	}
	return errors.Join(differ...)
}
