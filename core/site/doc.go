// Package site is one site on disk: what the admin set, what is installed, who
// is working on it, and everything that is needed to go back.
//
// A site is a directory with a subdirectory .moult in it. All that Moult knows
// about the site is there and nowhere else, so another process, or Moult on
// another machine that mounts the same disk, can finish or undo an update:
//
//	.moult/site.toml      what the admin set: [Config]
//	.moult/state.json     which release is installed: [State]
//	.moult/inventory.zst  every path the release shipped: [Inventory]
//	.moult/choices.json   answers about edited files, kept for the next update
//	.moult/pristine/      shipped contents by hash: [Pristine]
//	.moult/lock           who is working on the site: [Site.Lock]
//	.moult/cache/         downloads
//	.moult/trust/         trusted metadata
//	.moult/updates/ID/    one update and, once committed, its restore point: [Update]
//
// Where another file system is mounted inside the site, an update that changes files
// there has an outpost on it, a directory .moult-ID that goes with the update.
//
// With [state] dir = "…" in site.toml the last five live in that directory
// instead, which must be on the site's device.
//
// # Order of use
//
// [Init] makes a site, [Open] opens one. Reading needs no lock. Whoever changes
// something takes [Site.Lock] first and releases it last. An update begins with
// [Site.NewUpdate], writes what it intends to [Update.Journal], and either stays
// as a restore point or is removed whole with [Update.Remove].
//
// # Promises
//
// A file below .moult is always either its old self or its new self: it is
// written beside its place, made durable and renamed. The two exceptions check
// themselves: the [Journal] only grows and cuts a torn tail when it is opened,
// and [Pristine] copies are named by their hash, so a damaged one is not there.
//
// .moult has mode 0700 and files that tell Apache and IIS to hand nothing out.
// No secret is ever written there.
//
// The package never touches a file of the site itself: that is core/files. It
// follows no symbolic link out of the site: all access goes through [os.Root].
package site
