package update

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/dustin/go-humanize"

	"moult/core/archive"
	"moult/core/delta"
	"moult/core/fetch"
	"moult/core/files"
	"moult/core/release"
	"moult/core/site"
)

// unpack makes files in dst from a package that may still be arriving, of which src
// shows what is proven to be the publisher's.
type unpack func(ctx context.Context, src io.ReaderAt, size int64, dst *os.Root, report func(done, total int64)) error

// bring fetches the package of an offer into the update's directory and unpacks it
// while it arrives, so that both take hardly longer than the slower of them. Whatever
// the unpacking says, nothing of it counts before all of the package has arrived and
// its hash, and the signature where it has one of its own, are right.
//
// A package that can't be used is removed; any other stays for the next attempt, or
// for the same plan made again, until the update is done.
func (e *Engine) bring(ctx context.Context, u *site.Update, o *Offer, in *intake, report Report, do unpack) error {
	cache, err := e.site.SubDir("cache")
	if err != nil {
		return classify(StageDownload, err)
	}
	defer cache.Close()
	p := o.Strategy.Package
	name := cacheName(p)
	if err := errors.Join(sweepCache(cache, name), e.checkRoom(cache, name, o, in)); err != nil {
		return classify(StageDownload, err)
	}
	steps := newArrival(o, report)
	arriving, err := o.source.start(ctx, p, cache, name, steps.arrived)
	if err != nil {
		return classify(StageDownload, steps.lost(err))
	}
	unpacked := make(chan error, 1)
	go func() {
		err := e.unpackInto(ctx, u, arriving, do, steps.unpacked)
		if err != nil {
			arriving.Stop()
		}
		unpacked <- err
	}()
	_, err = arriving.Wait()
	if err == nil {
		steps.verified()
	}
	fault := <-unpacked
	if trouble := arriving.Close(); trouble != nil {
		e.log.Warn("a downloaded package could not be closed", "error", trouble)
	}
	// The unpacking stops the download when it fails; a download that fails by itself
	// is the cause of both.
	stopped := fault != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil
	if err != nil && !stopped {
		return classify(StageDownload, steps.lost(err))
	}
	if unusable(fault) {
		if trouble := fetch.Discard(cache, name); trouble != nil {
			e.log.Warn("a package that can't be used could not be removed", "error", trouble)
		}
	}
	if fault != nil {
		return classify(StageExtract, steps.refused(fault))
	}
	steps.done()
	return nil
}

// unusable reports whether an error says that a package is at fault.
func unusable(err error) bool {
	for _, fault := range []error{archive.ErrRefused, delta.ErrMalformed, errMalformed, errDisagree} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}

// unpackInto gives do the package and an empty directory.
func (e *Engine) unpackInto(ctx context.Context, u *site.Update, src *fetch.Transfer, do unpack, report func(done, total int64)) error {
	size, err := src.Size()
	if err != nil {
		return err
	}
	if err := u.Root.Mkdir(packageDir, 0o700); err != nil {
		return err
	}
	dst, err := u.Root.OpenRoot(packageDir)
	if err != nil {
		return err
	}
	defer dst.Close()
	return do(ctx, src, size, dst, report)
}

// cacheName names a package in the cache, so that a broken download of the same
// package goes on where it stopped, and never one of another.
func cacheName(p release.Package) string {
	digest := p.Digest
	if digest.IsZero() {
		digest = release.DigestOf([]byte(p.URL))
	}
	return cachePrefix + digest.Hex()
}

// cachePrefix begins the names of packages in the cache, where other things lie too.
const cachePrefix = "package-"

// emptyCache removes the packages that were fetched.
func (e *Engine) emptyCache() error {
	cache, err := e.site.SubDir("cache")
	if err != nil {
		return err
	}
	defer cache.Close()
	return sweepCache(cache, "")
}

