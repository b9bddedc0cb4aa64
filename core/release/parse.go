package release

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
)

// MaxManifest is the longest manifest that is read, in bytes. A release of
// 200 000 files lists them in about 37 MiB.
const MaxManifest = 64 << 20

// maxSignature is the longest signature kept, in bytes; an Ed25519 signature has
// 64, and one with a chain of certificates a few thousand.
const maxSignature = 64 << 10

// extensionFormat is the version of the "moult" object that this code knows.
const extensionFormat = 1

// anyArch is how a manifest writes the architecture "".
const anyArch = "any"

// ParseManifest reads a server's manifest. Relative URLs resolve against base,
// the manifest's own address; with a nil base they stay as they are, which is
// right for a repository whose packages are named and not addressed.
//
// Keys outside the "moult" object that aren't known are passed over, as other
// publishers have keys of their own. Inside it they are passed over too, unless
// "must_understand" lists them (the rule of RFC 7515 §4.1.11). Every error names
// the field: "patch.x86_64.operations.replace.files[3]: …".
func ParseManifest(b []byte, base *url.URL) (*Manifest, error) {
	r := manifestReader{base: base}
	f := ParseDocument(b, MaxManifest)
	m := r.manifest(f)
	if err := f.Err(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return m, nil
}

type manifestReader struct {
	base   *url.URL
	chunks map[Digest][]Digest // of each package, by the package's hash
}

func (r *manifestReader) manifest(f *Field) *Manifest {
	m := &Manifest{
		Notes:    f.Get("release_notes").Text(),
		Packages: map[Arch]Package{},
		Patches:  map[Arch]Patch{},
	}
	f.Get("version").Required()
	m.Version = f.Get("version").Version()
	if date := f.Get("release_date"); date.Required() != "" {
		t, err := time.Parse(time.RFC3339, date.Text())
		if err != nil {
			date.Fail(fmt.Errorf("%q is not a date as in 2026-11-12T09:00:00Z", date.Text()))
		}
		m.Released = t.UTC()
	}
	extension := f.Get("moult")
	r.readChunks(extension.Get("chunks"))
	platforms := f.Get("platforms")
	m.Legacy = !platforms.Present() && !extension.Present()
	r.packages(f, m)
	if m.Legacy {
		return m
	}
	r.patches(f.Get("patch"), extension, m)
	if extension.Present() {
		m.Moult = r.extension(extension)
	}
	return m
}

func (r *manifestReader) packages(f *Field, m *Manifest) {
	full, platforms := f.Get("packages").Get("full"), f.Get("platforms")
	var plain Package
	if full.Present() {
		plain = r.pack(full)
	}
	if !platforms.Present() {
		if !full.Present() {
			full.Fail(errors.New("is missing, and there are no platforms"))
		}
		m.Packages[""] = plain
		return
	}
	for _, key := range []Arch{X86_64, AArch64} {
		if p := platforms.Get(string(key)); p.Present() {
			m.Packages[key] = sameBytes(r.pack(p), plain)
		}
	}
	x, a := m.Packages[X86_64], m.Packages[AArch64]
	for key := range m.Packages {
		m.Packages[key] = sameBytes(sameBytes(m.Packages[key], x), a)
	}
	if len(m.Packages) == 0 {
		platforms.Fail(fmt.Errorf("names neither %s nor %s", X86_64, AArch64))
	}
}

// sameBytes completes what the manifest says of a package in one place with what it
// says of the same address in another: older servers give hash and size in
// "packages.full" only.
func sameBytes(p, other Package) Package {
	if p.URL != other.URL {
		return p
	}
	if p.Digest.IsZero() {
		p.Digest, p.Chunks = other.Digest, other.Chunks
	}
	if p.Size == 0 {
		p.Size = other.Size
	}
	if p.Signature == nil {
		p.Signature = other.Signature
	}
	return p
}

func (r *manifestReader) patches(f, extension *Field, m *Manifest) {
	if !f.Present() {
		return
	}
	version := f.Get("version").Version()
	from := extension.Get("from")
	for _, key := range []string{string(X86_64), string(AArch64), anyArch} {
		g := f.Get(key)
		if !g.Present() {
			continue
		}
		p := r.patch(g, from)
		p.Arch, p.Version = readArch(key), version
		if !extension.Present() {
			operations := g.Get("operations")
			operations.Fail(p.Operations.Validate())
		}
		m.Patches[p.Arch] = p
	}
	if len(m.Patches) == 0 {
		f.Fail(fmt.Errorf("names none of %s, %s and %s", X86_64, AArch64, anyArch))
	}
}

func readArch(key string) Arch {
	if key == anyArch {
		return ""
	}
	return Arch(key)
}

func (r *manifestReader) patch(f, from *Field) Patch {
	p := Patch{
		Package:    r.pack(f),
		Notes:      f.Get("notes").Text(),
		FromText:   from.Text(),
		Operations: ReadOperations(f.Get("operations")),
	}
	if p.FromText != "" {
		c, err := semver.NewConstraint(p.FromText)
		if err != nil {
			from.Fail(fmt.Errorf("%q is not a range of versions as in >=1.4.0 <1.5.0: %w", p.FromText, err))
		}
		p.From = c
	}
	return p
}

func (r *manifestReader) pack(f *Field) Package {
	p := Package{
		URL:    r.url(f.Get("url")),
		Digest: f.Get("hash").Digest(),
		Size:   f.Get("size").Int(0, math.MaxInt64),
	}
	if s := f.Get("signature"); s.Text() != "" {
		signature, err := base64.StdEncoding.Strict().DecodeString(s.Text())
		switch {
		case err != nil:
			s.Fail(fmt.Errorf("is not base64: %w", err))
		case len(signature) == 0 || len(signature) > maxSignature:
			s.Fail(fmt.Errorf("has %d bytes; it must have from 1 to %d", len(signature), maxSignature))
		}
		p.Signature = signature
	}
	if !p.Digest.IsZero() {
		p.Chunks = r.chunks[p.Digest]
	}
	if p.Chunks != nil && p.Size != 0 && int64(len(p.Chunks)) != (p.Size-1)/ChunkSize+1 {
		f.Fail(fmt.Errorf("has %d chunks, which is not right for %d bytes", len(p.Chunks), p.Size))
	}
	return p
}

// url returns the address of a package. A manifest that came over the network may
// not point at files of this machine.
func (r *manifestReader) url(f *Field) string {
	text := f.Required()
	u, err := url.Parse(text)
	if err != nil {
		f.Fail(fmt.Errorf("%q is not a URL", text))
		return ""
	}
	if !u.IsAbs() && r.base == nil {
		if u.Host != "" || u.Path == "" || u.Path[0] == '/' || path.Clean(u.Path) != u.Path || strings.HasPrefix(u.Path, "..") {
			f.Fail(fmt.Errorf("%q does not name a package of the repository", text))
		}
		return text
	}
	if r.base != nil {
		u = r.base.ResolveReference(u)
	}
	switch {
	case u.Scheme == "file" && r.base != nil && r.base.Scheme != "file":
		f.Fail(fmt.Errorf("%q points at a file of this machine, but the manifest came from %s", text, r.base.Host))
	case u.Scheme == "file" && u.Path == "", u.Scheme != "file" && u.Host == "":
		f.Fail(fmt.Errorf("%q names no place", text))
	case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file":
		f.Fail(fmt.Errorf("%q is neither http, https nor file", text))
	}
	return u.String()
}

func (r *manifestReader) readChunks(f *Field) {
	r.chunks = map[Digest][]Digest{}
	for _, key := range f.Keys() {
		g := f.Get(key)
		whole, err := ParseDigest(key)
		if err == nil && whole.IsZero() {
			err = errors.New("is not a hash")
		}
		g.Fail(err)
		var chunks []Digest
		for _, e := range g.List() {
			e.Required()
			chunks = append(chunks, e.Digest())
		}
		r.chunks[whole] = chunks
	}
}

// extensionKeys are the members of "moult" that this code understands.
var extensionKeys = map[string]bool{
	"format": true, "must_understand": true, "product": true, "channel": true, "from": true, "stops": true, "files": true, "arch_files": true,
	"earlier": true, "patches": true, "deltas": true, "schema": true, "scripts": true, "chunks": true, "critical": true,
	"rollout": true, "min_moult": true,
}

func (r *manifestReader) extension(f *Field) *Extension {
	if format := f.Get("format"); format.Present() {
		format.Int(1, extensionFormat)
	}
	for _, e := range f.Get("must_understand").List() {
		if key := e.Text(); !extensionKeys[key] {
			e.Fail(fmt.Errorf("the manifest needs a newer Moult, one that understands %q", key))
		}
	}
	x := &Extension{
		Product:  f.Get("product").Text(),
		Channel:  f.Get("channel").Text(),
		Files:    ReadFiles(f.Get("files")),
		Critical: f.Get("critical").Bool(),
		Rollout:  100,
		MinMoult: f.Get("min_moult").Version(),
		Schema: SchemaDigests{
			Base:   f.Get("schema").Get("base").Digest(),
			Target: f.Get("schema").Get("target").Digest(),
		},
	}
	if lists := f.Get("arch_files"); lists.Present() {
		lists.Only(string(X86_64), string(AArch64))
		for _, key := range lists.Keys() {
			if x.ArchFiles == nil {
				x.ArchFiles = map[Arch][]File{}
			}
			x.ArchFiles[Arch(key)] = ReadFiles(lists.Get(key))
		}
		if len(x.Files) > 0 {
			lists.Fail(errors.New("stands beside files"))
		}
	}
	if rollout := f.Get("rollout"); rollout.Present() {
		x.Rollout = int(rollout.Int(0, 100))
	}
	for _, e := range f.Get("stops").List() {
		e.Required()
		x.Stops = append(x.Stops, e.Version())
	}
	for _, e := range f.Get("earlier").List() {
		x.Earlier = append(x.Earlier, r.earlier(e, x.Earlier))
	}
	for _, e := range f.Get("patches").List() {
		p := r.patch(e, e.Get("from"))
		p.Arch = optionalArch(e.Get("arch"))
		x.Patches = append(x.Patches, p)
	}
	for _, e := range f.Get("deltas").List() {
		e.Get("from").Required()
		x.Deltas = append(x.Deltas, Delta{Package: r.pack(e), From: e.Get("from").Version(), Arch: optionalArch(e.Get("arch"))})
	}
	for _, e := range f.Get("scripts").List() {
		s := Script{Name: string(e.Get("name").Path()), SHA256: e.Get("sha256").Digest()}
		if strings.Contains(s.Name, "/") {
			e.Get("name").Fail(fmt.Errorf("%q has a slash", s.Name))
		}
		x.Scripts = append(x.Scripts, s)
	}
	return x
}

func (r *manifestReader) earlier(f *Field, before []Earlier) Earlier {
	f.Get("version").Required()
	e := Earlier{Version: f.Get("version").Version(), Manifest: string(f.Get("manifest").Path())}
	if date := f.Get("release_date"); date.Present() {
		t, err := time.Parse(time.RFC3339, date.Text())
		if err != nil {
			date.Fail(fmt.Errorf("%q is not a date as in 2026-11-12T09:00:00Z", date.Text()))
		}
		e.Released = t.UTC()
	}
	if n := len(before); n > 0 && before[n-1].Version.Compare(e.Version) >= 0 {
		f.Get("version").Fail(fmt.Errorf("%s follows %s; the oldest must come first", e.Version, before[n-1].Version))
	}
	return e
}

func optionalArch(f *Field) Arch {
	switch a := Arch(f.Text()); a {
	case "", anyArch:
		return ""
	case X86_64, AArch64:
		return a
	default:
		f.Fail(fmt.Errorf("%q is none of %s, %s and %s", a, X86_64, AArch64, anyArch))
		return ""
	}
}

// ReadFiles reads a list of files as manifests and packages carry it: "path",
// "size" in bytes, "mode" (permission bits as a plain number) and "sha256". It
// fails the document if a member is missing or a path is named twice.
func ReadFiles(f *Field) []File {
	var files []File
	seen := map[Path]bool{}
	for _, e := range f.List() {
		e.Only("path", "size", "mode", "sha256")
		file := File{
			Path:   e.Get("path").Path(),
			Size:   e.Get("size").Int(0, math.MaxInt64),
			Mode:   uint32(e.Get("mode").Int(0, 0o777)),
			SHA256: e.Get("sha256").Digest(),
		}
		if file.SHA256.IsZero() {
			e.Get("sha256").Fail(errors.New("is missing"))
		}
		if seen[file.Path] {
			e.Get("path").Fail(fmt.Errorf("path %q is listed twice", file.Path))
		}
		seen[file.Path] = true
		files = append(files, file)
	}
	return files
}
