package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"moult/core/release"
)

func TestMergeText(t *testing.T) {
	const base = "a\nb\nc\nd\ne\n"
	tests := []struct {
		name, mine, theirs, want string
		clean                    bool
	}{
		{"only mine", "a\nB\nc\nd\ne\n", base, "a\nB\nc\nd\ne\n", true},
		{"only theirs", base, "a\nb\nc\nd\nE\n", "a\nb\nc\nd\nE\n", true},
		{"both, apart", "A\nb\nc\nd\ne\n", "a\nb\nc\nd\nE\n", "A\nb\nc\nd\nE\n", true},
		{"both the same", "a\nb\nX\nd\ne\n", "a\nb\nX\nd\ne\n", "a\nb\nX\nd\ne\n", true},
		{"both the same line", "a\nb\nX\nd\ne\n", "a\nb\nY\nd\ne\n", "", false},
		{"touching lines", "a\nX\nc\nd\ne\n", "a\nb\nY\nd\ne\n", "", false},
		{"one line between", "a\nX\nc\nd\ne\n", "a\nb\nc\nY\ne\n", "a\nX\nc\nY\ne\n", true},
		{"added at the ends", "0\na\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\nf\n", "0\na\nb\nc\nd\ne\nf\n", true},
		{"both added at one place", "a\nb\nX\nc\nd\ne\n", "a\nb\nY\nc\nd\ne\n", "", false},
		{"removed here, changed there", "a\nb\nd\ne\n", "a\nb\nC\nd\ne\n", "", false},
		{"no end of line at the end", "a\nb\nc\nd\ne", "A\nb\nc\nd\ne\n", "A\nb\nc\nd\ne", true},
		{"all removed", "", "a\nb\nc\nd\nE\n", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, clean := mergeText(base, test.mine, test.theirs)
			if clean != test.clean || got != test.want {
				t.Errorf("got %q, %v; want %q, %v", got, clean, test.want, test.clean)
			}
			back, cleanBack := mergeText(base, test.theirs, test.mine)
			if cleanBack != clean || back != got {
				t.Errorf("the other way round: %q, %v", back, cleanBack)
			}
		})
	}
}

func TestMergeProperties(t *testing.T) {
	text := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]string{"a\n", "b\n", "c\n", "d\n"}), 0, 12), func(l []string) string { return strings.Join(l, "") })
	rapid.Check(t, func(t *rapid.T) {
		base, mine := text.Draw(t, "base"), text.Draw(t, "mine")
		for _, sides := range [][2]string{{mine, base}, {base, mine}, {mine, mine}} {
			got, clean := mergeText(base, sides[0], sides[1])
			if !clean || got != mine {
				t.Fatalf("one side alone: %q, %v", got, clean)
			}
		}
		theirs := text.Draw(t, "theirs")
		got, clean := mergeText(base, mine, theirs)
		if !clean {
			return
		}
		for _, line := range []string{"a\n", "b\n", "c\n", "d\n"} {
			most := strings.Count(base, line) + max(0, strings.Count(mine, line)-strings.Count(base, line)) + max(0, strings.Count(theirs, line)-strings.Count(base, line))
			least := strings.Count(base, line) - max(0, strings.Count(base, line)-strings.Count(mine, line)) - max(0, strings.Count(base, line)-strings.Count(theirs, line))
			if n := strings.Count(got, line); most >= strings.Count(base, line) && (n > most+len(base)/2 || n < min(0, least)) {
				t.Fatalf("%q is there %d times", line, n)
			}
		}
	})
}

func TestBinaryAndLongFilesAreNotMerged(t *testing.T) {
	for name, text := range map[string]string{"a zero byte": "a\x00\nb\nc\nd\n", "not UTF-8": "a\xff\nb\nc\nd\n", "too long": strings.Repeat("line\n", maxText/5+1)} {
		t.Run(name, func(t *testing.T) {
			sc := scenario{shipped: contents{"f": text}, here: contents{"f": "first\n" + text}, new: contents{"f": text + "last\n"}, full: true}
			w := build(t, scratch(t), sc)
			defer w.close()
			w.makePlan()
			if open := w.plan.Undecided(); len(open) != 1 || open[0].Merge {
				t.Errorf("undecided: %+v", open)
			}
		})
	}
}

// edited is a file that was edited here, changed by the release, and merges cleanly.
func edited() scenario {
	return scenario{shipped: contents{"f": "1\n2\n3\n"}, here: contents{"f": "one\n2\n3\n"}, new: contents{"f": "1\n2\nthree\n"}, full: true}
}

