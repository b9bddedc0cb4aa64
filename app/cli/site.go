package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/site"
	"moult/core/trust"
	"moult/core/update"
)

// withSite opens the engine on a site's directory, hands it to do and closes it.
func (p *Program) withSite(dir string, do func(*update.Engine, update.Report) error) error {
	if p.medium != "" {
		if _, err := os.Stat(p.medium); err != nil {
			return usagef("--from: %w", err)
		}
	}
	e, err := update.Open(dir, p.options())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usagef("there is no directory %s", dir)
	case errors.Is(err, site.ErrNotSite):
		return usagef("%s is not a site of Moult; take it under care with: moult init %s --url …", dir, quoted(dir))
	case err != nil:
		return err
	}
	defer e.Close()
	report, end := p.progress()
	defer end()
	return do(e, report)
}

// withWholeSite is withSite for commands that need a site which is not between
// two releases. An interrupted run is ended first, if somebody says how; do is told
// how it ended.
func (p *Program) withWholeSite(ctx context.Context, dir string, do func(e *update.Engine, done []*update.Result, report update.Report) error) error {
	return p.withSite(dir, func(e *update.Engine, report update.Report) error {
		run, err := e.Interrupted()
		if err != nil {
			return err
		}
		if run == nil {
			return do(e, nil, report)
		}
		p.sayf("%s", interruptedSentence(run))
		direction, err := p.askDirection(dir, run)
		if err != nil {
			return err
		}
		ended, err := e.Recover(ctx, direction, report)
		done := []*update.Result{ended}
		if err := p.finish(ended, nil, true, err); err != nil {
			return err
		}
		return do(e, done, report)
	})
}

// warnInterrupted tells about an interrupted run where it is in nobody's way.
func (p *Program) warnInterrupted(e *update.Engine, dir string) error {
	run, err := e.Interrupted()
	if err == nil && run != nil {
		p.sayf("%s End it with: moult recover %s", interruptedSentence(run), quoted(dir))
	}
	return err
}

func interruptedSentence(run *update.Run) string {
	was := fmt.Sprintf("The update from %s to %s", run.From, run.To)
	if run.RollingBack {
		was = fmt.Sprintf("The roll back from %s to %s", run.To, run.From)
	}
	return fmt.Sprintf("%s was interrupted (last stage: %s). %s", was, run.Stage, words.Sentence(run.Reason))
}

// askDirection asks what to do about an interrupted run. The answer that is
// recommended is the default.
func (p *Program) askDirection(dir string, run *update.Run) (update.Direction, error) {
	answers := []string{string(update.Undo)}
	if run.CanFinish {
		answers = append(answers, string(update.Forward))
	}
	if run.Recommended == update.Forward && run.CanFinish {
		slices.Reverse(answers)
	}
	flag := fmt.Sprintf("moult recover %s --%s (recommended)", quoted(dir), answers[0])
	question := fmt.Sprintf("Undo the run? [%s]", answers[0])
	if len(answers) > 1 {
		flag += " or --" + answers[1]
		question = fmt.Sprintf("Go forward or undo? [%s (recommended), %s]", answers[0], answers[1])
	}
	answer, err := p.choose(question, flag, answers...)
	if err != nil {
		return "", &update.Error{Kind: update.KindInterrupted, Stage: run.Stage, Err: err}
	}
	return update.Direction(answer), nil
}

