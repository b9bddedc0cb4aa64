package files

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"moult/core/release"
	"moult/core/site"
)

// kind is what one step of a switch does. The order is that of the switch.
type kind int

const (
	clearFile kind = iota // moves a file away that a directory replaces
	clearDir              // moves an emptied directory away that a file replaces
	makeDir               // makes a directory
	placeFile             // moves a staged file to where nothing is
	turnOver              // swaps a staged file with a directory, or the reverse
	swapTree              // swaps a clone of a directory with the directory
	swapFile              // swaps a staged file with the one it replaces
	takeFile              // moves a file into the restore point
	takeDir               // moves an emptied directory into the restore point
)

// names are what the journal calls the kinds.
var names = map[kind]string{
	clearFile: "clear file", clearDir: "clear directory", makeDir: "make directory", placeFile: "place",
	turnOver: "turn over", swapTree: "swap directory", swapFile: "swap", takeFile: "take", takeDir: "take directory",
}

// step is one change of the site: one system call, which can be recognised as done
// or not done from what lies at two places.
type step struct {
	n     int    // the entry's index in the plan, and its number in the restore point
	post  string // where it is staged, if not in the update's own directory: mounts.go
	kind  kind
	path  string // in the site
	entry *Entry // nil for a directory that is swapped whole
	turns bool   // a file and a directory change places at the path, or two spellings of it
	gone  *Entry // what is turned over
	inner []step // what is in a directory that is swapped whole, or turned over
}

// staged and kept are the places of a step in the directory of the update: where
// its new file waits, and where what it replaces goes when it can't go to staged.
func (s step) staged() string { return path.Join(s.post, stageDir, strconv.Itoa(s.n)) }

// within is the path of an inner step below the clone of its directory.
func (s step) within(in step) string {
	return path.Join(s.staged(), strings.TrimPrefix(in.path, s.path+"/"))
}

// source is where the new file of a step lies in the package.
func (s step) source() string {
	if s.entry.Source != "" {
		return string(s.entry.Source)
	}
	return s.path
}

func (s step) kept() string { return path.Join(s.post, oldDir, strconv.Itoa(s.n)) }

const (
	stageDir = "stage"
	oldDir   = "old"
)

// stepsOf returns the steps of a plan in the order in which they are done: room is
// made first where a file becomes a directory or the reverse, then directories, new
// files, swaps, removals, emptied directories. Entry points come last in
// their kind: who comes in before them finds what they need. What is in a directory
// that is swapped whole or turned over is the inner part of one step.
func stepsOf(p *Plan, how beginning) []step {
	steps := flatSteps(p)
	if how.Trees && len(p.Trees) > 0 {
		steps = treesOf(p, steps)
	}
	if how.Turns {
		steps = turnsOf(steps)
	}
	return steps
}

// treesOf makes one step of all those in a directory that is swapped whole.
func treesOf(p *Plan, steps []step) []step {
	var rest []step
	whole := make([]step, len(p.Trees))
	for k, dir := range p.Trees {
		whole[k] = step{n: len(p.Entries) + k, kind: swapTree, path: string(dir)}
	}
	for _, s := range steps {
		k := slices.IndexFunc(p.Trees, func(dir release.Path) bool { return release.Path(s.path).Within(dir) })
		if k < 0 {
			rest = append(rest, s)
			continue
		}
		whole[k].inner = append(whole[k].inner, s)
	}
	return insert(rest, whole)
}

// insert puts steps of one kind where that kind comes.
func insert(steps, more []step) []step {
	if len(more) == 0 {
		return steps
	}
	at, _ := slices.BinarySearchFunc(steps, more[0].kind, func(s step, k kind) int { return cmp.Compare(s.kind, k) })
	return slices.Insert(steps, at, more...)
}

// flatSteps are the steps of a plan one path at a time.
func flatSteps(p *Plan) []step {
	becomes := map[release.Path]int{} // paths that are cleared before something else comes
	for _, e := range p.Entries {
		switch e.Change {
		case Add, Mkdir, Delete, Rmdir:
			becomes[p.key(e.Path)]++
		}
	}
	var steps []step
	for i := range p.Entries {
		e := &p.Entries[i]
		s := step{n: i, post: p.postOf(e.Path), path: string(e.Path), entry: e, turns: becomes[p.key(e.Path)] > 1}
		switch {
		case e.Change == Delete && (s.turns || within(becomes, p.key(e.Path))):
			s.kind = clearFile
		case e.Change == Rmdir && (s.turns || within(becomes, p.key(e.Path))):
			s.kind = clearDir
		case e.Change == Mkdir:
			s.kind = makeDir
		case e.Change == Add:
			s.kind = placeFile
		case e.Change == Replace:
			s.kind = swapFile
		case e.Change == Delete:
			s.kind = takeFile
		case e.Change == Rmdir:
			s.kind = takeDir
		default:
			continue
		}
		steps = append(steps, s)
	}
	slices.SortStableFunc(steps, func(a, b step) int {
		if c := cmp.Compare(a.kind, b.kind); c != 0 {
			return c
		}
		if a.kind == clearDir || a.kind == takeDir {
			return cmp.Compare(b.path, a.path) // a directory after those in it
		}
		if c := cmp.Compare(rank(a.path), rank(b.path)); c != 0 {
			return c
		}
		return cmp.Compare(a.path, b.path)
	})
	return steps
}

