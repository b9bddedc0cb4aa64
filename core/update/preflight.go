package update

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"moult/core/database"
	"moult/core/files"
)

// preflight fills in the checklist of a plan: everything that can be known to
// stop it before it begins.
func (e *Engine) preflight(ctx context.Context, p *Plan, db *database.DB) error {
	if err := e.preflightFiles(ctx, p); err != nil {
		return err
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
		p.Checks = append(p.Checks, checksOf(findings)...)
	}
	if slices.ContainsFunc(p.Files.Entries, func(f files.Entry) bool { return f.Change != files.Same && strings.HasSuffix(string(f.Path), ".php") }) {
		p.Checks = append(p.Checks, Check{Code: "opcache", Level: CheckOK,
			Text: "PHP files change. They get new modification times, by which PHP's opcode cache notices.",
			Hint: "Where opcache.validate_timestamps is off, let a command after the update reset the cache, as in: systemctl reload php-fpm"})
	}
	for _, check := range []func(context.Context) (Check, bool){e.checkHealth, e.checkExposed} {
		if c, asked := check(ctx); asked {
			p.Checks = append(p.Checks, c)
		}
	}
	return nil
}

// preflightFiles looks at the disk. What it finds in order is a line of the list
// too, so that the admin sees what was looked at.
func (e *Engine) preflightFiles(ctx context.Context, p *Plan) (err error) {
	if p.DiskBytes, p.FreeBytes, err = files.Room(e.site, p.Files); err != nil {
		return err
	}
	problems, err := files.Preflight(ctx, e.site, p.Files)
	if err != nil {
		return err
	}
	found := map[string]bool{}
	for _, f := range problems {
		found[f.Code] = true
		p.Checks = append(p.Checks, Check{Code: f.Code, Level: CheckLevel(f.Level), Text: sentence(f.Text), Hint: f.Hint})
	}
	if !found["disk"] {
		p.Checks = append(p.Checks, Check{Code: "disk", Level: CheckOK, Text: fmt.Sprintf("The update needs %s on the disk; %s are free.",
			humanize.Bytes(uint64(p.DiskBytes)), humanize.Bytes(uint64(max(p.FreeBytes, 0))))})
	}
	if len(problems) == 0 {
		p.Checks = append(p.Checks, Check{Code: "permissions", Level: CheckOK, Text: "Every directory that changes can be written to."})
	}
	return nil
}
