package update

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"moult/core/archive"
	"moult/core/delta"
	"moult/core/release"
	"moult/core/site"
)

// The names inside an update's directory that the pipeline writes. The files
// package has its own beside them.
const (
	planFile   = "plan.json"
	intakeFile = "intake.json"
	beforeFile = "before.json"
	resultFile = "result.json"
	logFile    = "log.jsonl"
	packageDir = "package"  // the extracted package
	fromSQL    = "from.sql" // schema text of the installed release, in .moult/schema
)

// intake is what a verified package brought: enough to plan again without
// fetching anything, in this process or another.
type intake struct {
	From     release.Version    `json:"from"`
	To       release.Version    `json:"to"`
	Strategy release.Strategy   `json:"strategy"`
	Notes    []Note             `json:"notes"`
	Trust    Trust              `json:"trust"`
	Full     bool               `json:"full"` // Files is the whole release
	Files    []release.File     `json:"files"`
	Dirs     []release.Path     `json:"dirs"`
	Ops      release.Operations `json:"operations"`
	// Release is the complete list of the new release's files; empty when the
	// publisher gave none.
	Release []release.File `json:"release,omitempty"`
	Choices Choices        `json:"choices"`
}

// Prepare fetches the package of an offer, verifies and extracts it, and plans the
// update. Nothing of the site changes; what it wrote lies in an update directory
// of its own and is thrown away by the next Prepare if it isn't applied.
func (e *Engine) Prepare(ctx context.Context, o *Offer, c Choices, report Report) (*Plan, error) {
	if o.UpToDate() {
		return nil, &Error{Kind: KindBlocked, Stage: StagePlan, Err: fmt.Errorf("%s is installed and up to date", o.Current)}
	}
	if o.Blocked != "" {
		return nil, &Error{Kind: KindBlocked, Stage: StagePlan, Err: errors.New(o.Blocked)}
	}
	if err := e.refuseInterrupted(); err != nil {
		return nil, err
	}
	if err := e.clearUnapplied(); err != nil {
		return nil, classify(StageDownload, err)
	}
	u, err := e.site.NewUpdate(e.newID())
	if err != nil {
		return nil, classify(StageDownload, err)
	}
	p, err := e.prepare(ctx, u, o, c, report)
	if err != nil {
		if trouble := u.Remove(); trouble != nil {
			e.log.Warn("a plan that came to nothing could not be removed", "error", trouble)
		}
		return nil, err
	}
	if err := u.Close(); err != nil {
		return nil, classify(StagePlan, err)
	}
	return p, nil
}

func (e *Engine) prepare(ctx context.Context, u *site.Update, o *Offer, c Choices, report Report) (*Plan, error) {
	in := &intake{From: o.Current, To: o.Target, Strategy: o.Strategy, Notes: o.Notes, Trust: o.Trust, Choices: c}
	if m := o.manifest.Moult; m != nil {
		var err error
		if m.Files, err = filesOf(ctx, o.source, o.manifest); err != nil {
			return nil, classify(StageDownload, err)
		}
		in.Release = m.Files
	}
	if err := e.fetch(ctx, u, o, in, report); err != nil {
		return nil, err
	}
	if err := u.WriteJSON(intakeFile, in); err != nil {
		return nil, classify(StageExtract, err)
	}
	return e.plan(ctx, u, in, report)
}