// quoted writes a path as a shell takes it for one word.
func quoted(path string) string {
	switch {
	case !strings.ContainsFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-:+,@%", r)
	}):
		return path
	case runtime.GOOS == "windows":
		return `"` + path + `"` // no path there holds a quotation mark
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func (p *Program) initCommand() *cobra.Command {
	var rootFile, version string
	var keys []string
	var o update.InitOptions
	cmd := &cobra.Command{
		Use:   "init SITE --url URL --root root.json",
		Short: "Take an existing site under care",
		Long:  "Find the site's version, record its files and note which of them were edited.\nThe publisher's root.json is pinned; compare the fingerprint with the one that the publisher shows.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := os.Stat(args[0]); err != nil {
				return usageError{err}
			}
			var err error
			if o.URL, err = folderAddress(o.URL); err != nil {
				return err
			}
			if o.Version, err = versionFlag("version", version); err != nil {
				return err
			}
			if rootFile != "" {
				if o.RootJSON, err = os.ReadFile(rootFile); err != nil {
					return usageError{err}
				}
				fingerprint, err := trust.Fingerprint(o.RootJSON)
				if err != nil {
					return usagef("%s: %w", rootFile, err)
				}
				p.sayf("Publisher's key: %s", fingerprint)
			}
			if o.Keys, err = keyTexts(keys); err != nil {
				return err
			}
			report, end := p.progress()
			defer end()
			e, err := update.Init(cmd.Context(), args[0], o, p.options(), report)
			if errors.Is(err, site.ErrAlreadySite) {
				return usagef("%s %w", args[0], site.ErrAlreadySite)
			}
			if err != nil {
				return err
			}
			defer e.Close()
			end()
			if err := site.AddToSites("", args[0]); err != nil {
				// The window's list is a convenience; the site is under care without it.
				p.sayf("The site is not in the list of Moult's window: %v", err)
			}
			if p.json {
				a := e.Adopted()
				return p.printJSON(map[string]any{"name": e.Site().Config.Name, "version": e.Current(), "base_known": a.BaseKnown, "edited": a.Edited, "missing": a.Missing})
			}
			p.printf("%s is under Moult's care at %s.", e.Site().Config.Name, e.Current())
			p.printf("%s", adoptedSentence(e))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", "", "update address, or a folder of this machine that is one")
	f.StringVar(&rootFile, "root", "", "the publisher's root.json")
	f.StringVar(&version, "version", "", "installed version; found by comparing files when not given")
	f.StringVar(&o.DSN, "dsn", "", "database of the site, without a password")
	f.StringVar(&o.PasswordFrom, "password-from", "", `where the database password is: "env:NAME", "file:PATH#KEY", "keyring:" or "prompt"`)
	f.StringVar(&o.Name, "name", "", "name to show for the site")
	f.StringVar(&o.Channel, "channel", "", "release channel (stable)")
	f.StringArrayVar(&keys, "key", nil, "public key of a publisher without root.json, or a PEM file of keys and certificates")
	f.BoolVar(&o.Unsigned, "unsigned", false, "accept packages that nobody has signed")
	cmd.MarkFlagRequired("url")
	return cmd
}

// adoptedSentence says what init found.
func adoptedSentence(e *update.Engine) string {
	switch a := e.Adopted(); {
	case !a.BaseKnown:
		return fmt.Sprintf("The publisher does not list what %s shipped: what is here now is taken for it, edited or not.", e.Current())
	case a.Edited+a.Missing == 0:
		return fmt.Sprintf("Every file is as %s shipped it.", e.Current())
	default:
		return fmt.Sprintf("Of the files of %s some differ: %d edited here, %d missing.", e.Current(), a.Edited, a.Missing)
	}
}

// folderAddress makes a relative folder absolute, and leaves an address as it is.
func folderAddress(text string) (string, error) {
	if strings.Contains(text, "://") {
		return text, nil
	}
	if _, err := os.Stat(text); err != nil {
		return text, nil
	}
	return filepath.Abs(text)
}

// keyTexts reads the keys that are named by a file. The others are keys themselves.
func keyTexts(keys []string) ([]string, error) {
	var texts []string
	for _, key := range keys {
		b, err := os.ReadFile(key)
		switch {
		case err == nil:
			key = string(b)
		case strings.HasSuffix(key, ".pem") || strings.HasSuffix(key, ".crt"):
			return nil, usageError{err}
		}
		texts = append(texts, key)
	}
	return texts, nil
}

