package publish_test

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/publish"
	"moult/core/release"
	"moult/core/trust"
)

// documents are the metadata of a repository, for whoever has its server.
type documents struct {
	root      *metadata.Metadata[metadata.RootType]
	targets   *metadata.Metadata[metadata.TargetsType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	timestamp *metadata.Metadata[metadata.TimestampType]
}

// forge changes the metadata of a repository and makes each document name the next as it
// now is. keys sign all of it, "" leaves the old signatures; also may add more.
func forge(t testing.TB, repo, keys string, change func(*documents), also ...func(role string, list *[]metadata.Signature)) {
	t.Helper()
	d := &documents{root: &metadata.Metadata[metadata.RootType]{}, targets: &metadata.Metadata[metadata.TargetsType]{},
		snapshot: &metadata.Metadata[metadata.SnapshotType]{}, timestamp: &metadata.Metadata[metadata.TimestampType]{}}
	place := func(name string) string { return filepath.Join(repo, "metadata", name) }
	_, err := d.root.FromFile(place("1.root.json"))
	must(t, err)
	_, err = d.timestamp.FromFile(place("timestamp.json"))
	must(t, err)
	_, err = d.snapshot.FromFile(place(fmt.Sprintf("%d.snapshot.json", d.timestamp.Signed.Meta["snapshot.json"].Version)))
	must(t, err)
	_, err = d.targets.FromFile(place(fmt.Sprintf("%d.targets.json", d.snapshot.Signed.Meta["targets.json"].Version)))
	must(t, err)
	change(d)
	save(t, place("1.root.json"), keys, "root", d.root, also)
	b := save(t, place(fmt.Sprintf("%d.targets.json", d.targets.Signed.Version)), keys, "targets", d.targets, also)
	d.snapshot.Signed.Meta["targets.json"] = meta(d.targets.Signed.Version, b)
	b = save(t, place(fmt.Sprintf("%d.snapshot.json", d.snapshot.Signed.Version)), keys, "snapshot", d.snapshot, also)
	d.timestamp.Signed.Meta["snapshot.json"] = meta(d.snapshot.Signed.Version, b)
	save(t, place("timestamp.json"), keys, "timestamp", d.timestamp, also)
}

func save[T metadata.Roles](t testing.TB, name, keys, role string, m *metadata.Metadata[T], also []func(role string, list *[]metadata.Signature)) []byte {
	t.Helper()
	if keys != "" {
		m.ClearSignatures()
		s, err := signature.LoadED25519Signer(private(t, filepath.Join(keys, role+"-1.pem")))
		must(t, err)
		_, err = m.Sign(s)
		must(t, err)
	}
	for _, add := range also {
		add(role, &m.Signatures)
	}
	b, err := m.ToBytes(false)
	must(t, err)
	must(t, os.WriteFile(name, b, 0o644))
	return b
}

func meta(version int64, b []byte) *metadata.MetaFiles {
	d := release.DigestOf(b)
	return &metadata.MetaFiles{Version: version, Length: int64(len(b)), Hashes: metadata.Hashes{"sha256": d[:]}}
}

func private(t testing.TB, name string) ed25519.PrivateKey {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	block, _ := pem.Decode(b)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	return key.(ed25519.PrivateKey)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// signing are the commands that put the publisher's signature under something.
func signing(t testing.TB, repo, keys string) map[string]func() error {
	ctx, source := context.Background(), publish.KeySource{Place: keys}
	return map[string]func() error{
		"add": func() error {
			r := small(t, "2.0.0")
			r.Keys = source
			return publish.Add(ctx, repo, r)
		},
		"rollout": func() error {
			return publish.Rollout(ctx, repo, publish.RolloutOptions{Percent: 50, Keys: source, Date: day})
		},
		"mirrors": func() error { return publish.SetMirrors(ctx, repo, nil, source, day) },
		"prune": func() error {
			_, err := publish.Prune(ctx, repo, publish.PruneOptions{Keep: 1, Keys: source, Date: day})
			return err
		},
		"rotate": func() error {
			return publish.Rotate(ctx, repo, publish.RotateOptions{Role: "timestamp", Keep: true, Keys: source, Date: day})
		},
		"refresh": func() error { _, err := publish.Refresh(ctx, repo, source, day); return err },
	}
}

// Release jobs take the repository from the server, so it is not trusted more than a
// site trusts it.
func TestNothingIsSignedOnTopOfWhatNobodySigned(t *testing.T) {
	later := day.Add(20 * 365 * 24 * time.Hour)
	for role, change := range map[string]func(*documents){
		"root": func(d *documents) { d.root.Signed.Roles["targets"].Threshold = 1; d.root.Signed.Expires = later },
		"targets": func(d *documents) {
			d.targets.Signed.UnrecognizedFields = map[string]any{trust.MirrorsField: []any{"https://evil.example"}}
		},
		"snapshot":  func(d *documents) { d.snapshot.Signed.Expires = later },
		"timestamp": func(d *documents) { d.timestamp.Signed.Expires = later },
	} {
		t.Run(role, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{})
			forge(t, repo, "", change)
			before := digests(t, repo)
			for name, command := range signing(t, repo, publish.DefaultKeys(repo)) {
				if err := command(); !errors.Is(err, trust.ErrUntrusted) {
					t.Errorf("%s: got %v, want ErrUntrusted", name, err)
				} else if changing := role == "root" || role == "targets"; changing && !strings.Contains(err.Error(), role) {
					t.Errorf("%s: %v does not name the role", name, err)
				}
			}
			if after := digests(t, repo); !strings.EqualFold(strings.Join(before, "\n"), strings.Join(after, "\n")) {
				t.Error("the refused commands changed the repository")
			}
		})
	}
}

