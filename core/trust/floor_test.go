package trust_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"moult/core/trust"
)

// The second root takes a stolen timestamp key away. After a restart, a mirror that
// hides that root must not bring the key back, although the site still pins the first.
func TestHiddenRootCannotBringARevokedKeyBack(t *testing.T) {
	for name, loseCache := range map[string]bool{"with its cache": false, "with the cache lost": true} {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			s.addFile(targets, "a", "good")
			v := newVisitor(t, s)
			v.succeeds()
			stolen := s.signers[timestamp]
			s.rotate(timestamp)
			s.bumpRoot()
			s.updateTimestamp()
			v.succeeds()
			v.expectVersions(map[string]int64{root: 2})

			if loseCache {
				if err := v.dir.RemoveAll("metadata"); err != nil {
					t.Fatal(err)
				}
				if err := v.dir.Remove("view.json"); err != nil {
					t.Fatal(err)
				}
			}
			s.hidden["/metadata/2.root.json"] = true
			s.signers[timestamp] = stolen
			s.timestamp.Signed.Version += 100
			v.untrusted()
			v.expectVersions(map[string]int64{root: 2})

			// A new site, which never saw the second root, is what the attack works on:
			// the test would show nothing if it were refused for another reason.
			newVisitor(t, s).succeeds()
		})
	}
}

// Each root is recorded as it is learnt, and the record never goes back.
func TestFloorOnlyGrows(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	for version := int64(1); version < 5; version++ {
		v.succeeds()
		v.expectVersions(map[string]int64{root: version})
		s.bumpRoot()
	}
	for _, hidden := range []string{"/metadata/3.root.json", "/metadata/4.root.json", "/metadata/5.root.json"} {
		s.hidden[hidden] = true
	}
	v.succeeds()
	v.expectVersions(map[string]int64{root: 4})
	s.hidden = map[string]bool{}
	v.succeeds()
	v.expectVersions(map[string]int64{root: 5})
}

func TestPinningAnotherRootStartsAfresh(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	s.bumpRoot()
	v.succeeds()
	v.expectVersions(map[string]int64{root: 2})
	other := newSimulator(t)
	other.dropKeys(root)
	other.roots = nil
	other.addKey(root)
	other.publishRoot()
	v.s, v.pinned = other, other.roots[0]
	v.succeeds()
	if got := v.repo.Status().RootVersion; got != 1 {
		t.Errorf("root version %d, want 1", got)
	}
}

func TestDamagedFloorIsNotPassedOver(t *testing.T) {
	s := newSimulator(t)
	s.bumpRoot()
	v := newVisitor(t, s)
	v.succeeds()
	for _, damage := range []string{"", "{", "null", `{"format":1}`, `{"format":2,"root":"x"}`} {
		if err := v.dir.WriteFile("root.json", []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		v.untrusted()
	}
}

func TestDamagedCacheIsFetchedAgain(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	for _, damage := range []string{"", "{}", "null", `{"signed":{"meta":null}}`, strings.Repeat("[", 1000)} {
		v.succeeds()
		for _, role := range []string{timestamp, snapshot, targets} {
			if err := v.dir.WriteFile("metadata/"+role+".json", []byte(damage), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		v.succeeds()
		v.expectVersions(map[string]int64{timestamp: 1, snapshot: 1, targets: 1})
	}
}

func TestClockThatIsWrongIsExplained(t *testing.T) {
	s := newSimulator(t)
	s.timestamp.Signed.Expires = day.Add(14 * 24 * time.Hour)
	s.date = day
	v := newVisitor(t, s)
	v.now = day.Add(400 * 24 * time.Hour)
	s.root.Signed.Expires = v.now.Add(time.Hour)
	s.roots = nil
	s.publishRoot()
	v.pinned = s.roots[0]
	_, err := v.open()
	var expired *trust.ExpiredError
	if !errors.As(err, &expired) || expired.Skew() != 400*24*time.Hour || !strings.Contains(err.Error(), "check the date and time of this computer") {
		t.Errorf("got %v (%+v)", err, expired)
	}
	s.date = time.Time{}
	if _, err := v.open(); !errors.Is(err, trust.ErrExpired) || strings.Contains(err.Error(), "clock") {
		t.Errorf("without the server's date: got %v", err)
	}
}

func TestFingerprintFollowsTheRootKeys(t *testing.T) {
	s := newSimulator(t)
	first, err := trust.Fingerprint(s.roots[0])
	if err != nil || len(first) != 8*4+7 {
		t.Fatalf("%q, %v", first, err)
	}
	s.rotate(timestamp)
	s.bumpRoot()
	same, err := trust.Fingerprint(s.roots[1])
	if err != nil || same != first {
		t.Errorf("rotating another role changed %q to %q, %v", first, same, err)
	}
	s.rotate(root)
	s.bumpRoot()
	other, err := trust.Fingerprint(s.roots[2])
	if err != nil || other == first {
		t.Errorf("rotating the root left %q, %v", other, err)
	}

}

// A repository on a stick: same trust, no network, and no proof of freshness once it
// has aged.
func TestRepositoryOnAMedium(t *testing.T) {
	s := newSimulator(t)
	s.timestamp.Signed.Expires = day.Add(14 * 24 * time.Hour)
	s.addFile(targets, "releases/1/full", "package")
	stick := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		p := filepath.Join(stick, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"1.root", "timestamp", "1.snapshot", "1.targets"} {
		write("metadata/"+name+".json", s.document(name))
	}
	for name, b := range s.files {
		write("targets/"+name, b)
	}
	s.url = "file://" + filepath.ToSlash(stick)
	v := newVisitor(t, s)
	v.succeeds()
	v.reads("releases/1/full", "package")

	old := newVisitor(t, s)
	old.now = day.Add(60 * 24 * time.Hour)
	if _, err := old.open(); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("aged medium: got %v, want ErrExpired", err)
	}
	r, err := trust.Open(t.Context(), trust.Options{
		Client: newClient(t), URL: s.url, Dir: old.dir, PinnedRoot: old.pinned, Now: func() time.Time { return old.now }, Offline: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if st := r.Status(); st.Fresh || st.Detail == "" {
		t.Errorf("status %+v", st)
	}
	old.repo = r
	old.reads("releases/1/full", "package")
}

// The window and a scheduled check look at the same moment.
func TestSeveralChecksAtOnce(t *testing.T) {
	s := newSimulator(t)
	v := newVisitor(t, s)
	for range 3 {
		s.bumpRoot()
	}
	s.addFile(targets, "a", "content")
	repo := s.url
	errs := make(chan error)
	const checks = 8
	for range checks {
		go func() {
			r, err := trust.Open(t.Context(), trust.Options{
				Client: newClient(t), URL: repo, Dir: v.dir, PinnedRoot: v.pinned, Now: func() time.Time { return day },
			})
			if err == nil {
				_, err = r.Read(t.Context(), "a", 100)
			}
			errs <- err
		}()
	}
	for range checks {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	v.expectVersions(map[string]int64{root: 4, timestamp: 1, snapshot: 1, targets: 1})
	left, err := fs.Glob(v.dir.FS(), "*.new-*")
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}
