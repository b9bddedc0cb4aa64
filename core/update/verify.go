package update

import (
	"context"
	"errors"
	"io/fs"

	"moult/core/database"
	"moult/core/files"
	"moult/core/release"
	"moult/core/schema"
	"moult/core/schema/parse"
)

// Verification is how a site compares with its installed release.
type Verification struct {
	Version release.Version `json:"version"`
	// BaseKnown is false when nobody knows what the release shipped, as its publisher had
	// it no longer when the site was added. Then the files are compared with what they
	// were at that time.
	BaseKnown bool `json:"base_known"`
	// Files lists the shipped files that are edited or missing.
	Files []files.Difference `json:"files"`
	// Schema lists what differs on the server from what the release shipped, in
	// words. What the admin has added is not a difference.
	Schema []string `json:"schema"`
	// Kept lists what the admin has added to the database.
	Kept []string `json:"kept,omitempty"`
}

// Same reports whether nothing differs. Only with BaseKnown does that mean that the site
// is exactly its release.
func (v *Verification) Same() bool { return len(v.Files) == 0 && len(v.Schema) == 0 }

// Verify compares the site with its installed release, files and schema. It
// changes nothing.
func (e *Engine) Verify(ctx context.Context, report Report) (*Verification, error) {
	report.send(Event{Stage: StageCheckResult, Status: StepRunning, Interruptible: true})
	v, err := e.verify(ctx, report)
	if err != nil {
		return nil, classify(StageCheckResult, err)
	}
	report.send(Event{Stage: StageCheckResult, Status: StepDone, Interruptible: true})
	return v, nil
}

func (e *Engine) verify(ctx context.Context, report Report) (*Verification, error) {
	inv, err := e.site.Inventory()
	if err != nil {
		return nil, err
	}
	v := &Verification{Version: inv.Version, BaseKnown: inv.BaseKnown}
	v.Files, err = files.Compare(ctx, e.site, inv, func(done, total int) {
		report.send(Event{Stage: StageCheckResult, Status: StepRunning, Done: int64(done), Total: int64(total), Unit: Files, Interruptible: true})
	})
	if err != nil {
		return nil, err
	}
	dir, err := e.site.SubDir("schema")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	text, err := dir.ReadFile(fromSQL)
	if errors.Is(err, fs.ErrNotExist) {
		return v, nil
	}
	if err != nil {
		return nil, err
	}
	db, err := e.connect(ctx)
	if err != nil || db == nil {
		return v, asDatabase(err)
	}
	defer db.Close()
	return v, v.compareSchema(ctx, db, string(text))
}

// compareSchema fills in how the live schema differs from a release's text.
func (v *Verification) compareSchema(ctx context.Context, db *database.DB, text string) error {
	live, err := db.Introspect(ctx)
	if err != nil {
		return databaseError{err}
	}
	shipped, err := canonicalText(fromSQL, text, live, db.Flavor())
	if err != nil {
		return err
	}
	merged := schema.Merge(shipped, live, shipped, db.Flavor())
	for _, d := range merged.Drift {
		v.Schema = append(v.Schema, d.Object+": "+d.Reason)
	}
	for _, k := range merged.Kept {
		v.Kept = append(v.Kept, k.Object)
	}
	return nil
}

// canonicalText reads a release's schema text as the live server would store it:
// what the text leaves open takes the live database's defaults.
func canonicalText(name, text string, live *schema.Schema, fl schema.Flavor) (*schema.Schema, error) {
	s, err := parse.Text(name, text, fl)
	if err != nil {
		return nil, err
	}
	if s.Charset == "" {
		s.Charset, s.Collation = live.Charset, live.Collation
	}
	return schema.Canonical(s, fl), nil
}
