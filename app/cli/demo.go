package cli

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"moult/core/database/embedded"
	"moult/core/demo"
)

func (p *Program) demoCommand() *cobra.Command {
	var headless bool
	var db string
	cmd := &cobra.Command{
		Use:   "demo [DIR]",
		Short: "Try Moult on a sample product with two sites and a database of its own",
		Long: "Make a publisher with signed releases, two sites and a private MariaDB in DIR, and open\n" +
			"the window on them. DIR is new, empty or a demo already; without DIR everything is in a\n" +
			"temporary directory and gone at the end. With --db the demo makes its databases on a server\n" +
			"that runs already, under names with moult_demo in them, drops them at the end and touches no\n" +
			"other. With --headless one update and its roll back are run and checked, without a window.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !headless && p.OpenWindow == nil {
				return usagef("this build has no window: say --headless")
			}
			if len(args) == 1 {
				return p.demo(cmd.Context(), args[0], db, headless)
			}
			dir, err := os.MkdirTemp("", "moult-demo-")
			if err != nil {
				return err
			}
			return errors.Join(p.demo(cmd.Context(), dir, db, headless), os.RemoveAll(dir))
		},
	}
	cmd.Flags().BoolVar(&headless, "headless", false, "run one update and its roll back without a window, and check them")
	cmd.Flags().StringVar(&db, "db", "embedded", `"embedded", or the DSN of a running server and an account without a password`)
	return cmd
}

func (p *Program) demo(ctx context.Context, dir, dsn string, headless bool) (err error) {
	if dsn == "embedded" {
		dsn = ""
	}
	d, err := demo.Build(ctx, dir, demo.Options{DSN: dsn, Report: func(line string) { p.sayf("%s", line) }})
	if errors.Is(err, embedded.ErrAbsent) {
		return fmt.Errorf("%w; or name a server with --db", err)
	}
	if errors.Is(err, demo.ErrNotDemo) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if !headless {
		return p.OpenWindow(d.Sites)
	}
	report, end := p.progress()
	defer end()
	tell := p.printf
	if p.json {
		tell = p.sayf
	}
	if err := d.Exercise(ctx, report, func(format string, args ...any) { end(); tell(format, args...) }); err != nil || !p.json {
		return err
	}
	return p.printJSON(map[string]any{"directory": dir, "sites": d.Sites})
}
