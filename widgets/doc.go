// Package widgets holds the building blocks of Moult's window that Fyne does not
// have. They show what they are given and call back when they are used; they know
// nothing of sites and updates, and never start goroutines.
//
// All methods are to be called on Fyne's thread. What takes long for large input
// is a plain function that may run anywhere, as [Layout] for a tree of files,
// [Diff] for two texts and [Highlight] for SQL; its result is then given to the widget.
package widgets
