package release

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Encode writes the manifest as servers hand it out. [ParseManifest] reads the
// same value back, with URLs as they were. It refuses a package for any
// architecture beside one for a certain architecture, as no server could say that.
func (m *Manifest) Encode() ([]byte, error) {
	w := manifestWriter{chunks: map[string][]Digest{}}
	text, err := w.manifest(m)
	if err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", m.Version, err)
	}
	b, err := json.MarshalIndent(text, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("manifest of %s: %w", m.Version, err)
	}
	return append(b, '\n'), nil
}

type manifestText struct {
	Version   string           `json:"version"`
	Released  string           `json:"release_date"`
	Notes     string           `json:"release_notes"`
	Packages  packagesText     `json:"packages"`
	Platforms map[Arch]*urlRef `json:"platforms,omitempty"`
	Patch     map[string]any   `json:"patch,omitempty"`
	Moult     *extensionText   `json:"moult,omitempty"`
}

type packagesText struct {
	Full  *urlRef `json:"full"`
	Patch *urlRef `json:"patch"` // always null; older clients expect the key
}

type urlRef struct {
	URL       string `json:"url"`
	Hash      string `json:"hash,omitempty"`
	Signature string `json:"signature,omitempty"`
	Size      int64  `json:"size,omitempty"`
}

type patchText struct {
	Arch string `json:"arch,omitempty"`
	From string `json:"from,omitempty"`
	urlRef
	Notes      string     `json:"notes,omitempty"`
	Operations Operations `json:"operations"`
}

type deltaText struct {
	From Version `json:"from"`
	Arch string  `json:"arch,omitempty"`
	urlRef
}

type earlierText struct {
	Version  Version `json:"version"`
	Released string  `json:"release_date,omitempty"`
	Manifest string  `json:"manifest"`
}

type scriptText struct {
	Name   string `json:"name"`
	SHA256 Digest `json:"sha256"`
}

type schemaText struct {
	Base   string `json:"base,omitempty"`
	Target string `json:"target,omitempty"`
}

type extensionText struct {
	Format   int                 `json:"format"`
	Product  string              `json:"product,omitempty"`
	Channel  string              `json:"channel,omitempty"`
	From     string              `json:"from,omitempty"`
	MinMoult string              `json:"min_moult,omitempty"`
	Critical bool                `json:"critical,omitempty"`
	Rollout  int                 `json:"rollout"`
	Stops    []Version           `json:"stops,omitempty"`
	Schema   *schemaText         `json:"schema,omitempty"`
	Scripts  []scriptText        `json:"scripts,omitempty"`
	Earlier  []earlierText       `json:"earlier,omitempty"`
	Patches  []patchText         `json:"patches,omitempty"`
	Deltas   []deltaText         `json:"deltas,omitempty"`
	Files    []File              `json:"files,omitempty"`
	ByArch   map[Arch][]File     `json:"arch_files,omitempty"`
	Chunks   map[string][]Digest `json:"chunks,omitempty"`
}

type manifestWriter struct{ chunks map[string][]Digest }

func (w *manifestWriter) manifest(m *Manifest) (*manifestText, error) {
	if m.Version.IsZero() {
		return nil, errors.New("has no version")
	}
	t := &manifestText{
		Version:  m.Version.String(),
		Released: m.Released.UTC().Format(time.RFC3339),
		Notes:    m.Notes,
	}
	if err := w.packages(t, m.Packages); err != nil {
		return nil, err
	}
	from, err := w.patches(t, m.Patches)
	if err != nil {
		return nil, err
	}
	if m.Moult != nil {
		if t.Moult, err = w.extension(m.Moult, from); err != nil {
			return nil, err
		}
		return t, nil
	}
	if from != "" || len(w.chunks) > 0 || len(m.Patches) > 0 && t.Platforms == nil {
		return nil, errors.New(`says what only the "moult" object can say, but has none`)
	}
	return t, nil
}

func (w *manifestWriter) packages(t *manifestText, packages map[Arch]Package) error {
	archs := slices.Sorted(maps.Keys(packages))
	for _, a := range archs {
		ref, err := w.ref(packages[a])
		if err != nil {
			return err
		}
		switch {
		case a != "":
			if t.Platforms == nil {
				t.Platforms = map[Arch]*urlRef{}
			}
			t.Platforms[a] = ref
			// Clients that know no platforms run on x86_64, if that is served.
			if t.Packages.Full == nil || a == X86_64 {
				t.Packages.Full = ref
			}
		case len(archs) > 1:
			return errors.New("has a full package for any architecture beside others")
		default:
			t.Packages.Full = ref
		}
	}
	if len(archs) == 0 {
		return errors.New("has no full package")
	}
	return nil
}

func (w *manifestWriter) patches(t *manifestText, patches map[Arch]Patch) (from string, err error) {
	for i, a := range slices.Sorted(maps.Keys(patches)) {
		p := patches[a]
		switch {
		case i == 0:
			t.Patch = map[string]any{}
			if !p.Version.IsZero() {
				t.Patch["version"] = p.Version
			}
			from = p.FromText
		case p.FromText != from:
			return "", fmt.Errorf("has patches from %q and from %q; all of one manifest start from the same versions", from, p.FromText)
		}
		text, err := w.patch(p)
		if err != nil {
			return "", err
		}
		text.From, text.Arch = "", ""
		t.Patch[archName(a)] = text
	}
	return from, nil
}

func archName(a Arch) string {
	if a == "" {
		return anyArch
	}
	return string(a)
}

func (w *manifestWriter) patch(p Patch) (patchText, error) {
	ref, err := w.ref(p.Package)
	if err != nil {
		return patchText{}, err
	}
	return patchText{Arch: string(p.Arch), From: p.FromText, urlRef: *ref, Notes: p.Notes, Operations: p.Operations}, nil
}

func (w *manifestWriter) ref(p Package) (*urlRef, error) {
	if len(p.Chunks) > 0 {
		if p.Digest.IsZero() {
			return nil, fmt.Errorf("package %s: has hashes of its chunks but none of the whole", p.URL)
		}
		w.chunks[p.Digest.String()] = p.Chunks
	}
	return &urlRef{p.URL, p.Digest.String(), base64.StdEncoding.EncodeToString(p.Signature), p.Size}, nil
}

func (w *manifestWriter) extension(x *Extension, from string) (*extensionText, error) {
	t := &extensionText{
		Format: extensionFormat, Product: x.Product, Channel: x.Channel, From: from, MinMoult: x.MinMoult.String(),
		Critical: x.Critical, Rollout: x.Rollout, Stops: x.Stops, Files: x.Files, ByArch: x.ArchFiles, Chunks: w.chunks,
	}
	if x.Schema != (SchemaDigests{}) {
		t.Schema = &schemaText{x.Schema.Base.String(), x.Schema.Target.String()}
	}
	for _, s := range x.Scripts {
		t.Scripts = append(t.Scripts, scriptText(s))
	}
	for _, e := range x.Earlier {
		text := earlierText{Version: e.Version, Manifest: e.Manifest}
		if !e.Released.IsZero() {
			text.Released = e.Released.UTC().Format(time.RFC3339)
		}
		t.Earlier = append(t.Earlier, text)
	}
	for _, p := range x.Patches {
		text, err := w.patch(p)
		if err != nil {
			return nil, err
		}
		t.Patches = append(t.Patches, text)
	}
	for _, d := range x.Deltas {
		ref, err := w.ref(d.Package)
		if err != nil {
			return nil, err
		}
		t.Deltas = append(t.Deltas, deltaText{d.From, string(d.Arch), *ref})
	}
	return t, nil
}
