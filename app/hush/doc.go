// Package hush keeps a library quiet while the program starts.
//
// Fyne reads the locale as it is initialised, and complains on standard error about
// "C" and "C.UTF-8", which is what cron, containers and most servers have: every
// command would print three lines of it. Importing this package sends the standard
// logger nowhere until main calls [Over].
//
// That works because packages are initialised in the order of their import paths as
// soon as what they import is (go.dev/ref/spec#Program_initialization): this one needs
// nothing but log, and Fyne's needs packages that come later. A test of the program
// holds on to it.
package hush
