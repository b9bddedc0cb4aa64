// Package database works on a live MySQL or MariaDB: it reads its definition,
// says what a plan would cost and whether it can run, runs it, and takes it back
// with the rows.
//
// The order of use:
//
//	dsn, err := database.ParseDSN("mysql://shop@127.0.0.1/shop")
//	dsn, err = database.ResolvePassword(ctx, dsn, "file:.env#DB_PASSWORD", dir, nil)
//	db, err := database.Open(ctx, dsn)                  // a sentence for each way to fail
//	live, err := db.Introspect(ctx)
//	target, err = db.Resolve(ctx, target, live)         // in the server's own words
//	plan, err := schema.NewPlan(live, target, options)  // pure, in core/schema
//	proved, reason, err := db.Cost(ctx, plan, live)     // tried on an empty copy
//	findings, err := db.Preflight(ctx, plan)            // nothing has changed yet
//	err = db.Run(ctx, plan, schema.Expand, journal, report)
//	err = db.Run(ctx, plan, schema.Contract, journal, report)
//	err = db.RunScripts(ctx, plan.UpdateID, scripts, journal, report)
//	err = db.Matches(ctx, plan.Target)                  // only now it is done
//
// and back, at once or days later:
//
//	way, err := db.WayBack(ctx, plan)                   // what it will meet, before it begins
//	notes, err := db.UndoScripts(ctx, plan.UpdateID, scripts, journal, report)
//	notes, err = db.Undo(ctx, plan, schema.Contract, journal, report)
//	notes, err = db.Undo(ctx, plan, schema.Expand, journal, report)
//	err = db.MatchesFormer(ctx, way.Former)             // the start, and what was changed here since
//
// Slow statements on large tables can be left to a program that alters tables
// beside their writers. [DB.Leave] names them, Run and Undo do what does not need
// them and end with a [*LeftError], [DB.OnlineCommand] writes the command line, and
// the same call goes on when the probe sees that the tool has done its work.
//
// What it promises:
//
//   - Statements on definitions commit by themselves on these servers, so no
//     transaction is relied on. Each statement is marked in the database before
//     and after; at most one is in doubt after a crash of anything, and its
//     probe decides that one. Run and Undo are continued by calling them again.
//   - Statements on rows run in one transaction with their mark: never half, and
//     never twice.
//   - A cancelled context kills the statement on the server, and the call returns
//     when it is known whether it has happened.
//   - No statement waits longer than three seconds for a lock, since everybody
//     else queues behind it. It is tried again, and at last the sessions in the
//     way are named.
//   - A statement runs by the algorithm that [DB.Cost] saw on the empty copy. Where
//     the site's own table refuses that, Progress and journal say so.
//   - Nothing is dropped before [DB.Discard].
//   - What the way back needs on a full disk is taken before the first statement:
//     its marks, and 2 MiB. Only what copies a table again needs more.
//
// What it never does: run a statement that is not in the plan on an object of
// the site, send two statements at once, rely on a server's sql_mode, or print a
// password.
package database
