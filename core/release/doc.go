// Package release is what a publisher offers: versions, manifests, packages and
// the operations in them, and the decision how a site gets from the release it has
// to the one that is offered.
//
// A caller reads the server's answer with [ParseManifest], which turns it into
// values that can't be wrong: a [Version] that compares, a [Path] that is safe on
// every system, a [Digest] of the right length, an absolute URL. Every failure names
// the field. [Decide] then says what to fetch, why, and what the other choice would
// have cost. A publisher fills in a [Manifest] and calls [Manifest.Encode].
//
// [ParseDocument] is how the manifest is read, and package.json and the index of a
// delta too: JSON without duplicate keys, within a limit.
//
// The package reads and writes nothing: no file, no network, no clock. Whether a
// manifest may be believed is the business of package trust.
package release
