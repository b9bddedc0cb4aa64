package publish_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"moult/core/publish"
	"moult/core/trust"
)

func keyFiles(t testing.TB, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, filepath.Base(f))
	}
	return names
}

// move takes keys away, as a publisher does who keeps them in a safe.
func move(t testing.TB, from, to, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(from, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if err := os.Rename(f, filepath.Join(to, filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	}
}

func small(t testing.TB, v string) publish.Release {
	t.Helper()
	return publish.Release{Version: version(t, v), Tree: tree(t, map[string]string{"a": v}), Date: day, Now: day}
}

func TestInitMakesTheKeysThatTheThresholdNeeds(t *testing.T) {
	tests := map[int][]string{
		0: {"root-1.pem", "snapshot-1.pem", "targets-1.pem", "timestamp-1.pem"},
		2: {"root-1.pem", "root-2.pem", "root-3.pem", "snapshot-1.pem", "targets-1.pem", "targets-2.pem", "timestamp-1.pem"},
	}
	for threshold, want := range tests {
		repo := initRepo(t, publish.InitOptions{Threshold: threshold})
		dir := publish.DefaultKeys(repo)
		if got := keyFiles(t, dir); !slices.Equal(got, want) {
			t.Errorf("threshold %d: keys %q, want %q", threshold, got, want)
		}
		for _, f := range want {
			info, err := os.Stat(filepath.Join(dir, f))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v, %v", f, info, err)
			}
		}
		if err := publish.Add(t.Context(), repo, small(t, "1.0.0")); err != nil {
			t.Errorf("threshold %d: %v", threshold, err)
		}
	}
}

func TestInitLeavesAnExistingRepositoryAlone(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	before := digests(t, repo)
	if err := publish.Init(repo, publish.InitOptions{}); err == nil {
		t.Error("a repository was made over another")
	}
	if !slices.Equal(before, digests(t, repo)) {
		t.Error("the refusal changed the repository")
	}
}

func TestDailyJobNeedsNoOfflineKey(t *testing.T) {
	repo, safe := initRepo(t, publish.InitOptions{}), t.TempDir()
	keys := publish.DefaultKeys(repo)
	move(t, keys, safe, "root-*.pem")
	move(t, keys, safe, "targets-*.pem")
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if err := publish.Add(t.Context(), repo, small(t, "1.0.0")); !errors.Is(err, publish.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
	move(t, keys, safe, "timestamp-*.pem")
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(time.Hour)); !errors.Is(err, publish.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
}

func TestRefreshWarnsOfOfflineKeys(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	n, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(330*24*time.Hour))
	if err != nil || len(n.Warnings) != 2 || !strings.Contains(n.Warnings[0], "root") || !strings.Contains(n.Warnings[1], "targets") {
		t.Errorf("got %+v, %v", n, err)
	}
	for _, role := range []string{"root", "targets"} {
		if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: role, Keep: true, Date: day.Add(330 * 24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	n, err = publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(330*24*time.Hour))
	if err != nil || len(n.Warnings) != 0 {
		t.Errorf("after renewal: %+v, %v", n, err)
	}
	if got := keyFiles(t, publish.DefaultKeys(repo)); len(got) != 4 {
		t.Errorf("renewing made keys: %q", got)
	}
}

func TestKeysWithPassphrase(t *testing.T) {
	asked := map[string]int{}
	repo := initRepo(t, publish.InitOptions{Passphrase: func(key string) ([]byte, error) {
		if strings.Contains(key, "timestamp") || strings.Contains(key, "snapshot") {
			return nil, nil
		}
		return []byte("duck"), nil
	}})
	for _, f := range keyFiles(t, publish.DefaultKeys(repo)) {
		b, err := os.ReadFile(filepath.Join(publish.DefaultKeys(repo), f))
		if err != nil {
			t.Fatal(err)
		}
		sealed := strings.HasPrefix(f, "root") || strings.HasPrefix(f, "targets")
		if strings.Contains(string(b), "ENCRYPTED") != sealed {
			t.Errorf("%s: sealed should be %t", f, sealed)
		}
	}
	r := small(t, "1.0.0")
	r.Keys.Unlock = func(string) ([]byte, error) { return []byte("goose"), nil }
	if err := publish.Add(t.Context(), repo, r); err == nil || !strings.Contains(err.Error(), "passphrase") {
		t.Errorf("wrong passphrase: %v", err)
	}
	r.Keys.Unlock = func(key string) ([]byte, error) { asked[filepath.Base(key)]++; return []byte("duck"), nil }
	if err := publish.Add(t.Context(), repo, r); err != nil {
		t.Fatal(err)
	}
	if len(asked) != 1 || asked["targets-1.pem"] != 1 {
		t.Errorf("asked for %v, want the targets key once", asked)
	}
	t.Setenv("MOULT_KEY_PASSPHRASE", "duck")
	if err := publish.Add(t.Context(), repo, small(t, "1.0.1")); err != nil {
		t.Errorf("passphrase from the environment: %v", err)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	var text strings.Builder
	for _, f := range keyFiles(t, publish.DefaultKeys(repo)) {
		b, err := os.ReadFile(filepath.Join(publish.DefaultKeys(repo), f))
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	r := small(t, "1.0.0")
	r.Keys.Place = "env:PUBLISH_KEYS"
	if err := publish.Add(t.Context(), repo, r); !errors.Is(err, publish.ErrNoKey) {
		t.Errorf("empty variable: got %v, want ErrNoKey", err)
	}
	t.Setenv("PUBLISH_KEYS", text.String())
	if err := publish.Add(t.Context(), repo, r); err != nil {
		t.Error(err)
	}
	t.Setenv("PUBLISH_KEYS", text.String()+"junk")
	r.Version = version(t, "1.0.1")
	if err := publish.Add(t.Context(), repo, r); err == nil || strings.Contains(err.Error(), "PRIVATE") {
		t.Errorf("junk after the keys: %v", err)
	}
}

// Every role can change its keys while sites that saw the old ones go on, sites that
// pinned the first root follow, and the old keys are worth nothing.
func TestRotateEachRole(t *testing.T) {
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		t.Run(role, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{Threshold: 2, Plain: true})
			server, err := publish.Serve(t.Context(), repo, "")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			first, err := os.ReadFile(filepath.Join(repo, "root.json"))
			if err != nil {
				t.Fatal(err)
			}
			dir := tempRoot(t)
			open := func(dir *os.Root) (*trust.Repository, error) {
				return trust.Open(t.Context(), trust.Options{
					Client: client(t), URL: server.URL, Dir: dir, PinnedRoot: first, Now: func() time.Time { return day },
				})
			}
			if _, err := open(dir); err != nil {
				t.Fatal(err)
			}

			keys, old := publish.DefaultKeys(repo), t.TempDir()
			before := len(keyFiles(t, keys))
			if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: role, Date: day}); err != nil {
				t.Fatal(err)
			}
			for _, d := range []*os.Root{dir, tempRoot(t)} {
				r, err := open(d)
				if err != nil {
					t.Fatal(err)
				}
				if v := r.Status().RootVersion; v != 2 {
					t.Errorf("root version %d, want 2", v)
				}
			}
			if _, err := publish.Verify(t.Context(), repo, day); err != nil {
				t.Errorf("after the rotation: %v", err)
			}
			// Without the old keys everything goes on; with the old ones alone nothing does.
			number := map[string]int{"root": 3, "targets": 2, "snapshot": 1, "timestamp": 1}[role]
			if got := len(keyFiles(t, keys)); got != before+number {
				t.Errorf("%d keys, want %d more than %d", got, number, before)
			}
			for n := 1; n <= number; n++ {
				move(t, keys, old, role+"-"+string(rune('0'+n))+".pem")
			}
			if err := publish.Add(t.Context(), repo, small(t, "2.0.0")); err != nil {
				t.Errorf("with the new keys: %v", err)
			}
			if _, err := open(dir); err != nil {
				t.Error(err)
			}
			move(t, keys, t.TempDir(), role+"-*.pem")
			move(t, old, keys, role+"-*.pem")
			if role == "root" {
				err = publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "timestamp", Date: day})
			} else {
				err = publish.Add(t.Context(), repo, small(t, "2.0.1"))
			}
			if !errors.Is(err, publish.ErrNoKey) {
				t.Errorf("with revoked keys: got %v, want ErrNoKey", err)
			}
		})
	}
	if err := publish.Rotate(t.Context(), initRepo(t, publish.InitOptions{}), publish.RotateOptions{Role: "mirror"}); err == nil {
		t.Error("an unknown role was rotated")
	}
}

