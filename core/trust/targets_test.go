package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/trust"
)

func TestTargetFiles(t *testing.T) {
	for _, name := range []string{"target_file.txt", "path/to/a/target_file.txt", "with blank and %41.txt", "ä/ö?#.txt"} {
		t.Run(name, func(t *testing.T) {
			s := newSimulator(t)
			s.addFile(targets, name, "target file contents")
			v := newVisitor(t, s)
			v.succeeds()
			v.reads(name, "target file contents")
		})
	}
	t.Run("substituted", func(t *testing.T) {
		s := newSimulator(t)
		s.addFile(targets, "one", "content")
		v := newVisitor(t, s)
		v.succeeds()
		for _, bad := range []string{"malicious data", "CONTENT", "content and more", "conten", ""} {
			s.serveInstead("one", "content", bad)
			if b, err := v.repo.Read(t.Context(), "one", 1<<20); err == nil {
				t.Errorf("took %q", b)
			}
		}
	})
	t.Run("longer than allowed", func(t *testing.T) {
		s := newSimulator(t)
		s.addFile(targets, "one", "content")
		v := newVisitor(t, s)
		v.succeeds()
		if _, err := v.repo.Read(t.Context(), "one", 6); err == nil {
			t.Error("read more than the caller allows")
		}
	})
	t.Run("changed many times", func(t *testing.T) {
		s := newSimulator(t)
		v := newVisitor(t, s)
		for i := range 11 {
			content := fmt.Sprintf("contents %d", i)
			s.addFile(targets, "one", content)
			s.targets[targets].Signed.Version++
			s.updateSnapshot()
			if i%5 == 0 { // the site sees every fifth version only
				v.succeeds()
				v.reads("one", content)
				s.serveInstead("one", content, "malicious")
				v.reads("one", content) // the one that was kept
			}
		}
	})
}

func TestUnusualRoleNamesAreNamesAndNothingElse(t *testing.T) {
	for _, role := range []string{"?", "#", "/delegatedrole", "../delegatedrole", "."} {
		t.Run(role, func(t *testing.T) {
			s := newSimulator(t)
			s.delegate(targets, metadata.DelegatedRole{Name: role, Threshold: 1, Paths: []string{"*"}})
			s.updateSnapshot()
			v := newVisitor(t, s)
			v.succeeds()
			if _, err := v.repo.Find(t.Context(), "nonexistent"); !errors.Is(err, trust.ErrNoTarget) {
				t.Errorf("got %v, want ErrNoTarget", err)
			}
			if want := "1." + url.PathEscape(role); !slices.Contains(s.asked, want) {
				t.Errorf("asked for %q, want %q among them", s.asked, want)
			}
			if _, err := v.dir.Stat("metadata/roles/" + url.PathEscape(role) + ".json"); err != nil {
				t.Errorf("not kept where delegated roles are: %v", err)
			}
		})
	}
}

// Repositories of other makers: keys of another kind, and no consistent snapshots.
func TestRepositoryOfAnotherMaker(t *testing.T) {
	t.Run("ECDSA", func(t *testing.T) {
		s := newSimulator(t)
		s.addFile(targets, "a", "content")
		for _, role := range []string{root, timestamp, snapshot, targets} {
			k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			s.dropKeys(role)
			s.trustKey(role, k)
			s.signers[role] = []crypto.Signer{k}
		}
		s.roots = nil
		s.publishRoot()
		v := newVisitor(t, s)
		v.succeeds()
		v.reads("a", "content")
		s.signers[timestamp] = s.signers[snapshot]
		s.timestamp.Signed.Version++
		v.untrusted()
	})
	t.Run("without consistent snapshots", func(t *testing.T) {
		s := newSimulator(t)
		s.root.Signed.ConsistentSnapshot = false
		s.addFile(targets, "dir/a", "content")
		s.roots = nil
		s.publishRoot()
		v := newVisitor(t, s)
		v.succeeds()
		v.expectAsked("2.root", "timestamp", "snapshot", "targets")
		v.reads("dir/a", "content")
	})
}
