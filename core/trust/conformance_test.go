package trust_test

import (
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/trust"
)

// These are the scenarios of theupdateframework/tuf-conformance, told again for our
// client and our simulator. Where that suite looks at a client's files, so do these.

// untrusted visits; the view must be refused as forged, not as expired.
func (v *visitor) untrusted() {
	v.t.Helper()
	_, err := v.open()
	if !errors.Is(err, trust.ErrUntrusted) || errors.Is(err, trust.ErrExpired) {
		v.t.Fatalf("got %v, want ErrUntrusted", err)
	}
}

func TestFirstVisitAsksForEachRoleOnce(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	v.succeeds()
	v.expectAsked("2.root", "timestamp", "1.snapshot", "1.targets")
	v.expectVersions(map[string]int64{root: 1, timestamp: 1, snapshot: 1, targets: 1})
}

func TestNothingNewCostsTwoRequests(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	v.succeeds()
	v.succeeds()
	v.expectAsked("2.root", "timestamp")
}

func TestUnknownTargetStillRefreshes(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	v.succeeds()
	if _, err := v.repo.Find(t.Context(), "nonexistent artifact"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("got %v, want ErrNoTarget", err)
	}
	v.expectVersions(map[string]int64{root: 1, timestamp: 1, snapshot: 1, targets: 1})
}

func TestBadPinnedRootIsRefusedBeforeAnyRequest(t *testing.T) {
	tests := map[string]func(doc map[string]any){
		"without version": func(d map[string]any) { delete(d["signed"].(map[string]any), "version") },
		"with a wrong signature": func(d map[string]any) {
			d["signatures"].([]any)[0].(map[string]any)["sig"] = strings.Repeat("ab", 64)
		},
		"without signatures": func(d map[string]any) { d["signatures"] = []any{} },
		"of another type":    func(d map[string]any) { d["signed"].(map[string]any)["_type"] = "timestamp" },
		"with a short key": func(d map[string]any) {
			for _, k := range d["signed"].(map[string]any)["keys"].(map[string]any) {
				k.(map[string]any)["keyval"] = map[string]any{"public": "abcd"}
			}
		},
		"with a null role": func(d map[string]any) { d["signed"].(map[string]any)["roles"].(map[string]any)["root"] = nil },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			v := newVisitor(t, s)
			var doc map[string]any
			if err := json.Unmarshal(v.pinned, &doc); err != nil {
				t.Fatal(err)
			}
			change(doc)
			var err error
			if v.pinned, err = json.Marshal(doc); err != nil {
				t.Fatal(err)
			}
			v.untrusted()
			v.expectAsked()
			if _, err := trust.Fingerprint(v.pinned); !errors.Is(err, trust.ErrUntrusted) {
				t.Errorf("fingerprint: got %v, want ErrUntrusted", err)
			}
		})
	}
}

func TestTimestampOfEqualVersionIsNotTaken(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	v.succeeds()
	before, err := v.dir.ReadFile("metadata/timestamp.json")
	if err != nil {
		t.Fatal(err)
	}
	s.timestamp.Signed.Meta["snapshot.json"].Version = 100
	v.succeeds()
	after, err := v.dir.ReadFile("metadata/timestamp.json")
	if err != nil || string(after) != string(before) {
		t.Errorf("a timestamp of the same version replaced the one at hand: %v", err)
	}
}

func TestTargetsThatDoNotFitTheSnapshot(t *testing.T) {
	t.Run("hash", func(t *testing.T) {
		s := newSimulator(t)
		s.hashes = true
		s.updateSnapshot()
		v := newVisitor(t, s)
		v.succeeds()
		s.targets[targets].Signed.Version++
		s.snapshot.Signed.Meta["targets.json"].Version = s.targets[targets].Signed.Version
		s.snapshot.Signed.Version++
		s.updateTimestamp()
		v.untrusted()
		v.expectVersions(map[string]int64{targets: 1})
	})
	t.Run("version", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.targets[targets].Signed.Version++
		v.untrusted()
		v.expectVersions(map[string]int64{targets: 0, snapshot: 1})
	})
}

