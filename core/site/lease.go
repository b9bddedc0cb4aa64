package site

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"sync"
	"time"

	"moult/core/release"
)

// leaseTime is how long a maintenance flag is good for after it was last renewed,
// and leaseRenewal how often that is. An application that reads the flag and finds
// its expiry past may take it for absent: whoever raised it has died.
const (
	leaseTime    = 2 * time.Minute
	leaseRenewal = 30 * time.Second
)

// leaseMark begins every flag that Moult raises: it lowers no other.
const leaseMark = "moult-maintenance"

// Lease is the maintenance flag of a site: a file that exists while the site is
// being changed and that says until when it is good. Its text is three lines,
//
//	moult-maintenance UPDATE
//	until 2026-11-12T09:00:00Z
//	until-unix 1794474000
//
// A flag that the admin raised is left alone, by Raise and by Lower.
type Lease struct {
	site *Site
	file release.Path
	now  func() time.Time

	mu   sync.Mutex
	stop chan struct{}
	done sync.WaitGroup
}

// Lease returns the maintenance flag that site.toml names, nil if it names none.
func (s *Site) Lease() *Lease {
	if s.Config.Maintenance.File == "" {
		return nil
	}
	return &Lease{site: s, file: s.Config.Maintenance.File, now: time.Now}
}

// Raise raises the flag for an update and keeps renewing it until [Lease.Lower].
func (l *Lease) Raise(update string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stop != nil {
		return nil
	}
	ours, there, err := l.look()
	if err != nil {
		return fmt.Errorf("maintenance flag %s: %w", l.file, err)
	}
	if there && !ours {
		return nil
	}
	if err := l.write(update); err != nil {
		return fmt.Errorf("maintenance flag %s: %w", l.file, err)
	}
	l.stop = make(chan struct{})
	stop := l.stop
	l.done.Go(func() { l.renew(update, stop) })
	return nil
}

func (l *Lease) renew(update string, stop <-chan struct{}) {
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			// A renewal that fails lets the lease run out, which is what it is for.
			_ = l.write(update)
		}
	}
}

// write replaces the flag. It is readable by everyone: the web server's user must see
// it. What a writer that died left beside it has the name that the next one takes, so
// that nothing of it stays in the site.
func (l *Lease) write(update string) error {
	until := l.now().Add(leaseTime).UTC()
	text := fmt.Sprintf("%s %s\nuntil %s\nuntil-unix %d\n", leaseMark, update, until.Format(time.RFC3339), until.Unix())
	dir, name := path.Split(string(l.file))
	temp := dir + ".moult-" + name + ".tmp"
	if err := l.site.Root.Remove(temp); err != nil && !isMissing(err) {
		return err
	}
	f, err := l.site.Root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	// The umask may have taken rights away. It is the file system that decides on the
	// mode where setting it fails.
	_ = f.Chmod(0o644)
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = l.site.Root.Rename(temp, string(l.file))
	}
	if err != nil {
		return errors.Join(err, l.site.Root.Remove(temp))
	}
	return nil
}

// look tells whether a flag is there and whether Moult raised it.
func (l *Lease) look() (ours, there bool, err error) {
	info, err := l.site.Root.Lstat(string(l.file))
	if isMissing(err) {
		return false, false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return false, true, err
	}
	b, err := readFile(l.site.Root, string(l.file), maxConfig)
	if isMissing(err) {
		return false, false, nil
	}
	return bytes.HasPrefix(b, []byte(leaseMark+" ")), true, err
}

// Leave stops renewing the flag and leaves it up: what a run does that ended with
// the site between two releases.
func (l *Lease) Leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave()
}

func (l *Lease) leave() {
	if l.stop != nil {
		close(l.stop)
		l.done.Wait()
		l.stop = nil
	}
}

// Lower takes the flag down if Moult raised it, in this process or in one that died.
// Lowering what is not raised is no error.
func (l *Lease) Lower() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave()
	ours, _, err := l.look()
	if err == nil && ours {
		err = l.site.Root.Remove(string(l.file))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("maintenance flag %s: %w", l.file, err)
	}
	return nil
}
