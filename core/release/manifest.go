package release

import (
	"time"

	"github.com/Masterminds/semver/v3"
)

// Manifest is what a publisher's server says about one release. [ParseManifest]
// makes it; a Manifest in hand is valid.
type Manifest struct {
	Version  Version
	Released time.Time
	Notes    string // Markdown, of this release alone
	// Packages holds the full package of each architecture. A package for any
	// architecture stands under "", and is then the only one.
	Packages map[Arch]Package
	// Patches holds the patch of each architecture, with "" as in Packages.
	Patches map[Arch]Patch
	// Legacy is true for a manifest with neither "platforms" nor "moult": only its
	// full package counts.
	Legacy bool
	Moult  *Extension // what Moult's publisher adds; nil from other servers
}

// Package is one archive to fetch.
type Package struct {
	URL       string // absolute: relative ones are resolved as the manifest is read
	Digest    Digest // zero: the server gave none
	Signature []byte // Ed25519 over the package's bytes; nil: the server gave none
	Size      int64  // in bytes; 0: the server gave none
	Chunks    []Digest
}

// ChunkSize is the length in bytes of the pieces that [Package.Chunks] hashes;
// the last one may be shorter.
const ChunkSize = 1 << 20

// Patch is a package that holds only what changes, with the operations that apply it.
type Patch struct {
	Package
	Arch       Arch    // "" for any
	Version    Version // the "patch.version" of the manifest, zero when absent
	Notes      string
	From       *semver.Constraints // the versions it applies to; nil: same base, lower build
	FromText   string
	Operations Operations
}

// Operations says what a package does to a site.
type Operations struct {
	ReplaceFiles       []Path
	ReplaceDirectories []Path
	DeleteFiles        []Path
	DeleteDirectories  []Path
}

// File is one file of a release as the publisher built it.
type File struct {
	Path   Path   `json:"path"`
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"` // permission bits, as in 0644
	SHA256 Digest `json:"sha256"`
}

// Extension is the "moult" object of a manifest.
type Extension struct {
	Product string
	Channel string
	// Files is the complete list of the release's files.
	Files []File
	// ArchFiles has the lists instead of Files where architectures have other files.
	ArchFiles map[Arch][]File
	// Earlier lists the older releases of the channel that are still published,
	// oldest first, so that notes can be collected, stops kept and chains built.
	Earlier []Earlier
	// Stops are versions that an update may not skip.
	Stops []Version
	// Patches are further patches, from other versions than the manifest's own one.
	Patches []Patch
	// Deltas are packs of differences from exact older versions.
	Deltas   []Delta
	Schema   SchemaDigests
	Scripts  []Script // in the order in which they run
	Critical bool
	Rollout  int // per cent of sites that are offered the release; 100 = all
	MinMoult Version
}

// Earlier points at the manifest of an older release.
type Earlier struct {
	Version  Version
	Released time.Time
	Manifest string // target name relative to the repository, as in "releases/1.4.2/manifest.json"
}

// Delta is a package of differences between two exact releases.
type Delta struct {
	Package
	From Version
	Arch Arch // "" for any
}

// SchemaDigests are the hashes of the release's schema text.
type SchemaDigests struct {
	Base   Digest // of the release before; zero: it had no schema
	Target Digest // zero: the release has no schema
}

// Script is a data script that the release brings in its package.
type Script struct {
	Name   string // as in "10-split-names.sql"
	SHA256 Digest
}
