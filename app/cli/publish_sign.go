package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moult/core/publish"
)

func (p *Program) publishSignCommand() *cobra.Command {
	keys := publish.KeySource{Unlock: p.unlock}
	var drop bool
	cmd := &cobra.Command{
		Use:   "sign REPO",
		Short: "Add your signature to a change that others have begun, and publish it with the last one",
		Long:  "Sign what another --hand-on command has left, after its files were checked, and list what it\nchanges. When enough keys have signed, and those of snapshot and timestamp are at hand, the\nchange is published.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if drop {
				if err := publish.Drop(args[0]); err != nil {
					return bad(err)
				}
				return p.done(map[string]any{"state": "dropped"}, "The change of %s is dropped.", args[0])
			}
			changes, err := publish.Sign(cmd.Context(), args[0], keys, time.Time{})
			if p.json {
				return p.published(err, map[string]any{"changes": newTargetDocs(changes)}, "")
			}
			t := p.table()
			for _, c := range changes {
				switch {
				case c.Kind == publish.Removed:
					fmt.Fprintf(t, "%s\t%s\n", c.Kind, c.Target)
				case c.Kind == publish.Mirrored && len(c.Mirrors) == 0:
					fmt.Fprintf(t, "%s\tnone any more\n", c.Kind)
				case c.Kind == publish.Mirrored:
					fmt.Fprintf(t, "%s\t%s\n", c.Kind, strings.Join(c.Mirrors, " "))
				default:
					fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", c.Kind, c.Target, size(c.Size), c.Digest)
				}
			}
			return errors.Join(t.Flush(), p.published(err, map[string]any{}, "Published the change of %s.", args[0]))
		},
	}
	f := cmd.Flags()
	f.StringVar(&keys.Place, "keys", "", keysHelp)
	f.BoolVar(&drop, "drop", false, "forget the change instead")
	return cmd
}

// targetDoc is a file that a change adds or removes, or the mirrors that it names, as
// `publish sign --json` shows it.
type targetDoc struct {
	Kind    publish.ChangeKind `json:"change"`
	Target  string             `json:"target"`
	Size    int64              `json:"size"`
	SHA256  string             `json:"sha256"`
	Mirrors []string           `json:"mirrors,omitempty"`
}

func newTargetDocs(changes []publish.Change) []targetDoc {
	docs := make([]targetDoc, len(changes))
	for i, c := range changes {
		docs[i] = targetDoc{c.Kind, c.Target, c.Size, c.Digest.Hex(), c.Mirrors}
	}
	return docs
}

func (p *Program) publishPruneCommand() *cobra.Command {
	var o publish.PruneOptions
	cmd := &cobra.Command{
		Use:   "prune REPO --keep N",
		Short: "Remove old releases and what nothing leads to any more",
		Long:  "Keep the newest N releases of each channel and the versions that no update may skip. Sites\non a release that is gone get full packages.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Keep < 1 {
				return usagef("--keep %d: want at least 1", o.Keep)
			}
			o.Keys.Unlock = p.unlock
			pruned, err := publish.Prune(cmd.Context(), args[0], o)
			if pruned == nil {
				return bad(err)
			}
			if !p.json {
				for _, v := range pruned.Releases {
					p.printf("%s", v)
				}
			}
			doc := map[string]any{"releases": orEmpty(pruned.Releases), "files": pruned.Files, "bytes": pruned.Bytes}
			return p.published(err, doc, "Removed %s and %s, %s.", plural(len(pruned.Releases), "release"), plural(pruned.Files, "file"), size(pruned.Bytes))
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Keep, "keep", 0, "how many of the newest releases of each channel stay")
	f.StringVar(&o.Keys.Place, "keys", "", keysHelp)
	f.BoolVar(&o.Keys.HandOn, "hand-on", false, handOnHelp)
	cmd.MarkFlagRequired("keep")
	return cmd
}
