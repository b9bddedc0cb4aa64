package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/release"
	"moult/core/update"
)

// Program is one start of Moult.
type Program struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Version        string // of this build, as in "1.0.0"; "" for one without a version
	// OpenWindow shows the window, on the given sites or on those that the user
	// has added. It is nil in a build without a window.
	OpenWindow func(sites []string) error

	// Flags that every command has.
	json, quiet, yes bool
	medium           string // --from, of those that take it
	ran              bool   // a command has begun: errors are no longer about usage

	line *progress // on standard error, nil while there is none
}

// Run does what the arguments say and returns the exit code.
func (p *Program) Run(args []string) int {
	// The default action stays off until the end, so that a second Ctrl-C can't
	// cut off what the first one made stop at a safe point.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := p.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if !p.ran {
		// A flag or a command that is not known may have kept --json from being read.
		err, p.json = usageError{err}, p.json || slices.Contains(args, "--json")
	}
	code := exitCode(err)
	if told := code == exitDiffers || code == exitWaiting || errors.Is(err, errTold); !told {
		p.printError(err)
	}
	return code
}

// command builds the tree of commands.
func (p *Program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "moult",
		Short: "Keep a self-hosted site up to date: files and database together, and back",
		Long: "Moult updates a site's files and its database together, shows everything before it\n" +
			"happens, and can always go back. Without arguments it opens its window.",
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.OpenWindow == nil {
				return cmd.Help()
			}
			return p.OpenWindow(nil)
		},
	}
	root.SetIn(p.Stdin)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	flags := root.PersistentFlags()
	flags.BoolVar(&p.json, "json", false, "print one JSON document")
	flags.BoolVarP(&p.quiet, "quiet", "q", false, "print no progress and no messages")
	flags.BoolVarP(&p.yes, "yes", "y", false, "answer every question with its default, and confirm what can't be undone")
	root.AddCommand(
		p.demoCommand(), p.initCommand(), p.checkCommand(), p.skipCommand(), p.planCommand(),
		p.updateCommand(), p.rollbackCommand(), p.recoverCommand(), p.historyCommand(), p.discardCommand(),
		p.verifyCommand(), p.bundleCommand(), p.schemaCommand(), p.patchCommand(),
		p.publishCommand(), p.versionCommand(), p.manualCommand(root),
	)
	root.InitDefaultCompletionCmd()
	refuseUnknown(root)
	p.noteStart(root)
	addCompletions(root)
	return root
}

// refuseUnknown has the commands that only group others refuse what is none of them, as
// the root does by itself, and still show their help when nothing is asked of them.
func refuseUnknown(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		refuseUnknown(cmd)
		if cmd.Runnable() || !cmd.HasSubCommands() {
			continue
		}
		cmd.SuggestionsMinimumDistance = 2
		cmd.Args = cobra.ArbitraryArgs // completion's own are refused without a suggestion
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
			if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
				text += "; did you mean " + strings.Join(names, " or ") + "?"
			}
			return usageError{errors.New(text)}
		}
	}
}

// noteStart has every command say when it begins: what goes wrong before that is
// about how it was called.
func (p *Program) noteStart(cmd *cobra.Command) {
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			p.ran = true
			return run(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		p.noteStart(sub)
	}
}

// options are what the engine gets from this program.
func (p *Program) options() update.Options {
	o := update.Options{Password: p.askPassword, Medium: p.medium}
	if v, err := release.ParseVersion(p.Version); err == nil {
		o.Program = v
	}
	if os.Getenv("MOULT_LOG") != "" {
		o.Logger = slog.New(slog.NewJSONHandler(p.Stderr, nil))
	}
	return o
}

// printError says what went wrong, for a person or for a script.
func (p *Program) printError(err error) {
	p.endLine()
	var run runError
	errors.As(err, &run)
	x := words.Explain(err)
	if p.json {
		var e *update.Error
		doc := errorDoc{Message: err.Error(), Advice: x.Advice, Result: run.result, Hops: run.done}
		if errors.As(err, &e) {
			doc.Kind, doc.Stage, doc.Recoverable = e.Kind, e.Stage, e.Recoverable()
		}
		p.printJSON(map[string]any{"error": doc})
		return
	}
	fmt.Fprintf(p.Stderr, "moult: %s\n", x)
	if run.begun {
		fmt.Fprintf(p.Stderr, "%s\n", run.standing())
	}
}

// errorDoc is an error as --json shows it.
type errorDoc struct {
	Kind        update.Kind      `json:"kind,omitempty"`
	Stage       update.Stage     `json:"stage,omitempty"`
	Message     string           `json:"message"`
	Advice      string           `json:"advice,omitempty"`
	Recoverable bool             `json:"recoverable"`
	Result      *update.Result   `json:"result,omitempty"`
	Hops        []*update.Result `json:"hops,omitempty"` // what was done before it failed
}
