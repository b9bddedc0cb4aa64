package site

import (
	"time"

	"moult/core/release"
)

// StateFile is the name in [Home] of the record of what is installed.
const StateFile = "state.json"

// State is what is installed on a site.
type State struct {
	Version   release.Version `json:"version"` // zero: no release yet
	Installed time.Time       `json:"installed,omitzero"`
	By        string          `json:"by,omitempty"` // the update's ID, or "init"
	LastCheck time.Time       `json:"last_check,omitzero"`
	// LastTrust is the level of trust at the last check, in update's words.
	LastTrust string `json:"last_trust,omitempty"`
	// RootVersion is the newest version of the trusted root that was seen. It
	// never goes down, whatever a server answers.
	RootVersion int `json:"root_version,omitempty"`
	// ID is random and stays on the site. It decides which stage of a rollout the
	// site is in, and is never sent anywhere.
	ID string `json:"id,omitempty"`
	// Skipped is a release that the admin doesn't want to be offered again.
	Skipped release.Version `json:"skipped,omitzero"`
}

// State reads what is installed.
func (s *Site) State() (State, error) {
	var st State
	err := readJSON(s.home, StateFile, &st)
	return st, err
}

// SetState records what is installed. A RootVersion below the recorded one is
// raised to it.
func (s *Site) SetState(st State) error {
	if was, err := s.State(); err == nil {
		st.RootVersion = max(st.RootVersion, was.RootVersion)
	}
	return writeJSON(s.home, StateFile, st)
}

const choicesFile = "choices.json"

// Choices reads the remembered answers about edited files: by path, in the words
// of core/files. None recorded gives an empty map.
func (s *Site) Choices() (map[release.Path]string, error) {
	choices := map[release.Path]string{}
	if err := readJSON(s.home, choicesFile, &choices); err != nil && !isMissing(err) {
		return nil, err
	}
	return choices, nil
}

// SetChoices records answers for the next updates.
func (s *Site) SetChoices(choices map[release.Path]string) error {
	return writeJSON(s.home, choicesFile, choices)
}