// Whoever has the server makes a repository of their own in whose roles the publisher's
// keys stand too, by their own ids or as names for other keys.
func TestNothingIsSignedInSomebodyElsesRepository(t *testing.T) {
	for _, disguised := range []bool{false, true} {
		ours, evil := initRepo(t, publish.InitOptions{}), pond(t, publish.InitOptions{})
		keys, theirs := publish.DefaultKeys(ours), publish.DefaultKeys(evil)
		forge(t, evil, theirs, func(d *documents) {
			for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
				public, err := metadata.KeyFromPublicKey(private(t, filepath.Join(keys, role+"-1.pem")).Public())
				must(t, err)
				must(t, d.root.Signed.AddKey(public, role))
			}
		})
		if disguised {
			disguise(t, evil, keys, theirs)
		}
		for name, command := range signing(t, evil, keys) {
			if err := command(); !errors.Is(err, trust.ErrUntrusted) || !strings.Contains(err.Error(), "somebody else") {
				t.Errorf("%s: got %v, want a refusal", name, err)
			}
		}
	}
}

// disguise puts the attacker's own keys into the root under the ids of the publisher's.
func disguise(t *testing.T, evil, keys, theirs string) {
	t.Helper()
	id := func(dir, role string) (string, *metadata.Key) {
		public, err := metadata.KeyFromPublicKey(private(t, filepath.Join(dir, role+"-1.pem")).Public())
		must(t, err)
		own, err := public.ID()
		must(t, err)
		return own, public
	}
	forge(t, evil, theirs, func(d *documents) {
		for _, role := range metadata.TOP_LEVEL_ROLE_NAMES {
			ourID, _ := id(keys, role)
			_, theirKey := id(theirs, role)
			d.root.Signed.Keys[ourID] = theirKey
		}
	}, func(role string, list *[]metadata.Signature) { // so that the publisher's seem to have signed
		ourID, _ := id(keys, role)
		*list = append(*list, metadata.Signature{KeyID: ourID, Signature: (*list)[0].Signature})
	})
}

// Each document names the next by its hash: older ones, however genuine, are not taken for
// those that the timestamp stands for.
func TestDocumentsOfDifferentTimesAreNotMixed(t *testing.T) {
	for role, pair := range map[string][2]string{
		"snapshot": {"2.snapshot.json", "4.snapshot.json"}, "targets": {"2.targets.json", "4.targets.json"},
	} {
		repo := pond(t, publish.InitOptions{})
		older, err := os.ReadFile(filepath.Join(repo, "metadata", pair[0]))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(repo, "metadata", pair[1]), older, 0o644))
		for name, command := range signing(t, repo, publish.DefaultKeys(repo)) {
			if err := command(); !errors.Is(err, trust.ErrUntrusted) || !strings.Contains(err.Error(), role) {
				t.Errorf("%s: got %v, want ErrUntrusted", name, err)
			}
		}
	}
}

