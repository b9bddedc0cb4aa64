package cli

import (
	"encoding/json"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/archive"
	"moult/core/patch"
	"moult/core/release"
)

func (p *Program) patchCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "patch", Short: "Apply a package from anywhere, without a publisher or a server"}
	cmd.AddCommand(p.patchApplyCommand(), p.patchUndoCommand())
	return cmd
}

func (p *Program) patchApplyCommand() *cobra.Command {
	var o patch.Options
	var operations string
	cmd := &cobra.Command{
		Use:   "apply SITE-DIR PACKAGE",
		Short: "Apply a package to a directory, wholly or not at all",
		Long:  "The package is a .tar.gz, .tar.xz, .tar.zst or .zip. What it does is in --operations, in the package\nitself, or is the replacing of each file in it. Nobody has signed it: be sure where it comes from.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if operations != "" {
				b, err := p.readInput(operations)
				if err != nil {
					return usageError{err}
				}
				o.Operations = new(release.Operations)
				if err := json.Unmarshal(b, o.Operations); err != nil {
					return usagef("%s: %w", operations, err)
				}
			}
			r, err := patch.Apply(cmd.Context(), args[0], args[1], o)
			if err != nil {
				return patchFailure(err)
			}
			if r.Restored {
				p.sayf("An earlier patch that was cut off was undone first.")
			}
			for _, n := range r.Notes {
				p.sayf("%s", words.Sentence(n))
			}
			if p.json {
				return p.printJSON(r)
			}
			p.printf("%d changed, %d new, %d removed", r.Counts.Changed, r.Counts.New, r.Counts.Removed)
			return nil
		},
	}
	cmd.Flags().StringVar(&operations, "operations", "", `JSON file with the operations, as in a manifest: {"replace": …, "delete": …}`)
	cmd.Flags().BoolVar(&o.Backup, "backup", false, "keep the way back in .moult, for 'moult patch undo'")
	return cmd
}

func (p *Program) patchUndoCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "undo SITE-DIR",
		Short: "Take back the newest patch that was applied with --backup",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			notes, err := patch.Undo(cmd.Context(), args[0])
			for _, n := range notes {
				p.sayf("%s", words.Sentence(n))
			}
			if err != nil {
				return patchFailure(err)
			}
			return p.done(map[string]any{"state": "undone"}, "The patch is taken back.")
		},
	}
}

// patchFailure tells input that is wrong from a disk that is in the way.
func patchFailure(err error) error {
	for _, bad := range []error{archive.ErrRefused, patch.ErrManaged, patch.ErrNoPatch, fs.ErrNotExist} {
		if errors.Is(err, bad) {
			return usageError{err}
		}
	}
	return err
}
