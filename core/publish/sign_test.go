package publish_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/publish"
	"moult/core/trust"
)

// The targets of a repository are signed by two people, one after the other.
func TestAChangeIsPublishedWithTheLastSignatureOnly(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{Threshold: 2, Plain: true})
	all := publish.DefaultKeys(repo)
	ann, bob, eve := t.TempDir(), t.TempDir(), t.TempDir()
	move(t, all, ann, "targets-1.pem")
	move(t, all, bob, "*.pem")
	if err := publish.Init(filepath.Join(eve, "repo"), publish.InitOptions{Threshold: 2}); err != nil {
		t.Fatal(err)
	}
	r := small(t, "1.0.0")
	r.Keys = publish.KeySource{Place: ann, HandOn: true}
	var pending *publish.PendingError
	if err := publish.Add(t.Context(), repo, r); !errors.As(err, &pending) {
		t.Fatalf("got %v, want a change that waits", err)
	}
	unpublished := func(when string) {
		t.Helper()
		s, err := site(t, repo, "file://"+repo, tempRoot(t), day)
		if err != nil || len(s.Names("releases/")) > 0 {
			t.Errorf("%s: %v is published, %v", when, s.Names(""), err)
		}
		if _, err := os.Stat(filepath.Join(repo, "targets", "stable.json")); err == nil {
			t.Errorf("%s: clients without TUF see the release", when)
		}
	}
	unpublished("after one signature")
	if err := publish.Add(t.Context(), repo, small(t, "1.0.1")); !errors.Is(err, publish.ErrPending) {
		t.Errorf("another change: %v, want ErrPending", err)
	}
	if _, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: ann}, day); !errors.As(err, &pending) {
		t.Errorf("the same key twice: %v", err)
	}
	if _, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: filepath.Join(eve, "repo-keys")}, day); !errors.As(err, &pending) {
		t.Errorf("keys of somebody else: %v", err)
	}
	unpublished("after signatures that don't count")
	if _, err := publish.Refresh(t.Context(), repo, publish.KeySource{Place: bob}, day.Add(time.Hour)); err != nil {
		t.Errorf("the daily job fails while a change waits: %v", err)
	}
	changes, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: bob}, day.Add(2*time.Hour))
	if err != nil || len(changes) != 3 {
		t.Fatalf("%v, %v", changes, err)
	}
	s, err := site(t, repo, "file://"+repo, tempRoot(t), day)
	if err != nil || len(s.Names("releases/")) == 0 {
		t.Errorf("the signed release is not published: %v", err)
	}
	if _, err := os.Stat(filepath.Join(repo, "targets", "stable.json")); err != nil {
		t.Error(err)
	}
	if _, err := publish.Verify(t.Context(), repo, day.Add(2*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestAChangeThatWasTamperedWithWhileItWaitedIsNotPublished(t *testing.T) {
	repo := initRepo(t, publish.InitOptions{Threshold: 2})
	all := publish.DefaultKeys(repo)
	ann := t.TempDir()
	move(t, all, ann, "targets-1.pem")
	r := small(t, "1.0.0")
	r.Keys = publish.KeySource{Place: ann, HandOn: true}
	var pending *publish.PendingError
	if err := publish.Add(t.Context(), repo, r); !errors.As(err, &pending) {
		t.Fatal(err)
	}
	name := filepath.Join(repo, "metadata", ".pending.targets.json")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	// Ann has signed another expiry.
	changed := strings.Replace(string(text), `"expires":"2027`, `"expires":"2037`, 1)
	if changed == string(text) {
		t.Fatalf("nothing was changed in %s", text)
	}
	if err := os.WriteFile(name, []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: all}, day); err == nil || errors.As(err, &pending) {
		t.Errorf("got %v, want a refusal", err)
	}
	if s, err := site(t, repo, "file://"+repo, tempRoot(t), day); err != nil || len(s.Names("releases/")) > 0 {
		t.Errorf("it was published, %v", err)
	}
	if err := publish.Drop(repo); err != nil {
		t.Error(err)
	}
	if _, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: all}, day); err == nil {
		t.Error("a dropped change was signed")
	}
}

// Ann is careless or worse: she signs a change that says more than the files it adds. Bob
// either sees it or can't sign.
func TestACoSignerSeesAllThatIsSigned(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*metadata.TargetsType)
		want   string // in the refusal; "": it is shown
	}{
		"mirrors": {func(s *metadata.TargetsType) {
			s.UnrecognizedFields = map[string]any{trust.MirrorsField: []any{"https://b.example/", "https://a.example/"}}
		}, ""},
		"an open mirror": {func(s *metadata.TargetsType) {
			s.UnrecognizedFields = map[string]any{trust.MirrorsField: []any{"http://a.example/"}}
		}, "http://a.example/"},
		"another field": {func(s *metadata.TargetsType) { s.UnrecognizedFields = map[string]any{"x-other": "y"} }, "x-other"},
		"a delegation": {func(s *metadata.TargetsType) {
			s.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{
				{Name: "eve", KeyIDs: []string{}, Threshold: 1, Paths: []string{"*"}}}}
		}, "delegates"},
		"a long life": {func(s *metadata.TargetsType) { s.Expires = s.Expires.AddDate(1, 0, 0) }, "expires"},
		"a length":    {func(s *metadata.TargetsType) { s.Targets["stable/manifest.json"].Length++ }, "stable/manifest.json"},
		"custom data": {func(s *metadata.TargetsType) {
			custom := json.RawMessage(`{"a":1}`)
			s.Targets["stable/manifest.json"].Custom = &custom
		}, "stable/manifest.json"},
		"a name that writes to the terminal": {func(s *metadata.TargetsType) {
			s.Targets["a\nadded  b"] = s.Targets["stable/manifest.json"]
		}, "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{Threshold: 2})
			all, ann := publish.DefaultKeys(repo), t.TempDir()
			move(t, all, ann, "targets-1.pem")
			o := publish.RolloutOptions{Percent: 50, Keys: publish.KeySource{Place: ann, HandOn: true}, Date: day}
			var pending *publish.PendingError
			if err := publish.Rollout(t.Context(), repo, o); !errors.As(err, &pending) {
				t.Fatal(err)
			}
			place := filepath.Join(repo, "metadata", ".pending.targets.json")
			m, err := metadata.Targets().FromFile(place)
			must(t, err)
			test.change(&m.Signed)
			save(t, place, ann, "targets", m, nil)
			changes, err := publish.Sign(t.Context(), repo, publish.KeySource{Place: all}, day)
			if test.want != "" {
				if err == nil || errors.As(err, &pending) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want a refusal that says %q", err, test.want)
				}
				return
			}
			must(t, err)
			last := changes[len(changes)-1]
			if len(changes) != 3 || last.Kind != publish.Mirrored || !slices.Equal(last.Mirrors, []string{"https://b.example/", "https://a.example/"}) {
				t.Errorf("changes %+v", changes)
			}
		})
	}
}
