package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"moult/core/files"
	"moult/core/release"
	"moult/core/update"
)

// Exercise checks for an update of the wiki, applies it, verifies the site and
// rolls back, and compares the site with what it has to be after each step. Edited
// files are kept. say is told each step in a line; the error names the first
// thing that is not as it should be.
func (d *Demo) Exercise(ctx context.Context, report update.Report, say func(format string, args ...any)) error {
	dir := d.Sites[0]
	before, err := Snap(ctx, dir)
	if err != nil {
		return err
	}
	say("before: %s", before)

	e, err := update.Open(dir, update.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	choices := update.Choices{OnEdited: files.ChoiceKeep}
	offer, err := e.Check(ctx, choices, report)
	if err != nil {
		return err
	}
	if offer.UpToDate() {
		return fmt.Errorf("the wiki is at %s, its newest release: roll it back first, or take another directory", offer.Current)
	}
	say("check: %s → %s, %s (%s)", offer.Current, offer.Target, offer.Strategy.Kind, offer.Strategy.Reason)
	plan, err := e.Prepare(ctx, offer, choices, report)
	if err != nil {
		return err
	}
	n := plan.Files.Counts()
	say("plan: %d files changed, %d new, %d removed, %d edited here; %d statements", n.Changed, n.New, n.Removed, n.Edited, len(plan.Schema.Steps))

	result, err := e.Apply(ctx, plan, report)
	if err != nil {
		return err
	}
	say("update: %s → %s in %s, files between two releases for %s", result.From, result.To, result.Ended.Sub(result.Started).Round(1e6), result.Window)
	after, err := Snap(ctx, dir)
	if err != nil {
		return err
	}
	say("after: %s", after)
	if err := checkUpdated(dir, before, after, result); err != nil {
		return err
	}
	verification, err := e.Verify(ctx, report)
	if err != nil {
		return err
	}
	if len(verification.Schema) > 0 {
		return fmt.Errorf("verify: the schema differs from the release: %s", strings.Join(verification.Schema, "; "))
	}
	var edited []string
	for _, f := range verification.Files {
		edited = append(edited, f.Path.String())
	}
	say("verify: what differs from the release is what was edited here: %s", strings.Join(edited, ", "))

	if result, err = e.RollBack(ctx, plan.ID, report); err != nil {
		return err
	}
	back, err := Snap(ctx, dir)
	if err != nil {
		return err
	}
	say("roll back: in %s", result.Ended.Sub(result.Started).Round(1e6))
	say("back: %s", back)
	if err := before.Same(back); err != nil {
		return fmt.Errorf("after the roll back: %w", err)
	}
	say("The site is byte for byte and row for row what it was.")
	return nil
}

// checkUpdated compares the wiki with what its newest release and its admin
// want it to be.
func checkUpdated(dir string, before, after *Snapshot, r *update.Result) error {
	releases, err := Releases(Wiki)
	if err != nil {
		return err
	}
	want, err := pick(releases, r.To.String())
	if err != nil {
		return err
	}
	edited := map[string]string{}
	for _, e := range edits[Wiki] {
		edited[e.path] = e.new
	}
	for path, data := range want.Tree {
		have, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			return fmt.Errorf("after the update: %w", err)
		}
		if mine, ok := edited[path]; ok {
			if !strings.Contains(string(have), mine) {
				return fmt.Errorf("after the update %s has lost what was edited here", path)
			}
		} else if string(have) != string(data) {
			return fmt.Errorf("after the update %s is not as the release has it", path)
		}
	}
	switch {
	case after.Version != r.To.String():
		return fmt.Errorf("after the update the site says that it is %s", after.Version)
	case before.Tree == after.Tree:
		return errors.New("the update has not changed the files")
	case strings.Contains(after.Schema, "`fax`") || after.Rows["fax_queue"] != "":
		return errors.New("after the update the fax column or queue is still in the schema")
	case !strings.Contains(after.Schema, "own_title"):
		return errors.New("after the update the admin's own index is gone")
	case before.Rows["guestbook"] != after.Rows["guestbook"]:
		return errors.New("after the update the admin's own table has changed")
	case after.Rows["attachments"] == "":
		return errors.New("after the update the new table is missing")
	}
	return nil
}

// String gives the snapshot in a line.
func (s *Snapshot) String() string {
	tables := slices.Sorted(maps.Keys(s.Rows))
	return fmt.Sprintf("%s, tree %.12s, schema %.12s, %d tables: %s", s.Version, s.Tree, release.DigestOf([]byte(s.Schema)).Hex(), len(tables), strings.Join(tables, " "))
}
