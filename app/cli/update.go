package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moult/app/words"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
	"moult/core/update"
)

func (p *Program) updateCommand() *cobra.Command {
	var w want
	var expect string
	var unattended bool
	cmd := &cobra.Command{
		Use:   "update SITE",
		Short: "Bring the site to the newest release, files and database together",
		Long:  "Prepare and apply what `moult plan` shows. Whatever goes wrong, the site is at the old\nor at the new release afterwards; the last line says at which.",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			choices, err := w.choices()
			if err != nil {
				return err
			}
			p.yes = p.yes || unattended
			return p.withWholeSite(cmd.Context(), args[0], func(e *update.Engine, done []*update.Result, report update.Report) error {
				var r *rules
				if unattended {
					r = &rules{site: e.Site(), now: time.Now}
				}
				return p.update(cmd.Context(), e, choices, expect, r, done, report)
			})
		},
	}
	w.flags(cmd.Flags())
	p.mediumFlag(cmd)
	cmd.Flags().StringVar(&expect, "expect", "", "refuse any plan whose hash is not this one")
	cmd.Flags().BoolVar(&unattended, "unattended", false, "like --yes, but only what [unattended] in site.toml admits, and when, and nothing that was skipped")
	return cmd
}

// heldError is the reason for which an update that there is waits. It is no failure.
type heldError struct{ error }

// Unwrap returns the rule.
func (e heldError) Unwrap() error { return e.error }

// rules are those of a site for updates that nobody watches. Nil stands for a person,
// who may do anything.
type rules struct {
	site *site.Site
	now  func() time.Time
}

// admit asks whether an offer may be installed now.
func (r *rules) admit(o *update.Offer) error {
	if r == nil {
		return nil
	}
	if err := r.site.Config.Unattended.Admits(o.Current, o.Target); err != nil {
		return heldError{err}
	}
	st, err := r.site.State()
	if err == nil && st.Skipped.Compare(o.Target) == 0 {
		err = heldError{fmt.Errorf("%s is skipped on this site", o.Target)}
	}
	return errors.Join(err, r.open())
}

// open asks whether it is the time for updates.
func (r *rules) open() error {
	if r == nil {
		return nil
	}
	if err := r.site.Config.Unattended.Open(r.now()); err != nil {
		return heldError{err}
	}
	return nil
}

// held prints that an update waits, perhaps after some hops of it.
func (p *Program) held(e *update.Engine, why error, done []*update.Result) error {
	if p.json {
		doc := map[string]any{"from": e.Current(), "to": e.Current(), "state": "held", "reason": why.Error()}
		if len(done) > 0 {
			doc["hops"] = done
		}
		return p.printJSON(doc)
	}
	p.printf("Nothing is installed now: %v.", why)
	return nil
}

// update goes to the release that is wanted, if it is admitted. Where the way there
// has stops, every hop is an update with a restore point of its own; done are the runs
// that have ended before this one.
func (p *Program) update(ctx context.Context, e *update.Engine, c update.Choices, expect string, r *rules, done []*update.Result, report update.Report) error {
	pl, err := prepare(ctx, e, c, r, report)
	if err == nil {
		err = r.open() // fetching may have taken until after the hours
	}
	if why, ok := errors.AsType[heldError](err); ok {
		return p.held(e, why, done)
	}
	if err != nil {
		return runError{error: err, begun: true, done: done}
	}
	if pl == nil {
		return p.unchanged(e, update.UpToDate, done, "%s is up to date at %s.", e.Site().Config.Name, e.Current())
	}
	if pl, err = p.decide(ctx, e, pl, c, report); err != nil {
		return runError{error: err, begun: true, done: done}
	}
	if expect != "" && !strings.EqualFold(expect, pl.Hash) {
		return runError{begun: true, done: done, error: &update.Error{Kind: update.KindBlocked, Stage: update.StagePlan, Err: fmt.Errorf("the plan is %s and not %s as --expect asks", pl.Hash, expect)}}
	}
	if !p.json && !p.quiet && !p.yes {
		p.printPlan(e.Site().Config.Name, pl)
	}
	ok, err := p.confirm(fmt.Sprintf("Update %s from %s to %s?", e.Site().Config.Name, pl.From, pl.To), "--yes")
	if err != nil {
		return runError{error: err, begun: true, done: done}
	}
	if !ok {
		return p.unchanged(e, update.Ready, done, "%s", standingAfter(done))
	}
	result, err := e.Apply(ctx, pl, report)
	more := len(pl.Strategy.Hops) > 1
	if err := p.finish(result, done, more, err); err != nil {
		return err
	}
	done = append(done, result)
	if result.Unsure && !p.yes && !p.json {
		answer, err := p.choose("Look at the site. Does it work: keep the update, or go back?", "--yes", "keep", "back")
		if err != nil {
			return runError{error: err, begun: true, done: done}
		}
		if answer == "back" {
			result, err := e.RollBack(ctx, result.ID, report)
			return p.finish(result, done, false, err)
		}
	}
	if !more {
		return nil
	}
	return p.update(ctx, e, c, "", r, done, report)
}

