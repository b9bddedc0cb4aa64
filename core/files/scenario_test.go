package files

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

// paths makes a list of paths.
func paths(p ...release.Path) []release.Path { return p }

// scenarios are the rows of the three-way table and what lies between them. Each
// says what the site holds when the update is done.
var scenarios = []scenario{
	{
		name:    "change one file, leave the others",
		shipped: contents{"index.php": "one", "lib/a.php": "a", "lib/b.php": "b"},
		new:     contents{"index.php": "two"},
		ops:     release.Operations{ReplaceFiles: paths("index.php")},
		after:   contents{"index.php": "two", "lib/a.php": "a", "lib/b.php": "b"},
	},
	{
		name:    "full package: change, add, delete",
		shipped: contents{"index.php": "one", "lib/a.php": "a", "old/x": "x", "old/deep/y": "y"},
		new:     contents{"index.php": "two", "lib/a.php": "a2", "lib/new/c.php": "c", "empty/": ""},
		full:    true,
		after:   contents{"index.php": "two", "lib/a.php": "a2", "lib/new/c.php": "c", "empty/": ""},
	},
	{
		name:    "already there is left alone",
		shipped: contents{"a": "1", "b": "1"},
		here:    contents{"a": "2", "b": "1"},
		new:     contents{"a": "2", "b": "2"},
		full:    true,
		after:   contents{"a": "2", "b": "2"},
	},
	{
		name:    "edited here, keep mine",
		shipped: contents{"a": "1", "b": "1"},
		here:    contents{"a": "mine", "b": "1"},
		new:     contents{"a": "2", "b": "2"},
		full:    true,
		choices: map[release.Path]Choice{"a": ChoiceKeep},
		after:   contents{"a": "mine", "b": "2"},
	},
	{
		name:    "edited here, use new",
		shipped: contents{"a": "1"},
		here:    contents{"a": "mine"},
		new:     contents{"a": "2"},
		full:    true,
		choices: map[release.Path]Choice{"a": ChoiceNew},
		after:   contents{"a": "2"},
	},
	{
		name:    "edited here, both",
		shipped: contents{"a": "1"},
		here:    contents{"a": "mine", "a.new": "from the last update"},
		new:     contents{"a": "2"},
		full:    true,
		choices: map[release.Path]Choice{"a": ChoiceBoth},
		after:   contents{"a": "mine", "a.new": "2"},
	},
	{
		name:    "edited here, merged",
		shipped: contents{"a": "1\n2\n3\n4\n5\n"},
		here:    contents{"a": "one\n2\n3\n4\n5\n"},
		new:     contents{"a": "1\n2\n3\n4\nfive\n"},
		full:    true,
		choices: map[release.Path]Choice{"a": ChoiceMerge},
		after:   contents{"a": "one\n2\n3\n4\nfive\n"},
	},
	{
		name:    "edited here, not changed by the release",
		shipped: contents{"a": "1", "b": "1"},
		here:    contents{"a": "mine", "b": "1"},
		new:     contents{"a": "1", "b": "2"},
		full:    true,
		after:   contents{"a": "mine", "b": "2"},
	},
	{
		name:    "a file of mine where the release puts one",
		shipped: contents{"a": "1"},
		here:    contents{"a": "1", "new": "mine"},
		new:     contents{"a": "1", "new": "theirs"},
		full:    true,
		choices: map[release.Path]Choice{"new": ChoiceNew},
		after:   contents{"a": "1", "new": "theirs"},
	},
	{
		name:    "removed here comes back",
		shipped: contents{"a": "1", "b": "1"},
		here:    contents{"b": "1"},
		new:     contents{"a": "2", "b": "1"},
		full:    true,
		after:   contents{"a": "2", "b": "1"},
	},
	{
		name:    "edited here and removed by the release stays",
		shipped: contents{"a": "1", "d/b": "1"},
		here:    contents{"a": "1", "d/b": "mine"},
		new:     contents{"a": "1"},
		full:    true,
		after:   contents{"a": "1", "d/b": "mine"},
	},
	{
		name:    "delete of what is not there is skipped",
		shipped: contents{"a": "1"},
		new:     contents{},
		ops:     release.Operations{DeleteFiles: paths("gone", "far/away"), DeleteDirectories: paths("nowhere")},
		after:   contents{"a": "1"},
	},
	{
		name:    "a replaced directory becomes the package's, but for what is mine",
		shipped: contents{"front/a": "1", "front/old": "1", "front/sub/b": "1", "back": "1"},
		here:    contents{"front/a": "1", "front/old": "1", "front/sub/b": "1", "front/extra": "mine", "front/own/x": "mine", "back": "1"},
		new:     contents{"front/a": "2", "front/c/d": "new"},
		ops:     release.Operations{ReplaceDirectories: paths("front")},
		own:     paths("front/own"),
		after:   contents{"front/a": "2", "front/c/d": "new", "front/extra": "mine", "front/own/x": "mine", "back": "1"},
	},
	{
		name:    "extra files go when the admin says so",
		shipped: contents{"front/a": "1"},
		here:    contents{"front/a": "1", "front/dir/extra": "mine"},
		new:     contents{"front/a": "2"},
		ops:     release.Operations{ReplaceDirectories: paths("front")},
		choices: map[release.Path]Choice{"front/dir/extra": ChoiceNew},
		after:   contents{"front/a": "2"},
	},
	{
		name:    "a deleted directory goes with its empty ones",
		shipped: contents{"d/a": "1", "d/sub/b": "1", "e": "1"},
		here:    contents{"d/a": "1", "d/sub/b": "1", "d/hollow/deep/": "", "e": "1"},
		ops:     release.Operations{DeleteDirectories: paths("d"), DeleteFiles: paths("e")},
		after:   contents{},
	},
	{
		name:    "a file becomes a directory",
		shipped: contents{"a": "1", "b": "1"},
		new:     contents{"a/x": "1", "a/y/z": "1", "b": "2"},
		full:    true,
		after:   contents{"a/x": "1", "a/y/z": "1", "b": "2"},
	},
	{
		name:    "a directory becomes a file",
		shipped: contents{"a/x": "1", "a/y/z": "1", "b": "1"},
		new:     contents{"a": "1", "b": "2"},
		full:    true,
		after:   contents{"a": "1", "b": "2"},
	},
	{
		name:    "a file and a directory change places",
		shipped: contents{"a": "1", "b/x": "1"},
		new:     contents{"a/x": "2", "b": "2"},
		full:    true,
		after:   contents{"a/x": "2", "b": "2"},
	},
	{
		name:    "a name changes its case",
		shipped: contents{"Readme": "1", "Lib/a": "1"},
		new:     contents{"README": "1", "lib/a": "1"},
		full:    true,
		after:   contents{"README": "1", "lib/a": "1"},
	},
	{
		name:    "nothing is known of what was shipped",
		shipped: contents{"app/app.jar": "1", "front/a": "1", "front/b": "1", "config/old.conf": "1"},
		new:     contents{"app/app.jar": "2", "front/a": "2"},
		ops: release.Operations{ReplaceFiles: paths("app/app.jar"), ReplaceDirectories: paths("front"),
			DeleteFiles: paths("config/old.conf")},
		unknown: true,
		after:   contents{"app/app.jar": "2", "front/a": "2"},
	},
	{
		name:    "first installation",
		shipped: contents{},
		here:    contents{"mine": "mine"},
		new:     contents{"index.php": "1", "lib/a": "1", "cache/": ""},
		full:    true,
		after:   contents{"index.php": "1", "lib/a": "1", "cache/": "", "mine": "mine"},
	},
	{
		name:    "a link of mine where a file was",
		shipped: contents{"a": "1", "b": "1"},
		here:    contents{"a": "->b", "b": "1"},
		new:     contents{"a": "2", "b": "1"},
		full:    true,
		choices: map[release.Path]Choice{"a": ChoiceNew},
		after:   contents{"a": "2", "b": "1"},
	},
	{
		name:    "empty files and odd names",
		shipped: contents{"空": "", "a b": "", "-n": "1"},
		new:     contents{"空": "1", "a b": "", "-n": "", "ünï": ""},
		full:    true,
		after:   contents{"空": "1", "a b": "", "-n": "", "ünï": ""},
	},
	{
		name:    "directories on other file systems",
		shipped: contents{"a": "1", "lib/a": "1", "lib/old": "1", "lib/turns": "1", "lib/deep/b": "1", "lib/deep/c": "1", "data/x": "1", "data/same": "1"},
		new:     contents{"a": "2", "lib/a": "2", "lib/turns/in": "2", "lib/deep/b": "2", "lib/deep/new/d": "2", "data/x": "2", "data/same": "1"},
		full:    true,
		mounts:  paths("data", "lib", "lib/deep"),
		after:   contents{"a": "2", "lib/a": "2", "lib/turns/in": "2", "lib/deep/b": "2", "lib/deep/new/d": "2", "data/x": "2", "data/same": "1"},
	},
	{
		name:    "own paths are never touched",
		shipped: contents{"config/local.php": "1", "uploads/readme": "1", "a": "1"},
		here:    contents{"config/local.php": "mine", "uploads/readme": "1", "uploads/cat.jpg": "mine", "a": "1"},
		new:     contents{"config/local.php": "2", "a": "2"},
		full:    true,
		own:     paths("config/local.php", "uploads"),
		after:   contents{"config/local.php": "mine", "uploads/readme": "1", "uploads/cat.jpg": "mine", "a": "2"},
	},
}

