package cli

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var rewrite = flag.Bool("update", false, "write docs/commands.md anew")

// TestReferenceIsUpToDate compares docs/commands.md with the commands as they are.
// `go test ./app/cli -run Reference -update` writes it anew.
func TestReferenceIsUpToDate(t *testing.T) {
	const name = "../../docs/commands.md"
	var want bytes.Buffer
	want.WriteString(referenceHead)
	for _, e := range exitMeanings {
		fmt.Fprintf(&want, "| %d | %s |\n", e.code, e.meaning)
	}
	reference(&want, (&Program{}).command())
	if *rewrite {
		if err := os.WriteFile(name, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), want.String()); d != "" {
		t.Errorf("%s is out of date; go test ./app/cli -run Reference -update\n%s", name, d)
	}
}

const referenceHead = `# Commands

Written by a test from the program itself; see ` + "`app/cli/reference_test.go`" + `.

Results go to standard output, progress and messages to standard error. On a terminal progress is one line with
rate and time left; elsewhere it is a line for each stage, and nothing with ` + "`--quiet`" + `. ` + "`--json`" + ` prints one document
whose keys stay; an error is ` + "`{\"error\": {\"kind\", \"stage\", \"message\", \"advice\", …}}`" + `. A question is asked on a terminal only;
elsewhere ` + "`--yes`" + ` answers it with its default, and without it the command ends and names the flag. Ctrl-C cancels at
the next safe point.

| exit | meaning |
|---|---|
`

func reference(b *bytes.Buffer, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" {
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n    %s\n", cmd.CommandPath(), strings.TrimSpace(text), cmd.UseLine())
	flags := cmd.LocalFlags().FlagUsagesWrapped(100)
	if flags != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", strings.TrimRight(flags, "\n"))
	}
	for _, sub := range cmd.Commands() {
		reference(b, sub)
	}
}
