package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moult/core/archive"
	"moult/core/publish"
	"moult/core/release"
)

func (p *Program) publishCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "publish", Short: "Make, sign, check and serve releases"}
	cmd.AddCommand(
		p.publishInitCommand(), p.publishAddCommand(), p.publishRefreshCommand(),
		p.publishRotateCommand(), p.publishVerifyCommand(), p.publishServeCommand(),
		p.publishSignCommand(), p.publishPruneCommand(), p.publishCarryCommand(),
		p.publishRolloutCommand(), p.publishMirrorsCommand(), p.publishKeysCommand(), p.publishFleetCommand(),
	)
	return cmd
}

// keysHelp describes --keys wherever keys are read.
const keysHelp = `where the private keys are: a directory (REPO-keys), "env:NAME" or "-"`

// handOnHelp describes --hand-on wherever the targets are signed.
const handOnHelp = "sign with the keys at hand and let others add theirs: moult publish sign"

// unlock gives the passphrase of a key to core: from the environment, or typed in.
func (p *Program) unlock(key string) ([]byte, error) {
	if phrase, ok := os.LookupEnv("MOULT_KEY_PASSPHRASE"); ok {
		return []byte(phrase), nil
	}
	text, err := p.askPassword(context.Background(), "Passphrase of "+key)
	return []byte(text), err
}

// bad turns errors about what the user named into wrong usage.
func bad(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, publish.ErrNotRepository) || errors.Is(err, publish.ErrKeyPlace) || errors.Is(err, publish.ErrNoChange) {
		return usageError{err}
	}
	return err
}

// published says what a command has done, or that it is done when others have signed.
func (p *Program) published(err error, doc map[string]any, format string, args ...any) error {
	var pending *publish.PendingError
	if errors.As(err, &pending) {
		doc["state"], doc["missing"] = "pending", pending.Missing
		return p.done(doc, "Not published yet: waiting for %s. Next: moult publish sign %s", strings.Join(pending.Missing, " and "), pending.Repo)
	}
	if err != nil {
		return bad(err)
	}
	doc["state"] = "published"
	return p.done(doc, format, args...)
}

func (p *Program) publishInitCommand() *cobra.Command {
	var o publish.InitOptions
	var sealed bool
	cmd := &cobra.Command{
		Use:   "init REPO",
		Short: "Make a release repository and its keys",
		Long:  "Make an empty repository and the keys of its four TUF roles. Give root.json to the admins\nof sites; keep the keys to yourself, those of root and targets off every server.",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if sealed {
				o.Passphrase = p.unlock
			}
			if o.Keys == "" {
				o.Keys = publish.DefaultKeys(args[0])
			}
			if err := publish.Init(args[0], o); err != nil {
				return usageError{err}
			}
			return p.done(map[string]any{"repository": args[0], "keys": o.Keys},
				"Made %s. Give its root.json to the admins of sites, and keep %s to yourself.", args[0], o.Keys)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Keys, "keys", "", "directory for the private keys (REPO-keys)")
	f.IntVar(&o.Threshold, "threshold", 1, "how many keys have to sign root and targets")
	f.StringVar(&o.Product, "product", "", "name of the product, shown to admins as the signer")
	f.BoolVar(&o.Plain, "plain", false, "also lay the files out for clients without TUF")
	f.BoolVar(&sealed, "passphrase", false, "protect the keys with MOULT_KEY_PASSPHRASE or a typed passphrase")
	return cmd
}

