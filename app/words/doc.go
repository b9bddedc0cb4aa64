// Package words turns what core reports into sentences for people, in one
// place, so that the window and the command line say the same thing.
//
// [Explain] is for errors: what happened, and what to do about it. [Standing]
// says what state a site is in after a run, which is the first thing an admin
// wants to know. The other functions name stages, changes and sizes.
//
// The package never prints, never logs and never decides: a sentence is chosen
// by the kind that core gave, and the detail is core's own text. Sentences are
// English; the window passes them to its translations as keys.
package words
