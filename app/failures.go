package app

import (
	"errors"

	"fyne.io/fyne/v2/lang"

	"moult/app/words"
	"moult/core/site"
	"moult/core/update"
)

// explain turns an error into a sentence and an advice, in the window's language.
func explain(err error) (what, advice string) {
	if errors.Is(err, site.ErrNotSite) {
		return lang.L("This directory is not a site that Moult looks after."), lang.L("Add it as a site, or choose another directory.")
	}
	if update.KindOf(err) == "" {
		return lang.L("Something unexpected went wrong."), lang.L("The details below may say more.")
	}
	x := words.Explain(err)
	return lang.L(x.What), lang.L(x.Advice)
}

// explainKind is explain for an outcome that was read from the history.
func explainKind(k update.Kind) (what, advice string) {
	return explain(&update.Error{Kind: k, Err: errors.New("")})
}
