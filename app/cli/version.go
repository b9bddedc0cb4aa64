package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (p *Program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of Moult",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := p.Version
			if v == "" {
				v = "development"
			}
			commit := ""
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			if p.json {
				return p.printJSON(map[string]string{"version": v, "commit": commit, "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH})
			}
			p.printf("moult %s (%s, %s/%s)", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}
