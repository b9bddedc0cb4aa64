package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the directory of the repository.
const root = "../.."

// TestDocumentsTellTheTruth runs every ```console block of the documents: the lines
// that begin with "$ " are commands, the others what they must print. In those "…"
// stands for anything, and alone on a line for any number of lines.
func TestDocumentsTellTheTruth(t *testing.T) {
	names, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, name := range append(names, root+"/README.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			dir := t.TempDir()
			for _, block := range consoleBlocks(string(text)) {
				for _, step := range block {
					commands++
					cmd := exec.Command("sh", "-c", step.command)
					cmd.Dir = dir
					cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir+"/.config", "XDG_CACHE_HOME="+dir+"/.cache")
					out, _ := cmd.CombinedOutput()
					if !regexp.MustCompile(step.pattern).Match(out) {
						t.Errorf("$ %s\nprinted:\n%s\nthe document says:\n%s", step.command, out, step.output)
					}
				}
			}
		})
	}
	if commands < 10 {
		t.Errorf("only %d commands were found in the documents", commands)
	}
}

type step struct{ command, output, pattern string }

func consoleBlocks(text string) [][]step {
	var blocks [][]step
	for _, m := range regexp.MustCompile("(?ms)^```console\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		var steps []step
		for _, line := range strings.Split(strings.TrimSuffix(m[1], "\n"), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command})
			} else if len(steps) > 0 {
				steps[len(steps)-1].output += line + "\n"
			}
		}
		for i := range steps {
			steps[i].pattern = pattern(steps[i].output)
		}
		blocks = append(blocks, steps)
	}
	return blocks
}

// pattern turns expected output into a regular expression.
func pattern(output string) string {
	var b strings.Builder
	b.WriteString(`(?s)^`)
	for line := range strings.Lines(output) {
		if line == "…\n" {
			b.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		line = strings.TrimRight(line, " \n")
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^\n]*`) + ` *\n`)
	}
	b.WriteString(`$`)
	return b.String()
}

// TestDocumentsNameWhatIsThere looks up every make target, file and package that the
// documents name.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	makefile, err := os.ReadFile(root + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(root + "/docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, root+"/README.md", root+"/CONTRIBUTING.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllSubmatch(text, -1) {
			if !regexp.MustCompile(`(?m)^` + string(m[1]) + `:`).Match(makefile) {
				t.Errorf("%s: there is no make %s", name, m[1])
			}
		}
		for _, m := range regexp.MustCompile(`\]\(([^):#]+)\)`).FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), string(m[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range regexp.MustCompile("`((?:core|app)/[a-z_/.]+)`").FindAllSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, string(m[1]))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
