package words

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// shout translates into a language that is easy to tell apart: capital letters.
func shout(phrase string) string {
	var b strings.Builder
	p := parsePhrase(phrase)
	for i, g := range p.gaps {
		b.WriteString(strings.ToUpper(p.literals[i]) + g.name)
	}
	return b.String() + strings.ToUpper(p.literals[len(p.gaps)]) + "\u200b" // never the phrase itself
}

func TestTranslateTakesTextsApart(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a sentence", "The disk is fine.", "The disk is fine."},
		{"a phrase with gaps", "The update needs 12 MB on the disk; 41 GB are free.", "THE UPDATE NEEDS 12 MB ON THE DISK; 41 GB ARE FREE."},
		{"a capital that core put there", "Nothing can be changed in the site's directory: read-only file system.", "NOTHING CAN BE CHANGED IN THE SITE'S DIRECTORY: read-only file system."},
		{"several sentences", "A patch leads from 1.4.2 to 1.5.0. It is 1.8 MB; the full package would be 64 MB.", "A PATCH LEADS FROM 1.4.2 TO 1.5.0. IT IS 1.8 MB; THE FULL PACKAGE WOULD BE 64 MB."},
		{"a list", "add column theme, change column note (type, default), drop index i", "ADD COLUMN theme, CHANGE COLUMN note (TYPE, DEFAULT), DROP INDEX i"},
		{"an object", "table users, column add column", "TABLE users, COLUMN add column"},
		{"a name that is a phrase", "drop column instant", "DROP COLUMN instant"},
		{"a phrase in a phrase", "Column fax of users: values longer than 9 bytes are cut, NULLs become ''. The old values are kept until the restore point is discarded.",
			"COLUMN fax OF users: VALUES LONGER THAN 9 BYTES ARE CUT, NULLS BECOME ''. THE OLD VALUES ARE KEPT UNTIL THE RESTORE POINT IS DISCARDED."},
		{"the words of a server", "Access denied for user 'wiki'@'localhost'", "Access denied for user 'wiki'@'localhost'"},
		{"a stage and a server", "expand schema: Duplicate entry '1' for key 'k'", "EXPAND SCHEMA: Duplicate entry '1' for key 'k'"},
		{"an empty text", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.ReplaceAll(Translate(c.text, shout), "\u200b", ""); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := Translate(c.text, func(phrase string) string { return phrase }); got != c.text {
				t.Errorf("English has become %q", got)
			}
		})
	}
}

func TestWhatIsNoPhraseIsGivenUpSoon(t *testing.T) {
	for _, text := range []string{strings.Repeat("a, b. c: ", 800), strings.Repeat("add column x, ", 500) + "?", strings.Repeat("(", 2000), strings.Repeat("x", 1<<20)} {
		r := reader{seen: map[string]*reading{}, lookup: shout}
		r.translate(text)
		if n := len(r.seen); n > mostReads+1 {
			t.Errorf("a text of %d bytes took %d reads", len(text), n)
		}
	}
}

func FuzzTranslateLosesNothing(f *testing.F) {
	f.Add("table a, column b: change column c (type). It is 5 MB")
	f.Fuzz(func(t *testing.T, text string) {
		if got := Translate(text, func(phrase string) string { return phrase }); got != text {
			t.Errorf("%q has become %q", text, got)
		}
	})
}

// TestEverythingThatCoreSaysIsAPhrase reads the source of core and looks up every
// text that it puts where an admin reads it.
func TestEverythingThatCoreSaysIsAPhrase(t *testing.T) {
	checked := 0
	for _, dir := range []string{"database", "files", "release", "schema", "site", "trust", "update"} {
		s := newSayings(t, filepath.Join("../../core", dir))
		for _, at := range s.positions() {
			for _, text := range s.found[at] {
				checked++
				gap := &reading{phrase: &phrase{key: hole}, whole: true}
				if r := (reader{seen: map[string]*reading{hole: gap}, lookup: shout}); !known(r, text) {
					t.Errorf("%s: %q is no phrase", at, text)
				}
			}
		}
	}
	if checked < 250 {
		t.Errorf("found %d texts; the test reads the source wrongly", checked)
	}
}

// known reports whether a text is a phrase with nothing but names in its gaps, or is
// made of such phrases.
func known(r reader, text string) bool {
	found := r.read(text)
	if found.phrase == nil {
		return false
	}
	for _, part := range found.gaps {
		if anyWord.MatchString(part) && !command.MatchString(part) && !known(r, part) {
			return false
		}
	}
	return true
}

var (
	// anyWord finds a word in what fills a gap, where a name is a hole.
	anyWord = regexp.MustCompile(`[a-z]{2}`)
	// command is something to type, which is the same in any language.
	command = regexp.MustCompile(`^(SET |chown |chattr |location |systemctl )`)
)

// Places where core says something to people: fields of its values, arguments of
// its functions by their number, results of functions, and tables.
var (
	sayingFields = []string{"Text", "Hint", "Reason", "Note", "Notes", "Change", "Object", "Detail", "Blocked", "Warnings", "change", "text"}
	sayingVars   = []string{"what", "object", "text", "hint", "change", "reason", "note", "linkHint"}
	sayingCalls  = map[string][]int{
		"files.add": {2, 3}, "files.block": {2, 3}, "files.say": {0}, "update.warn": {0},
		"release.strategy": {2}, "release.full": {1}, "database.doubtf": {0}, "schema.value": {0},
		"schema.refuse": {0},
	}
	sayingFuncs = []string{
		"release.needsFull", "release.costs", "release.passedOver", "release.size", "schema.indexTitle", "schema.indexName",
		"database.String", "database.scratchRefusal", "files.shownDir", "update.recommend", "site.passwordFault", "site.parseHours",
		"release.pathFault", "release.nameFault", "database.orphans",
	}
	// notSaid are values that have the name of a field above and mean something else.
	notSaid = regexp.MustCompile(`^(parse\.|Default$|schema\.Default$|Statement$|token$|Expr)`)
)