// unchanged tells that a command leaves the site as it is, in which state it is, and
// what was done before.
func (p *Program) unchanged(e *update.Engine, state update.State, done []*update.Result, format string, args ...any) error {
	doc := map[string]any{"from": e.Current(), "to": e.Current(), "state": state}
	if len(done) > 0 {
		doc["hops"] = done
	}
	return p.done(doc, format, args...)
}

// decide has the admin choose for each edited file that is open.
func (p *Program) decide(ctx context.Context, e *update.Engine, pl *update.Plan, c update.Choices, report update.Report) (*update.Plan, error) {
	open := pl.Files.Undecided()
	if len(open) == 0 {
		return pl, nil
	}
	c.Files = map[release.Path]files.Choice{}
	for _, entry := range open {
		answers := []string{string(files.ChoiceKeep), string(files.ChoiceNew), string(files.ChoiceBoth)}
		if entry.Merge {
			answers = append(answers, string(files.ChoiceMerge))
		}
		question := fmt.Sprintf("%s was edited here. %s?", entry.Path, strings.Join(answers, ", "))
		answer, err := p.choose(question, "--on-edited keep, new or both", answers...)
		if err != nil {
			return nil, err
		}
		c.Files[entry.Path] = files.Choice(answer)
	}
	return e.Replan(ctx, pl, c, report)
}

// finish prints how a run ended; done are the runs before it. In JSON several runs are
// one document, of the last one, which has those before it as "hops".
func (p *Program) finish(result *update.Result, done []*update.Result, more bool, err error) error {
	if err != nil {
		return runError{error: err, begun: true, result: result, done: done}
	}
	if p.json && more {
		return nil
	}
	if p.json {
		return p.printJSON(struct {
			*update.Result
			Hops []*update.Result `json:"hops,omitempty"`
		}{result, done})
	}
	for _, w := range result.Warnings {
		p.sayf("%s", words.Sentence(w))
	}
	p.printf("%s", words.Standing(result))
	return nil
}

func (p *Program) rollbackCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rollback SITE [UPDATE-ID]",
		Short: "Go back to before an update: files, schema and data",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id := ""
			if len(args) == 2 {
				id = args[1]
			}
			return p.withWholeSite(cmd.Context(), args[0], func(e *update.Engine, done []*update.Result, report update.Report) error {
				look, err := e.PreviewRollBack(cmd.Context(), id)
				if err != nil {
					return runError{error: err, begun: true, done: done}
				}
				p.warnOf(look.Checks)
				question := fmt.Sprintf("Roll %s back from %s to %s?", e.Site().Config.Name, e.Current(), look.To)
				if look.Updates > 1 {
					question += fmt.Sprintf(" %d updates are undone.", look.Updates)
				}
				ok, err := p.confirm(question, "--yes")
				if err != nil {
					return runError{error: err, begun: true, done: done}
				}
				if !ok {
					return p.unchanged(e, update.Idle, done, "%s", standingAfter(done))
				}
				result, err := e.RollBack(cmd.Context(), id, report)
				return p.finish(result, done, false, err)
			})
		},
	}
}

// warnOf says what has to be known before a question is answered.
func (p *Program) warnOf(checks []update.Check) {
	for _, c := range checks {
		if c.Level == update.CheckOK {
			continue
		}
		p.sayf("%s", strings.TrimSpace(words.Sentence(c.Text)+" "+words.Sentence(c.Hint)))
		for _, row := range c.Rows {
			p.sayf("  %s", row)
		}
	}
}

func (p *Program) recoverCommand() *cobra.Command {
	var forward, undo bool
	cmd := &cobra.Command{
		Use:   "recover SITE",
		Short: "Finish or undo an interrupted run",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withSite(args[0], func(e *update.Engine, report update.Report) error {
				run, err := e.Interrupted()
				if err != nil {
					return err
				}
				if run == nil {
					return p.unchanged(e, update.Idle, nil, "No run was interrupted. The site is at %s.", e.Current())
				}
				p.sayf("%s", interruptedSentence(run))
				direction := update.Undo
				switch {
				case forward:
					direction = update.Forward
				case !undo:
					if direction, err = p.askDirection(args[0], run); err != nil {
						return err
					}
				}
				return p.recover(cmd.Context(), e, direction, report)
			})
		},
	}
	cmd.Flags().BoolVar(&forward, "forward", false, "finish the run")
	cmd.Flags().BoolVar(&undo, "undo", false, "undo the run")
	cmd.MarkFlagsMutuallyExclusive("forward", "undo")
	return cmd
}

func (p *Program) recover(ctx context.Context, e *update.Engine, d update.Direction, report update.Report) error {
	result, err := e.Recover(ctx, d, report)
	return p.finish(result, nil, false, err)
}
