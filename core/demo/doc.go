// Package demo makes a small world to try Moult in: a publisher with signed
// releases, two sites and a database server of its own, all in one directory.
//
// The order is [Build], then whatever the caller wants to do with the sites,
// then [Demo.Close], which ends the server. A directory that holds a demo
// already is opened as it was left, one that holds anything else is refused.
// [Demo.Exercise] runs one update and its roll
// back and compares the site before and after, byte by byte and row by row.
//
// The sample product is the Duckpond wiki, in the text archives below wiki/:
// 1.4.2 complete, and what each later release changes. [Releases] gives them as
// trees. The second product, a shop, shows a site that is up to date.
//
// Releases are made by core/publish and sites by core/update, just as `moult
// publish` and `moult init` make them: nothing in here knows a shortcut. The
// server listens on a socket in the directory and on no port. Nothing outside
// the directory is touched, but for the databases that the demo makes, and drops,
// on a server that the caller names: each has moult_demo in its name.
package demo
