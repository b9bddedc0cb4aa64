package app

import (
	"errors"

	"fyne.io/fyne/v2/lang"

	"moult/core/site"
	"moult/core/update"
)

// failure is what the window says about a kind of error: what happened, and what
// the admin can do. Both are keys of the translations.
type failure struct{ what, todo string }

var failures = map[update.Kind]failure{
	update.KindIO:             {text("A file could not be read or written."), text("Look at the disk and at the rights of the directory, then try again.")},
	update.KindPath:           {text("A path leads out of the site or can't be used on this system."), text("Nothing outside the site is ever touched. Tell the publisher which path it is.")},
	update.KindPermission:     {text("Moult may not write here."), text("Give the user that runs Moult the right to change the files named below, then try again.")},
	update.KindDiskFull:       {text("The disk is full."), text("Free the room that is named below, then try again.")},
	update.KindAtomic:         {text("A file could not be replaced in one step."), text("Another program may hold it open. Close that program, then try again.")},
	update.KindDownload:       {text("The download did not finish."), text("What has arrived is kept. Look at the network, then try again.")},
	update.KindHTTP:           {text("The update server answered with an error."), text("Try again later, or look at the address in the settings.")},
	update.KindVerification:   {text("The package is not what the publisher announced."), text("Nothing of it was used. Tell the publisher.")},
	update.KindExtraction:     {text("The package could not be unpacked."), text("Nothing of it was used. Try again, and if it happens again tell the publisher.")},
	update.KindMalformed:      {text("The server's answer or a settings file can't be understood."), text("The line below says which field it is.")},
	update.KindHash:           {text("What was downloaded is damaged or was changed on its way."), text("It was thrown away. Try again; if it happens again, don't trust this server.")},
	update.KindSignature:      {text("The signature is not the publisher's."), text("Nothing was installed. Don't update from this address until the publisher has explained it.")},
	update.KindUntrusted:      {text("The server could not prove that it speaks for the publisher."), text("Nothing was installed. Somebody may be in between, or the publisher has lost a key.")},
	update.KindExpired:        {text("The publisher has not renewed the list of releases in time."), text("This is no sign of an attack. Look at this computer's clock, or wait for the publisher.")},
	update.KindUnsupported:    {text("The package asks for something that Moult does not do."), text("A newer Moult may do it.")},
	update.KindNoBackup:       {text("There is no backup to go back to."), text("Nothing was changed.")},
	update.KindNoSource:       {text("The site has no update address."), text("Set one in the settings.")},
	update.KindRollbackFailed: {text("Going back did not come to its end."), text("Mend what the details name, then choose Roll back again: it goes on where it stopped.")},
	update.KindDatabase:       {text("The database can't be reached or refused an answer."), text("Look at the server and at the account in the settings, then try again.")},
	update.KindMigration:      {text("A statement failed in the database."), text("The details name the statement and the server's reason.")},
	update.KindHook:           {text("A command before or after the update failed."), text("The details hold what it printed.")},
	update.KindUnhealthy:      {text("After the update the site did not answer as it should."), text("The new release may need something that the notes name.")},
	update.KindLocked:         {text("Another program is working on this site."), text("Wait until it has finished, then try again.")},
	update.KindCancelled:      {text("Stopped, as you wished."), text("You can start again at any time.")},
	update.KindUndecided:      {text("A decision of yours is missing."), text("Open the tab that is marked, decide, then update.")},
	update.KindBlocked:        {text("Something on this site stands in the way."), text("The checklist says what it is and how to mend it.")},
}

// explain turns an error into a sentence and an advice.
func explain(err error) (what, todo string) {
	if errors.Is(err, site.ErrNotSite) {
		return lang.L("This directory is not a site that Moult looks after."), lang.L("Add it as a site, or choose another directory.")
	}
	if f, ok := failures[update.KindOf(err)]; ok {
		return lang.L(f.what), lang.L(f.todo)
	}
	return lang.L("Something unexpected went wrong."), lang.L("The details below may say more.")
}

// explainKind is explain for an outcome that was read from the history.
func explainKind(k update.Kind) (what, todo string) {
	if f, ok := failures[k]; ok {
		return lang.L(f.what), lang.L(f.todo)
	}
	return lang.L("Something unexpected went wrong."), lang.L("The details below may say more.")
}
