// Package delta makes and applies packages of differences between two releases.
//
// A publisher calls [Make] with the trees of both releases. A site calls [Apply]
// with the files of the release that it has, a way to open their contents as they
// were shipped, and the list of files that the new release must have; both lists
// come from signed manifests. What Apply writes is checked against that list, so the
// delta itself has to be believed in nothing.
//
// # How it works
//
// Changed files are put into packs of a few MiB. The old contents of a pack, one
// after the other, are a raw dictionary; the new contents, one after the other, are
// one zstd frame that refers to it. That finds what moved between files and makes the
// frame as small as tools for binary differences would. Files above 4 MiB are cut,
// and each piece has those parts of the old file as dictionary that it resembles most,
// so that neither side needs memory that grows with the file.
//
// A file that a site has no longer as it was shipped costs the pack that needs it:
// Apply leaves out the files of that pack, says so in [Applied.Lost] and goes on. The
// caller takes those files from another package.
//
// # Format
//
// A delta is a sequence of zstd frames (RFC 8878), with nothing between them:
//
//	a skippable frame  "moult-delta", a byte with the format's version, and the length
//	                   of the next frame in 4 bytes, least significant first
//	the index          JSON, see [Index]
//	the description    schemas and scripts, if the index names any
//	one frame a pack   without dictionary identifier, with content size and checksum
//
// Where it is smaller, as it is for compiled programs, a pack is a patch of bsdiff 4
// ("BSDIFF40") from its dictionary to its contents instead of a frame. A pack that is
// a frame can be cut out and unpacked with "zstd -d --patch-from=OLD", where OLD is the
// dictionary; what "zstd --patch-from" makes can be put in its place.
package delta