// fragments are parts of texts that stand in the source by themselves: the whole
// is among Phrases.
var fragments = []string{hole + "index " + hole, hole + ", as in " + hole + ".", "(rows: " + hole + ")", hole + " at " + hole, "of unknown size", "in (" + hole + ")"}

// sayings are the texts of a package by their places. Each gap is filled with a
// sign that is no word.
type sayings struct {
	t      *testing.T
	pkg    string
	set    *token.FileSet
	consts map[string]string
	found  map[string][]string
}

func newSayings(t *testing.T, dir string) *sayings {
	t.Helper()
	s := &sayings{t: t, pkg: filepath.Base(dir), set: token.NewFileSet(), consts: map[string]string{}, found: map[string][]string{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(s.set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
		ast.Inspect(f, s.constant)
	}
	for _, f := range parsed {
		ast.Inspect(f, s.visit)
	}
	return s
}

func (s *sayings) positions() []string {
	var all []string
	for at := range s.found {
		all = append(all, at)
	}
	slices.Sort(all)
	return all
}

func (s *sayings) constant(n ast.Node) bool {
	if spec, ok := n.(*ast.ValueSpec); ok && spec.Type == nil && len(spec.Values) == 1 {
		if l, ok := spec.Values[0].(*ast.BasicLit); ok && l.Kind == token.STRING {
			s.consts[spec.Names[0].Name], _ = strconv.Unquote(l.Value)
		}
	}
	return true
}

func (s *sayings) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if notSaid.MatchString(typeName(n.Type)) {
			return true
		}
		for _, e := range n.Elts {
			if kv, ok := e.(*ast.KeyValueExpr); ok {
				if key, ok := kv.Key.(*ast.Ident); ok && slices.Contains(sayingFields, key.Name) {
					s.say(kv.Value)
				}
			}
		}
		if typeName(n.Type) == "[]refusal" {
			for _, row := range n.Elts {
				s.say(row.(*ast.CompositeLit).Elts[2])
			}
		}
	case *ast.AssignStmt:
		for i, l := range n.Lhs {
			if len(n.Lhs) == len(n.Rhs) && s.isSaying(l) {
				s.say(n.Rhs[i])
			}
		}
	case *ast.CallExpr:
		name := s.pkg + "." + callName(n)
		for _, i := range sayingCalls[name] {
			if i < len(n.Args) {
				s.say(n.Args[i])
			}
		}
	case *ast.FuncDecl:
		if slices.Contains(sayingFuncs, s.pkg+"."+n.Name.Name) {
			ast.Inspect(n.Body, func(m ast.Node) bool {
				if r, ok := m.(*ast.ReturnStmt); ok {
					for _, e := range r.Results {
						s.say(e)
					}
				}
				return true
			})
		}
	}
	return true
}

func (s *sayings) isSaying(l ast.Expr) bool {
	switch l := l.(type) {
	case *ast.SelectorExpr:
		return slices.Contains(sayingFields, l.Sel.Name)
	case *ast.Ident:
		return slices.Contains(sayingVars, l.Name)
	}
	return false
}

func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return typeName(e.X) + "." + e.Sel.Name
	case *ast.ArrayType:
		return "[]" + typeName(e.Elt)
	}
	return ""
}

func callName(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// hole fills a gap: no word of any phrase.
const hole = "⌷"

var (
	verb = regexp.MustCompile(`%(\[\d\])?[sqvdw]`)
	// prose is a line of at least two words: neither part of an address nor a file.
	prose = regexp.MustCompile(`^[^\n]*([a-z]{2}[^\n]* | [^\n]*[a-z]{2})[^\n]*$`)
)

// ruleName begins a warning; the window leaves it out.
var ruleName = regexp.MustCompile(`^[A-Z]\d+: `)

// say notes what an expression says.
func (s *sayings) say(e ast.Expr) {
	text, ok := s.text(e)
	text = ruleName.ReplaceAllString(strings.Trim(text, " ,;"), "")
	if ok && prose.MatchString(text) && !slices.Contains(fragments, text) {
		at := s.set.Position(e.Pos())
		place := fmt.Sprintf("%s:%03d", at.Filename, at.Line)
		s.found[place] = append(s.found[place], text)
	}
}

// text is an expression with a hole for each part that is known only when it runs.
func (s *sayings) text(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return strings.ReplaceAll(verb.ReplaceAllString(text, hole), "%%", "%"), err == nil && e.Kind == token.STRING
	case *ast.Ident:
		if text, known := s.consts[e.Name]; known {
			return text, true
		}
		return hole, true
	case *ast.BinaryExpr:
		left, _ := s.text(e.X)
		right, _ := s.text(e.Y)
		return left + right, e.Op == token.ADD
	case *ast.CompositeLit:
		for _, part := range e.Elts {
			s.say(part)
		}
		return "", false
	case *ast.CallExpr:
		switch callName(e) {
		case "Sprintf", "Errorf", "New", "append", "doubtf":
			at := 0
			if callName(e) == "append" {
				for _, part := range e.Args[1:] {
					s.say(part)
				}
				return "", false
			}
			return s.text(e.Args[at])
		}
	}
	return hole, true
}
