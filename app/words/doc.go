// Package words turns what core reports into sentences for people, in one
// place, so that the window and the command line say the same thing.
//
// [Explain] is for errors: what happened, and what to do about it. [Standing]
// says what state a site is in after a run, which is the first thing an admin
// wants to know. The other functions name stages, changes and costs. All of them
// speak English, and the window uses their sentences as keys of its translations.
//
// Core makes sentences too: reasons, findings, notes, hazards. They stand in plans
// and journals, also in those that another machine wrote a year ago, so that the
// window can't ask for them in another language. [Translate] takes such a text
// apart by the [Phrases] of core and puts it together again from their
// translations. Who adds a text to core adds it to Phrases; a test says which.
//
// The package never prints, never logs and never decides: a sentence is chosen
// by the kind that core gave, and the detail is core's own text.
package words