func TestUnknownFieldsAreSigned(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	v.succeeds()
	s.root.Signed.UnrecognizedFields = map[string]any{"custom-field": "value"}
	id := s.root.Signed.Roles[root].KeyIDs[0]
	s.root.Signed.Keys[id].UnrecognizedFields = map[string]any{"extra-field": map[string]any{"a": 1, "b": 2}}
	s.root.Signed.Roles[root].UnrecognizedFields = map[string]any{"another-field": "value"}
	s.bumpRoot()
	v.succeeds()
	v.expectVersions(map[string]int64{root: 2})
}

func TestExpiredRole(t *testing.T) {
	past := day.Add(-24 * time.Hour)
	tests := map[string]struct {
		expire func(s *simulator)
		keeps  map[string]int64 // what the site holds afterwards
	}{
		root: {func(s *simulator) { s.root.Signed.Expires = past; s.bumpRoot(); s.updateSnapshot() },
			map[string]int64{root: 2, timestamp: 1, snapshot: 1, targets: 1}},
		timestamp: {func(s *simulator) { s.timestamp.Signed.Expires = past; s.updateTimestamp() },
			map[string]int64{root: 1, timestamp: 1, snapshot: 1, targets: 1}},
		snapshot: {func(s *simulator) { s.snapshot.Signed.Expires = past; s.updateSnapshot() },
			map[string]int64{root: 1, timestamp: 2, snapshot: 1, targets: 1}},
		targets: {func(s *simulator) {
			s.targets[targets].Signed.Expires = past
			s.targets[targets].Signed.Version++
			s.updateSnapshot()
		}, map[string]int64{root: 1, timestamp: 2, snapshot: 2, targets: 1}},
	}
	for role, test := range tests {
		t.Run(role+" at a site that has seen better", func(t *testing.T) {
			s := newSimulator(t)
			s.addFile(targets, "a", "content")
			v := newVisitor(t, s)
			v.succeeds()
			test.expire(s)
			r, err := v.open()
			if err != nil {
				t.Fatalf("the earlier view should be given: %v", err)
			}
			if st := r.Status(); st.Fresh || !strings.Contains(st.Detail, role) {
				t.Errorf("status %+v", st)
			}
			v.expectVersions(test.keeps)
			v.repo = r
			v.reads("a", "content")
		})
		t.Run(role+" at a new site", func(t *testing.T) {
			s := newSimulator(t)
			v := newVisitor(t, s)
			test.expire(s)
			_, err := v.open()
			var expired *trust.ExpiredError
			if !errors.Is(err, trust.ErrExpired) || errors.Is(err, trust.ErrUntrusted) || !errors.As(err, &expired) || expired.Role != role {
				t.Errorf("got %v, want that %s has expired", err, role)
			}
		})
	}
}

// The expired documents at hand still defend against a rollback, and newer ones follow.
func TestExpiredCacheIsUpdated(t *testing.T) {
	s := newSimulator(t)
	s.timestamp.Signed.Expires = day.Add(7 * 24 * time.Hour)
	v := newVisitor(t, s)
	v.succeeds()
	s.targets[targets].Signed.Version++
	s.updateSnapshot()
	s.timestamp.Signed.Expires = day.Add(21 * 24 * time.Hour)
	s.updateTimestamp()
	v.now = day.Add(18 * 24 * time.Hour)
	v.succeeds()
	v.expectVersions(map[string]int64{timestamp: 3, snapshot: 2, targets: 2})
	s.timestamp.Signed.Version = 2
	v.now = day.Add(30 * 24 * time.Hour)
	v.untrusted()
}

