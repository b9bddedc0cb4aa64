package trust

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// maxDelegations is how many roles one search visits, as in go-tuf.
const maxDelegations = 32

// Find returns a target wherever in the publisher's delegations it stands: the roles are
// searched in the order of TUF section 5.6.7, most trusted first. A target of the
// top-level role is found without going out. An unknown one is [ErrNoTarget].
func (r *Repository) Find(ctx context.Context, name string) (Target, error) {
	t, err := r.Target(name)
	if !errors.Is(err, ErrNoTarget) {
		return t, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	file, err := r.search(ctx, name)
	if err != nil {
		return Target{}, fmt.Errorf("%s: %w", name, err)
	}
	return r.target(name, file)
}

// delegation is a role still to be visited, with the role that vouches for it.
type delegation struct{ role, parent string }

// search walks the delegations in pre-order. Each role is verified against the role
// through which it is reached this time: what another role vouched for before does
// not count.
func (r *Repository) search(ctx context.Context, name string) (*metadata.TargetFiles, error) {
	top := r.trusted.Targets[metadata.TARGETS]
	stack := children(top, metadata.TARGETS, name, nil)
	visited := map[string]bool{metadata.TARGETS: true}
	for len(stack) > 0 && len(visited) <= maxDelegations {
		next := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if visited[next.role] {
			continue
		}
		visited[next.role] = true
		role, err := r.loadDelegated(ctx, next)
		if err != nil {
			return nil, err
		}
		if file, ok := role.Signed.Targets[name]; ok {
			return file, nil
		}
		stack = children(role, next.role, name, stack)
	}
	return nil, ErrNoTarget
}

// children pushes the roles that a role delegates a target to, the first of them on
// top. A terminating one ends the search in all others.
func children(role *metadata.Metadata[metadata.TargetsType], name, target string, stack []delegation) []delegation {
	if role.Signed.Delegations == nil {
		return stack
	}
	var found []delegation
	for _, c := range role.Signed.Delegations.GetRolesForTarget(target) {
		found = append(found, delegation{role: c.Name, parent: name})
		if c.Terminating {
			stack = nil
			break
		}
	}
	slices.Reverse(found)
	return append(stack, found...)
}

func (r *Repository) loadDelegated(ctx context.Context, d delegation) (*metadata.Metadata[metadata.TargetsType], error) {
	s := r.refresh
	cacheName := "roles/" + url.PathEscape(d.role)
	if old, err := cached(s.Dir, cacheName); err == nil && checkDocument(old) == nil {
		if m, err := r.trusted.UpdateDelegatedTargets(old, d.role, d.parent); err == nil {
			return m, nil
		}
	}
	meta, ok := r.trusted.Snapshot.Signed.Meta[d.role+".json"]
	if !ok {
		return nil, untrusted("snapshot", fmt.Errorf("it does not name the role %q", d.role))
	}
	b, err := s.download(ctx, s.versioned(meta.Version, url.PathEscape(d.role)+".json"), limit(meta.Length, maxTargets))
	if err != nil {
		return nil, err
	}
	if err := checkDocument(b); err != nil {
		return nil, untrusted(d.role, err)
	}
	m, err := r.trusted.UpdateDelegatedTargets(b, d.role, d.parent)
	if err != nil {
		if errors.Is(err, &metadata.ErrExpiredMetadata{}) {
			return nil, s.expired(d.role, targetsExpiry(b))
		}
		return nil, untrusted(d.role, err)
	}
	return m, saveCached(s.Dir, cacheName, b)
}
