package site

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"moult/core/release"
)

// newSite makes a site, in memory where the system has such: a disk that is busy
// must not decide how long things take.
func newSite(t *testing.T) *Site {
	t.Helper()
	dir := t.TempDir()
	if memory, err := os.MkdirTemp("/dev/shm", "moult-test-"); runtime.GOOS == "linux" && err == nil {
		t.Cleanup(func() { os.RemoveAll(memory) })
		dir = memory
	}
	s, err := Init(dir, Config{Name: "test"}, State{By: "init"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func version(t *testing.T, s string) release.Version {
	t.Helper()
	v, err := release.ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var byText = cmp.Comparer(func(a, b release.Version) bool { return a.String() == b.String() })

func TestInitMakesASiteThatOpens(t *testing.T) {
	s := newSite(t)
	want := State{Version: version(t, "1.2.3.4"), Installed: time.Unix(1e9, 0).UTC(), By: "u1"}
	if err := s.SetState(want); err != nil {
		t.Fatal(err)
	}
	again, err := Open(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	got, err := again.State()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, byText); diff != "" {
		t.Error(diff)
	}
	if again.Config.Name != "test" {
		t.Errorf("the name is %q", again.Config.Name)
	}
}

func TestHomeIsClosedToOthersAndWebServers(t *testing.T) {
	s := newSite(t)
	info, err := os.Stat(filepath.Join(s.Dir, Home))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Errorf("the mode of %s is %v", Home, info.Mode())
	}
	for name, want := range map[string]string{".htaccess": "Require all denied", "web.config": `accessType="Deny"`} {
		b, err := os.ReadFile(filepath.Join(s.Dir, Home, name))
		if err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
}

func TestOpenAndInitTellWhatADirectoryIs(t *testing.T) {
	s := newSite(t)
	if _, err := Init(s.Dir, Config{}, State{}); !errors.Is(err, ErrAlreadySite) {
		t.Errorf("second init: %v", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNotSite) {
		t.Errorf("open of a directory that is none: %v", err)
	}
	half := t.TempDir()
	if err := os.Mkdir(filepath.Join(half, Home), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(half); !errors.Is(err, ErrNotSite) {
		t.Errorf("open of an init that was interrupted: %v", err)
	}
	again, err := Init(half, Config{}, State{})
	if err != nil {
		t.Fatalf("init after one that was interrupted: %v", err)
	}
	again.Close()
}

func TestHomeThatIsALinkIsRefused(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Symlink(elsewhere, filepath.Join(dir, Home)); err != nil {
		t.Skip(err)
	}
	if _, err := Init(dir, Config{}, State{}); err == nil {
		t.Error("init wrote through a link out of the site")
	}
	if list, _ := os.ReadDir(elsewhere); len(list) > 0 {
		t.Errorf("%s holds %v", elsewhere, list)
	}
}

func TestStateDirectoryElsewhereHoldsUpdates(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "state")
	s, err := Init(t.TempDir(), Config{State: StateDir{Dir: elsewhere}}, State{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	u, err := s.NewUpdate("a")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	if _, err := os.Stat(filepath.Join(elsewhere, "updates", "a", "update.json")); err != nil {
		t.Error(err)
	}
}

func TestStateIsChangedByOneAtATime(t *testing.T) {
	s := newSite(t)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if err := s.ChangeState(func(st *State) { st.By += "x" }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if st, err := s.State(); err != nil || strings.Count(st.By, "x") != 80 {
		t.Errorf("of 80 changes %d are left, %v", len(st.By), err)
	}
}

func TestStateOfANewerMoultIsRefused(t *testing.T) {
	s := newSite(t)
	if err := os.WriteFile(filepath.Join(s.Dir, Home, StateFile), []byte(`{"version":"1.0.0","quantum":true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.State(); err == nil || !strings.Contains(err.Error(), "quantum") {
		t.Errorf("a key that is not known gave %v", err)
	}
}

func TestPristineGivesBackWhatWasPutAndNothingElse(t *testing.T) {
	s := newSite(t)
	p, err := s.Pristine()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	text := strings.Repeat("a line of a text\n", 1000)
	d := release.DigestOf([]byte(text))
	if err := p.Put(d, []byte("something else")); err == nil || p.Has(d) {
		t.Errorf("contents with another hash were put: %v", err)
	}
	if err := p.Put(d, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Get(d, 1<<20); err != nil || string(got) != text {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	if _, err := p.Get(d, 10); err == nil {
		t.Error("a limit of 10 bytes was not kept")
	}
	if _, err := p.Get(release.DigestOf(nil), 10); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was never put: %v", err)
	}
	name := filepath.Join(s.Dir, Home, "pristine", filepath.FromSlash(pristineName(d)))
	if err := os.WriteFile(name, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Get(d, 1<<20); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged copy: %v", err)
	}
}

func TestPruneKeepsWhatIsWanted(t *testing.T) {
	s := newSite(t)
	p, err := s.Pristine()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a, b := release.DigestOf([]byte("a")), release.DigestOf([]byte("b"))
	for d, text := range map[release.Digest]string{a: "a", b: "b"} {
		if err := p.Put(d, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	freed, err := p.Prune(func(d release.Digest) bool { return d == a })
	if err != nil || freed == 0 || !p.Has(a) || p.Has(b) {
		t.Errorf("freed %d, %v; a %v, b %v", freed, err, p.Has(a), p.Has(b))
	}
}

func TestUpdatesAreListedOldestFirst(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"zebra", "ant", "mole"} {
		u, err := s.NewUpdate(id)
		if err != nil {
			t.Fatal(err)
		}
		u.Close()
	}
	if _, err := s.NewUpdate("ant"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("an update that is there already: %v", err)
	}
	u, err := s.Update("ant")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.WriteJSON("plan.json", map[string]int{"a": 1}); err != nil {
		t.Fatal(err)
	}
	if n, err := u.Size(); err != nil || n == 0 {
		t.Errorf("size %d, %v", n, err)
	}
	if err := u.Remove(); err != nil {
		t.Fatal(err)
	}
	got, err := s.Updates()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"zebra", "mole"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoUpdateIsNotInTheWay(t *testing.T) {
	s := newSite(t)
	u, err := s.NewUpdate("u1")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	stray := filepath.Join(s.Dir, Home, "updates", ".DS_Store")
	if err := os.WriteFile(stray, []byte("?"), 0o644); err != nil {
		t.Fatal(err)
	}
	if ids, err := s.Updates(); err != nil || !slices.Equal(ids, []string{"u1"}) {
		t.Errorf("the updates are %v, %v", ids, err)
	}
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if _, err := os.Stat(stray); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestNamesOfUpdatesCannotLeadElsewhere(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a b", strings.Repeat("x", 65), "a\x00"} {
		if u, err := s.NewUpdate(id); err == nil {
			u.Close()
			t.Errorf("%q was accepted", id)
		}
	}
}

func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	s := newSite(t)
	home := filepath.Join(s.Dir, Home)
	if err := os.MkdirAll(filepath.Join(home, "updates", "half", "stage"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "state.json"+tempMark+"ABC"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	for _, name := range []string{"updates/half", "state.json" + tempMark + "ABC"} {
		if _, err := os.Stat(filepath.Join(home, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

func TestSitesOfTheUser(t *testing.T) {
	dir := t.TempDir()
	if got, err := LoadSites(dir); err != nil || len(got) != 0 {
		t.Errorf("no list yet: %v, %v", got, err)
	}
	first, second := filepath.Join(t.TempDir(), "duck pond"), t.TempDir()
	for _, c := range []struct {
		change func(config, dir string) error
		dir    string
		want   []string
	}{
		{AddToSites, first, []string{first}},
		{AddToSites, second, []string{first, second}},
		{AddToSites, first + "/.", []string{first, second}},
		{RemoveFromSites, t.TempDir(), []string{first, second}},
		{RemoveFromSites, first, []string{second}},
		{RemoveFromSites, second, nil},
	} {
		if err := c.change(dir, c.dir); err != nil {
			t.Fatal(err)
		}
		got, err := LoadSites(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" && len(c.want)+len(got) > 0 {
			t.Errorf("after a change for %s: %s", c.dir, diff)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "moult", "sites.toml"), []byte("sites = []\ncolour = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSites(dir); err == nil || !strings.Contains(err.Error(), "sites.toml:2") {
		t.Errorf("an unknown key gave %v", err)
	}
}

// TestSitesAreListedByManyAtOnce has twenty processes, as it were, add a site each.
func TestSitesAreListedByManyAtOnce(t *testing.T) {
	config := t.TempDir()
	var adding sync.WaitGroup
	for i := range 20 {
		adding.Go(func() {
			if err := AddToSites(config, filepath.Join("/srv", strconv.Itoa(i))); err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	if got, err := LoadSites(config); err != nil || len(got) != 20 {
		t.Errorf("%d sites of 20 are listed: %q, %v", len(got), got, err)
	}
}

func TestReserveTakesRoomAndGivesItBack(t *testing.T) {
	s := newSite(t)
	if err := s.Reserve(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(s.Dir, Home, reserveFile)
	if info, err := os.Stat(name); err != nil || info.Size() != reserveSize {
		t.Errorf("%v, %v", info, err)
	}
	for range 2 {
		if err := s.FreeReserve(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the reserve file is still there")
	}
}