func (p *Program) publishAddCommand() *cobra.Command {
	var r publish.Release
	var version, arch, date, minMoult, format string
	var patchFrom, stops []string
	var rollout int
	cmd := &cobra.Command{
		Use:   "add REPO --version V --tree DIR",
		Short: "Build, sign and add a release",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			for _, v := range []struct {
				flag, text string
				to         *release.Version
			}{{"version", version, &r.Version}, {"min-moult", minMoult, &r.MinMoult}} {
				if *v.to, err = versionFlag(v.flag, v.text); err != nil {
					return err
				}
			}
			if r.PatchFrom, err = versionsFlag("patch-from", patchFrom); err != nil {
				return err
			}
			if r.Stops, err = versionsFlag("stop", stops); err != nil {
				return err
			}
			if arch != "" {
				if r.Arch, err = release.ParseArch(arch); err != nil {
					return usagef("--arch: %w", err)
				}
			}
			if !slices.Contains(formats, archive.Format(format)) {
				return usagef("--format %s: want one of %v", format, formats)
			}
			r.Format = archive.Format(format)
			if date != "" {
				if r.Date, err = time.Parse(time.RFC3339, date); err != nil {
					return usagef("--date: %w", err)
				}
			}
			if cmd.Flags().Changed("rollout") {
				r.Rollout, r.Halted = rollout, rollout == 0
			}
			r.Keys.Unlock = p.unlock
			end := func() {}
			if !p.quiet {
				pr := p.newProgress()
				r.Report, end = pr.making, pr.end
			}
			err = publish.Add(cmd.Context(), args[0], r)
			end()
			return p.published(err, map[string]any{"version": r.Version}, "Added %s to %s.", r.Version, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&version, "version", "", "version of the release")
	f.StringVar(&r.Tree, "tree", "", "directory with the release's files")
	f.StringVar(&r.Schema, "schema", "", "SQL file with the release's whole schema")
	f.StringVar(&r.Notes, "notes", "", "Markdown file with the release notes")
	f.StringVar(&arch, "arch", "", "architecture of the package: x86_64 or aarch64 (any)")
	f.StringVar(&r.Channel, "channel", "stable", "release channel")
	f.StringSliceVar(&patchFrom, "patch-from", nil, "make a patch from these versions, too")
	f.IntVar(&r.PatchLast, "patch-last", 0, "make a patch from the newest so many releases, too")
	f.BoolVar(&r.GoOnly, "without-zstd", false, "make deltas without the zstd command, so that they are the same on every machine")
	f.BoolVar(&r.Delta, "delta", false, "make a pack of differences from each --patch-from, too")
	f.StringVar(&r.Scripts, "scripts", "", "directory with data scripts NN-name.sql and NN-name.undo.sql")
	f.StringVar(&format, "format", "tar.zst", "format of the packages: tar.zst, tar.xz or tar.gz")
	f.StringVar(&r.Keys.Place, "keys", "", keysHelp)
	f.BoolVar(&r.Keys.HandOn, "hand-on", false, handOnHelp)
	f.StringSliceVar(&stops, "stop", nil, "versions that no update may skip")
	f.BoolVar(&r.Critical, "critical", false, "say that every site should take this release")
	f.IntVar(&rollout, "rollout", 100, "per cent of the sites that are offered the release; 0 holds it back")
	f.StringVar(&minMoult, "min-moult", "", "oldest version of Moult that can install the release")
	f.StringVar(&date, "date", "", "date of the release (now), as in 2026-11-12T09:00:00Z")
	cmd.MarkFlagRequired("version")
	cmd.MarkFlagRequired("tree")
	return cmd
}

// formats are what packages are written in.
var formats = []archive.Format{archive.TarZstd, archive.TarXZ, archive.TarGzip}

func versionsFlag(name string, texts []string) ([]release.Version, error) {
	var all []release.Version
	for _, t := range texts {
		v, err := versionFlag(name, t)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

func (p *Program) publishRefreshCommand() *cobra.Command {
	var keys string
	cmd := &cobra.Command{
		Use:   "refresh REPO",
		Short: "Renew the metadata before it expires",
		Long:  "Renew snapshot and timestamp. It needs their keys only and belongs in a daily job.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			renewal, err := publish.Refresh(cmd.Context(), args[0], publish.KeySource{Place: keys, Unlock: p.unlock}, time.Time{})
			if err != nil {
				return bad(err)
			}
			if p.json {
				return p.printJSON(map[string]any{"expires": renewal.Expires, "warnings": orEmpty(renewal.Warnings)})
			}
			t := p.table()
			for _, role := range roles {
				fmt.Fprintf(t, "%s\texpires %s\n", role, renewal.Expires[role].Format(time.DateOnly))
			}
			t.Flush()
			for _, w := range renewal.Warnings {
				p.sayf("%s", w)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&keys, "keys", "", keysHelp)
	return cmd
}

// roles of a repository, in the order in which they depend on each other.
var roles = []string{"root", "targets", "snapshot", "timestamp"}

func (p *Program) publishRotateCommand() *cobra.Command {
	var o publish.RotateOptions
	var sealed bool
	cmd := &cobra.Command{
		Use:   "rotate REPO --role R",
		Short: "Give a role new keys, so that the old ones count for nothing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(roles, o.Role) {
				return usagef("--role %s: want one of %v", o.Role, roles)
			}
			o.Keys.Unlock = p.unlock
			if sealed {
				o.Passphrase = p.unlock
			}
			if err := publish.Rotate(cmd.Context(), args[0], o); err != nil {
				return bad(err)
			}
			return p.done(map[string]any{"role": o.Role}, "The role %s is renewed in %s.", o.Role, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Role, "role", "", "root, targets, snapshot or timestamp")
	f.StringVar(&o.Keys.Place, "keys", "", keysHelp)
	f.BoolVar(&o.Keep, "keep", false, "keep the keys and only renew root or targets before they expire")
	f.BoolVar(&sealed, "passphrase", false, "protect the new keys with a passphrase")
	cmd.MarkFlagRequired("role")
	return cmd
}

func (p *Program) publishVerifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify REPO",
		Short: "Check a repository as sites will see it, and play every way to the newest release",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			played, err := publish.Verify(cmd.Context(), args[0], time.Time{})
			if p.json && (err == nil || len(played) > 0) {
				doc := map[string]any{"ways": newWayDocs(played)}
				if err != nil {
					doc["message"], err = err.Error(), errTold // not all that is wrong is a way
				}
				return errors.Join(p.printJSON(doc), err)
			}
			t := p.table()
			for _, way := range played {
				from, outcome := way.From.String(), "ok"
				if way.From.IsZero() {
					from = "nothing"
				}
				if way.Err != nil {
					outcome = way.Err.Error()
				}
				fmt.Fprintf(t, "%s\t%s → %s\t%s\t%s\t%s\n", way.Channel, from, way.To, way.Kind, size(way.Bytes), outcome)
			}
			return errors.Join(t.Flush(), bad(err))
		},
	}
}

// wayDoc is a way to the newest release as `publish verify --json` shows it.
type wayDoc struct {
	Channel string               `json:"channel"`
	From    release.Version      `json:"from"`
	To      release.Version      `json:"to"`
	Kind    release.StrategyKind `json:"strategy"`
	Bytes   int64                `json:"download_bytes"`
	Message string               `json:"message,omitempty"` // what went wrong
}

func newWayDocs(played []publish.Played) []wayDoc {
	docs := make([]wayDoc, len(played))
	for i, way := range played {
		docs[i] = wayDoc{Channel: way.Channel, From: way.From, To: way.To, Kind: way.Kind, Bytes: way.Bytes}
		if way.Err != nil {
			docs[i].Message = way.Err.Error()
		}
	}
	return docs
}

func (p *Program) publishServeCommand() *cobra.Command {
	var addr string
	cmd := &cobra.Command{
		Use:   "serve REPO",
		Short: "Hand a repository out over HTTP, to try it out, until Ctrl-C",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := publish.Serve(cmd.Context(), args[0], addr)
			if err != nil {
				return bad(err)
			}
			if p.json {
				err = p.printJSON(map[string]any{"url": s.URL})
			} else {
				p.printf("%s", s.URL)
			}
			return errors.Join(err, s.Wait())
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:0", "address to listen on")
	return cmd
}