func (p *Program) historyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history SITE",
		Short: "List the site's updates, newest first",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.withSite(args[0], func(e *update.Engine, _ update.Report) error {
				if err := p.warnInterrupted(e, args[0]); err != nil {
					return err
				}
				records, err := e.History()
				if err != nil {
					return err
				}
				if p.json {
					if records == nil {
						records = []update.Record{}
					}
					return p.printJSON(records)
				}
				t := p.table()
				for _, r := range records {
					point := "no restore point"
					if r.CanRollBack {
						point = "restore point of " + size(r.DiskBytes)
					}
					if r.SetAside > 0 {
						point = fmt.Sprintf("%s, set aside in the database: %d", point, r.SetAside)
					}
					state := string(r.State)
					if r.State == update.RolledBack && r.Kind == "" {
						state = "rolled back" // somebody asked for it: nothing failed
					}
					fmt.Fprintf(t, "%s\t%s → %s\t%s\t%s\t%s\n", r.ID, r.From, r.To, r.Started.Local().Format("2006-01-02 15:04"), state, point)
				}
				return t.Flush()
			})
		},
	}
}

func (p *Program) discardCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "discard SITE UPDATE-ID",
		Short: "Remove a restore point, the older ones, and what they keep in the database",
		Long:  "Remove a restore point and what it keeps in the database, for good. The older ones go with it,\nas a way back leads through every newer update.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withWholeSite(cmd.Context(), args[0], func(e *update.Engine, _ []*update.Result, _ update.Report) error {
				older, err := olderPoints(e, args[1])
				if err != nil {
					return err
				}
				question := "Remove the restore point for good? The way back from this update is lost."
				if older > 0 {
					question = fmt.Sprintf("Remove the restore point and %s for good? The way back from these updates is lost.", plural(older, "older one"))
				}
				ok, err := p.confirmLoss(question)
				if err != nil {
					return err
				}
				if !ok {
					return p.done(map[string]any{"discarded": nil}, "The restore point stays.")
				}
				if err := e.Discard(cmd.Context(), args[1]); err != nil {
					return err
				}
				return p.done(map[string]any{"discarded": args[1]}, "The restore point %s is gone.", args[1])
			})
		},
	}
}

// olderPoints counts the restore points that go with that of an update.
func olderPoints(e *update.Engine, id string) (int, error) {
	records, err := e.History()
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(records, func(r update.Record) bool { return r.ID == id })
	if i < 0 {
		return 0, usagef("there is no update %s on this site; moult history lists them", id)
	}
	older := 0
	for _, r := range records[i+1:] {
		if r.CanRollBack && records[i].CanRollBack {
			older++
		}
	}
	return older, nil
}

func (p *Program) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "verify SITE",
		Short: "Compare files and schema with the installed release",
		Long:  "Compare files and schema with the installed release. Exit code 10: the site differs.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSite(args[0], func(e *update.Engine, report update.Report) error {
				if err := p.warnInterrupted(e, args[0]); err != nil {
					return err
				}
				v, err := e.Verify(cmd.Context(), report)
				if err != nil {
					return err
				}
				if p.json {
					if err := p.printJSON(v); err != nil {
						return err
					}
				} else {
					for _, f := range v.Files {
						how := "edited"
						if f.Missing {
							how = "missing"
						}
						p.printf("%s  %s", how, f.Path)
					}
					for _, d := range v.Schema {
						p.printf("schema  %s", d)
					}
				}
				if !v.BaseKnown {
					p.sayf("What %s shipped is not known: its files were compared with those that were here when the site was added.", v.Version)
				}
				switch {
				case !v.Same():
					return errDiffers
				case v.BaseKnown:
					p.sayf("The site is what %s shipped.", v.Version)
				default:
					p.sayf("They are the same.")
				}
				return nil
			})
		},
	}
}

func (p *Program) bundleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "bundle SITE OUT.zip",
		Short: "Write a diagnostics bundle without secrets",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSite(args[0], func(e *update.Engine, _ update.Report) (err error) {
				f, err := os.OpenFile(args[1], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
				if err != nil {
					return usageError{err}
				}
				defer func() {
					if closeErr := f.Close(); err == nil {
						err = closeErr
					}
					if err != nil {
						os.Remove(args[1])
					}
				}()
				if err := e.Bundle(cmd.Context(), f); err != nil {
					return err
				}
				return p.done(map[string]any{"file": args[1]}, "Wrote %s.", args[1])
			})
		},
	}
}
