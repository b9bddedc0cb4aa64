// Package trust decides who may change a site.
//
// A publisher's repository follows The Update Framework (TUF): [Open] takes the root
// metadata that was pinned when the site was added, follows the publisher's key
// rotations, and gives a [Repository] whose [Repository.Target] and
// [Repository.Read] answer with nothing that the publisher's keys did not sign.
// The cryptography and the checks of each document are go-tuf's; the order of the
// steps, what is stored and what is fetched are ours, since a site needs more there:
// contexts, retries, limits, writes that survive a power loss, and a root that can't
// be taken back.
//
// A server without TUF signs packages one by one: [ParsePinned] reads the keys and
// certificates that the admin pinned and [VerifyPackage] checks a package against them.
//
// What this package promises:
//
//   - A newer root, once seen, counts for ever: it is kept apart from the cache, in a
//     record that only grows. A mirror that hides it can't bring a revoked key back.
//   - Expired and forged are different things. [ErrExpired] means that nobody can prove
//     that this is the newest release; it is met by renewing, or by a clock that is
//     right. [ErrUntrusted], [ErrSignature], [ErrCertificate] and [ErrHash] mean that
//     something is not what the publisher made.
//   - When the metadata has expired and an earlier check had succeeded, that earlier view
//     is given, with [Status.Fresh] false. With [Options.Offline] so is what a medium
//     holds: its origin is proven, its freshness is not.
//   - A check that finds nothing new asks for two small documents.
//   - Mirrors need no trust, whether the admin names them or the publisher does.
//
// What it never does: believe a length, a hash or a date that is not signed, read a
// package into memory, or ask the admin to delete a file.
package trust
