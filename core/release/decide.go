package release

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
)

// Site is what a decision needs to know of a site.
type Site struct {
	Current Version // zero: nothing is recorded as installed
	Missing []Path  // paths that an installed release can't be without, and that are not there
	Arch    Arch
	// ForceFull asks for the full package even where less would do.
	ForceFull bool
	// BaseKnown says that it is recorded here what the installed release shipped, which
	// a delta starts from.
	BaseKnown bool
}

// UnsupportedArchError says that a release has no package for a site's architecture.
type UnsupportedArchError struct {
	Arch    Arch
	Version Version
}

// Error names the architecture and the release.
func (e *UnsupportedArchError) Error() string {
	return fmt.Sprintf("release %s has no package for the architecture %s", e.Version, e.Arch)
}

// StopError says that an update may not skip a version, and that the manifest of
// that version is not to be had.
type StopError struct{ Stop, Target Version }

// Error names both versions.
func (e *StopError) Error() string {
	return fmt.Sprintf("%s can't be reached without installing %s first, and %s is no longer published", e.Target, e.Stop, e.Stop)
}

// NoWayError says that nothing published leads from the installed release to the
// offered one.
type NoWayError struct {
	From, Target Version
	Arch         Arch
}

// Error names both releases and the architecture.
func (e *NoWayError) Error() string {
	return fmt.Sprintf("release %s has no full package for %s and no patch from %s", e.Target, e.Arch, e.From)
}

// Decide says how a site gets to the release of m.
//
// When an update may not skip an earlier release, or when there is no patch from
// the installed one, Decide asks chain for the manifests of the releases after
// from and before m, in any order; chain may be nil. Then the first of
// [Strategy.Hops] is the version that [Strategy.Package] leads to, and a caller
// who has installed it decides again.
//
// The errors are [*UnsupportedArchError], [*StopError], [*NoWayError] and those of
// chain. MinMoult and the rollout of m are the caller's to look at.
func Decide(m *Manifest, s Site, chain func(from Version) ([]*Manifest, error)) (Strategy, error) {
	d := decision{m: m, site: s, chain: chain}
	if st, done := d.none(); done {
		return st, nil
	}
	if stops := m.StopsAfter(s.Current); len(stops) > 0 {
		return d.stop(stops[0])
	}
	return d.direct()
}

type decision struct {
	m     *Manifest
	site  Site
	chain func(from Version) ([]*Manifest, error)
}

// none decides whether there is nothing to do. An older release is never
// installed over a newer one, not even by force: that way leads through a
// restore point, which knows what the database was like.
func (d *decision) none() (Strategy, bool) {
	installed := !d.site.Current.IsZero() && len(d.site.Missing) == 0
	switch c := d.site.Current.Compare(d.m.Version); {
	case c > 0:
		return d.strategy(None, Package{}, "The installed %s is newer than the offered %s.", d.site.Current, d.m.Version), true
	case c == 0 && installed && !d.site.ForceFull:
		return d.strategy(None, Package{}, "%s is installed and is the newest.", d.m.Version), true
	}
	return Strategy{}, false
}

// stop decides how to get to a release that may not be skipped.
func (d *decision) stop(stop Version) (Strategy, error) {
	between, err := d.between()
	if err != nil {
		return Strategy{}, err
	}
	i := slices.IndexFunc(between, func(m *Manifest) bool { return m.Version.Compare(stop) == 0 })
	if i < 0 {
		return Strategy{}, &StopError{Stop: stop, Target: d.m.Version}
	}
	first := decision{m: between[i], site: d.site, chain: func(Version) ([]*Manifest, error) { return between, nil }}
	st, err := first.direct()
	if err != nil {
		return Strategy{}, err
	}
	st.Reason = fmt.Sprintf("%s may not be skipped on the way to %s. %s", stop, d.m.Version, st.Reason)
	st.Hops = append(st.Hops, d.m.StopsAfter(stop)...)
	st.Hops = append(st.Hops, d.m.Version)
	return st, nil
}

