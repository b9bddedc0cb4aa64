package update

import (
	"context"
	"fmt"

	"moult/core/database"
	"moult/core/files"
)

// preflight fills in the checklist of a plan: everything that can be known to
// stop it before it begins.
func (e *Engine) preflight(ctx context.Context, p *Plan, db *database.DB) error {
	problems, err := files.Preflight(ctx, e.site, p.Files)
	if err != nil {
		return err
	}
	for _, f := range problems {
		p.Checks = append(p.Checks, Check{Code: f.Code, Level: CheckLevel(f.Level), Text: f.Text, Hint: f.Hint})
	}
	if owner, held := e.site.Holder(); held {
		p.Checks = append(p.Checks, Check{Code: "lock", Level: CheckStop, Text: fmt.Sprintf("The site is in use by %s.", owner), Hint: "Wait until it has ended, then check again."})
	} else {
		p.Checks = append(p.Checks, Check{Code: "lock", Level: CheckOK, Text: "No other updater is at work on this site."})
	}
	if db != nil && p.Schema != nil {
		findings, err := db.Preflight(ctx, p.Schema)
		if err != nil {
			return databaseError{err}
		}
		for _, f := range findings {
			p.Checks = append(p.Checks, Check{Code: f.Code, Level: CheckLevel(f.Level), Text: f.Text, Hint: f.Hint, Rows: f.Rows})
		}
	}
	if c, asked := e.checkHealth(ctx); asked {
		p.Checks = append(p.Checks, c)
	}
	return nil
}
