package files

import (
	"context"
	"path"
	"sync"

	"moult/core/site"
)

// Progress is how far a switch is, by what lies on the disk.
type Progress struct {
	Old   int // steps that are not done
	New   int // steps that are done
	Other int // paths that someone else changed
	// StagedIntact is true when every step that is not done has its new file ready
	// and sound: then the switch can go on.
	StagedIntact bool
}

// Inspect tells how far the switch of a plan is. It changes nothing.
func Inspect(ctx context.Context, s *site.Site, u *site.Update, p *Plan) (Progress, error) {
	intents, begun, err := intentsOf(u)
	if err != nil {
		return Progress{}, err
	}
	steps := stepsOf(p, begun)
	w, err := newEyes(s, u, p, intents)
	if err != nil {
		return Progress{}, err
	}
	defer w.close()
	progress := Progress{StagedIntact: true}
	for _, home := range p.homes() {
		for _, dir := range []string{stageDir, oldDir} {
			info, err := exists(w.update, path.Join(home, dir))
			if err != nil {
				return Progress{}, err
			}
			progress.StagedIntact = progress.StagedIntact && info != nil
		}
	}
	var mu sync.Mutex
	err = eachParallel(ctx, w.trees(), len(steps), func(t []*tree, i int) error {
		e := eyes{site: t[0], update: t[1], intents: intents}
		how, err := e.look(steps[i])
		if err != nil {
			return err
		}
		intact := how != notDone || e.intact(steps[i])
		mu.Lock()
		defer mu.Unlock()
		switch how {
		case notDone:
			progress.Old++
		case done:
			progress.New++
		default:
			progress.Other++
		}
		progress.StagedIntact = progress.StagedIntact && intact
		return nil
	})
	return progress, err
}

// intact reads what is staged for a step.
func (e *eyes) intact(s step) bool {
	for _, in := range s.inner {
		if !e.intactAt(in, s.within(in)) && !e.intact(in) {
			return false
		}
	}
	return e.intactAt(s, s.staged())
}

func (e *eyes) intactAt(s step, at string) bool {
	if s.kind != placeFile && s.kind != swapFile && !(s.kind == turnOver && s.entry.Change == Add) {
		return true
	}
	got, err := stateOf(e.update, at)
	return err == nil && got.SameContent(s.entry.Put)
}
