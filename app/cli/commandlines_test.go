package cli

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
)

// TestCommandsInDocumentsAreRight looks at what can't be run, as it names other
// machines: in every sh and yaml block of the documents each line that calls moult
// must have a command, flags and arguments that exist, and TOML must be TOML. The
// console blocks are run by TestDocumentsTellTheTruth.
func TestCommandsInDocumentsAreRight(t *testing.T) {
	names, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	units, err := filepath.Glob("../../resources/linux/*.service")
	if err != nil {
		t.Fatal(err)
	}
	fence := regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	inline := regexp.MustCompile("`(moult [a-z][^`]*)`")
	calls := 0
	for _, name := range append(names, "../../README.md", "../../CONTRIBUTING.md") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range inline.FindAllSubmatch(text, -1) {
			calls++
			if _, _, err := parseCall(string(m[1])); err != nil {
				t.Errorf("%s: %s: %v", name, m[1], err)
			}
		}
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			switch kind, block := m[1], m[2]; kind {
			case "sh", "yaml":
				for _, line := range moultLines(block) {
					calls++
					if err := checkCall(line); err != nil {
						t.Errorf("%s: %s: %v", name, line, err)
					}
				}
			case "toml":
				var v map[string]any
				if err := toml.Unmarshal([]byte(block), &v); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			case "console", "json", "text", "":
			default:
				t.Errorf("%s: nothing looks at a block of %s", name, kind)
			}
		}
	}
	for _, name := range units {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range moultLines(strings.ReplaceAll(string(text), "ExecStart=/usr/bin/", "")) {
			calls++
			if err := checkCall(line); err != nil {
				t.Errorf("%s: %s: %v", name, line, err)
			}
		}
	}
	if calls < 10 {
		t.Errorf("only %d calls of moult were found", calls)
	}
}

// moultLines are the lines of a block that call moult, continued ones joined.
func moultLines(block string) (lines []string) {
	block = strings.ReplaceAll(block, "\\\n", " ")
	return regexp.MustCompile(`(?m)^[ \t-]*(?:\./)?moult .*$`).FindAllString(block, -1)
}

// checkCall looks at the arguments of a call as the program would, without doing
// anything.
func checkCall(line string) error {
	cmd, args, err := parseCall(line)
	if err != nil {
		return err
	}
	if err := cmd.ValidateArgs(args); err != nil {
		return err
	}
	return cmd.ValidateRequiredFlags()
}

// parseCall finds the command of a line and reads its flags.
func parseCall(line string) (*cobra.Command, []string, error) {
	words := strings.Fields(strings.TrimLeft(line, " \t-"))
	for i, w := range words {
		words[i] = strings.Trim(w, `'"`)
	}
	cmd, rest, err := (&Program{}).command().Find(words[1:])
	if err != nil {
		return nil, nil, err
	}
	if !cmd.HasParent() {
		return nil, nil, errors.New("is no command")
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return nil, nil, err
	}
	return cmd, cmd.Flags().Args(), nil
}