func TestRollback(t *testing.T) {
	for _, hashes := range []bool{false, true} {
		t.Run(fmt.Sprintf("snapshot named by a new timestamp, hashes %t", hashes), func(t *testing.T) {
			s := newSimulator(t)
			s.hashes = hashes
			v := newVisitor(t, s)
			s.updateSnapshot()
			v.succeeds()
			s.snapshot.Signed.Version = 1
			s.updateTimestamp()
			v.untrusted()
			v.expectVersions(map[string]int64{timestamp: 2, snapshot: 2})
			v.expectAsked("2.root", "timestamp")
		})
		t.Run(fmt.Sprintf("targets named by a new snapshot, hashes %t", hashes), func(t *testing.T) {
			s := newSimulator(t)
			s.hashes = hashes
			v := newVisitor(t, s)
			s.targets[targets].Signed.Version = 3
			s.updateSnapshot()
			v.succeeds()
			s.targets[targets].Signed.Version = 1
			s.updateSnapshot()
			v.untrusted()
			v.expectVersions(map[string]int64{snapshot: 2, targets: 3})
		})
	}
	t.Run("snapshot behind an unchanged timestamp", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.updateSnapshot()
		v.succeeds()
		s.snapshot.Signed.Version = 1
		v.succeeds()
		v.expectVersions(map[string]int64{snapshot: 2})
		v.expectAsked("2.root", "timestamp")
	})
	t.Run("timestamp", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.updateTimestamp()
		v.succeeds()
		s.timestamp.Signed.Version = 1
		v.untrusted()
		v.expectVersions(map[string]int64{timestamp: 2})
	})
	t.Run("snapshot that is not the one the timestamp names", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.snapshot.Signed.Version++
		v.untrusted()
		v.expectVersions(map[string]int64{timestamp: 1, snapshot: 0})
		v.expectAsked("2.root", "timestamp", "1.snapshot")
	})
	t.Run("role left out of the snapshot", func(t *testing.T) {
		s := newSimulator(t)
		s.delegate(targets, metadata.DelegatedRole{Name: "A", Threshold: 1, Paths: []string{"*"}})
		s.updateSnapshot()
		v := newVisitor(t, s)
		v.succeeds()
		delete(s.snapshot.Signed.Meta, "A.json")
		s.snapshot.Signed.Version++
		s.updateTimestamp()
		v.untrusted()
	})
}

// An attacker who had the keys pushed a version far ahead. Rotating the keys lets the
// repository start again with low numbers.
func TestFastForwardRecovery(t *testing.T) {
	tests := map[string]struct {
		attack, recover func(s *simulator)
		role            string
		after           int64
	}{
		timestamp: {
			func(s *simulator) { s.timestamp.Signed.Version = 99999 },
			func(s *simulator) { s.rotate(timestamp); s.bumpRoot(); s.timestamp.Signed.Version = 1 }, timestamp, 1,
		},
		snapshot: {
			func(s *simulator) { s.snapshot.Signed.Version = 99999; s.updateTimestamp() },
			func(s *simulator) {
				s.rotate(snapshot)
				s.rotate(timestamp)
				s.bumpRoot()
				s.snapshot.Signed.Version = 1
				s.updateTimestamp()
			}, snapshot, 1,
		},
		targets: {
			func(s *simulator) { s.targets[targets].Signed.Version = 99999; s.updateSnapshot() },
			func(s *simulator) {
				s.rotate(snapshot)
				s.bumpRoot()
				s.targets[targets].Signed.Version = 1
				s.updateSnapshot()
			}, targets, 1,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			v := newVisitor(t, s)
			test.attack(s)
			v.succeeds()
			v.expectVersions(map[string]int64{test.role: 99999})
			test.recover(s)
			v.succeeds()
			v.expectVersions(map[string]int64{test.role: test.after})
		})
	}
}