func TestAnswersForEditedFiles(t *testing.T) {
	tests := []struct {
		name       string
		onEdited   Choice
		remembered string
		given      Choice
		want       contents
	}{
		{"keep by default", ChoiceKeep, "", "", contents{"f": "one\n2\n3\n"}},
		{"new by default", ChoiceNew, "", "", contents{"f": "1\n2\nthree\n"}},
		{"remembered goes before the default", ChoiceNew, "keep", "", contents{"f": "one\n2\n3\n"}},
		{"given goes before remembered", ChoiceNew, "keep", ChoiceMerge, contents{"f": "one\n2\nthree\n"}},
		{"remembered merge", ChoiceAsk, "merge", "", contents{"f": "one\n2\nthree\n"}},
		{"both", ChoiceAsk, "", ChoiceBoth, contents{"f": "one\n2\n3\n", "f.new": "1\n2\nthree\n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := build(t, scratch(t), edited())
			defer w.close()
			if test.remembered != "" {
				must(t, w.site.SetChoices(map[release.Path]string{"f": test.remembered}))
			}
			in := w.input()
			defer in.Contents.Close()
			in.OnEdited = test.onEdited
			if test.given != "" {
				in.Choices = map[release.Path]Choice{"f": test.given}
			}
			var err error
			w.plan, err = MakePlan(t.Context(), in)
			must(t, err)
			w.all(realDisk{})
			must(t, Verify(t.Context(), w.site, w.plan))
			if diff := cmp.Diff(test.want, w.tree()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUndecidedPlanIsNotStaged(t *testing.T) {
	w := build(t, scratch(t), edited())
	defer w.close()
	w.makePlan()
	open := w.plan.Undecided()
	if len(open) != 1 || open[0].Path != "f" || !open[0].Merge || open[0].Note != noteUndecided {
		t.Errorf("undecided: %+v", open)
	}
	if err := w.stage(realDisk{}); err == nil {
		t.Error("it was staged")
	}
}

func TestMergeThatDoesNotApplyIsAskedAbout(t *testing.T) {
	sc := scenario{shipped: contents{"f": "1\n"}, here: contents{"f": "mine\n"}, new: contents{"f": "theirs\n"}, full: true,
		choices: map[release.Path]Choice{"f": ChoiceMerge}}
	w := build(t, scratch(t), sc)
	defer w.close()
	w.makePlan()
	if open := w.plan.Undecided(); len(open) != 1 || open[0].Merge {
		t.Errorf("undecided: %+v", open)
	}
}

// TestReadShowsAllVersions reads a file's versions before staging, after it, and
// after the switch.
func TestReadShowsAllVersions(t *testing.T) {
	for _, way := range ways[:2] {
		sc := edited()
		sc.way = way.choice
		sc.shipped = contents{"d/f": sc.shipped["f"], "d/g": "1"}
		sc.here = contents{"d/f": sc.here["f"], "d/g": "1"}
		sc.new = contents{"d/f": sc.new["f"], "d/g": "2"}
		sc.choices = map[release.Path]Choice{"d/f": ChoiceNew}
		w := build(t, scratch(t), sc)
		defer w.close()
		w.makePlan()
		want := Versions{Shipped: []byte("1\n2\n3\n"), Here: []byte("one\n2\n3\n"), New: []byte("1\n2\nthree\n"), Merged: []byte("one\n2\nthree\n")}
		check := func(when string) {
			t.Helper()
			c := w.contents()
			defer c.Close()
			got, err := Read(w.site, w.u, w.plan, "d/f", c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", way.name, when, diff)
			}
		}
		check("before staging")
		must(t, w.stage(realDisk{}))
		check("staged")
		must(t, w.switchOver(realDisk{}))
		check("switched")
		if _, err := Read(w.site, w.u, w.plan, "nowhere", nil); err == nil {
			t.Error("a path that is not in the plan was read")
		}
	}
}

func TestLargeFileIsNotRead(t *testing.T) {
	big := strings.Repeat("x", maxText+1)
	sc := scenario{shipped: contents{"f": "1"}, new: contents{"f": big}, full: true}
	w := build(t, scratch(t), sc)
	defer w.close()
	w.makePlan()
	c := w.contents()
	defer c.Close()
	v, err := Read(w.site, w.u, w.plan, "f", c)
	if err != nil || v.New != nil || string(v.Here) != "1" {
		t.Errorf("%d bytes, here %q, %v", len(v.New), v.Here, err)
	}
}

func TestPlanNamesItsNumbers(t *testing.T) {
	w := build(t, scratch(t), scenarios[1])
	defer w.close()
	w.makePlan()
	want := Counts{New: 1, Changed: 2, Removed: 2}
	if diff := cmp.Diff(want, w.plan.Counts()); diff != "" {
		t.Error(diff)
	}
	if w.plan.StageBytes != int64(len("two")+len("a2")+len("c")) {
		t.Errorf("%d bytes are staged", w.plan.StageBytes)
	}
	must(t, w.u.WriteJSON("plan.json", w.plan))
	var again Plan
	must(t, w.u.ReadJSON("plan.json", &again))
	if diff := cmp.Diff(*w.plan, again, cmpopts.IgnoreUnexported(Entry{})); diff != "" {
		t.Error(diff)
	}
}

func TestCompareAndScanTellWhatIsThere(t *testing.T) {
	sc := scenario{shipped: contents{"a": "1", "b": "1", "d/c": "1", "own/x": "1"}, here: contents{"a": "1", "b": "mine", "own/x": "mine", "e": "->a"}, own: paths("own")}
	w := build(t, scratch(t), sc)
	defer w.close()
	inv := w.input()
	defer inv.Contents.Close()
	got, err := Compare(t.Context(), w.site, inv.Inventory, nil)
	must(t, err)
	missing := map[release.Path]bool{}
	for _, d := range got {
		missing[d.Path] = d.Missing
	}
	if diff := cmp.Diff(map[release.Path]bool{"b": false, "d/c": true}, missing); diff != "" {
		t.Error(diff)
	}
	files, err := Scan(t.Context(), w.site, nil)
	must(t, err)
	if diff := cmp.Diff((contents{"a": "1", "b": "mine"}).files(), files); diff != "" {
		t.Error(diff)
	}
	must(t, os.WriteFile(filepath.Join(w.dir, "later"), nil, 0o644))
	files, err = Scan(t.Context(), w.site, nil, "later", "gone", "e")
	must(t, err)
	if diff := cmp.Diff((contents{"later": ""}).files(), files); diff != "" {
		t.Error(diff)
	}
}
