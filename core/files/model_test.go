package files

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"moult/core/release"
)

// The model test draws whole situations: what was shipped, what was done to it, a
// package, answers, and where the update is killed.

// drawTree draws a tree in which no file is also a directory.
func drawTree(t *rapid.T, label string) contents {
	path := rapid.StringMatching(`[ab]{1,2}(/[ab]{1,2}){0,2}`)
	text := rapid.SampledFrom([]string{"", "1", "2", "line\n"})
	c := contents{}
	for p, text := range rapid.MapOfN(path, text, 0, 8).Draw(t, label) {
		c.set(p, text)
	}
	return c
}

// set puts a file where no other is in its way.
func (c contents) set(p, text string) {
	for other := range c {
		if strings.HasPrefix(other, p+"/") || strings.HasPrefix(p, other+"/") {
			return
		}
	}
	c[p] = text
}

// drawEdited draws what became of a tree.
func drawEdited(t *rapid.T, c contents, label string) contents {
	edited := maps.Clone(c)
	for _, p := range slices.Sorted(maps.Keys(c)) {
		switch rapid.IntRange(0, 5).Draw(t, label+" "+p) {
		case 0:
			delete(edited, p)
		case 1:
			edited[p] = "edited"
		case 2:
			edited[p] += "more\n"
		}
	}
	for p, text := range drawTree(t, label+" more") {
		if rapid.Bool().Draw(t, label+" add "+p) {
			edited.set(p, text)
		}
	}
	return edited
}

func drawScenario(t *rapid.T) scenario {
	sc := scenario{name: "drawn", shipped: drawTree(t, "shipped")}
	sc.here = drawEdited(t, sc.shipped, "here")
	sc.new = drawEdited(t, sc.shipped, "new")
	sc.full = rapid.Bool().Draw(t, "full")
	if rapid.IntRange(0, 3).Draw(t, "own") == 0 {
		sc.own = paths("a/b")
	}
	if !sc.full {
		sc.unknown = rapid.IntRange(0, 4).Draw(t, "unknown") == 0
		for _, p := range slices.Sorted(maps.Keys(sc.new)) {
			if rapid.Bool().Draw(t, "replace "+p) {
				sc.ops.ReplaceFiles = append(sc.ops.ReplaceFiles, release.Path(p))
			}
		}
		dir := rapid.SampledFrom(paths("a", "b", "ab", "a/a"))
		if rapid.Bool().Draw(t, "replace directory") {
			sc.ops.ReplaceDirectories = paths(dir.Draw(t, "replaced"))
		}
		if rapid.Bool().Draw(t, "delete directory") {
			sc.ops.DeleteDirectories = paths(dir.Draw(t, "deleted"))
		}
		for _, p := range slices.Sorted(maps.Keys(sc.shipped)) {
			if _, stays := sc.new[p]; !stays {
				sc.ops.DeleteFiles = append(sc.ops.DeleteFiles, release.Path(p))
			}
		}
	}
	answer := rapid.SampledFrom([]Choice{ChoiceKeep, ChoiceNew, ChoiceBoth, ChoiceMerge})
	sc.choices = map[release.Path]Choice{}
	for _, tree := range []contents{sc.shipped, sc.here, sc.new} {
		for _, p := range slices.Sorted(maps.Keys(tree)) {
			if _, has := sc.choices[release.Path(p)]; !has {
				sc.choices[release.Path(p)] = answer.Draw(t, "answer "+p)
			}
		}
	}
	return sc
}

// expected is the three-way table of a full package, written a second time and in
// another way: what the files are afterwards.
func expected(sc scenario) contents {
	after := contents{}
	all := maps.Clone(sc.shipped)
	maps.Copy(all, sc.here)
	maps.Copy(all, sc.new)
	for name := range all {
		shipped, wasShipped := sc.shipped[name]
		here, isHere := sc.here[name]
		wanted, isNew := sc.new[name]
		choice := sc.choices[release.Path(name)]
		own := slices.ContainsFunc(sc.own, func(o release.Path) bool { return release.Path(name).Within(o) })
		edited := isHere && (!wasShipped || here != shipped)
		keep := func() {
			if isHere {
				after[name] = here
			}
		}
		switch {
		case own:
			keep()
		case isNew && (!isHere || here == wanted || !edited):
			after[name] = wanted
		case isNew && wasShipped && shipped == wanted:
			keep()
		case isNew && choice == ChoiceNew:
			after[name] = wanted
		case isNew && choice == ChoiceBoth:
			keep()
			after[name+".new"] = wanted
		case isNew && choice == ChoiceMerge && wasShipped:
			after[name], _ = mergeText(shipped, here, wanted)
		case isNew:
			keep()
		case wasShipped && isHere && (!edited || choice == ChoiceNew):
		default:
			keep()
		}
	}
	return after
}

func TestModel(t *testing.T) {
	base := scratch(t)
	var tried, blocked int
	rapid.Check(t, func(t *rapid.T) {
		sc := drawScenario(t)
		way := ways[rapid.IntRange(0, len(ways)-1).Draw(t, "way")]
		sc.way = way.choice
		w := build(t, base, sc)
		defer w.close()
		before := w.digest()
		w.makePlan()
		if len(w.plan.Blocks) > 0 || len(w.plan.Undecided()) > 0 {
			blocked++
			return
		}
		tried++
		f := &faultyDisk{u: w.u, at: rapid.IntRange(0, 60).Draw(t, "killed at"), with: errKilled, after: rapid.Bool().Draw(t, "after")}
		err := w.stage(way.wrap(f))
		if err == nil {
			err = w.switchOver(way.wrap(f))
		}
		if err != nil && !f.dead {
			t.Fatalf("not killed, but: %v", err)
		}
		if err == nil {
			if err := Verify(t.Context(), w.site, w.plan); err != nil {
				t.Fatal(err)
			}
			if sc.full {
				if diff := cmp.Diff(expected(sc), w.onlyFiles()); diff != "" {
					t.Fatalf("the site after the update (-want +got):\n%s\nplan: %s", diff, w.plan.text())
				}
			}
		}
		bad := &faultyDisk{u: w.u, at: rapid.IntRange(1, 40).Draw(t, "recovery killed at"), with: errKilled}
		_, _ = w.undo(way.wrap(bad))
		if notes, err := w.undo(way.wrap(&faultyDisk{})); err != nil || len(notes) > 0 {
			t.Fatalf("undo: %v, notes %q", err, notes)
		}
		if w.digest() != before {
			t.Fatalf("after the undo the site holds %v\nplan: %s", w.tree(), w.plan.text())
		}
	})
	t.Logf("%d situations, %d more were blocked or undecided", tried, blocked)
	if tried < blocked/4 {
		t.Errorf("only %d of %d situations could be tried", tried, tried+blocked)
	}
}

func (w *world) onlyFiles() contents {
	c := w.tree()
	maps.DeleteFunc(c, func(p, _ string) bool { return strings.HasSuffix(p, "/") })
	return c
}

func (p *Plan) text() string {
	var b strings.Builder
	for _, e := range p.Entries {
		fmt.Fprintf(&b, "%s %s (%s) %s; ", e.Change, e.Path, e.Choice, e.Note)
	}
	return b.String()
}
