// Package publish makes the repository that sites update from: a folder of static
// files that any web server can hand out.
//
// [Init] makes a repository and its keys, once. [Add] adds a release from a directory
// tree and a schema file: the full package, patches and deltas from the versions that
// are named, the manifest, and the signed metadata. [Refresh] renews what expires and
// belongs in a daily job. [Rotate] replaces the keys of a role. [Rollout] widens or
// halts a release, [SetMirrors] names further places that hand it out, [Prune] removes
// old ones. [Verify] plays every way from every older release to the newest in empty
// directories. [Serve] hands a repository out on this machine for trying out, and
// [Carry] writes the part of it that a site without a network needs. [Fleet] reckons
// what a hundred thousand sites will cost.
//
// Where several people have to sign and no place has all their keys, a change waits
// with the signatures it has until [Sign] has added the last; see [KeySource.HandOn].
//
// Whoever uploads a repository uploads targets/ first, then metadata/, and
// metadata/timestamp.json last: sites then see the old state or the new one.
//
// What is in a repository:
//
//	root.json                             to be pinned by sites when they are added
//	metadata/N.root.json … timestamp.json TUF metadata, see package trust
//	targets/CHANNEL/HASH.manifest.json    the newest release of each channel, without its files
//	targets/releases/VERSION/HASH.…       manifest, notes and packages of each release
//	targets/CHANNEL.json, targets/releases/VERSION/…   the same without hashes in the
//	                                      names, for clients without TUF, if asked for
//
// Packages in a manifest are named relative to targets/. The repository holds all that
// the next Add needs; nothing is kept beside it but the private keys, which never lie
// in the repository.
//
// The same input gives the same bytes: give [Release.Date], and two runs on two machines
// make the same packages and manifests; give [Release.Now] too, and the metadata and its
// signatures are the same.
//
// Every command looks at its result with a site's eyes before it reports success.
//
// What this package never does: upload, write a private key into the repository, change
// the packages of a release that was published, or leave metadata that names files that
// aren't there; timestamp.json is written last.
package publish
