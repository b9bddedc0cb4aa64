package publish

import (
	"crypto/ed25519"
	"fmt"

	"moult/core/release"
	"moult/core/trust"
)

// resign gives every package of the repository a signature by another key, in the
// manifests. Sites with TUF don't need it; those that pin keys of the targets role do
// when that role changes its keys.
func (r *repository) resign(key ed25519.PrivateKey) error {
	newest := map[string]bool{}
	for _, c := range r.channels() {
		m, err := r.manifest(channelName(c))
		if err != nil {
			return err
		}
		newest[m.Version.String()] = true
	}
	s := &resigner{repo: r, key: key, done: map[string][]byte{}}
	for _, v := range r.versions() {
		m, err := r.manifest(manifestName(v))
		if err != nil {
			return err
		}
		if err := s.manifest(m); err != nil {
			return fmt.Errorf("sign the packages of %s again: %w", v, err)
		}
		if err := r.putManifest(m, newest[v.String()]); err != nil {
			return err
		}
	}
	return nil
}

type resigner struct {
	repo *repository
	key  ed25519.PrivateKey
	done map[string][]byte // signatures by target
}

func (s *resigner) manifest(m *release.Manifest) (err error) {
	for arch, p := range m.Packages {
		if p.Signature, err = s.sign(p.URL); err != nil {
			return err
		}
		m.Packages[arch] = p
	}
	for arch, p := range m.Patches {
		if p.Signature, err = s.sign(p.URL); err != nil {
			return err
		}
		m.Patches[arch] = p
	}
	for i := range m.Moult.Patches {
		p := &m.Moult.Patches[i]
		if p.Signature, err = s.sign(p.URL); err != nil {
			return err
		}
	}
	for i := range m.Moult.Deltas {
		d := &m.Moult.Deltas[i]
		if d.Signature, err = s.sign(d.URL); err != nil {
			return err
		}
	}
	return nil
}

func (s *resigner) sign(target string) ([]byte, error) {
	if signature, ok := s.done[target]; ok {
		return signature, nil
	}
	f, err := s.repo.openTarget(target)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	signature, err := trust.SignPackage(s.key, f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", target, err)
	}
	s.done[target] = signature
	return signature, nil
}
