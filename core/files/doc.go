// Package files changes the files of a site so that it is either the old release
// or the new one, and never a mixture that stays.
//
// # The three-way table
//
// [MakePlan] compares, for every path that an update may touch, what the installed
// release shipped, what is here now, and what the new release wants:
//
//	shipped  here       new        what happens
//	A        A          B          Replace
//	any      B          B          Same: nothing to do, so a second run does nothing
//	A        edited     B          edited here: ask, keep mine, use new, both, or merge
//	A        edited     A          Keep: the product didn't change it
//	–        X          B          collision: treated as edited
//	A        –          B          Add: it was removed here and is restored; reported
//	–        –          B          Add
//	A        A          –          Delete
//	A        edited     –          Keep, reported
//	any      –          –          nothing; reported where the release names it
//
// A directory of replace.directories becomes exactly what the package holds,
// except own paths and files that the product never shipped: those are listed and
// stay, unless the admin answers otherwise. An own path is never touched.
//
// # Order of use
//
// [MakePlan] reads and changes nothing. [Preflight] tries whether the plan can be
// done: room and quota, rights, a real create-rename-delete in each directory.
// [Stage] prepares every new file below .moult and makes all of it durable in one go.
// [Switch] puts them in place: milliseconds, each step one system call that swaps
// a staged file with the one it replaces, so that no path is ever missing and the
// staged name then holds what was replaced. [Verify] reads everything back. If any
// of this fails the caller calls [Undo].
//
// After a crash [Inspect] tells what the disk holds. Then either [Undo] or [Switch]
// again: both look at the disk, not at the last record, and both can be killed and
// repeated at any point.
//
// # A switch, in order
//
// All paths are compared with the plan, by contents or by what planning saw of them a
// moment ago. The directories that will be swapped whole are built. The intents, with
// the inodes of both sides, go to the journal and to the disk. Then the loop runs:
// new directories, new files, swaps, removals, emptied directories, entry points last
// of each. Nothing else is done in it. Then all that was taken out of the site is read
// and compared with the plan: an edit that came between, or that no time of the file
// tells of, is found there, before anything is called done, and is what goes back.
//
// An undo looks at all steps and makes ready what lay in the place of directories that
// were swapped whole, with what was written there since. Then it swaps back what was
// swapped, the last first, and looks at what came out: what the update had not put
// there is set aside.
//
// # Ways to switch
//
// Where [files] switch in site.toml says auto, the largest directories that nobody
// holds are switched whole: a clone of hard links and staged files is built beside
// the directory and swapped with it in one call, so that no reader ever sees two
// releases in it. [Plan.Trees] names them, and trees.go says when that may be done.
// Everything else is switched file by file: a reader may for some milliseconds see
// files of both releases, but never misses one. A file and a directory that change
// places are one swap too (turn.go). Where the system can't swap two files, each gets
// a second name in the restore point and is then renamed over.
//
// What is mounted inside the site is changed from an outpost on its own file system
// (mounts.go). Where a file system takes two spellings of a name for one file, the
// directory's own spelling says which it is (fold.go).
//
// # What grows with the site
//
// The plan of a patch reads the files that the patch names and their lines of the
// inventory: the size of the site doesn't count. That of a full package has to look at
// every file which the product shipped, since one that was edited here, or is missing,
// has to be found: it can't take less than those looks alone, which BenchmarkPlan shows
// beside it. Contents are read again only of files that changed since the last plan, and
// of all that the update touches. What the product did not ship is not looked at.
//
// # Promises
//
// No path outside the plan is touched. No symbolic link is followed: every
// directory is opened step by step through [os.Root]. A file that someone changed
// after the plan was made stops the switch; one that was changed after the switch
// is set aside by [Undo] as PATH.moult-ID and reported, never overwritten.
// Nothing is deleted outside .moult and its outposts: what the release no longer has
// is moved into the restore point.
//
// Mode, owner, access lists and security label follow the replaced file; a new
// file takes owner and label from its directory. The time of modification is that
// of the staging, so that opcode caches notice.
package files