func TestFilesThatWereExchangedAreNotSignedAgain(t *testing.T) {
	for name, test := range map[string]struct {
		file    string
		command func(repo string) error
	}{
		"the manifest of the channel": {"targets/stable/*.manifest.json", func(repo string) error {
			return publish.Add(t.Context(), repo, small(t, "2.0.0"))
		}},
		"the manifest of a release": {"targets/releases/1.5.0.1/*.manifest.json", func(repo string) error {
			return publish.Rollout(t.Context(), repo, publish.RolloutOptions{Percent: 50, Date: day})
		}},
		"the base of a patch": {"targets/releases/1.5.0.1/*.full.tar.zst", func(repo string) error {
			r := small(t, "2.0.0")
			r.PatchFrom = versions(t, "1.5.0.1")
			return publish.Add(t.Context(), repo, r)
		}},
		"a package that gets a new signature": {"targets/releases/1.4.2/*.full.tar.zst", func(repo string) error {
			return publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "targets", Date: day})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{})
			files, err := filepath.Glob(filepath.Join(repo, test.file))
			if err != nil || len(files) == 0 {
				t.Fatal(files, err)
			}
			for _, name := range files { // a channel keeps the manifests of before
				b, err := os.ReadFile(name)
				must(t, err)
				changed := strings.Replace(string(b), `"critical":false`, `"critical":true `, 1)
				if changed == string(b) {
					b[len(b)/2] ^= 1
					changed = string(b)
				}
				must(t, os.WriteFile(name, []byte(changed), 0o644))
			}
			if err := test.command(repo); !errors.Is(err, trust.ErrHash) {
				t.Errorf("got %v, want ErrHash", err)
			}
		})
	}
}

func TestTargetsWithoutAWholeHashAreRefused(t *testing.T) {
	for name, change := range map[string]func(targets map[string]*metadata.TargetFiles){
		"short": func(m map[string]*metadata.TargetFiles) { m["stable/manifest.json"].Hashes["sha256"] = []byte{1, 2} },
		"none": func(m map[string]*metadata.TargetFiles) {
			m["stable/manifest.json"].Hashes = metadata.Hashes{"sha512": make([]byte, 64)}
		},
		"outside": func(m map[string]*metadata.TargetFiles) { m["../../etc/passwd"] = m["stable/manifest.json"] },
	} {
		t.Run(name, func(t *testing.T) {
			repo := pond(t, publish.InitOptions{})
			forge(t, repo, publish.DefaultKeys(repo), func(d *documents) { change(d.targets.Signed.Targets) })
			commands := signing(t, repo, publish.DefaultKeys(repo))
			commands["verify"] = func() error { _, err := publish.Verify(t.Context(), repo, day); return err }
			for name, command := range commands {
				if err := command(); !errors.Is(err, trust.ErrUntrusted) || !strings.Contains(err.Error(), "targets") {
					t.Errorf("%s: got %v, want ErrUntrusted", name, err)
				}
			}
		})
	}
}

// A rotation of the targets that was killed after the root was written is finished by
// another one; until then nothing new is published with the keys of before.
func TestHalfARotationOfTheTargetsIsFinishedByAnother(t *testing.T) {
	repo := pond(t, publish.InitOptions{})
	timestamp := filepath.Join(repo, "metadata", "timestamp.json")
	saved, err := os.ReadFile(timestamp)
	must(t, err)
	rotate := func() error {
		return publish.Rotate(t.Context(), repo, publish.RotateOptions{Role: "targets", Date: day})
	}
	must(t, rotate())
	must(t, os.WriteFile(timestamp, saved, 0o644))
	if err := publish.Add(t.Context(), repo, small(t, "2.0.0")); !errors.Is(err, trust.ErrUntrusted) {
		t.Errorf("got %v, want ErrUntrusted", err)
	}
	must(t, rotate())
	must(t, publish.Add(t.Context(), repo, small(t, "2.0.0")))
	if _, err := publish.Verify(t.Context(), repo, day); err != nil {
		t.Error(err)
	}
}
