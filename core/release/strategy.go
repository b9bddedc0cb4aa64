package release

// StrategyKind says how a site gets from its release to the offered one.
type StrategyKind string

// The strategies, cheapest first where several apply.
const (
	None      StrategyKind = "none"
	DeltaPack StrategyKind = "delta"
	PatchPack StrategyKind = "patch"
	Chain     StrategyKind = "chain" // several patches, one after the other
	Full      StrategyKind = "full"
)

// Strategy is the decision and the reason for it.
type Strategy struct {
	Kind   StrategyKind
	Reason string // one sentence for people
	// Package is what to fetch; for a chain, the first hop. Zero for None.
	Package    Package
	Operations Operations // of a patch; empty otherwise
	// Bytes is what to download: for a chain, all its patches together. Behind a stop it
	// ends there, as the way on is decided when the stop is installed.
	Bytes     int64
	FullBytes int64 // what the full package would cost that leads as far as Bytes; 0 unknown
	// Hops are the versions passed through, the target last. Package leads to the
	// first of them.
	Hops []Version
}
