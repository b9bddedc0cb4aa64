package update_test

import (
	"testing"

	"moult/core/release"
	"moult/core/update"
)

func TestASkippedReleaseIsRememberedAndStillOffered(t *testing.T) {
	e := newWorld(t, false, v1, v2).engine()
	skipped := get(release.ParseVersion("1.1.0"))(t)
	must(t, e.Skip(skipped))
	o, err := e.Check(t.Context(), update.Choices{}, nil)
	must(t, err)
	if o.UpToDate() || o.Target.Compare(skipped) != 0 {
		t.Errorf("a check that somebody asks for offers %s", o.Target)
	}
	if got := get(e.Site().State())(t).Skipped; got.Compare(skipped) != 0 {
		t.Errorf("after the check %s is skipped, want 1.1.0", got)
	}
	must(t, e.Skip(release.Version{}))
	if got := get(e.Site().State())(t).Skipped; !got.IsZero() {
		t.Errorf("%s is skipped after that was taken back", got)
	}
}
