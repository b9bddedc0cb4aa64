package trust_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"moult/core/fetch"
	"moult/core/release"
	"moult/core/trust"
)

var day = time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)

// safe is an expiry that no test reaches.
var safe = day.Add(365 * 24 * time.Hour)

const (
	root      = metadata.ROOT
	timestamp = metadata.TIMESTAMP
	snapshot  = metadata.SNAPSHOT
	targets   = metadata.TARGETS
)

// simulator is a repository in memory, whose owner and whose attackers are the tests.
// Everything but the roots is signed as it is asked for.
type simulator struct {
	t         testing.TB
	mu        sync.Mutex
	url       string
	root      *metadata.Metadata[metadata.RootType]
	timestamp *metadata.Metadata[metadata.TimestampType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	targets   map[string]*metadata.Metadata[metadata.TargetsType] // "targets" and the delegated ones
	signers   map[string][]crypto.Signer                          // by role
	roots     [][]byte                                            // published, version 1 first
	files     map[string][]byte                                   // targets by name
	hashes    bool                                                // whether snapshot and timestamp carry hashes
	hidden    map[string]bool                                     // paths that a mirror does not hand out
	date      time.Time                                           // of the Date header; zero: none
	asked     []string                                            // metadata requests, as in "2.root"
	keys      int                                                 // made so far
}

func newSimulator(t testing.TB) *simulator {
	s := &simulator{
		t: t, root: metadata.Root(safe), timestamp: metadata.Timestamp(safe), snapshot: metadata.Snapshot(safe),
		targets: map[string]*metadata.Metadata[metadata.TargetsType]{targets: metadata.Targets(safe)},
		signers: map[string][]crypto.Signer{}, files: map[string][]byte{}, hidden: map[string]bool{},
	}
	for _, role := range []string{root, timestamp, snapshot, targets} {
		s.addKey(role)
	}
	s.publishRoot()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// key makes the next of a fixed series of keys.
func (s *simulator) key() ed25519.PrivateKey {
	s.keys++
	return seeded(s.keys)
}

func seeded(n int) ed25519.PrivateKey {
	seed := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return ed25519.NewKeyFromSeed(seed[:])
}

func public(t testing.TB, k crypto.Signer) (*metadata.Key, string) {
	t.Helper()
	p, err := metadata.KeyFromPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.ID()
	if err != nil {
		t.Fatal(err)
	}
	return p, id
}

// addKey adds a key to a top-level role and signs with it from now on.
func (s *simulator) addKey(role string) ed25519.PrivateKey {
	k := s.key()
	s.trustKey(role, k)
	s.signers[role] = append(s.signers[role], k)
	return k
}

func (s *simulator) trustKey(role string, k crypto.Signer) {
	p, _ := public(s.t, k)
	if err := s.root.Signed.AddKey(p, role); err != nil {
		s.t.Fatal(err)
	}
}

// dropKeys leaves a role without keys and signers.
func (s *simulator) dropKeys(role string) {
	s.root.Signed.Roles[role].KeyIDs = nil
	s.signers[role] = nil
}

func (s *simulator) rotate(role string) {
	s.dropKeys(role)
	s.addKey(role)
}

// publishRoot signs the root as it is and publishes it as its version.
func (s *simulator) publishRoot() {
	s.roots = append(s.roots, encode(s, root, s.root))
}

// bumpRoot publishes a new version of the root, signed by its present signers.
func (s *simulator) bumpRoot() {
	s.root.Signed.Version++
	s.publishRoot()
}

func (s *simulator) updateTimestamp() {
	s.timestamp.Signed.Version++
	s.timestamp.Signed.Meta["snapshot.json"] = s.metaFile(s.snapshot.Signed.Version, encode(s, snapshot, s.snapshot))
}

func (s *simulator) updateSnapshot() {
	for name, m := range s.targets {
		s.snapshot.Signed.Meta[name+".json"] = s.metaFile(m.Signed.Version, encode(s, name, m))
	}
	s.snapshot.Signed.Version++
	s.updateTimestamp()
}

func (s *simulator) metaFile(version int64, b []byte) *metadata.MetaFiles {
	m := &metadata.MetaFiles{Version: version}
	if s.hashes {
		d := sha256.Sum256(b)
		m.Length, m.Hashes = int64(len(b)), metadata.Hashes{"sha256": d[:]}
	}
	return m
}

// addFile adds a target to a role, and a copy to what is served.
func (s *simulator) addFile(role, name, content string) {
	d := sha256.Sum256([]byte(content))
	s.targets[role].Signed.Targets[name] = &metadata.TargetFiles{
		Path: name, Length: int64(len(content)), Hashes: metadata.Hashes{"sha256": d[:]},
	}
	if !s.root.Signed.ConsistentSnapshot {
		s.files[name] = []byte(content)
		return
	}
	s.files[trust.ConsistentName(name, d)] = []byte(content)
}

// delegate lets a role vouch for another, with a key of its own.
func (s *simulator) delegate(parent string, d metadata.DelegatedRole) {
	m := s.targets[parent]
	if m.Signed.Delegations == nil {
		m.Signed.Delegations = &metadata.Delegations{Keys: map[string]*metadata.Key{}, Roles: []metadata.DelegatedRole{}}
	}
	if s.targets[d.Name] == nil {
		s.targets[d.Name] = metadata.Targets(safe)
		s.signers[d.Name] = []crypto.Signer{s.key()}
	}
	for _, k := range s.signers[d.Name] {
		p, id := public(s.t, k)
		m.Signed.Delegations.Keys[id] = p
		d.KeyIDs = append(d.KeyIDs, id)
	}
	m.Signed.Delegations.Roles = append(m.Signed.Delegations.Roles, d)
}

func encode[T metadata.Roles](s *simulator, role string, m *metadata.Metadata[T]) []byte {
	m.ClearSignatures()
	for _, k := range s.signers[role] {
		signer, err := signature.LoadSigner(k, crypto.SHA256)
		if err != nil {
			s.t.Fatal(err)
		}
		if _, err := m.Sign(signer); err != nil {
			s.t.Fatal(err)
		}
	}
	b, err := m.ToBytes(false)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// ServeHTTP hands the repository out.
func (s *simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock() // documents are signed while they are handed out
	defer s.mu.Unlock()
	w.Header()["Date"] = nil
	if !s.date.IsZero() {
		w.Header().Set("Date", s.date.Format(http.TimeFormat))
	}
	name, isMetadata := strings.CutPrefix(r.URL.EscapedPath(), "/metadata/")
	b := s.file(strings.TrimPrefix(r.URL.Path, "/targets/"))
	if isMetadata {
		name = strings.TrimSuffix(name, ".json")
		s.asked = append(s.asked, name)
		b = s.document(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/metadata/"), ".json"))
	}
	if b == nil || s.hidden[r.URL.Path] {
		http.NotFound(w, r)
		return
	}
	w.Write(b)
}

func (s *simulator) file(name string) []byte { return s.files[name] }

func (s *simulator) document(name string) []byte {
	if name == timestamp {
		return encode(s, timestamp, s.timestamp)
	}
	version, role, _ := strings.Cut(name, ".")
	if !s.root.Signed.ConsistentSnapshot && role == "" {
		version, role = "1", name
	}
	n, err := strconv.Atoi(version)
	if err != nil {
		return nil
	}
	if role == root {
		if n < 1 || n > len(s.roots) {
			return nil
		}
		return s.roots[n-1]
	}
	if role == snapshot {
		return encode(s, snapshot, s.snapshot)
	}
	if m := s.targets[role]; m != nil {
		return encode(s, role, m)
	}
	return nil
}

// visitor is a site that looks at the simulator from time to time.
type visitor struct {
	t      testing.TB
	s      *simulator
	dir    *os.Root
	pinned []byte
	now    time.Time
	repo   *trust.Repository // of the last visit that succeeded
}

func newVisitor(t testing.TB, s *simulator) *visitor {
	t.Helper()
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return &visitor{t: t, s: s, dir: dir, pinned: s.roots[0], now: day}
}

func newClient(t testing.TB) *fetch.Client {
	t.Helper()
	c, err := fetch.New(fetch.Options{Backoff: time.Millisecond, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// open visits and returns what Open returns.
func (v *visitor) open() (*trust.Repository, error) {
	v.s.asked = nil
	now := v.now
	return trust.Open(v.t.Context(), trust.Options{
		Client: newClient(v.t), URL: v.s.url, Dir: v.dir, PinnedRoot: v.pinned, Now: func() time.Time { return now },
	})
}

// succeeds visits; the view must be a fresh one.
func (v *visitor) succeeds() {
	v.t.Helper()
	r, err := v.open()
	if err != nil {
		v.t.Fatal(err)
	}
	if !r.Status().Fresh {
		v.t.Fatalf("the view is not fresh: %s", r.Status().Detail)
	}
	v.repo = r
}

// version of a role as the site has kept it; 0 if it has none.
func (v *visitor) version(role string) int64 {
	v.t.Helper()
	if role == root {
		b, err := v.dir.ReadFile("root.json")
		if err != nil {
			return 1 // nothing newer than the pinned one was seen
		}
		var f struct{ Version int64 }
		if err := json.Unmarshal(b, &f); err != nil {
			v.t.Fatal(err)
		}
		return f.Version
	}
	b, err := v.dir.ReadFile("metadata/" + role + ".json")
	if err != nil {
		return 0
	}
	var m struct{ Signed struct{ Version int64 } }
	if err := json.Unmarshal(b, &m); err != nil {
		v.t.Fatal(err)
	}
	return m.Signed.Version
}

func (v *visitor) expectVersions(want map[string]int64) {
	v.t.Helper()
	for role, w := range want {
		if got := v.version(role); got != w {
			v.t.Errorf("%s: version %d, want %d", role, got, w)
		}
	}
}

func (v *visitor) expectAsked(want ...string) {
	v.t.Helper()
	if !slices.Equal(v.s.asked, want) {
		v.t.Errorf("asked for %q, want %q", v.s.asked, want)
	}
}

// reads fetches a target and compares it.
func (v *visitor) reads(name, want string) {
	v.t.Helper()
	b, err := v.repo.Read(v.t.Context(), name, 1<<20)
	if err != nil {
		v.t.Fatalf("read %s: %v", name, err)
	}
	if !bytes.Equal(b, []byte(want)) {
		v.t.Errorf("read %s: got %q, want %q", name, b, want)
	}
}

func digest(content string) release.Digest { return release.DigestOf([]byte(content)) }

// serveInstead makes the simulator hand out other bytes for a target.
func (s *simulator) serveInstead(name, content, instead string) {
	place := trust.ConsistentName(name, digest(content))
	if _, ok := s.files[place]; !ok {
		s.t.Fatal(fmt.Errorf("%s is not served", path.Base(place)))
	}
	s.files[place] = []byte(instead)
}