func TestThresholds(t *testing.T) {
	t.Run("not reached", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		v.succeeds()
		for range 4 {
			s.addKey(snapshot)
		}
		s.root.Signed.Roles[snapshot].Threshold = 6
		s.bumpRoot()
		s.updateSnapshot()
		v.untrusted()
		v.expectVersions(map[string]int64{root: 2, snapshot: 1})
	})
	t.Run("reached in the end", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.root.Signed.Roles[snapshot].Threshold = 3
		s.addKey(snapshot)
		s.bumpRoot()
		s.updateSnapshot()
		v.untrusted()
		s.addKey(snapshot)
		s.addKey(snapshot)
		s.bumpRoot()
		s.updateSnapshot()
		v.succeeds()
		v.expectVersions(map[string]int64{root: 3, snapshot: 3})
	})
	t.Run("keys in the root that did not sign", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		for range 4 {
			s.trustKey(snapshot, s.key())
		}
		s.root.Signed.Roles[snapshot].Threshold = 2
		s.bumpRoot()
		v.untrusted()
		v.expectVersions(map[string]int64{root: 2, snapshot: 0})
	})
	t.Run("key id without a key", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		s.root.Signed.Roles[snapshot].KeyIDs = append(s.root.Signed.Roles[snapshot].KeyIDs, strings.Repeat("ab", 32))
		s.root.Signed.Roles[snapshot].Threshold = 2
		s.bumpRoot()
		v.untrusted()
		v.expectVersions(map[string]int64{root: 2, snapshot: 0})
	})
	t.Run("one key under many ids", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		key, id := public(t, s.signers[snapshot][0])
		for n := range 9 {
			alias := *key
			alias.UnrecognizedFields = map[string]any{"alias": n}
			name := fmt.Sprintf("%02d%s", n, id[2:])
			s.root.Signed.Keys[name] = &alias
			s.root.Signed.Roles[snapshot].KeyIDs = append(s.root.Signed.Roles[snapshot].KeyIDs, name)
		}
		s.root.Signed.Roles[snapshot].Threshold = 6
		s.bumpRoot()
		v.untrusted()
	})
	t.Run("a field of old that means nothing", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		id := s.root.Signed.Roles[snapshot].KeyIDs[0]
		s.root.Signed.Keys[id].UnrecognizedFields = map[string]any{"keyid_hash_algorithms": []any{"md5"}}
		s.bumpRoot()
		s.updateSnapshot()
		v.succeeds()
		v.expectVersions(map[string]int64{root: 2, snapshot: 2})
	})
}

// generation is one version of a role: which of ten keys it has, how many must sign,
// and which do.
type generation struct {
	keys      []int
	threshold int
	signers   []int
}

func seededKeys(numbers []int) []crypto.Signer {
	var keys []crypto.Signer
	for _, n := range numbers {
		keys = append(keys, seeded(1000+n))
	}
	return keys
}

func (s *simulator) set(role string, g generation) {
	s.dropKeys(role)
	s.root.Signed.Roles[role].Threshold = g.threshold
	for _, k := range seededKeys(g.keys) {
		s.trustKey(role, k)
	}
	s.signers[role] = seededKeys(g.signers)
}

