package files

import (
	"moult/core/release"
)

// Change is what an update does at one path.
type Change string

// The changes. Each is a row of the three-way table in doc.go.
const (
	Add     Change = "add"     // new in the release, nothing here
	Replace Change = "replace" // differs from what is here
	Delete  Change = "delete"  // no longer in the release
	Keep    Change = "keep"    // left alone, and reported: see Entry.Note
	Same    Change = "same"    // already as the release wants it
	Mkdir   Change = "mkdir"   // a directory that is new
	Rmdir   Change = "rmdir"   // a directory that the update leaves empty
)

// Choice answers what to do with a file that was edited on this site.
type Choice string

// The choices. ChoiceAsk is the zero value's meaning: undecided.
const (
	ChoiceAsk   Choice = ""
	ChoiceKeep  Choice = "keep"  // keep mine
	ChoiceNew   Choice = "new"   // use the release's; mine stays in the restore point
	ChoiceBoth  Choice = "both"  // keep mine, put the release's beside it as PATH.new
	ChoiceMerge Choice = "merge" // both sides' changes, offered only when they don't overlap
)

// State is one version of one file. The zero State means "not there".
type State struct {
	Size   int64          `json:"size"`
	Mode   uint32         `json:"mode"` // permission bits
	SHA256 release.Digest `json:"sha256"`
	// Link is where a symbolic link points; "" for a file.
	Link string `json:"link,omitempty"`
}

// Exists reports whether the state is of a file that is there.
func (s State) Exists() bool { return s != State{} }

// SameContent reports whether both are there and hold the same, whatever their modes.
func (s State) SameContent(o State) bool {
	return s.Exists() && o.Exists() && s.Size == o.Size && s.SHA256 == o.SHA256 && s.Link == o.Link
}

// Entry is the plan for one path.
type Entry struct {
	Path    release.Path `json:"path"`
	Change  Change       `json:"change"`
	Shipped State        `json:"shipped,omitzero"` // as the installed release shipped it
	Here    State        `json:"here,omitzero"`    // as it is on this site now
	New     State        `json:"new,omitzero"`     // as the new release wants it
	Edited  bool         `json:"edited,omitempty"` // edited on this site
	Choice  Choice       `json:"choice,omitempty"` // in force for an edited file
	Merge   bool         `json:"merge,omitempty"`  // a clean text merge exists
	Note    string       `json:"note,omitempty"`   // one sentence for people, "" when there is nothing to say
	// Put is what the path will hold after the update where Change is Add or
	// Replace: New, but with the mode in force here, or merged.
	Put State `json:"put,omitzero"`
	// Source is the path in the package of what is put; "" when it is Path.
	Source release.Path `json:"source,omitempty"`
	// seen tells that what was read as Here was not written to since, so that it
	// need not be read again. It lives as long as the process that made the plan.
	seen stamp
}

// Plan is everything an update does to the files of a site, in order of paths.
// It is a value: showing, journaling and doing it read the same thing.
type Plan struct {
	Entries []Entry  `json:"entries"`
	Notes   []string `json:"notes,omitempty"` // about the whole plan, as "12 files of yours in front/ stay"
	// Trees are the directories that can be switched whole, in one system call.
	Trees []release.Path `json:"trees,omitempty"`
	// Mounts are the directories, each on a file system of its own, in which something
	// changes: it is staged there.
	Mounts []release.Path `json:"mounts,omitempty"`
	// Folds says that the site's file system takes names for the same that differ in
	// their case only.
	Folds bool `json:"folds,omitempty"`
	// Blocks are the reasons found while planning for which it can't be done.
	Blocks []Problem `json:"blocks,omitempty"`
	// StageBytes is the room that staged files take, in bytes.
	StageBytes int64 `json:"stage_bytes"`
}

// Undecided lists the edited files for which the admin still has to choose.
func (p *Plan) Undecided() []Entry {
	var open []Entry
	for _, e := range p.Entries {
		if e.Edited && e.Choice == ChoiceAsk && (e.Change == Replace || e.Change == Add) {
			open = append(open, e)
		}
	}
	return open
}

// Counts are the numbers that a summary shows.
type Counts struct {
	New     int `json:"new"`
	Changed int `json:"changed"`
	Removed int `json:"removed"`
	Edited  int `json:"edited"`
	Kept    int `json:"kept"`
}

// Counts counts the entries by what a person would call them.
func (p *Plan) Counts() Counts {
	var c Counts
	for _, e := range p.Entries {
		switch e.Change {
		case Add:
			c.New++
		case Replace:
			c.Changed++
		case Delete:
			c.Removed++
		case Keep:
			c.Kept++
		}
		if e.Edited {
			c.Edited++
		}
	}
	return c
}
