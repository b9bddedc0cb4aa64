package files

import (
	"fmt"

	"moult/core/release"
)

// The notes of entries, for people.
const (
	noteOwn        = "yours: never touched"
	noteUnchanged  = "edited on this site; the release doesn't change it"
	noteRemoved    = "edited on this site, and the release removes it: it stays"
	noteRestored   = "was removed on this site and comes back"
	noteCollision  = "a file of yours is where the release puts one"
	noteMine       = "edited on this site: yours stays"
	noteMineBoth   = "edited on this site: yours stays, the release's is put beside it as .new"
	noteTaken      = "edited on this site: the release's is used, yours is kept in the restore point"
	noteMerged     = "edited on this site: both sides' changes are merged"
	noteUndecided  = "edited on this site: decide what to do"
	noteNotThere   = "is not there: nothing to delete"
	noteExtra      = "not part of the product: it stays"
	noteExtraTaken = "not part of the product: removed as you decided"
)

// decide is the three-way table of the package's documentation, row by row.
func (pl *planner) decide(c *candidate) {
	switch {
	case c.err != nil, c.alias:
	case pl.isOwn(c.path):
		if c.new.Exists() && !c.new.SameContent(c.shipped) {
			pl.put(c, Entry{Change: Keep, Note: noteOwn})
		}
	case !c.new.Exists():
		pl.decideRemoved(c)
	case c.isDir:
		pl.put(c, Entry{Change: Add, Put: pl.effective(c)})
	case !c.here.Exists():
		e := Entry{Change: Add, Put: pl.effective(c)}
		if c.shipped.Exists() {
			e.Note = noteRestored
		}
		pl.put(c, e)
	case c.here.SameContent(c.new):
		if put := pl.effective(c); put.Mode != c.here.Mode {
			pl.put(c, Entry{Change: Replace, Put: put})
			return
		}
		if !c.shipped.SameContent(c.new) {
			pl.put(c, Entry{Change: Same})
		}
	case c.here.SameContent(c.shipped):
		pl.put(c, Entry{Change: Replace, Put: pl.effective(c)})
	case c.shipped.SameContent(c.new):
		pl.put(c, Entry{Change: Keep, Edited: true, Note: noteUnchanged})
	default:
		pl.decideEdited(c)
	}
}

func (pl *planner) decideRemoved(c *candidate) {
	choice := pl.choiceFor(c.path)
	switch {
	case c.isDir:
		// A directory where a file is to be deleted: there is no such file.
		pl.put(c, Entry{Change: Same, Note: noteNotThere})
	case !c.here.Exists():
		pl.put(c, Entry{Change: Same, Note: noteNotThere})
	case c.here.SameContent(c.shipped):
		pl.put(c, Entry{Change: Delete})
	case c.extra && choice == ChoiceNew:
		pl.put(c, Entry{Change: Delete, Choice: choice, Note: noteExtraTaken})
	case c.extra:
		pl.put(c, Entry{Change: Keep, Note: noteExtra})
	case choice == ChoiceNew:
		pl.put(c, Entry{Change: Delete, Edited: true, Choice: choice, Note: noteTaken})
	default:
		pl.put(c, Entry{Change: Keep, Edited: true, Note: noteRemoved})
	}
}

// decideEdited is for a file that was edited here and that the release changes too,
// or that is here without ever having been shipped.
func (pl *planner) decideEdited(c *candidate) {
	e := Entry{Edited: true, Choice: pl.choiceFor(c.path)}
	merged, clean := pl.merged(c)
	e.Merge = clean
	if e.Choice == ChoiceMerge && !clean {
		e.Choice = ChoiceAsk
	}
	e.Put = pl.effective(c)
	switch e.Choice {
	case ChoiceKeep:
		e.Change, e.Note, e.Put = Keep, noteMine, State{}
	case ChoiceBoth:
		e.Change, e.Note, e.Put = Keep, noteMineBoth, State{}
		pl.beside(c)
	case ChoiceNew:
		e.Change, e.Note = Replace, noteTaken
	case ChoiceMerge:
		e.Change, e.Note = Replace, noteMerged
		e.Put.Size, e.Put.SHA256 = int64(len(merged)), release.DigestOf(merged)
	default:
		e.Change, e.Note = Replace, noteUndecided
		if !c.shipped.Exists() {
			e.Note = noteCollision
		}
	}
	pl.put(c, e)
}

// beside adds the release's file next to the admin's, as PATH.new. One that an
// earlier update put there is replaced.
func (pl *planner) beside(c *candidate) {
	p, err := release.ParsePath(string(c.path) + ".new")
	if _, taken := pl.packaged(p); taken {
		err = fmt.Errorf("%s is a file of the release itself", p)
	}
	if err != nil {
		pl.block(c.path, "path", "the release's file can't be put beside yours: "+err.Error(), "Choose to keep yours or to use the release's.")
		return
	}
	t := newTree(pl.Site.Root)
	defer t.close()
	b := &candidate{path: p, new: c.new}
	b.here, b.err = stateOf(t, string(p))
	if missing(b.err) {
		b.err = nil
	}
	if b.err != nil {
		if !pl.explain(b) {
			pl.block(p, "path", b.err.Error(), "")
		}
		return
	}
	e := Entry{Change: Add, Put: pl.effective(b), Source: c.path, Note: "the release's, beside yours"}
	switch {
	case b.here.SameContent(b.new):
		return
	case b.here.Exists():
		e.Change = Replace
	}
	pl.put(b, e)
}

// effective is what is put at a path: the release's contents, with the mode that
// the file has here unless the release itself changes the mode.
func (pl *planner) effective(c *candidate) State {
	put := c.new
	if c.here.Exists() && c.here.Link == "" && (!c.shipped.Exists() || c.shipped.Mode == c.new.Mode || c.shipped.Mode != c.here.Mode || pl.Inventory == nil) {
		put.Mode = c.here.Mode
	}
	return put
}

// choiceFor returns the answer in force for a path: the given one, the remembered
// one, or what the site says.
func (pl *planner) choiceFor(p release.Path) Choice {
	if c, ok := pl.Choices[p]; ok {
		return c
	}
	if c, ok := pl.remembered[p]; ok {
		return Choice(c)
	}
	return pl.OnEdited
}

func (pl *planner) put(c *candidate, e Entry) {
	e.Path, e.Shipped, e.Here, e.New, e.seen = c.path, c.shipped, c.here, c.new, c.seen
	if pl.Inventory == nil {
		e.Shipped = State{}
	}
	pl.plan.Entries = append(pl.plan.Entries, e)
}