// within reports whether p lies in a directory that becomes a file.
func within(becomes map[release.Path]int, p release.Path) bool {
	for dir := path.Dir(string(p)); dir != "."; dir = path.Dir(dir) {
		if becomes[release.Path(dir)] > 1 {
			return true
		}
	}
	return false
}

// entryPoints are the names of files that a visitor comes in by: what web servers
// look for in a directory, and what starts an application.
var entryPoints = map[string]bool{
	"index.php": true, "index.html": true, "index.htm": true, "index.js": true, "default.aspx": true,
	"app.php": true, "main.php": true, "web.php": true, "api.php": true, "app.jar": true,
	".htaccess": true, "web.config": true, "docker-compose.yml": true, "compose.yaml": true,
}

func rank(p string) int {
	if entryPoints[strings.ToLower(path.Base(p))] {
		return 1
	}
	return 0
}

// ident tells a file from all others as long as nobody writes to it.
type ident struct {
	Inode uint64
	Size  int64
	Time  int64 // of modification, in nanoseconds since 1970
}

// known reports whether the ident tells anything.
func (id ident) known() bool { return id.Inode != 0 }

// intent is what the journal says of a step before any step is done.
type intent struct {
	N    int
	Do   string // for people who read the journal
	Path string
	Old  ident // of what is at the path
	New  ident // of what is staged
}

// MarshalText writes an intent as "N old new do: path". An update of 20 000 files has as
// many, and if each were an object an undo would take twice as long to read them.
func (in intent) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%d %d.%d.%d %d.%d.%d %s: %s", in.N,
		in.Old.Inode, in.Old.Size, in.Old.Time, in.New.Inode, in.New.Size, in.New.Time, in.Do, in.Path), nil
}

// UnmarshalText reads what MarshalText writes.
func (in *intent) UnmarshalText(text []byte) (err error) {
	n, rest, _ := strings.Cut(string(text), " ")
	was, rest, _ := strings.Cut(rest, " ")
	will, rest, _ := strings.Cut(rest, " ")
	in.Do, in.Path, _ = strings.Cut(rest, ": ")
	if in.N, err = strconv.Atoi(n); err == nil {
		err = errors.Join(in.Old.parse(was), in.New.parse(will))
	}
	if err != nil {
		return fmt.Errorf("intent %q: %w", text, err)
	}
	return nil
}

func (id *ident) parse(text string) (err error) {
	inode, rest, _ := strings.Cut(text, ".")
	size, at, _ := strings.Cut(rest, ".")
	if id.Inode, err = strconv.ParseUint(inode, 10, 64); err != nil {
		return err
	}
	if id.Size, err = strconv.ParseInt(size, 10, 64); err != nil {
		return err
	}
	id.Time, err = strconv.ParseInt(at, 10, 64)
	return err
}

// The kinds of records in the journal.
const (
	recordIntent = "files.intent"
	recordSwitch = "files.switch"
	recordDone   = "files.switched"
	recordUndo   = "files.undo"
	recordUndone = "files.undone"
)

// status is how far a step is, by what the disk holds.
type status int

const (
	notDone status = iota
	done
	other // neither: someone else changed the path
)

// eyes look at the disk to tell how far each step is.
type eyes struct {
	site, update *tree
	intents      map[int]intent // by step.n; empty before the first switch
}

func newEyes(s *site.Site, u *site.Update, p *Plan, intents map[int]intent) (*eyes, error) {
	update, err := openUpdate(u, p)
	return &eyes{site: newTree(s.Root), update: update, intents: intents}, err
}

// trees are what workers need to have eyes of their own.
func (e *eyes) trees() []*tree { return []*tree{e.site, e.update} }

func (e *eyes) close() {
	e.site.close()
	e.update.close()
	e.update.closePosts()
}

// exists looks at a place; nothing there is no error.
func exists(t *tree, p string) (fs.FileInfo, error) {
	info, err := t.lstat(p)
	if missing(err) {
		return nil, nil
	}
	return info, err
}

// whose says what lies at a place: the file that was there before the update, the
// one that the update puts there, or somebody else's.
type whose int

const (
	before whose = iota
	ours
	somebody
)

