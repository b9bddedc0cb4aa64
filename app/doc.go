// Package app is the window of Moult.
//
// Each site has a [Model], a plain value that says everything its screens show.
// It changes in one place only, by [reduce], which takes the model and an event
// and returns the next model; screens are functions from the model to widgets
// and never change a widget anywhere else. What a model allows is the table in
// actions.go.
//
// Work is done by an [Engine], which package core/update provides, on goroutines
// of a session, one at a time for each site. Their results come back as events
// on Fyne's thread. Progress goes another way, as there may be much of it: a
// [tracker] sums it up, a [Feed] takes a [Progress] from it at most ten times a second,
// and one binding hands that to the screen.
//
// A [watch] checks the sites that rest now and then without being asked to. Such
// a check gives way to whatever the admin does.
//
// What core says reaches the screens through say, which puts it into the window's
// language. Files and directories are asked for by a chooser of our own, because
// Fyne's dialogs know neither the focus rules nor the language of this window.
//
// The window never closes over a running update: workers are told to stop and
// are waited for, because a worker that reports to a window that is gone would
// take the process down in the middle of its work.
//
// main gives New what it needs and calls ShowAndRun:
//
//	resources.UseLanguage(resources.SystemLanguage)
//	app.New(fyneapp.NewWithID(app.ID), app.Core(app.CoreOptions{})).ShowAndRun()
package app
