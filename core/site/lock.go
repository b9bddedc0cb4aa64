package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

const (
	lockFile  = "lock"
	ownerFile = "owner.json"
	// heartbeat is how often an owner shows that it lives. A watcher on another
	// machine waits for watch before it takes silence for death.
	heartbeat = 200 * time.Millisecond
	watch     = 900 * time.Millisecond
	// glance is how long the lock may be had by a [Site.Holder] that only looks.
	glance = 50 * time.Millisecond
)

// Owner is who holds a site's lock.
type Owner struct {
	PID    int       `json:"pid"`
	Host   string    `json:"host"`
	BootID string    `json:"boot_id"` // changes each time the machine starts
	Since  time.Time `json:"since"`
	Beat   uint64    `json:"beat"` // counts up while the owner lives
}

// String names the owner for people.
func (o Owner) String() string {
	if o.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s, since %s", o.PID, o.Host, o.Since.Local().Format(time.DateTime))
}

// LockedError is returned by [Site.Lock] while another process that lives holds
// the lock.
type LockedError struct{ Owner Owner }

// Error names the owner.
func (e *LockedError) Error() string { return "the site is in use by " + e.Owner.String() }

// Lock is the right to change a site. While it is held, its owner is recorded and
// beats.
type Lock struct {
	site  *Site
	flock *flock.Flock
	stop  chan struct{}
	beats sync.WaitGroup
	once  sync.Once
	owner Owner
}

// Lock takes the site's lock, or returns a [*LockedError] that names who has it.
//
// The kernel drops the lock of a process that died, so a dead owner on this
// machine is recognised at once and nobody ever has to delete a file. Where
// another machine has the same disk and its kernel's locks are not seen here, its
// owner record is watched for less than a second: one that beats is alive. So is
// a record watched that a power cut has torn, or that makes no sense here.
func (s *Site) Lock() (*Lock, error) {
	fl := flock.New(filepath.Join(s.home.Name(), lockFile), flock.SetPermissions(0o600))
	got, err := fl.TryLock()
	for until := time.Now().Add(glance); err == nil && !got && time.Now().Before(until); {
		time.Sleep(glance / 10)
		got, err = fl.TryLock()
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", s.Dir, err)
	}
	if !got {
		owner, _, _ := s.owner()
		return nil, &LockedError{owner}
	}
	l := &Lock{site: s, flock: fl, stop: make(chan struct{}), owner: thisProcess()}
	if err := l.take(); err != nil {
		return nil, errors.Join(err, fl.Unlock())
	}
	return l, nil
}

func (l *Lock) take() error {
	if err := l.site.foreignOwner(l.owner); err != nil {
		return err
	}
	if err := l.site.Sweep(); err != nil {
		return fmt.Errorf("lock %s: %w", l.site.Dir, err)
	}
	if err := writeJSON(l.site.home, ownerFile, l.owner); err != nil {
		return err
	}
	l.beats.Go(l.beat)
	return nil
}

// foreignOwner returns a [*LockedError] if the owner record is of another
// machine, or nobody can tell whose, and changes.
func (s *Site) foreignOwner(me Owner) error {
	owner, first, err := s.owner()
	if isMissing(err) || err == nil && owner.Host == me.Host {
		return nil
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", s.Dir, err)
	}
	for until := time.Now().Add(watch); time.Now().Before(until); time.Sleep(heartbeat / 4) {
		owner, now, err := s.owner()
		if isMissing(err) {
			return nil
		}
		if err == nil && !bytes.Equal(now, first) {
			return &LockedError{owner}
		}
	}
	return nil
}

// owner reads the owner record, of which it returns the text, too. What can't be
// understood of it is left out: it may be torn, as nobody waits for the disk before
// the next beat, or be a newer Moult's.
func (s *Site) owner() (o Owner, text []byte, err error) {
	text, err = readFile(s.home, ownerFile, maxConfig)
	if err != nil {
		return Owner{}, nil, err
	}
	if json.Unmarshal(text, &o) != nil {
		o = Owner{}
	}
	return o, text, nil
}

// Holder tells who holds the lock now; the zero Owner and false when nobody does.
// Any number of processes may ask at the same time.
func (s *Site) Holder() (Owner, bool) {
	fl := flock.New(filepath.Join(s.home.Name(), lockFile), flock.SetPermissions(0o600))
	got, err := fl.TryRLock()
	if err == nil && got {
		err = fl.Unlock()
		return Owner{}, err != nil
	}
	o, _, _ := s.owner()
	return o, true
}

func thisProcess() Owner {
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return Owner{PID: os.Getpid(), Host: host, BootID: bootID(), Since: time.Now().UTC(), Beat: 1}
}

// beat counts up in the owner record. It is not made durable: only the living
// read it.
func (l *Lock) beat() {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	o := l.owner
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			o.Beat++
			// A beat that can't be written is not worth stopping an update for.
			_ = l.site.writeOwner(o)
		}
	}
}

// Release gives the lock back. Calling it again does nothing.
func (l *Lock) Release() error {
	var err error
	l.once.Do(func() {
		close(l.stop)
		l.beats.Wait()
		err = l.site.home.Remove(ownerFile)
		if isMissing(err) {
			err = nil
		}
		err = errors.Join(err, l.flock.Unlock())
	})
	return err
}

// writeOwner replaces the owner record without waiting for the disk.
func (s *Site) writeOwner(o Owner) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	temp := ownerFile + tempMark + "beat"
	if err := s.home.WriteFile(temp, b, 0o600); err != nil {
		return err
	}
	return s.home.Rename(temp, ownerFile)
}
