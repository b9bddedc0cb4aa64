// Package update is the pipeline of Moult: it brings one site from its release
// to a newer one and back.
//
// An [Engine] is opened on a site's directory. Its methods are the stations of
// an update, in the order in which a caller uses them:
//
//	offer, err := engine.Check(ctx, choices, report)          // what is new; changes nothing
//	plan, err := engine.Prepare(ctx, offer, choices, report)  // fetch, verify, plan; changes nothing of the site
//	result, err := engine.Apply(ctx, plan, report)            // do it, or undo what was begun
//	result, err = engine.RollBack(ctx, plan.ID, report)       // any time until the restore point is discarded
//
// A run that was cut off, by kill -9 or a power cut, is found by
// [Engine.Interrupted] at the next start and ended by [Engine.Recover]; until
// then every other method that would change the site refuses.
//
// # What it promises
//
// A [Plan] is a plain value. What is shown is what is done: Apply refuses with
// [KindBlocked] if planning again would give another plan.
//
// Whatever stops a run, the site is at the old or at the new release afterwards,
// files and schema together, and [Result.Site] says which. The verdict comes from
// reading back the files and the schema, never from which error came last.
//
// Every error is an [*Error] whose kind says whether trying again can help.
//
// # What it never does
//
// It never asks a question: open ones are errors ([KindUndecided]) that name what
// is open. It knows nothing of windows and terminals; progress goes to a [Report].
// It never stores a password.
package update
