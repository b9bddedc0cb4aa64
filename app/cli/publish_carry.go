package cli

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"moult/core/publish"
	"moult/core/release"
)

func (p *Program) publishCarryCommand() *cobra.Command {
	var o publish.CarryOptions
	var from, arch string
	cmd := &cobra.Command{
		Use:   "carry REPO FILE.zip",
		Short: "Put what leads to the newest release into one file, for sites without a network",
		Long:  "Write metadata, manifests and packages of the newest release into one file. On the site:\nmoult update SITE --from FILE.zip. Who made it is proven there; that it is the newest is not.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.From, err = versionFlag("from", from); err != nil {
				return err
			}
			if arch != "" {
				if o.Arch, err = release.ParseArch(arch); err != nil {
					return usagef("--arch: %w", err)
				}
			}
			f, err := os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
			if err != nil {
				return usageError{err}
			}
			packages, err := publish.Carry(cmd.Context(), args[0], f, o)
			if err := errors.Join(err, f.Close()); err != nil {
				return errors.Join(bad(err), os.Remove(args[1]))
			}
			if p.json {
				return p.printJSON(map[string]any{"file": args[1], "packages": packages})
			}
			for _, name := range packages {
				p.printf("%s", name)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Channel, "channel", "stable", "release channel")
	f.StringVar(&from, "from", "", "version of the sites, whose patches and deltas come along (full packages only)")
	f.StringVar(&arch, "arch", "", "architecture: x86_64 or aarch64 (all)")
	return cmd
}
