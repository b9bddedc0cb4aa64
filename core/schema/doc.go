// Package schema knows what a MySQL-compatible database looks like, what has to
// be done to make it look otherwise, and how to take that back. It has no
// connection and reads no SQL text: core/schema/parse turns text into a [Schema],
// core/database executes a [Plan].
//
// A caller goes this way:
//
//	live, base, target …                   // read by parse.Text or from a server
//	merged := schema.Merge(base, live, target, flavor)
//	plan, err := merged.Plan(live, options) // show it, then hand it to core/database
//
// [Canonical] fills in whatever servers fill in, so that two schemas can be
// compared by [Equal]; [Emit] writes one as SQL. Merge and NewPlan call Canonical
// themselves.
//
// What a plan promises:
//
//   - Nothing is dropped. A table that goes is renamed to a name with
//     [HiddenPrefix], a column that goes becomes a hidden column; values that
//     would be cut are copied to a side table first. The statements that really
//     remove them are Step.Discard, for the day on which nobody wants to go back.
//   - Every step has the statements that undo it. Undoing the steps in reverse
//     order, any number of them from the end, gives the schema before.
//   - The same input gives the same plan, byte for byte.
//   - A plan that would not end in the target is not returned: NewPlan follows
//     every step on the model and compares.
//
// The package never guesses that something was renamed, never changes the
// definer of stored code, and never touches what only the site has.
package schema
