package cli

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
)

// printJSON prints one document on standard output.
func (p *Program) printJSON(v any) error {
	p.endLine()
	enc := json.NewEncoder(p.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printf prints a line of the result.
func (p *Program) printf(format string, args ...any) {
	p.endLine()
	fmt.Fprintf(p.Stdout, format+"\n", args...)
}

// sayf prints a message for a person, unless --quiet forbids it.
func (p *Program) sayf(format string, args ...any) {
	if !p.quiet {
		p.endLine()
		fmt.Fprintf(p.Stderr, format+"\n", args...)
	}
}

// done tells what a command has done: a document for a script, a sentence for a person.
func (p *Program) done(doc map[string]any, format string, args ...any) error {
	if p.json {
		return p.printJSON(doc)
	}
	p.sayf(format, args...)
	return nil
}

// table returns a writer that lines up columns separated by tabs. The caller flushes it.
func (p *Program) table() *tabwriter.Writer {
	p.endLine()
	return tabwriter.NewWriter(p.Stdout, 0, 0, 2, ' ', 0)
}

func size(bytes int64) string { return humanize.Bytes(uint64(max(bytes, 0))) }

// plural puts an English noun after its count.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return humanize.Comma(int64(n)) + " " + noun + "s"
}
