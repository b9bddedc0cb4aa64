// Package cli is Moult's command line: everything that the window does, for a
// shell, cron and a publisher's release job.
//
// [Program.Run] takes the arguments and returns the exit code. Scripts rely on
// the codes and on the keys of --json, which are:
//
//	0   done, or up to date
//	1   failed; the site is unchanged or was rolled back
//	2   wrong usage or malformed input
//	3   failed; the site needs attention
//	4   locked by another process
//	5   not trusted: signature, hash or metadata
//	10  an update is available, the site differs, or there are differences
//	    (check --exit-code, verify, schema diff --exit-code)
//
// Results go to standard output, progress and messages to standard error. A
// question is asked on a terminal only; elsewhere it is an error that names the
// flag which answers it. Ctrl-C cancels at the next safe point.
//
// The package never works on a site by itself: each command reads its flags,
// calls core, and prints what core says.
package cli
