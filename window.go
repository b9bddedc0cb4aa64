//go:build !headless

package main

import (
	fyneapp "fyne.io/fyne/v2/app"

	"moult/app"
	"moult/resources"
)

const hasWindow = true

// openWindow shows the window on the given sites, or on those of this user.
func openWindow(sites []string) error {
	fyneApp := fyneapp.NewWithID(app.ID)
	resources.UseLanguage(app.PreferredLanguage(fyneApp))
	deps := app.Core(app.CoreOptions{Version: version})
	if sites != nil {
		deps.Sites = app.FixedSites(sites)
	}
	app.New(fyneApp, deps).ShowAndRun()
	return nil
}