// direct decides for a release that no stop keeps apart from the installed one.
func (d *decision) direct() (Strategy, error) {
	full, hasFull := d.m.Full(d.site.Arch)
	if !hasFull && !d.m.HasPatch(d.site.Arch) {
		return Strategy{}, &UnsupportedArchError{Arch: d.site.Arch, Version: d.m.Version}
	}
	if why := d.needsFull(); why != "" {
		if !hasFull {
			return Strategy{}, &UnsupportedArchError{Arch: d.site.Arch, Version: d.m.Version}
		}
		return d.full(full, "%s", why), nil
	}
	ways := d.waysFromCurrent()
	if len(ways) == 0 {
		return d.withoutPatch(full, hasFull)
	}
	best := slices.MinFunc(ways, cheaper)
	if hasFull && full.Size != 0 && best.Package.Size > full.Size {
		return d.full(full, "The %s from %s would be larger, %s.", best.kind, d.site.Current, size(best.Package.Size)), nil
	}
	st := d.strategy(best.kind, best.Package, "A %s leads from %s to %s.", best.kind, d.site.Current, d.m.Version)
	st.Operations = best.operations
	st.Reason += d.costs(best.Package.Size, full, hasFull) + d.passedOver(best)
	return st, nil
}

// needsFull returns the reason why nothing but the full package will do, or "".
func (d *decision) needsFull() string {
	switch missing := d.site.Missing; {
	case d.site.Current.IsZero():
		return "No installed release is recorded here."
	case len(missing) == 1:
		return fmt.Sprintf("%s is missing, so no release is installed here.", missing[0])
	case len(missing) > 1:
		return fmt.Sprintf("%s and %d more are missing, so no release is installed here.", missing[0], len(missing)-1)
	case d.site.ForceFull:
		return "The full package was asked for."
	}
	return ""
}

// way is a package that leads straight from the installed release to the offered one.
type way struct {
	kind StrategyKind
	Package
	operations Operations
}

func (d *decision) waysFromCurrent() []way {
	var ways []way
	if delta, ok := d.m.DeltaFrom(d.site.Current, d.site.Arch); ok && d.site.BaseKnown {
		ways = append(ways, way{kind: DeltaPack, Package: delta.Package})
	}
	for _, p := range d.m.PatchesFrom(d.site.Current, d.site.Arch) {
		ways = append(ways, way{kind: PatchPack, Package: p.Package, operations: p.Operations})
	}
	return ways
}

// cheaper orders by size. Where a size isn't known, the order in which ways are
// listed decides, as a delta is built from less than a patch.
func cheaper(a, b way) int {
	if a.Size == 0 || b.Size == 0 {
		return 0
	}
	return cmp.Compare(a.Size, b.Size)
}

// withoutPatch decides between the full package and a chain of patches.
func (d *decision) withoutPatch(full Package, hasFull bool) (Strategy, error) {
	between, err := d.between()
	if err != nil {
		return Strategy{}, err
	}
	st, found := d.cheapestChain(append(between, d.m))
	switch {
	case found && (!hasFull || full.Size != 0 && st.Bytes < full.Size):
		st.Reason += d.costs(st.Bytes, full, hasFull)
		return st, nil
	case !hasFull:
		return Strategy{}, &NoWayError{From: d.site.Current, Target: d.m.Version, Arch: d.site.Arch}
	case found:
		return d.full(full, "No patch leads from %s to %s, and %s through %s would be %s.",
			d.site.Current, d.m.Version, plural(len(st.Hops), "patch", "patches"), names(st.Hops[:len(st.Hops)-1]), size(st.Bytes)), nil
	}
	return d.full(full, "No patch leads from %s to %s.%s", d.site.Current, d.m.Version, d.passedOver(way{})), nil
}