func TestRootRotation(t *testing.T) {
	five := []int{0, 1, 2, 3, 4}
	tests := map[string]struct {
		generations []generation
		fails       bool // in the last of them
	}{
		"1 of 1 rotated": {[]generation{{[]int{1}, 1, []int{1}}, {[]int{2}, 1, []int{2, 1}}, {[]int{2}, 1, []int{2}}}, false},
		"1 of 1 with signatures that don't count": {[]generation{{[]int{1}, 1, []int{3, 1, 4}}, {[]int{2}, 1, []int{3, 2, 1, 4}}, {[]int{2}, 1, []int{3, 2, 4}}}, false},
		"3 of 5 in changing company":              {[]generation{{five, 3, []int{0, 2, 4}}, {five, 3, []int{0, 4, 1}}, {five, 3, []int{0, 1, 3}}, {five, 3, []int{0, 1, 3}}}, false},
		"3 of 5, one rotated":                     {[]generation{{five, 3, []int{0, 2, 4}}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 1}}}, false},
		"3 of 5, one rotated with a step":         {[]generation{{five, 3, []int{0, 2, 4}}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 2, 4, 5}}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 5}}}, false},
		"3 of 5, all rotated":                     {[]generation{{five, 3, []int{0, 2, 4}}, {[]int{5, 6, 7, 8, 9}, 3, []int{0, 2, 4, 5, 6, 7}}, {[]int{5, 6, 7, 8, 9}, 3, []int{5, 6, 7}}}, false},
		"1 of 3 to 2 of 3":                        {[]generation{{[]int{1, 2, 3}, 1, []int{1}}, {[]int{1, 2, 3}, 2, []int{1, 2}}}, false},
		"2 of 3 to 1 of 3":                        {[]generation{{[]int{1, 2, 3}, 2, []int{1, 2}}, {[]int{1, 2, 3}, 1, []int{1, 2}}, {[]int{1, 2, 3}, 1, []int{1}}}, false},
		"1 of 1 to 2 of 2":                        {[]generation{{[]int{1}, 1, []int{1}}, {[]int{1, 2}, 2, []int{1, 2}}}, false},
		"old key does not sign":                   {[]generation{{[]int{1}, 1, []int{1}}, {[]int{2}, 1, []int{2, 3, 4}}}, true},
		"new key does not sign":                   {[]generation{{[]int{1}, 1, []int{1}}, {[]int{2}, 1, []int{1, 3, 4}}}, true},
		"too few new keys sign":                   {[]generation{{five, 3, []int{0, 2, 4}}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 2, 4}}}, true},
		"too few old keys sign":                   {[]generation{{five, 3, []int{0, 2, 4}}, {[]int{0, 1, 3, 4, 5}, 3, []int{0, 4, 5}}}, true},
		"raised threshold not reached":            {[]generation{{[]int{1, 2, 3}, 1, []int{1}}, {[]int{1, 2, 3}, 2, []int{2}}}, true},
		"lowered threshold without the old":       {[]generation{{[]int{1, 2, 3}, 2, []int{1, 2}}, {[]int{1, 2, 3}, 1, []int{1}}}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			s.roots, s.root.Signed.Version = nil, 0
			for _, g := range test.generations {
				s.set(root, g)
				s.bumpRoot()
			}
			v := newVisitor(t, s)
			if test.fails {
				v.untrusted()
				v.expectVersions(map[string]int64{root: int64(len(test.generations) - 1)})
				return
			}
			v.succeeds()
			v.expectVersions(map[string]int64{root: int64(len(test.generations))})
		})
	}
}

func TestRotationOfOtherRoles(t *testing.T) {
	five, swapped := []int{0, 1, 2, 3, 4}, []int{0, 1, 3, 4, 5}
	tests := map[string]struct {
		generation
		fails bool
	}{
		"1 of 1":                            {generation{[]int{2}, 1, []int{2}}, false},
		"with signatures that don't count":  {generation{[]int{1}, 1, []int{3, 1, 4}}, false},
		"new key does not sign":             {generation{[]int{2}, 1, []int{1, 3, 4}}, true},
		"3 signatures, one of a former key": {generation{swapped, 3, []int{0, 2, 4}}, true},
		"2 signatures of 3":                 {generation{swapped, 3, []int{0, 4}}, true},
		"3 of 5, first company":             {generation{five, 3, []int{0, 2, 4}}, false},
		"3 of 5, second company":            {generation{five, 3, []int{0, 4, 1}}, false},
		"3 of 5, third company":             {generation{five, 3, []int{0, 1, 3}}, false},
		"3 of 5, fourth company":            {generation{five, 3, []int{1, 2, 3}}, false},
		"3 of 5, fifth company":             {generation{five, 3, []int{2, 3, 4}}, false},
	}
	for name, test := range tests {
		for _, role := range []string{timestamp, snapshot, targets} {
			t.Run(name+" "+role, func(t *testing.T) {
				s := newSimulator(t)
				v := newVisitor(t, s)
				s.set(role, test.generation)
				s.bumpRoot()
				if test.fails {
					v.untrusted()
					v.expectVersions(map[string]int64{role: 0})
					return
				}
				v.succeeds()
				v.expectVersions(map[string]int64{role: 1})
			})
		}
	}
}
