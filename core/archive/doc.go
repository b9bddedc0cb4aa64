// Package archive reads packages that may be hostile and writes packages that are
// the same to the byte whenever their contents are.
//
// [Extract] takes an archive in any of four formats, which it tells by content, to
// a directory. It streams: memory does not grow with the archive. It writes through
// an [os.Root] only, so nothing lands outside of it whatever the archive says, and it
// hashes what it writes. Regular files and directories are all it accepts. A link, a
// device, a name that means something else on another system, two names that are one
// there, a set-user-ID bit, an extended attribute, a bomb, junk after the end: each
// is refused with the name of the entry, and nothing is repaired on the way.
//
// After a refusal the directory holds what came before the refused entry; the caller
// throws it away as a whole.
//
// What lies below ".moult-package" describes the package and is no part of the site.
// Extract returns it apart, and [ParsePackageInfo] reads the description.
//
// A publisher lists a directory with [Scan] and packs it with [Create]. The bytes
// depend on nothing but the contents, the format and the date that is given.
//
// The package verifies no hash and no signature of the archive: callers do that
// before they extract.
package archive
