package site

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

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

// SetState records what is installed, whatever was recorded before. Of a site that
// others may be using it is [Site.ChangeState] that is wanted.
func (s *Site) SetState(st State) error { return writeJSON(s.home, StateFile, st) }

const stateLockFile = "state.lock"

// ChangeState changes the record of what is installed. It needs no [Lock]: a check may
// run beside an update. So each changes what it knows of and nothing else, and they do
// it one at a time; change must not take long.
func (s *Site) ChangeState(change func(*State)) (err error) {
	fl := flock.New(filepath.Join(s.home.Name(), stateLockFile), flock.SetPermissions(0o600))
	if err := fl.Lock(); err != nil {
		return fmt.Errorf("lock %s: %w", StateFile, err)
	}
	defer func() { err = errors.Join(err, fl.Unlock()) }()
	st, err := s.State()
	if err != nil {
		return err
	}
	change(&st)
	return s.SetState(st)
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
