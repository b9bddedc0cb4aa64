package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/update"
)

// completions tells shells what can stand in the place of an argument, by its name in
// the usage line.
var completions = map[string]cobra.CompletionFunc{
	"DIR":         directories,
	"JOURNAL-DIR": directories,
	"REPO":        directories,
	"SITE":        directories,
	"SITE-DIR":    directories,
	"UPDATE-ID":   restorePoints,
}

// flagCompletions does the same for the values of flags, by their names.
var flagCompletions = map[string]cobra.CompletionFunc{
	"arch":      oneOf(release.X86_64, release.AArch64),
	"base":      withEnding("sql"),
	"flavor":    oneOf(schema.MariaDB, schema.MySQL, schema.TiDB),
	"format":    oneOf(formats...),
	"journal":   directories,
	"notes":     withEnding("md"),
	"on-edited": oneOf(files.ChoiceKeep, files.ChoiceNew, files.ChoiceBoth),
	"role":      oneOf(roles...),
	"root":      withEnding("json"),
	"schema":    withEnding("sql"),
	"scripts":   directories,
	"tree":      directories,
}

// addCompletions attaches the completions to a command and those below it.
func addCompletions(cmd *cobra.Command) {
	var arguments []string
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if word = strings.Trim(word, "[]…"); word == strings.ToUpper(word) && strings.Trim(word, "-") != "" {
			arguments = append(arguments, word)
		}
	}
	if slices.ContainsFunc(arguments, func(name string) bool { return completions[name] != nil }) {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
			if len(args) < len(arguments) && completions[arguments[len(args)]] != nil {
				return completions[arguments[len(args)]](cmd, args, begun)
			}
			return nil, cobra.ShellCompDirectiveDefault
		}
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if values := flagCompletions[f.Name]; values != nil {
			cmd.RegisterFlagCompletionFunc(f.Name, values)
		}
	})
	for _, sub := range cmd.Commands() {
		addCompletions(sub)
	}
}

func directories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

func withEnding(ending string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{ending}, cobra.ShellCompDirectiveFilterFileExt
	}
}

func oneOf[T ~string](values ...T) cobra.CompletionFunc {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = string(v)
	}
	return cobra.FixedCompletions(texts, cobra.ShellCompDirectiveNoFileComp)
}

// restorePoints are the updates of the site that stands before them.
func restorePoints(_ *cobra.Command, args []string, _ string) (ids []string, _ cobra.ShellCompDirective) {
	e, err := update.Open(args[0], update.Options{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	defer e.Close()
	records, err := e.History()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, r := range records {
		if r.CanRollBack || r.SetAside > 0 {
			ids = append(ids, cobra.CompletionWithDesc(r.ID, r.From.String()+" → "+r.To.String()))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}
