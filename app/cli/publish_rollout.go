package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"moult/core/publish"
	"moult/core/release"
)

func (p *Program) publishRolloutCommand() *cobra.Command {
	o := publish.RolloutOptions{Percent: -1}
	cmd := &cobra.Command{
		Use:   "rollout REPO --percent N",
		Short: "Offer the newest release to more sites, or to no more of them",
		Long:  "Offer the newest release of a channel to N per cent of the sites. A wider share includes\nthe sites of a narrower one; 0 halts the release. Sites that have it keep it.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Percent < 0 || o.Percent > 100 {
				return usagef("--percent %d: want 0 to 100", o.Percent)
			}
			o.Keys.Unlock = p.unlock
			return p.published(publish.Rollout(cmd.Context(), args[0], o), map[string]any{"channel": o.Channel, "percent": o.Percent},
				"The newest release of %s is offered to %d %% of the sites.", o.Channel, o.Percent)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.Percent, "percent", -1, "per cent of the sites that are offered the release")
	f.StringVar(&o.Channel, "channel", "stable", "release channel")
	f.BoolVar(&o.Critical, "critical", false, "say that every site should take this release")
	f.StringVar(&o.Keys.Place, "keys", "", keysHelp)
	f.BoolVar(&o.Keys.HandOn, "hand-on", false, handOnHelp)
	cmd.MarkFlagRequired("percent")
	return cmd
}

func (p *Program) publishMirrorsCommand() *cobra.Command {
	keys := publish.KeySource{Unlock: p.unlock}
	cmd := &cobra.Command{
		Use:   "mirrors REPO [URL…]",
		Short: "Name further places that hand the packages out, best first; none removes them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			mirrors := args[1:]
			return p.published(publish.SetMirrors(cmd.Context(), args[0], mirrors, keys, time.Time{}), map[string]any{"mirrors": mirrors},
				"%s names %s.", args[0], plural(len(mirrors), "mirror"))
		},
	}
	cmd.Flags().StringVar(&keys.Place, "keys", "", keysHelp)
	cmd.Flags().BoolVar(&keys.HandOn, "hand-on", false, handOnHelp)
	return cmd
}

func (p *Program) publishKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keys REPO",
		Short: "Print the public keys that sign packages, for source.keys of sites without TUF",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			keys, err := publish.PackageKeys(args[0])
			if err != nil {
				return bad(err)
			}
			if p.json {
				return p.printJSON(keys)
			}
			for _, k := range keys {
				p.printf("%s", k)
			}
			return nil
		},
	}
}

func (p *Program) publishFleetCommand() *cobra.Command {
	var fleet publish.Fleet
	var channel string
	cmd := &cobra.Command{
		Use:   "fleet REPO",
		Short: "Reckon what a fleet of sites that follow the newest release would transfer",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if fleet.Sites < 1 || fleet.Days < 1 || len(fleet.Ramp) == 0 || slices.Min(fleet.Ramp) < 0 || slices.Max(fleet.Ramp) > 100 {
				return usagef("want at least one site and one day, and a ramp of 0 to 100 per cent")
			}
			var err error
			if fleet.Version, fleet.Costs, err = publish.MeasureFleet(args[0], channel); err != nil {
				return bad(err)
			}
			days := fleet.Run()
			if p.json {
				return p.printJSON(days)
			}
			t := p.table()
			fmt.Fprintln(t, "day\tchecks\trequests\tmetadata\tpackages\tdelta\tpatch\tfull\tcurrent")
			for _, d := range days {
				fmt.Fprintf(t, "%d\t%d\t%d\t%s\t%s\t%d\t%d\t%d\t%d\n", d.Day, d.Checks, d.Requests,
					humanize.Bytes(uint64(d.Metadata)), humanize.Bytes(uint64(d.Packages)),
					d.Updated[release.DeltaPack], d.Updated[release.PatchPack], d.Updated[release.Full], d.Current)
			}
			return t.Flush()
		},
	}
	f := cmd.Flags()
	f.IntVar(&fleet.Sites, "sites", 100_000, "how many sites")
	f.IntVar(&fleet.Days, "days", 14, "how many days")
	f.IntSliceVar(&fleet.Ramp, "ramp", []int{1, 10, 50, 100}, "per cent that the release is offered to on each day")
	f.IntVar(&fleet.Weekly, "weekly", 10, "per cent of the sites that look once a week only")
	f.IntVar(&fleet.Edited, "edited", 15, "per cent of the sites where an edited file rules the delta out")
	f.IntVar(&fleet.Behind, "behind", 3, "per cent of the sites that are too old for delta and patch")
	f.StringVar(&channel, "channel", "stable", "release channel")
	return cmd
}