// whose tells by idents where they are known, which costs one look. Only where
// those don't tell is the file read.
func (e *eyes) whose(t *tree, p string, info fs.FileInfo, s step) (whose, error) {
	if info == nil || info.IsDir() {
		return somebody, nil
	}
	in, id := e.intents[s.n], identOf(info)
	switch {
	case in.Old.known() && id == in.Old:
		return before, nil
	case in.New.known() && id == in.New:
		return ours, nil
	}
	if now, can := stampOf(info); can && now.inode != 0 && s.entry.seen == now {
		return before, nil // it was read when the plan was made
	}
	got, err := stateOfLooked(t, p, info)
	if missing(err) || errors.Is(err, errNotFile) {
		return somebody, nil
	}
	if err != nil {
		return somebody, err
	}
	// One that was rewritten with what it held is still the same, if its inode or
	// its mode says so.
	same := func(want State, was ident) bool {
		return got.SameContent(want) && (got.Mode == want.Mode || was.known() && was.Inode == id.Inode)
	}
	switch {
	case same(s.entry.Here, in.Old):
		return before, nil
	case same(s.entry.Put, in.New):
		return ours, nil
	}
	return somebody, nil
}

// look tells how far a step is.
func (e *eyes) look(s step) (status, error) {
	here, err := exists(e.site, s.path)
	if err != nil {
		return other, err
	}
	return e.lookFrom(s, here)
}

// lookFrom tells how far a step is, from what was just seen at its path.
func (e *eyes) lookFrom(s step, here fs.FileInfo) (status, error) {
	switch s.kind {
	case swapTree:
		return e.lookTree(s, here)
	case turnOver:
		return e.lookTurn(s, here)
	case makeDir:
		switch {
		case here == nil:
			return notDone, nil
		case here.IsDir():
			return done, nil
		case s.turns:
			return notDone, nil // a file that another step clears
		}
		return other, nil
	case placeFile:
		return e.lookPlace(s, here)
	case swapFile:
		return e.lookSwap(s, here)
	}
	gone, err := exists(e.update, s.kept())
	if err != nil {
		return other, err
	}
	switch {
	case gone != nil && here == nil:
		return done, nil
	case gone != nil && s.turns:
		return done, nil
	case gone != nil || here == nil:
		return e.lookCleared(s, gone, here)
	case s.kind == clearDir || s.kind == takeDir:
		if here.IsDir() {
			return notDone, nil
		}
		return other, nil
	}
	return e.when(before, notDone, s, here)
}

// when gives the status if the path holds what is said, and other if not.
func (e *eyes) when(holds whose, how status, s step, here fs.FileInfo) (status, error) {
	who, err := e.whose(e.site, s.path, here, s)
	if err != nil || who != holds {
		return other, err
	}
	return how, nil
}

// lookCleared tells about a path that was cleared and where something else is now:
// where a file and a directory change places, that is the next step's doing.
func (e *eyes) lookCleared(s step, gone, here fs.FileInfo) (status, error) {
	if gone == nil || here == nil {
		return other, nil
	}
	if s.kind == clearFile && here.IsDir() || s.kind == clearDir && !here.IsDir() {
		return done, nil
	}
	return other, nil
}

func (e *eyes) lookPlace(s step, here fs.FileInfo) (status, error) {
	staged, err := exists(e.update, s.staged())
	if err != nil {
		return other, err
	}
	switch {
	case here == nil && staged != nil:
		return notDone, nil
	case here == nil:
		return other, nil
	case staged != nil && s.turns:
		return notDone, nil // another step clears the path
	}
	return e.when(ours, done, s, here)
}

func (e *eyes) lookSwap(s step, here fs.FileInfo) (status, error) {
	who, err := e.whose(e.site, s.path, here, s)
	return map[whose]status{before: notDone, ours: done, somebody: other}[who], err
}

// beginning is what the journal says before the intents of a switch.
type beginning struct {
	Steps int  `json:"steps"`
	Trees bool `json:"trees"`           // directories are swapped whole where the plan says so
	Turns bool `json:"turns,omitempty"` // a file and a directory change places in one step
}

// intentsOf reads what the journal says of the steps, the first word on each, and
// how the switch that was begun goes.
func intentsOf(u *site.Update) (intents map[int]intent, begun beginning, err error) {
	records, err := u.Records()
	if err != nil {
		return nil, beginning{}, err
	}
	begun.Trees, begun.Turns = true, true
	said := make([]intent, len(records))
	err = eachParallel(context.Background(), nil, len(records), func(_ []*tree, i int) error {
		if records[i].Kind != recordIntent {
			return nil
		}
		return decode(records[i], &said[i])
	})
	if err != nil {
		return nil, beginning{}, err
	}
	intents = make(map[int]intent, len(records))
	for i, r := range records {
		switch r.Kind {
		case recordSwitch:
			begun = beginning{}
			if err := decode(r, &begun); err != nil {
				return nil, beginning{}, err
			}
		case recordIntent:
			if _, known := intents[said[i].N]; !known {
				intents[said[i].N] = said[i]
			}
		}
	}
	return intents, begun, nil
}

func decode(r site.Record, v any) error {
	if err := json.Unmarshal(r.Data, v); err != nil {
		return fmt.Errorf("journal: %s: %w", r.Kind, err)
	}
	return nil
}
