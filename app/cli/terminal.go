package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"moult/core/update"
)

// descriptor returns the file descriptor of a stream that is a terminal.
func descriptor(stream any) (int, bool) {
	f, ok := stream.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// interactive reports whether a person can be asked.
func (p *Program) interactive() bool {
	_, in := descriptor(p.Stdin)
	_, out := descriptor(p.Stderr)
	return in && out
}

// progress returns a receiver of events and the function that ends its line.
func (p *Program) progress() (update.Report, func()) {
	if p.quiet {
		return nil, func() {}
	}
	return p.newProgress().report, p.endLine
}

// newProgress makes the progress line that everything which is printed or asked
// from now on comes after.
func (p *Program) newProgress() *progress {
	fd, live := descriptor(p.Stderr)
	p.line = &progress{out: p.Stderr, live: live, width: func() int {
		w, _, err := term.GetSize(fd)
		if err != nil {
			return 0
		}
		return w
	}}
	return p.line
}

// endLine removes the progress line, so that what is printed next stands by itself.
// Progress that comes later begins a new one.
func (p *Program) endLine() {
	if p.line != nil {
		p.line.end()
	}
}

// confirm asks a question whose default is yes. flag is what answers it for
// somebody who isn't there.
func (p *Program) confirm(question, flag string) (bool, error) {
	answer, err := p.choose(question+" [Y/n]", flag, "y", "n")
	return answer == "y", err
}

// confirmLoss asks a question whose default is no, as what is done can't be undone. Only
// --yes says yes for somebody who isn't there.
func (p *Program) confirmLoss(question string) (bool, error) {
	if p.yes {
		return true, nil
	}
	answer, err := p.choose(question+" [y/N]", "--yes", "n", "y")
	return answer == "y", err
}

// choose asks for one of the answers, of which the first is the default.
func (p *Program) choose(question, flag string, answers ...string) (string, error) {
	if p.yes {
		return answers[0], nil
	}
	if !p.interactive() {
		return "", usagef("%s Nobody is there to answer: say %s", question, flag)
	}
	p.endLine()
	lines := bufio.NewReader(p.Stdin)
	for {
		fmt.Fprint(p.Stderr, question+" ")
		line, err := lines.ReadString('\n')
		if err != nil {
			return "", usagef("%s No answer: %w", question, err)
		}
		line = strings.ToLower(strings.TrimSpace(line))
		if line == "" {
			return answers[0], nil
		}
		for _, a := range answers {
			if line == a || (len(line) == 1 && line[0] == a[0]) {
				return a, nil
			}
		}
		fmt.Fprintf(p.Stderr, "Please answer %s.\n", strings.Join(answers, ", "))
	}
}

// askPassword reads a password without showing it.
func (p *Program) askPassword(_ context.Context, prompt string) (string, error) {
	fd, ok := descriptor(p.Stdin)
	if !ok {
		return "", usagef("%s: nobody is there to type it; set database.password_from in site.toml to env:, file: or keyring:", prompt)
	}
	p.endLine()
	fmt.Fprint(p.Stderr, prompt+": ")
	defer fmt.Fprintln(p.Stderr)
	b, err := term.ReadPassword(fd)
	return string(b), err
}

// readInput reads a file, or standard input for "-".
func (p *Program) readInput(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(p.Stdin)
	}
	return os.ReadFile(name)
}
