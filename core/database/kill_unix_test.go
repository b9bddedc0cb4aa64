//go:build unix

package database

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// killJournal ends the process, as kill -9 does, at its n-th record.
type killJournal struct{ at, written int }

func (j *killJournal) Append(string, any) error {
	j.written++
	if j.written == j.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return nil
}

func (j *killJournal) Sync() error { return nil }

// tortureChild is the body of the process that is killed.
func tortureChild() error {
	dsn, err := ParseDSN(os.Getenv("TORTURE_DSN"))
	if err != nil {
		return err
	}
	if password := os.Getenv("TORTURE_PASSWORD"); password != "" {
		dsn = dsn.WithPassword(password)
	}
	plan, err := readPlan(os.Getenv("TORTURE_PLAN"))
	if err != nil {
		return err
	}
	j := &killJournal{}
	if _, err := fmt.Sscan(os.Getenv("TORTURE_AT"), &j.at); err != nil {
		return err
	}
	d, err := Open(context.Background(), dsn)
	if err != nil {
		return err
	}
	do := there
	if os.Getenv("TORTURE_WAY") == "back" {
		do = back
	}
	if err := do(context.Background(), d, plan, j); err != nil {
		return err
	}
	fmt.Println("written", j.written)
	return nil
}

// killed runs a process that goes one way and is killed at its n-th record. For
// 0 it is not, and the number of records is returned.
func (r *rig) killed(way string, n int) int {
	r.t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), "TORTURE_DSN="+r.dsn.Text(), "TORTURE_PASSWORD="+r.dsn.password, "TORTURE_PLAN="+writePlan(r.t, r.plan), fmt.Sprintf("TORTURE_AT=%d", n), "TORTURE_WAY="+way)
	out, err := child.CombinedOutput()
	if n == 0 {
		written := 0
		if _, scanErr := fmt.Sscanf(string(out), "written %d", &written); err != nil || scanErr != nil {
			r.t.Fatalf("the process says %q, %v", out, err)
		}
		return written
	}
	status, ok := child.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		r.t.Fatalf("the process ended by itself: %q, %v", strings.TrimSpace(string(out)), err)
	}
	return n
}

func TestProcessKilledAtEveryRecordEndsOldOrNew(t *testing.T) {
	notShort(t)
	r := newRig(t, shopOld, shopNew)
	tried := 0
	for _, way := range []string{"there", "back"} {
		begin := func() {
			if way == "back" {
				if err := there(t.Context(), r.DB, r.plan, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		begin()
		count := r.killed(way, 0)
		r.reset()
		for _, n := range points(count, 4) {
			for direction, to := range map[string]pass{"there": there, "back": back} {
				begin()
				r.killed(way, n)
				r.recover(to, fmt.Sprintf("%s, killed at record %d of %d, then %s", way, n, count, direction))
				r.reset()
				tried++
			}
		}
	}
	tally(t, tried, "kills of the process")
}