// fetch brings and unpacks what the strategy names. A delta that starts from a file
// which is neither on the site nor recorded as it was shipped gives way to the next
// best package.
func (e *Engine) fetch(ctx context.Context, u *site.Update, o *Offer, in *intake, report Report) error {
	if o.Strategy.Kind != release.DeltaPack {
		return e.bring(ctx, u, o, in, report, e.extract(o, in))
	}
	var lost []delta.Lost
	if err := e.bring(ctx, u, o, in, report, e.undelta(o, in, &lost)); err != nil || len(lost) == 0 {
		return err
	}
	report.send(Event{Stage: StageExtract, Status: StepRunning, Interruptible: true,
		Log: fmt.Sprintf("The delta can't be used: %s is not as it was shipped (%v). Another package is fetched.", lost[0].Base, lost[0].Err)})
	if err := u.Root.RemoveAll(packageDir); err != nil {
		return classify(StageExtract, err)
	}
	other := *o
	facts := release.Site{Current: o.Current, Arch: o.arch, ForceFull: in.Choices.Full}
	var err error
	if other.Strategy, err = release.Decide(o.manifest, facts, nil); err != nil {
		return classify(StageDownload, err)
	}
	other.Strategy.Reason += fmt.Sprintf(" A smaller delta could not be used, as %s is not as it was shipped.", lost[0].Base)
	in.Strategy = other.Strategy
	return e.fetch(ctx, u, &other, in, report)
}

// extract unpacks an archive and makes manifest, package and archive agree.
func (e *Engine) extract(o *Offer, in *intake) unpack {
	return func(ctx context.Context, src io.ReaderAt, size int64, dst *os.Root, report func(done, total int64)) error {
		contents, err := archive.Extract(ctx, src, size, dst, archive.Limits{}, report)
		if err != nil {
			return err
		}
		return agree(o, contents, dst, in)
	}
}

// undelta makes the new contents from a delta and the files as they were shipped.
// Lost gets the files that it can't make; then nothing of it is to be used.
func (e *Engine) undelta(o *Offer, in *intake, lost *[]delta.Lost) unpack {
	return func(ctx context.Context, src io.ReaderAt, size int64, dst *os.Root, report func(done, total int64)) error {
		inv, err := e.site.Inventory()
		if err != nil {
			return err
		}
		store, err := e.site.Pristine()
		if err != nil {
			return err
		}
		defer store.Close()
		old := delta.Tree{Version: o.Current, Files: inv.Files, Open: func(p release.Path) (io.ReadCloser, error) {
			if f, known := inv.Get(p); known && store.Has(f.SHA256) {
				return store.Open(f.SHA256)
			}
			return e.site.Root.Open(string(p))
		}}
		made, err := delta.Apply(ctx, src, size, old, o.manifest.Moult.Files, dst, delta.Limits{}, report)
		if err != nil {
			return err
		}
		if *lost = made.Lost; len(made.Lost) > 0 {
			return nil
		}
		for name, text := range made.Meta {
			name = path.Join(archive.PackageDir, name)
			if err := dst.MkdirAll(path.Dir(name), 0o700); err != nil {
				return err
			}
			if err := dst.WriteFile(name, text, 0o600); err != nil {
				return err
			}
		}
		if made.To.Compare(o.Target) != 0 {
			return fmt.Errorf("the delta is of release %s, the manifest promised %s: %w", made.To, o.Target, errDisagree)
		}
		in.Ops, in.Files, in.Dirs = release.Operations{DeleteFiles: made.Gone}, made.Files, nil
		for _, f := range made.Files {
			in.Ops.ReplaceFiles = append(in.Ops.ReplaceFiles, f.Path)
		}
		return nil
	}
}

// newID names an update so that names sort by time and two are never the same.
// It has letters and digits only, as it becomes part of table names.
func (e *Engine) newID() string {
	var salt [5]byte
	rand.Read(salt[:])
	return e.opts.Now().UTC().Format("20060102t150405") + strings.ToLower(base32.StdEncoding.EncodeToString(salt[:]))
}

// clearUnapplied removes update directories that were prepared and never begun.
func (e *Engine) clearUnapplied() error {
	return e.eachUpdate(func(u *site.Update, l life) error {
		if !l.begun.IsZero() {
			return nil
		}
		if err := u.Remove(); err != nil {
			return fmt.Errorf("remove the unused plan %s: %w", u.ID, err)
		}
		return nil
	})
}
