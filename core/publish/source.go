package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"moult/core/archive"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/schema/parse"
)

// source is what a release is made of, read and checked.
type source struct {
	tree    *os.Root
	files   []release.File
	dirs    []release.Path // that are empty
	schema  []byte         // nil: no database
	notes   string
	scripts map[string][]byte // with their undo
}

func readSource(ctx context.Context, r *Release) (_ *source, err error) {
	s := &source{}
	if s.tree, err = os.OpenRoot(r.Tree); err != nil {
		return nil, fmt.Errorf("tree: %w", err)
	}
	if err = s.read(ctx, r); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *source) close() { s.tree.Close() }

func (s *source) read(ctx context.Context, r *Release) (err error) {
	if s.files, s.dirs, err = archive.Scan(ctx, s.tree); err != nil {
		return err
	}
	if len(s.files) == 0 {
		return fmt.Errorf("tree %s has no files", r.Tree)
	}
	if r.Schema != "" {
		if s.schema, err = os.ReadFile(r.Schema); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
		if err := checkSchema(r.Schema, s.schema); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
	}
	if r.Notes != "" {
		b, err := os.ReadFile(r.Notes)
		if err != nil {
			return fmt.Errorf("notes: %w", err)
		}
		s.notes = string(b)
	}
	if r.Scripts != "" {
		return s.readScripts(r.Scripts)
	}
	return nil
}

// scriptName is NN-name.sql, or NN-name.undo.sql for the way back.
var scriptName = regexp.MustCompile(`^[0-9]{2,4}-[a-z0-9_-]+(\.undo)?\.sql$`)

func (s *source) readScripts(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("scripts: %w", err)
	}
	s.scripts = map[string][]byte{}
	for _, e := range entries {
		if !scriptName.MatchString(e.Name()) {
			return fmt.Errorf("script %s: want a name as in 10-split-names.sql or 10-split-names.undo.sql", filepath.Join(dir, e.Name()))
		}
		if s.scripts[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("scripts: %w", err)
		}
	}
	for name := range s.scripts {
		if forward := strings.Replace(name, ".undo.sql", ".sql", 1); s.scripts[forward] == nil {
			return fmt.Errorf("script %s undoes %s, which is not there", name, forward)
		}
	}
	return nil
}

func (s *source) digests() release.SchemaDigests {
	if s.schema == nil {
		return release.SchemaDigests{}
	}
	return release.SchemaDigests{Target: release.DigestOf(s.schema)}
}

func (s *source) scriptDigests() []release.Script {
	var list []release.Script
	for name, text := range s.scripts {
		list = append(list, release.Script{Name: name, SHA256: release.DigestOf(text)})
	}
	slices.SortFunc(list, func(a, b release.Script) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// checkSchema reads a schema as a site will: as MariaDB's or, if it uses what only MySQL
// has, as MySQL's. The error is a [*parse.Error].
func checkSchema(name string, text []byte) error {
	_, err := parse.Text(name, string(text), schema.DefaultMariaDB)
	if err != nil {
		if _, other := parse.Text(name, string(text), schema.DefaultMySQL); other == nil {
			return nil
		}
	}
	return err
}

// meta is what a package carries besides the files; from is the schema of the version
// that a patch starts from.
func (s *source) meta(from []byte) map[string][]byte {
	m := map[string][]byte{}
	if s.schema != nil {
		m[schemaTo] = s.schema
	}
	if from != nil {
		m[schemaFrom] = from
	}
	for name, text := range s.scripts {
		m["scripts/"+name] = text
	}
	return m
}

// Where a package keeps the schemas, below archive.PackageDir.
const (
	schemaFrom = "schema/from.sql"
	schemaTo   = "schema/to.sql"
)

func (s *source) open(p release.Path) (io.ReadCloser, error) { return s.tree.Open(string(p)) }

// unpacked is a published release, extracted again from its full package.
type unpacked struct {
	version release.Version
	dir     string
	root    *os.Root
	files   []release.File
	schema  []byte
}

// unpack extracts the full package of a release to a temporary directory.
func (r *repository) unpack(ctx context.Context, m *release.Manifest, arch release.Arch) (_ *unpacked, err error) {
	full, ok := m.Full(arch)
	if !ok {
		return nil, fmt.Errorf("version %s has no package for %s", m.Version, cmp.Or(string(arch), "all architectures"))
	}
	u := &unpacked{version: m.Version}
	if u.dir, err = os.MkdirTemp("", "moult-publish-"); err != nil {
		return nil, err
	}
	if u.root, err = os.OpenRoot(u.dir); err == nil {
		var contents *archive.Contents
		if contents, err = r.extract(ctx, full.URL, u.root); err == nil {
			u.files = contents.Files
			u.schema, err = readMeta(u.root, schemaTo)
		}
	}
	if err != nil {
		u.close()
		return nil, err
	}
	return u, nil
}

func (u *unpacked) close() {
	if u.root != nil {
		u.root.Close()
	}
	os.RemoveAll(u.dir)
}

func (u *unpacked) open(p release.Path) (io.ReadCloser, error) { return u.root.Open(string(p)) }

// extract unpacks a package of the repository.
func (r *repository) extract(ctx context.Context, target string, dst *os.Root) (*archive.Contents, error) {
	f, err := r.openTarget(target)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	c, err := archive.Extract(ctx, f, info.Size(), dst, archive.Limits{}, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	return c, nil
}

// readMeta reads a file of the description of a package, nil if it is not there.
func readMeta(root *os.Root, name string) ([]byte, error) {
	b, err := root.ReadFile(archive.PackageDir + "/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}