// between returns the releases after the installed one and before the offered
// one, lowest first.
func (d *decision) between() ([]*Manifest, error) {
	if d.chain == nil {
		return nil, nil
	}
	all, err := d.chain(d.site.Current)
	if err != nil {
		return nil, fmt.Errorf("releases between %s and %s: %w", d.site.Current, d.m.Version, err)
	}
	between := slices.DeleteFunc(slices.Clone(all), func(m *Manifest) bool {
		return m.Version.Compare(d.site.Current) <= 0 || m.Version.Compare(d.m.Version) >= 0
	})
	slices.SortFunc(between, func(a, b *Manifest) int { return a.Version.Compare(b.Version) })
	return between, nil
}

// cheapestChain finds the patches that lead to the last of steps in the fewest
// bytes. Steps are in order, so the cheapest way to each is known before it is
// needed for a later one. A patch whose size isn't known can't be compared, so
// no chain goes through it.
func (d *decision) cheapestChain(steps []*Manifest) (Strategy, bool) {
	type arrival struct {
		bytes int64
		hops  []Version
		first Patch
	}
	best := map[int]arrival{}
	for i, to := range steps {
		for from := -1; from < i; from++ {
			before, reached := best[from]
			start := d.site.Current
			if from >= 0 {
				if !reached {
					continue
				}
				start = steps[from].Version
			}
			for _, p := range to.PatchesFrom(start, d.site.Arch) {
				cost := before.bytes + p.Size
				if known, ok := best[i]; p.Size == 0 || ok && known.bytes <= cost {
					continue
				}
				a := arrival{bytes: cost, hops: append(slices.Clone(before.hops), to.Version), first: before.first}
				if from < 0 {
					a.first = p
				}
				best[i] = a
			}
		}
	}
	a, found := best[len(steps)-1]
	if !found {
		return Strategy{}, false
	}
	st := d.strategy(Chain, a.first.Package, "%s lead from %s through %s to %s.",
		plural(len(a.hops), "patch", "patches"), d.site.Current, names(a.hops[:len(a.hops)-1]), d.m.Version)
	st.Operations, st.Hops, st.Bytes = a.first.Operations, a.hops, a.bytes
	return st, true
}

func (d *decision) full(full Package, reason string, args ...any) Strategy {
	st := d.strategy(Full, full, reason, args...)
	if full.Size != 0 {
		st.Reason += fmt.Sprintf(" The full package is %s.", size(full.Size))
	}
	return st
}

// strategy makes the value, with one hop.
func (d *decision) strategy(kind StrategyKind, p Package, reason string, args ...any) Strategy {
	st := Strategy{Kind: kind, Package: p, Bytes: p.Size, Reason: fmt.Sprintf(reason, args...)}
	if full, ok := d.m.Full(d.site.Arch); ok {
		st.FullBytes = full.Size
	}
	if kind != None {
		st.Hops = []Version{d.m.Version}
	}
	return st
}

// costs compares what was chosen with the full package.
func (d *decision) costs(chosen int64, full Package, exists bool) string {
	switch {
	case !exists:
		return ""
	case chosen == 0 || full.Size == 0:
		return " The full package would do too."
	}
	return fmt.Sprintf(" It is %s; the full package would be %s.", size(chosen), size(full.Size))
}

// passedOver explains why a delta that exists was not chosen.
func (d *decision) passedOver(chosen way) string {
	delta, ok := d.m.DeltaFrom(d.site.Current, d.site.Arch)
	switch {
	case !ok || chosen.kind == DeltaPack:
		return ""
	case !d.site.BaseKnown:
		return fmt.Sprintf(" The delta (%s) can't be used, as it is not known what the installed release shipped.", size(delta.Size))
	}
	return fmt.Sprintf(" The delta would be %s.", size(delta.Size))
}

func size(bytes int64) string {
	if bytes == 0 {
		return "of unknown size"
	}
	return humanize.Bytes(uint64(bytes))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func names(versions []Version) string {
	list := make([]string, len(versions))
	for i, v := range versions {
		list[i] = v.String()
	}
	return strings.Join(list, ", ")
}