func TestAddNeedsARepository(t *testing.T) {
	if err := publish.Add(t.Context(), t.TempDir(), small(t, "1.0.0")); !errors.Is(err, publish.ErrNotRepository) {
		t.Errorf("got %v, want ErrNotRepository", err)
	}
}

func TestRefreshSaysWhenSitesWouldRefuse(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{})
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(400*24*time.Hour)); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("expired root: got %v, want ErrExpired", err)
	}
	for _, role := range []string{"root", "targets"} {
		if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: role, Keep: true, Date: day.Add(400 * 24 * time.Hour)}); err != nil {
			t.Errorf("renewing %s: %v", role, err)
		}
	}
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(400*24*time.Hour)); err != nil {
		t.Errorf("renewed: %v", err)
	}

	// A rotation that was killed after the root was written: the timestamp is still
	// signed by the old key. The next refresh mends it.
	saved, err := os.ReadFile(filepath.Join(repo, "metadata", "timestamp.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "timestamp", Date: day.Add(400 * 24 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(repo, "targets", ".new-123")
	if err := errors.Join(os.WriteFile(filepath.Join(repo, "metadata", "timestamp.json"), saved, 0o644), os.WriteFile(left, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Verify(t.Context(), repo, day.Add(400*24*time.Hour)); !errors.Is(err, trust.ErrUntrusted) {
		t.Errorf("half a rotation: got %v, want ErrUntrusted", err)
	}
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{}, day.Add(400*24*time.Hour)); err != nil {
		t.Errorf("after half a rotation: %v", err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what the killed command left is still there")
	}
}

func TestNewKeysAreNotWrittenToWhereKeysAreOnlyRead(t *testing.T) {
	t.Chdir(t.TempDir())
	repo := initRepo(t, publish.InitOptions{})
	for _, place := range []string{"env:KEYS", "-"} {
		err := publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "timestamp", Keys: publish.KeySource{Place: place}, Date: day})
		if !errors.Is(err, publish.ErrKeyPlace) {
			t.Errorf("rotate: got %v, want ErrKeyPlace", err)
		}
		if err := publish.Init("other", publish.InitOptions{Keys: place}); !errors.Is(err, publish.ErrKeyPlace) {
			t.Errorf("init: got %v, want ErrKeyPlace", err)
		}
	}
	if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	var keys strings.Builder
	for _, f := range keyFiles(t, publish.DefaultKeys(repo)) {
		b, err := os.ReadFile(filepath.Join(publish.DefaultKeys(repo), f))
		must(t, err)
		keys.Write(b)
	}
	t.Setenv("KEYS", keys.String())
	must(t, publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "targets", Keep: true, Keys: publish.KeySource{Place: "env:KEYS"}, Date: day}))
}
