package app

import (
	"slices"
	"testing"

	"moult/core/update"
)

// TestStepsAreListedAsTheyHappen compares the steps that are shown beforehand with
// what an engine reports of a real site.
func TestStepsAreListedAsTheyHappen(t *testing.T) {
	e := openReal(t, realSite(t))
	defer e.Close()
	var reported []update.Stage
	report := func(ev update.Event) {
		if !slices.Contains(reported, ev.Stage) {
			reported = append(reported, ev.Stage)
		}
	}
	var offer *update.Offer
	var plan *update.Plan
	for _, c := range []struct {
		activity Activity
		do       func() error
	}{
		{CheckingNow, func() (err error) { offer, err = e.Check(t.Context(), update.Choices{}, report); return err }},
		{PreparingNow, func() (err error) { plan, err = e.Prepare(t.Context(), offer, update.Choices{}, report); return err }},
		{ReplanningNow, func() (err error) { plan, err = e.Replan(t.Context(), plan, update.Choices{}, report); return err }},
		{Updating, func() error { _, err := e.Apply(t.Context(), plan, report); return err }},
		{RollingBack, func() error { _, err := e.RollBack(t.Context(), plan.ID, report); return err }},
	} {
		reported = nil
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if want := stagesOf(c.activity); !slices.Equal(reported, want) {
			t.Errorf("activity %d shows the steps\n%q, and what happens is\n%q", c.activity, want, reported)
		}
	}
}
