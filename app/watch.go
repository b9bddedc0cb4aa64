package app

import (
	"math/rand/v2"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
)

// pace is how often sites are checked without being asked for, as the
// preferences hold it.
type pace string

// The paces.
const (
	daily  pace = "" // unless the admin says otherwise
	weekly pace = "weekly"
	never  pace = "off"
)

// intervals hold the time between two checks of a site. never has none.
var intervals = map[pace]time.Duration{daily: 24 * time.Hour, weekly: 7 * 24 * time.Hour}

const (
	// watchInterval is how often the watch looks whether a site's turn has come.
	watchInterval = time.Minute
	// firstChecks is the span after the start in which sites get their first turn.
	// The start itself belongs to the admin, and the servers of publishers are
	// spared a rush at the hour at which everybody starts to work.
	firstChecks = 10 * time.Minute
	// retryAfter is how long a site whose check has failed waits for another.
	retryAfter = time.Hour
)

// watch checks the sites in the background, one at a time, and only sites that
// rest. It says nothing itself: what is found stands in the list of sites. It
// belongs to Fyne's thread.
type watch struct {
	app *App
	// now is a clock on the wall: the monotonic one stands still while a
	// laptop sleeps.
	now func() time.Time
	// spread returns a random part of a span.
	spread func(time.Duration) time.Duration
	// turns holds when each site may have its next check at the earliest.
	turns map[*session]time.Time
}

func newWatch(a *App) *watch {
	return &watch{
		app:    a,
		now:    func() time.Time { return time.Now().Round(0) },
		spread: func(d time.Duration) time.Duration { return rand.N(d) },
		turns:  map[*session]time.Time{},
	}
}

func (w *watch) pace() pace { return pace(w.app.fyne.Preferences().String(prefChecks)) }

// look begins a check if a site is due. Nothing begins while a dialog is open,
// because what the dialog is about would change under it.
func (w *watch) look() {
	interval := intervals[w.pace()]
	if interval == 0 || w.app.modal != nil || w.app.closing {
		return
	}
	now := w.now()
	var next *session
	for _, s := range w.app.sites {
		if s.model.Doing == CheckingQuietly {
			return
		}
		turn, known := w.turns[s]
		if !known {
			turn = now.Add(w.spread(firstChecks))
			w.turns[s] = turn
		}
		if next == nil && s.model.AtRest() && !now.Before(turn) && due(s.model.Checked, now, interval) {
			next = s
		}
	}
	if next != nil {
		w.turns[next] = now.Add(retryAfter + w.spread(firstChecks))
		next.checkQuietly(w.now)
	}
}

// due reports whether a site that had its last answer at checked is due for a
// check. A time that is still to come says that a clock was wrong.
func due(checked, now time.Time, interval time.Duration) bool {
	return checked.After(now) || now.Sub(checked) >= interval
}

// forget drops a site that is no longer on the list.
func (w *watch) forget(s *session) { delete(w.turns, s) }

// menu lets the admin choose the pace.
func (w *watch) menu() *fyne.Menu {
	menu := fyne.NewMenu("")
	for _, choice := range []struct {
		pace  pace
		label string
	}{{daily, lang.L("Once a day")}, {weekly, lang.L("Once a week")}, {never, lang.L("Off")}} {
		item := fyne.NewMenuItem(choice.label, nil)
		item.Checked = w.pace() == choice.pace
		item.Action = func() {
			w.app.fyne.Preferences().SetString(prefChecks, string(choice.pace))
			for _, other := range menu.Items {
				other.Checked = other == item
			}
			w.app.window.MainMenu().Refresh()
		}
		menu.Items = append(menu.Items, item)
	}
	return menu
}
