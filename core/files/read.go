package files

import (
	"fmt"
	"os"

	"moult/core/release"
	"moult/core/site"
)

// Versions are the contents of one file for showing: each nil when there is none,
// when it is longer than a mebibyte, or when it is not text.
type Versions struct {
	Shipped []byte // as the installed release shipped it
	Here    []byte // as it is on the site, or was before the switch
	New     []byte // as the release wants it
	Merged  []byte // both sides' changes; nil unless they merge cleanly
}

// Read reads the versions of one file of a plan. contents is the extracted package,
// for what is not staged; nil leaves those out.
func Read(s *site.Site, u *site.Update, p *Plan, path release.Path, contents *os.Root) (Versions, error) {
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.Path == path && e.Change != Mkdir && e.Change != Rmdir {
			st := step{n: i, post: p.postOf(path), path: string(path), entry: e}
			return read(s, u, p, st, contents)
		}
	}
	return Versions{}, fmt.Errorf("%s is not in the plan", path)
}

// inside returns the places in the update's directory of a file whose directory is
// swapped whole or turned over.
func inside(s *site.Site, u *site.Update, p *Plan, st step) []place {
	var places []place
	for _, whole := range stepsOf(p, beginning{Trees: true, Turns: true}) {
		if whole.kind == turnOver && whole.path == st.path {
			places = append(places, inSite(s, u, p, whole.staged()))
		}
		for _, in := range whole.inner {
			if in.path == st.path {
				places = append(places, inSite(s, u, p, whole.within(in)))
			}
		}
	}
	return places
}

func read(s *site.Site, u *site.Update, p *Plan, st step, contents *os.Root) (Versions, error) {
	var v Versions
	store, err := s.Pristine()
	if err != nil {
		return v, err
	}
	defer store.Close()
	if b, err := store.Get(st.entry.Shipped.SHA256, maxText); err == nil {
		v.Shipped = shown(b)
	}
	places := append(inside(s, u, p, st), place{s.Root, st.path}, inSite(s, u, p, st.staged()), inSite(s, u, p, st.kept()))
	v.Here = find(st.entry.Here, places)
	if contents != nil {
		places = append(places, place{contents, st.source()})
	}
	v.New = find(st.entry.New, places)
	if v.New == nil {
		if b, err := store.Get(st.entry.New.SHA256, maxText); err == nil {
			v.New = shown(b)
		}
	}
	if st.entry.Merge && v.Shipped != nil && v.Here != nil && v.New != nil {
		if text, ok := mergeText(string(v.Shipped), string(v.Here), string(v.New)); ok {
			v.Merged = []byte(text)
		}
	}
	return v, nil
}

// place is where one version of a file may lie.
type place struct {
	root *os.Root
	path string
}

// find returns the contents that have a state, from the first place that holds them.
func find(want State, places []place) []byte {
	if !want.Exists() || want.Size > maxText {
		return nil
	}
	if want.Link != "" {
		return []byte(want.Link)
	}
	for _, at := range places {
		b, err := readText(at.root, release.Path(at.path))
		if err == nil && release.DigestOf(b) == want.SHA256 {
			return shown(b)
		}
	}
	return nil
}

// shown drops what can't be shown. An empty text stays one, and is not nil.
func shown(b []byte) []byte {
	if !isText(b) {
		return nil
	}
	if b == nil {
		return []byte{}
	}
	return b
}
