package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"moult/app/words"
	"moult/resources"
)

// literals finds every text that the code looks up, and whether it has plural
// forms: what is given to lang.L, lang.N and text, and the tables of package words.
func literals(t *testing.T) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for _, dir := range []string{".", "../widgets", "words"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			set := token.NewFileSet()
			f, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			if dir == "words" {
				tables(f, keys)
			} else {
				calls(t, set, f, keys)
			}
		}
	}
	return keys
}

// calls collects the literals of calls. A text that is looked up but is neither a
// literal nor from a table would be missed, so only known variables are let through.
func calls(t *testing.T, set *token.FileSet, f *ast.File, keys map[string]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		name := ""
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			name = fun.Name
		case *ast.SelectorExpr:
			if x, ok := fun.X.(*ast.Ident); ok {
				name = x.Name + "." + fun.Sel.Name
			}
		}
		if name != "lang.L" && name != "lang.N" && name != "text" {
			return true
		}
		key, ok := literal(call.Args[0])
		switch {
		case ok:
			keys[key] = keys[key] || name == "lang.N"
		case name != "lang.L":
			t.Errorf("%s: %s needs a literal", set.Position(call.Pos()), name)
		}
		return true
	})
}

// tables collects the strings of the tables of package words.
func tables(f *ast.File, keys map[string]bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !slices.Contains([]string{"sentences", "notSite", "stages", "changes"}, spec.Names[0].Name) {
			return true
		}
		ast.Inspect(spec.Values[0], func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if key, ok := literal(e); ok {
					keys[key] = false
				}
			}
			return true
		})
		return false
	})
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

var gap = regexp.MustCompile(`\{\{\.\w+\}\}`)

// TestTranslationsAreComplete compares the texts of the code with those of each
// language: none is missing, none is left over, and each has the same gaps.
// With MOULT_KEYS it writes what is missing.
func TestTranslationsAreComplete(t *testing.T) {
	keys := literals(t)
	if len(keys) < 200 {
		t.Fatalf("found %d texts; the test reads the code wrongly", len(keys))
	}
	for _, language := range []resources.Language{resources.English, resources.Chinese} {
		messages, err := resources.Messages(language)
		if err != nil {
			t.Fatal(err)
		}
		missing := map[string]any{}
		for key, plural := range keys {
			m, ok := messages[key]
			if !ok {
				t.Errorf("%s lacks %q", language, key)
				missing[key] = key
				if plural {
					missing[key] = map[string]string{"one": key, "other": key}
				}
				continue
			}
			checkMessage(t, language, key, m, plural)
		}
		for key := range messages {
			if _, ok := keys[key]; !ok && (language == resources.English || !slices.Contains(words.Phrases, key)) {
				t.Errorf("%s has %q, which nothing asks for", language, key)
			}
		}
		if os.Getenv("MOULT_KEYS") != "" && len(missing) > 0 {
			b, _ := json.MarshalIndent(missing, "", "  ")
			fmt.Printf("%s\n%s\n", language, b)
		}
	}
}

var phraseGap = regexp.MustCompile(`\{~?\d\}`)

// TestWhatCoreSaysIsTranslated looks up every phrase of core in the languages other
// than English, which core speaks itself.
func TestWhatCoreSaysIsTranslated(t *testing.T) {
	messages, err := resources.Messages(resources.Chinese)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range words.Phrases {
		translation, _ := messages[key].(string)
		if translation == "" {
			t.Errorf("%q is not translated", key)
			continue
		}
		want := slices.Sorted(slices.Values(phraseGap.FindAllString(key, -1)))
		if got := slices.Sorted(slices.Values(phraseGap.FindAllString(translation, -1))); !slices.Equal(got, want) {
			t.Errorf("%q has the gaps %v, want %v", key, got, want)
		}
	}
}

func checkMessage(t *testing.T, language resources.Language, key string, m any, plural bool) {
	t.Helper()
	forms := map[string]any{"other": m}
	if plural {
		var ok bool
		if forms, ok = m.(map[string]any); !ok {
			t.Errorf("%s: %q needs plural forms", language, key)
			return
		}
		if _, ok := forms["one"]; !ok && language == resources.English {
			t.Errorf("%s: %q lacks the form for one", language, key)
		}
	}
	want := slices.Sorted(slices.Values(gap.FindAllString(key, -1)))
	for form, message := range maps.All(forms) {
		s, ok := message.(string)
		if !ok || s == "" {
			t.Errorf("%s: %q is empty", language, key)
			continue
		}
		if got := slices.Sorted(slices.Values(gap.FindAllString(s, -1))); !slices.Equal(got, want) && form == "other" {
			t.Errorf("%s: %q has the gaps %v, want %v", language, key, got, want)
		}
		if language == resources.English && !plural && s != key {
			t.Errorf("en: %q is not its own translation", key)
		}
	}
}

// TestNothingIsMissingInEnglish says what core says in an English window on an
// American system: Fyne writes a line into the log for every text it can't find.
func TestNothingIsMissingInEnglish(t *testing.T) {
	t.Setenv("LC_ALL", "en_US.UTF-8")
	var said bytes.Buffer
	log.SetOutput(&said)
	defer log.SetOutput(os.Stderr)
	b := newBench(t, wiki(), shop())
	for _, sc := range scenes {
		b.show(t, sc)
		b.closeAll()
	}
	if said.Len() > 0 {
		t.Errorf("the log says\n%.2000s", said.String())
	}
}
