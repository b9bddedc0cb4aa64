package words

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"moult/core/release"
	"moult/core/schema"
	"moult/core/update"
)

// TestEveryKindHasASentence reads the kinds from core's source, so that a new
// kind can't be forgotten here.
func TestEveryKindHasASentence(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../core/update/error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Kind") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds++
		s, ok := sentences[update.Kind(text)]
		if !ok || !strings.HasSuffix(s.what, ".") || !strings.HasSuffix(s.advice, ".") {
			t.Errorf("kind %q has no full sentences: %+v", text, s)
		}
		return true
	})
	if kinds < 20 {
		t.Errorf("found %d kinds in error.go; the test reads it wrongly", kinds)
	}
}

func TestExplainNamesTheThingAndWhatToDo(t *testing.T) {
	err := &update.Error{Kind: update.KindDiskFull, Stage: update.StageExtract, Err: errors.New("write index.php: no space left on device")}
	want := "The disk is full. extract: write index.php: no space left on device. Free some space or discard old restore points, then try again."
	if got := Explain(err).String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := Explain(errors.New("no such flag")).String(); got != "no such flag." {
		t.Errorf("plain error: %q", got)
	}
}

func TestSentenceEndsOnce(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "the disk is full": "the disk is full.", "Really?": "Really?", "Done.": "Done.", "and 12 more…": "and 12 more…", "line\nline": "line\nline", " für Café ": "für Café.",
	} {
		if got := Sentence(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestStandingSaysWhereTheSiteIs(t *testing.T) {
	from, _ := release.ParseVersion("1.4.2")
	to, _ := release.ParseVersion("1.5.0")
	for _, c := range []struct {
		name string
		r    *update.Result
		want string
	}{
		{"never began", nil, "Nothing on the site has changed."},
		{"done", &update.Result{From: from, To: to, State: update.Done, Site: update.SiteNew}, "The site is at 1.5.0."},
		{"failed", &update.Result{From: from, To: to, State: update.RolledBack, Site: update.SiteOld, Kind: update.KindIO}, "The site is at 1.4.2, as it was before."},
		{"rolled back", &update.Result{From: from, To: to, State: update.RolledBack, Site: update.SiteOld}, "The site is back at 1.4.2."},
		{"mixed", &update.Result{From: from, To: to, State: update.NeedsAttention, Site: update.SiteMixed}, "The site needs attention: it is between two releases. Roll back or recover it."},
	} {
		if got := Standing(c.r); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestACopyOfAFewRowsIsNotSlow(t *testing.T) {
	for _, c := range []struct {
		name string
		step schema.Step
		want schema.Risk
	}{
		{"an empty table", schema.Step{Risk: schema.Slow, Rows: 0}, schema.Safe},
		{"a small table", schema.Step{Risk: schema.Slow, Rows: fewRows - 1}, schema.Safe},
		{"a large table", schema.Step{Risk: schema.Slow, Rows: fewRows}, schema.Slow},
		{"a table of unknown size", schema.Step{Risk: schema.Slow, Rows: -1}, schema.Slow},
		{"an empty table that loses something", schema.Step{Risk: schema.CantUndo, Rows: 0}, schema.CantUndo},
		{"an empty table that keeps something", schema.Step{Risk: schema.KeepsData, Rows: 0}, schema.KeepsData},
	} {
		if got := Risk(c.step); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
