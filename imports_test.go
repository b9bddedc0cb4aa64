package main

import (
	"os/exec"
	"strings"
	"testing"
)

// floors say how high each package stands in the house. A package imports only
// packages of lower floors, so that the story can be read from the top.
var floors = map[string]int{
	"core/release":           0,
	"core/schema":            0,
	"core/database/embedded": 0,
	"core/schema/parse":      1,
	"core/site":              1,
	"core/archive":           1,
	"core/fetch":             1,
	"core/delta":             2,
	"core/trust":             2,
	"core/files":             2,
	"core/database":          2,
	"core/update":            3,
	"core/publish":           3,
	"core/patch":             3,
	"core/demo":              4,
	"app/hush":               0,
	"app/words":              5,
	"widgets":                5,
	"resources":              4,
	"app":                    6,
	"app/cli":                6,
	"":                       7,
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// own returns the part of an import path below the module, and whether it is ours.
func own(path string) (string, bool) {
	if path == "moult" {
		return "", true
	}
	return strings.CutPrefix(path, "moult/")
}

func TestImportsPointDown(t *testing.T) {
	for _, line := range list(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		paths := strings.Fields(line)
		pkg, _ := own(paths[0])
		floor, known := floors[pkg]
		if !known {
			t.Errorf("package %s has no floor in this test", pkg)
			continue
		}
		for _, path := range paths[1:] {
			if imported, ours := own(path); ours && floors[imported] >= floor {
				t.Errorf("%s imports %s, which stands no lower", pkg, imported)
			}
		}
	}
}

func TestOnlyTheWindowKnowsFyne(t *testing.T) {
	for _, path := range list(t, "-deps", "./core/...", "./app/cli", "./app/words") {
		if strings.HasPrefix(path, "fyne.io/") {
			t.Errorf("core or the command line depends on %s", path)
		}
	}
	for _, path := range list(t, "-deps", "-tags", "headless", ".") {
		if strings.HasPrefix(path, "fyne.io/") || strings.HasPrefix(path, "github.com/go-gl/") {
			t.Errorf("the headless build depends on %s", path)
		}
	}
	for _, line := range list(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./widgets") {
		for _, path := range strings.Fields(line)[1:] {
			if strings.HasPrefix(path, "moult/core") || strings.HasPrefix(path, "moult/app") {
				t.Errorf("widgets import %s; they know nothing of what they show", path)
			}
		}
	}
}

func TestEveryPackageHasADocFile(t *testing.T) {
	for _, line := range list(t, "-f", `{{.ImportPath}} {{join .GoFiles " "}}`, "./core/...", "./app/...", "./widgets") {
		if name, files, _ := strings.Cut(line, " "); !strings.Contains(" "+files+" ", " doc.go ") {
			t.Errorf("%s has no doc.go", name)
		}
	}
}
