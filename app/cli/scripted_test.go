package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestEveryCommandIsScripted looks in the scripts of testdata for every command, for
// its JSON, for every flag of it, and for every exit code.
func TestEveryCommandIsScripted(t *testing.T) {
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no scripts: ", err)
	}
	var lines []string
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, regexp.MustCompile(`(?m)^.*\bmoult .*$`).FindAllString(string(text), -1)...)
	}
	find := func(pattern string) bool {
		re := regexp.MustCompile(pattern)
		for _, line := range lines {
			if re.MatchString(line) {
				return true
			}
		}
		return false
	}
	for _, code := range []int{exitFailed, exitUsage, exitAttention, exitLocked, exitUntrusted, exitWaiting, exitDiffers} {
		if !find(`^exits ` + strconv.Itoa(code) + ` moult `) {
			t.Errorf("no script expects exit code %d", code)
		}
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" {
			return // it is cobra's own, and prints what shells read
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		if cmd.RunE == nil || !cmd.HasParent() || cmd.Hidden {
			return
		}
		path := regexp.QuoteMeta(cmd.CommandPath())
		if !find(`^(?:exec .*|json )?\b` + path + `\b`) {
			t.Errorf("no script runs %s with success", cmd.CommandPath())
		}
		if !find(`^json ` + path + ` .*--json\b`) {
			t.Errorf("no script looks at the JSON of %s", cmd.CommandPath())
		}
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !find(path+`\b.* --`+f.Name+`\b`) {
				t.Errorf("no script runs %s --%s", cmd.CommandPath(), f.Name)
			}
		})
	}
	walk((&Program{}).command())
}
