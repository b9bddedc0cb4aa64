// Package fetch brings bytes from a server or a folder to the disk, and believes
// neither.
//
// A [Client] is made once with [New]. [Client.Read] and [Client.Get] bring small
// documents into memory; [Client.Download] brings a package into a file, and
// [Client.Start] does so while the package is being unpacked. URLs are http, https or
// file, so that a USB stick is a mirror like any other.
//
// What Download promises:
//
//   - The file appears under its name only when all of it has been verified. Until
//     then it is NAME.part, with NAME.part.json beside it; [Discard] removes them.
//   - Whoever reads along sees only pieces that have been verified, and nothing at all
//     where the proof is a signature over the whole file.
//   - An interrupted download goes on where it stopped, also in another process.
//     What is on the disk is hashed again before anything is added to it.
//   - With hashes of its pieces ([Request.Chunks]) a damaged or torn piece costs that
//     piece and not the file, and the mirror that sent it is not asked again.
//   - A server that changes the file between two requests, answers another range than
//     was asked for, sends too much, too little, too slowly or without end, or
//     compresses what should be plain, can make a download fail, never succeed with
//     other bytes.
//   - Memory use does not depend on the size of the file.
//
// What this package never does: follow a redirect from https to http, send
// credentials that are not in the address, show those that are, change
// [net/http.DefaultClient], or keep a file whose hash is wrong.
package fetch