// sweepCache removes what is left of downloads of other packages than name, of all
// for "": nobody
// will go on with them.
func sweepCache(cache *os.Root, name string) error {
	entries, err := fs.ReadDir(cache.FS(), ".")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), cachePrefix) && (name == "" || !strings.HasPrefix(entry.Name(), name)) {
			if err := cache.Remove(entry.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkRoom says in advance what is missing on the disk for the package and for what
// comes out of it, as far as the manifest tells.
func (e *Engine) checkRoom(cache *os.Root, name string, o *Offer, in *intake) error {
	_, free, err := files.Room(e.site, &files.Plan{})
	if err != nil {
		return err
	}
	need := o.Strategy.Package.Size
	for _, file := range []string{name, name + ".part"} {
		if info, err := cache.Stat(file); err == nil {
			need -= min(need, info.Size())
		}
	}
	unpacked, err := e.unpackedSize(o.Strategy, in.Release)
	if err != nil {
		return err
	}
	if need += unpacked; need <= free {
		return nil
	}
	return &Error{Kind: KindDiskFull, Stage: StageDownload, Err: fmt.Errorf(
		"the package of %s needs %s in %s, and %s are free: %s are missing", o.Target,
		humanize.Bytes(uint64(need)), e.site.Dir, humanize.Bytes(uint64(max(free, 0))), humanize.Bytes(uint64(need-max(free, 0))))}
}

// unpackedSize returns how many bytes a package brings, 0 if the publisher does not
// list the files of the release.
func (e *Engine) unpackedSize(s release.Strategy, all []release.File) (bytes int64, err error) {
	installed := &site.Inventory{}
	if s.Kind != release.Full {
		if installed, err = e.site.Inventory(); err != nil {
			return 0, err
		}
	}
	for _, f := range all {
		if have, ok := installed.Get(f.Path); !ok || have.SHA256 != f.SHA256 {
			bytes += f.Size
		}
	}
	return bytes, nil
}

// arrival reports the steps of bringing a package, in their order: unpacking runs ahead
// of the end of the download, and is told of from then on.
type arrival struct {
	report Report
	detail string // how the origin is proven

	mu       sync.Mutex
	download Event
	extract  Event
	through  bool // the download is verified
}

func newArrival(o *Offer, report Report) *arrival {
	a := &arrival{
		report: report, detail: o.Trust.Detail,
		download: Event{Stage: StageDownload, Status: StepRunning, Item: o.Strategy.Package.URL, Unit: Bytes, Total: o.Strategy.Bytes, Interruptible: true},
		extract:  Event{Stage: StageExtract, Status: StepRunning, Unit: Bytes, Interruptible: true},
	}
	report.send(a.download)
	return a
}

func (a *arrival) arrived(done, total int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.download.Done, a.download.Total = done, total
	a.report.send(a.download)
}

func (a *arrival) unpacked(done, total int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.extract.Done, a.extract.Total = done, total
	if a.through {
		a.report.send(a.extract)
	}
}

func (a *arrival) verified() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.download.Status = StepDone
	a.report.send(a.download)
	a.report.send(Event{Stage: StageVerify, Status: StepDone, Interruptible: true, Log: a.detail})
	a.report.send(a.extract)
	a.through = true
}

// lost ends the steps with a download that failed.
func (a *arrival) lost(err error) error {
	a.download.Status, a.download.Log = StepFailed, err.Error()
	a.report.send(a.download)
	return err
}

// refused ends the steps with a package that could not be unpacked, perhaps before all
// of it had arrived.
func (a *arrival) refused(err error) error {
	if !a.through {
		a.download.Status, a.download.Log = StepSkipped, "The rest of the package is not fetched, as it can't be used."
		a.report.send(a.download)
	}
	a.extract.Status, a.extract.Log = StepFailed, err.Error()
	a.report.send(a.extract)
	return err
}

func (a *arrival) done() {
	a.extract.Status, a.extract.Done = StepDone, a.extract.Total
	a.report.send(a.extract)
}
