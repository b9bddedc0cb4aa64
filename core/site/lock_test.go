package site

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// TestMain lets the test program stand in for another process: one that takes the
// lock of the site named in the environment, says so and waits to be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("MOULT_TEST_HOLD"); dir != "" {
		s, err := Open(dir)
		if err == nil {
			_, err = s.Lock()
		}
		if err != nil {
			os.Stdout.WriteString(err.Error())
			os.Exit(1)
		}
		os.Stdout.WriteString("held\n")
		time.Sleep(time.Minute)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// hold has another process take the lock.
func hold(t *testing.T, s *Site) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MOULT_TEST_HOLD="+s.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	b := make([]byte, 200)
	n, err := out.Read(b)
	if err != nil || string(b[:n]) != "held\n" {
		t.Fatalf("the other process says %q, %v", b[:n], err)
	}
	return cmd
}

func TestLivingOwnerIsNamed(t *testing.T) {
	s := newSite(t)
	other := hold(t, s)
	_, err := s.Lock()
	var locked *LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("got %v", err)
	}
	host, _ := os.Hostname()
	if locked.Owner.PID != other.Process.Pid || locked.Owner.Host != host || !strings.Contains(err.Error(), host) {
		t.Errorf("the owner is %+v, it should be process %d on %s", locked.Owner, other.Process.Pid, host)
	}
	if o, held := s.Holder(); !held || o.PID != other.Process.Pid {
		t.Errorf("holder is %v, %v", o, held)
	}
}

func TestDeadOwnerIsRecognisedWithinASecond(t *testing.T) {
	s := newSite(t)
	other := hold(t, s)
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	start := time.Now()
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestLockIsGivenBack(t *testing.T) {
	s := newSite(t)
	for range 3 {
		l, err := s.Lock()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Lock(); err == nil {
			t.Error("the lock was given twice in one process")
		}
		for range 2 {
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		}
	}
	if _, held := s.Holder(); held {
		t.Error("the lock is still held")
	}
}

// TestOwnerOnAnotherMachine stands for a disk that two machines mount without
// seeing each other's kernel locks: only the owner record tells.
func TestOwnerOnAnotherMachine(t *testing.T) {
	s := newSite(t)
	foreign := Owner{PID: 1, Host: "another.example.org", Since: time.Now(), Beat: 1}
	if err := s.writeOwner(foreign); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	l, err := s.Lock()
	if err != nil {
		t.Fatalf("a silent owner: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v to tell that the owner is dead", took)
	}
	l.Release()

	stop := beating(t, s, `{"pid":1,"host":"another.example.org","beat":%d}`)
	_, err = s.Lock()
	stop()
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Owner.Host != foreign.Host {
		t.Errorf("an owner that beats: %v", err)
	}
}

// beating writes the owner record again and again, as its owner does, until it is
// told to stop.
func beating(t *testing.T, s *Site, format string) (stop func()) {
	t.Helper()
	write := func(beat int) {
		if err := os.WriteFile(filepath.Join(s.Dir, Home, "beat"), fmt.Appendf(nil, format, beat), 0o600); err != nil {
			t.Error(err)
		}
		if err := os.Rename(filepath.Join(s.Dir, Home, "beat"), filepath.Join(s.Dir, Home, ownerFile)); err != nil {
			t.Error(err)
		}
	}
	write(1)
	end := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		for beat := 2; ; beat++ {
			select {
			case <-end:
				return
			case <-time.After(heartbeat):
				write(beat)
			}
		}
	})
	return func() { close(end); running.Wait() }
}

func TestOwnerRecordThatMakesNoSenseIsASilentOwner(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"torn":           `{"pid":12,"ho`,
		"of a newer one": `{"pid":1,"host":"another.example.org","beat":7,"mood":"calm"}`,
		"of another age": `{"pid":{"number":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			if err := os.WriteFile(filepath.Join(s.Dir, Home, ownerFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := s.Lock()
			if err != nil {
				t.Fatal(err)
			}
			if o, held := s.Holder(); !held || o.PID != os.Getpid() {
				t.Errorf("the holder is %v, %v", o, held)
			}
			if err := l.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOwnerThatBeatsLivesWhateverItsRecordSays(t *testing.T) {
	for name, c := range map[string]struct{ format, host string }{
		"a newer one":    {`{"pid":1,"host":"another.example.org","beat":%d,"mood":"calm"}`, "another.example.org"},
		"of another age": {`{"pid":{"number":1},"beats":%d}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			defer beating(t, s, c.format)()
			_, err := s.Lock()
			var locked *LockedError
			if !errors.As(err, &locked) || locked.Owner.Host != c.host {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestLookingForTheHolderIsNotHolding(t *testing.T) {
	s := newSite(t)
	looking := flock.New(filepath.Join(s.Dir, Home, lockFile))
	if got, err := looking.TryRLock(); err != nil || !got {
		t.Fatal(got, err)
	}
	if o, held := s.Holder(); held {
		t.Errorf("who also looks is told that %v holds the lock", o)
	}
	time.AfterFunc(glance/5, func() { looking.Unlock() })
	l, err := s.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}