func TestUpdateMakesTheSiteWhatTheTableSays(t *testing.T) {
	base := scratch(t)
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			w := build(t, base, sc)
			defer w.close()
			w.makePlan()
			if open := w.plan.Undecided(); len(open) > 0 || len(w.plan.Blocks) > 0 {
				t.Fatalf("undecided %v, blocked %v", open, w.plan.Blocks)
			}
			w.all(realDisk{})
			if err := Verify(t.Context(), w.site, w.plan); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(w.sc.after, w.tree()); diff != "" {
				t.Errorf("the site after the update (-want +got):\n%s", diff)
			}
		})
	}
}

// all stages and switches and stops the test at the first error.
func (w *world) all(d disk) {
	w.Helper()
	if err := w.stage(d); err != nil {
		w.Fatalf("stage: %v", err)
	}
	if err := w.switchOver(d); err != nil {
		w.Fatalf("switch: %v", err)
	}
}

func TestUndoMakesTheSiteWhatItWas(t *testing.T) {
	base := scratch(t)
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			w := build(t, base, sc)
			defer w.close()
			before := w.digest()
			w.makePlan()
			w.all(realDisk{})
			for range 2 {
				if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
					t.Fatalf("undo: %v, notes %v", err, notes)
				}
				if err := VerifyOld(t.Context(), w.site, w.plan); err != nil {
					t.Error(err)
				}
				if w.digest() != before {
					t.Errorf("the site after undo: %v", w.tree())
				}
			}
		})
	}
}

func TestSecondPlanHasNothingToDo(t *testing.T) {
	base := scratch(t)
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			w := build(t, base, sc)
			defer w.close()
			w.makePlan()
			in := w.input()
			defer in.Contents.Close()
			w.all(realDisk{})
			in.Inventory = nil
			if sc.full {
				in.Inventory = w.input().Inventory
				in.Inventory.Files = sc.new.files()
			}
			in.Contents = nil
			again, err := MakePlan(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if steps := flatSteps(again); len(steps) > 0 && !sc.unknown && sc.full {
				t.Errorf("the second plan still wants to %s %s", names[steps[0].kind], steps[0].path)
			}
		})
	}
}
