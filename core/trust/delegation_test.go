package trust_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/trust"
)

// edge is one delegation; no paths means all.
type edge struct {
	parent, role string
	terminating  bool
	paths        []string
}

func (s *simulator) graph(edges []edge) {
	for _, e := range edges {
		if e.paths == nil {
			e.paths = []string{"*"}
		}
		s.delegate(e.parent, metadata.DelegatedRole{Name: e.role, Threshold: 1, Terminating: e.terminating, Paths: e.paths})
	}
	s.updateSnapshot()
}

func TestDelegationsAreSearchedInOrder(t *testing.T) {
	py := []string{"*.py"}
	tests := map[string]struct {
		edges   []edge
		visited []string
	}{
		"one":                    {[]edge{{parent: targets, role: "A"}}, []string{"A"}},
		"two on one level":       {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}}, []string{"A", "B"}},
		"two levels":             {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "B", role: "C"}}, []string{"A", "B", "C"}},
		"depth before breadth":   {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "A", role: "C"}, {parent: "A", role: "D"}}, []string{"A", "C", "D", "B"}},
		"three levels":           {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "A", role: "C"}, {parent: "C", role: "D"}}, []string{"A", "C", "D", "B"}},
		"terminating":            {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "A", role: "C", terminating: true}, {parent: "A", role: "D"}}, []string{"A", "C"}},
		"below a terminating":    {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "A", role: "C", terminating: true}, {parent: "C", role: "D"}}, []string{"A", "C", "D"}},
		"paths that don't match": {[]edge{{parent: targets, role: "A", paths: py}, {parent: targets, role: "B"}, {parent: "A", role: "C"}}, []string{"B"}},
		"paths further down":     {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "A", role: "C", paths: py}, {parent: "C", role: "D"}}, []string{"A", "B"}},
		"cycle":                  {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "B", role: "C"}, {parent: "C", role: "D"}, {parent: "D", role: "B"}}, []string{"A", "B", "C", "D"}},
		"two lead to a third":    {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "B", role: "C"}, {parent: "A", role: "C"}}, []string{"A", "C", "B"}},
		"one of two leads there": {[]edge{{parent: targets, role: "A"}, {parent: targets, role: "B"}, {parent: "B", role: "C"}, {parent: "A", role: "C", paths: py}}, []string{"A", "B", "C"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			s.graph(test.edges)
			v := newVisitor(t, s)
			v.succeeds()
			s.asked = nil
			if _, err := v.repo.Find(t.Context(), "missing"); !errors.Is(err, trust.ErrNoTarget) {
				t.Errorf("got %v, want ErrNoTarget", err)
			}
			var want []string
			for _, role := range test.visited {
				want = append(want, "1."+role)
			}
			v.expectAsked(want...)
		})
	}
}

func TestTargetIsFoundWhereItIsDelegated(t *testing.T) {
	tests := map[string]struct {
		content string
		visited []string
	}{
		"targetfile":          {"by targets", nil},
		"README.md":           {"by A", []string{"1.A"}},
		"releases/x/x_v1":     {"by C", []string{"1.B", "1.C"}},
		"releases/y/y_v1.zip": {"by D", []string{"1.B", "1.D"}},
		"releases/z/z_v1.zip": {"", []string{"1.B"}}, // D has it, and nobody lets D have it
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			s.graph([]edge{
				{parent: targets, role: "A", paths: []string{"*.doc", "*.md"}}, {parent: targets, role: "B", paths: []string{"releases/*/*"}},
				{parent: "B", role: "C", paths: []string{"releases/x/*"}}, {parent: "B", role: "D", paths: []string{"releases/y/*.zip"}},
			})
			s.addFile(targets, "targetfile", "by targets")
			s.addFile("A", "README.md", "by A")
			s.addFile("C", "releases/x/x_v1", "by C")
			s.addFile("D", "releases/y/y_v1.zip", "by D")
			s.addFile("D", "releases/z/z_v1.zip", "by D")
			v := newVisitor(t, s)
			v.succeeds()
			s.asked = nil
			if test.content == "" {
				if _, err := v.repo.Find(t.Context(), name); !errors.Is(err, trust.ErrNoTarget) {
					t.Errorf("got %v, want ErrNoTarget", err)
				}
			} else {
				v.reads(name, test.content)
			}
			v.expectAsked(test.visited...)
		})
	}
}

func TestExpiredDelegation(t *testing.T) {
	week := day.Add(7 * 24 * time.Hour)
	setup := func(t *testing.T, expires time.Time) (*simulator, *visitor) {
		s := newSimulator(t)
		s.graph([]edge{{parent: targets, role: "A", paths: []string{"a/*"}}})
		s.targets["A"].Signed.Expires = expires
		s.addFile("A", "a/first", "first")
		return s, newVisitor(t, s)
	}
	t.Run("at first sight", func(t *testing.T) {
		_, v := setup(t, day.Add(-time.Hour))
		v.succeeds()
		if _, err := v.repo.Read(t.Context(), "a/first", 10); !errors.Is(err, trust.ErrExpired) {
			t.Errorf("got %v, want ErrExpired", err)
		}
		if _, err := v.dir.Stat("metadata/roles/A.json"); err == nil {
			t.Error("an expired role was kept")
		}
	})
	t.Run("since the last visit", func(t *testing.T) {
		_, v := setup(t, week)
		v.succeeds()
		v.reads("a/first", "first")
		v.now = day.Add(18 * 24 * time.Hour)
		v.succeeds()
		if _, err := v.repo.Read(t.Context(), "a/first", 10); !errors.Is(err, trust.ErrExpired) {
			t.Errorf("got %v, want ErrExpired", err)
		}
	})
	t.Run("and renewed", func(t *testing.T) {
		s, v := setup(t, week)
		v.succeeds()
		v.reads("a/first", "first")
		s.targets["A"].Signed.Expires = safe
		s.targets["A"].Signed.Version++
		s.updateSnapshot()
		v.now = day.Add(18 * 24 * time.Hour)
		v.succeeds()
		v.reads("a/first", "first")
	})
}

// go-tuf's own updater takes a delegated role from its memory, whoever vouches for it now.
func TestDelegatedRoleIsVerifiedAgainstItsPresentDelegator(t *testing.T) {
	s := newSimulator(t)
	s.graph([]edge{
		{parent: targets, role: "A", paths: []string{"a/*"}}, {parent: targets, role: "B", paths: []string{"b/*"}},
		{parent: "A", role: "C", paths: []string{"a/*"}},
	})
	// B names C too, with a key that C is not signed with.
	real := s.signers["C"]
	s.signers["C"] = append(slices.Clone(real[:0]), s.key())
	s.delegate("B", metadata.DelegatedRole{Name: "C", Threshold: 1, Paths: []string{"b/*"}})
	s.signers["C"] = real
	s.addFile("C", "a/one", "one")
	s.addFile("C", "b/two", "two")
	v := newVisitor(t, s)
	v.succeeds()
	v.reads("a/one", "one")
	if _, err := v.repo.Read(t.Context(), "b/two", 10); !errors.Is(err, trust.ErrUntrusted) {
		t.Errorf("got %v, want ErrUntrusted", err)
	}
}
