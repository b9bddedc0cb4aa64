package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"moult/core/release"
)

// InfoName is the file below [PackageDir] that [ParsePackageInfo] reads.
const InfoName = "package.json"

// maxInfo is the longest package.json that is read, in bytes; like a manifest, it
// lists all files of a release.
const maxInfo = release.MaxManifest

// infoFormat is the version of package.json that this code reads and writes.
const infoFormat = 1

// PackageInfo describes a package from within, so that the package is complete
// without the manifest that pointed at it.
type PackageInfo struct {
	Product string
	From    string // range of versions that a patch applies to; "" for a full package
	To      release.Version
	Arch    release.Arch // "" for any
	// Operations are those of a patch; nil for a full package, which replaces all.
	Operations *release.Operations
	Files      []release.File // that the archive holds, outside PackageDir
}

// ParsePackageInfo reads a package.json. Unknown keys are errors, as everything in
// it counts. Every error names the field.
func ParsePackageInfo(b []byte) (*PackageInfo, error) {
	f := release.ParseDocument(b, maxInfo)
	f.Only("format", "product", "from", "to", "arch", "operations", "files")
	if format := f.Get("format"); !format.Present() {
		format.Fail(errors.New("is missing"))
	} else {
		format.Int(infoFormat, infoFormat)
	}
	f.Get("to").Required()
	info := &PackageInfo{
		Product: f.Get("product").Text(),
		From:    f.Get("from").Text(),
		To:      f.Get("to").Version(),
		Arch:    release.Arch(f.Get("arch").Text()),
		Files:   release.ReadFiles(f.Get("files")),
	}
	if a := info.Arch; a != "" && a != release.X86_64 && a != release.AArch64 {
		f.Get("arch").Fail(fmt.Errorf("%q is neither %s nor %s", a, release.X86_64, release.AArch64))
	}
	if info.From != "" {
		if _, err := semver.NewConstraint(info.From); err != nil {
			f.Get("from").Fail(fmt.Errorf("%q is not a range of versions: %w", info.From, err))
		}
	}
	if o := f.Get("operations"); o.Present() {
		operations := release.ReadOperations(o)
		info.Operations = &operations
	} else if info.From != "" {
		o.Fail(errors.New("is missing, though the package is a patch"))
	}
	if err := f.Err(); err != nil {
		return nil, fmt.Errorf("%s/%s: %w", PackageDir, InfoName, err)
	}
	return info, nil
}

type infoText struct {
	Format     int                 `json:"format"`
	Product    string              `json:"product,omitempty"`
	From       string              `json:"from,omitempty"`
	To         release.Version     `json:"to"`
	Arch       release.Arch        `json:"arch,omitempty"`
	Operations *release.Operations `json:"operations,omitempty"`
	Files      []release.File      `json:"files"`
}

// StartsAt reports whether a patch applies to a version, by what it says of itself.
// A patch that names no range leaves that to its manifest.
func (i *PackageInfo) StartsAt(v release.Version) bool {
	if i.From == "" {
		return true
	}
	c, err := semver.NewConstraint(i.From)
	return err == nil && v.Satisfies(c)
}

// Encode writes the package.json that [ParsePackageInfo] reads.
func (i *PackageInfo) Encode() ([]byte, error) {
	b, err := json.MarshalIndent(infoText{infoFormat, i.Product, i.From, i.To, i.Arch, i.Operations, i.Files}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", InfoName, err)
	}
	return append(b, '\n'), nil
}

// Matches reports the first difference between what the package says that it holds
// and what it was found to hold.
func (i *PackageInfo) Matches(c *Contents) error {
	said := slices.SortedFunc(slices.Values(i.Files), func(a, b release.File) int {
		return strings.Compare(string(a.Path), string(b.Path))
	})
	for n := range max(len(said), len(c.Files)) {
		switch {
		case n >= len(said) || n < len(c.Files) && c.Files[n].Path < said[n].Path:
			return fmt.Errorf("%s: %s is in the package but is not listed", InfoName, c.Files[n].Path)
		case n >= len(c.Files) || said[n].Path < c.Files[n].Path:
			return fmt.Errorf("%s: %s is listed but is not in the package", InfoName, said[n].Path)
		case said[n] != c.Files[n]:
			return fmt.Errorf("%s: %s is not as listed: it has %d bytes, mode %o and %s",
				InfoName, said[n].Path, c.Files[n].Size, c.Files[n].Mode, c.Files[n].SHA256)
		}
	}
	return nil
}
