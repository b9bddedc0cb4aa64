package files

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"moult/core/site"
)

// TestMain lets the test program stand in for a real updater: a process that stages
// and switches the prepared update of the site named in the environment, and undoes
// it after an error.
func TestMain(m *testing.M) {
	if dir := os.Getenv("MOULT_TEST_UPDATE"); dir != "" {
		os.Exit(updateProcess(dir))
	}
	os.Exit(m.Run())
}

// The exit codes of the updater.
const (
	exitNew   = 0
	exitOld   = 3 // failed and undone
	exitMixed = 4
)

func updateProcess(dir string) int {
	ctx := context.Background()
	s, err := site.Open(dir)
	if err != nil {
		return exitOld
	}
	u, err := s.Update("u1")
	if err != nil {
		return exitOld
	}
	var p Plan
	if err := u.ReadJSON("plan.json", &p); err != nil {
		return exitOld
	}
	root, err := u.Root.OpenRoot("contents")
	if err != nil {
		return exitOld
	}
	if err := Stage(ctx, s, u, &p, root, nil); err != nil {
		fmt.Println(err)
		return exitOld
	}
	j, _, err := u.Journal()
	if err != nil {
		return exitOld
	}
	if _, err := Switch(ctx, s, u, &p, j, nil); err != nil {
		fmt.Println(err)
		if _, err := Undo(ctx, s, u, &p, j, nil); err != nil {
			fmt.Println(err)
			return exitMixed
		}
		return exitOld
	}
	return exitNew
}

// manyFiles is an update of 160 files: 120 changed, 20 new, 20 removed.
func manyFiles() scenario {
	sc := scenario{name: "160 files", shipped: contents{}, new: contents{}, full: true}
	for i := range 140 {
		p := fmt.Sprintf("lib/d%02d/f%03d.php", i%12, i)
		sc.shipped[p] = fmt.Sprintf("old %d", i)
		if i < 120 {
			sc.new[p] = fmt.Sprintf("new %d", i)
		}
	}
	for i := range 20 {
		sc.new[fmt.Sprintf("add/d%d/n%03d.php", i%3, i)] = "new"
	}
	sc.after = sc.new
	return sc
}

type injection struct {
	call  string
	short []int // the calls to be killed at in the short run
}

// errors are the calls that are answered with an error.
func (in injection) errors() []int {
	if torture() {
		return []int{1, 2, 3, 50, 100, 150, 161, 200, 250, 300, 330}
	}
	return in.short[:min(1, len(in.short))]
}

// injections are the system calls with which the updater changes anything, and how
// often about it makes them in that update; the short run takes few of them.
var injections = []injection{
	{"renameat2", []int{160, 230}},
	{"mkdirat", []int{4}},
	{"unlinkat", []int{1}},
	{"fchmod", []int{50}},
	{"utimensat", nil},
	{"write", nil},
	{"fsync", nil},
	{"syncfs", []int{2}},
}

// TestRealProcessSurvivesKill kills a real updater with SIGKILL as it enters the
// N-th of its system calls, and recovers in this process.
func TestRealProcessSurvivesKill(t *testing.T) {
	strace := findStrace(t)
	base := scratch(t)
	tried := 0
	for _, in := range injections {
		t.Run(in.call, func(t *testing.T) {
			for n := range whens(in.short) {
				killed := runInjected(t, strace, base, fmt.Sprintf("inject=%s:signal=KILL:when=%d", in.call, n))
				if !killed {
					break // it makes fewer such calls
				}
				tried++
			}
		})
	}
	t.Logf("%d kills of a real process", tried)
	if tried == 0 {
		t.Error("no process was killed")
	}
}

// TestRealProcessSurvivesErrors answers the N-th system call with an error.
func TestRealProcessSurvivesErrors(t *testing.T) {
	strace := findStrace(t)
	base := scratch(t)
	faults := []string{"ENOSPC", "EIO", "EACCES"}
	if !torture() {
		faults = faults[:1]
	}
	for _, fault := range faults {
		for _, in := range injections {
			if in.call == "write" {
				continue // strace would answer its own pipe and the child's report too
			}
			t.Run(fault+"/"+in.call, func(t *testing.T) {
				for _, n := range in.errors() {
					runInjected(t, strace, base, fmt.Sprintf("inject=%s:error=%s:when=%d", in.call, fault, n))
				}
			})
		}
	}
}

func findStrace(t *testing.T) string {
	t.Helper()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if err := exec.Command(strace, "-qq", "-o", os.DevNull, "true").Run(); err != nil {
		t.Skipf("strace can't trace here: %v", err)
	}
	return strace
}

// whens yields the calls to be killed at: the given ones, or in the long run all.
func whens(short []int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		if !torture() {
			for _, n := range short {
				if !yield(n) {
					return
				}
			}
			return
		}
		for n := 1; n < 1000 && yield(n); n++ {
		}
	}
}

// runInjected runs the updater under strace and recovers. It reports whether the
// updater was killed.
func runInjected(t *testing.T, strace, base, inject string) bool {
	t.Helper()
	w := build(t, base, manyFiles())
	defer w.close()
	before := w.digest()
	w.makePlan()
	if err := w.u.WriteJSON("plan.json", w.plan); err != nil {
		t.Fatal(err)
	}
	call, _, _ := strings.Cut(strings.TrimPrefix(inject, "inject="), ":")
	cmd := exec.Command(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call, "-e", inject, os.Args[0])
	cmd.Env = append(os.Environ(), "MOULT_TEST_UPDATE="+w.dir, "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	code := exitCode(err)
	if code == exitNew {
		if err := Verify(t.Context(), w.site, w.plan); err != nil {
			t.Fatalf("%s: the updater says new, but %v", inject, err)
		}
		return false
	}
	if code != exitOld && code != exitKilled {
		t.Fatalf("%s: exit code %d: %s", inject, code, out)
	}
	if code == exitOld && w.digest() != before {
		t.Fatalf("%s: the updater says undone, but the site is not old: %s", inject, out)
	}
	if notes, err := w.undo(realDisk{}); err != nil || len(notes) > 0 {
		t.Fatalf("%s: recovery: %v, notes %q", inject, err, notes)
	}
	if w.digest() != before {
		t.Fatalf("%s: the site after the recovery: %v", inject, w.tree())
	}
	return code == exitKilled
}

const exitKilled = -int(syscall.SIGKILL)

// exitCode returns the exit code of a command, or minus the signal that ended it.
// strace ends by the signal that ended its child.
func exitCode(err error) int {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return 0
	}
	if st, ok := exit.Sys().(syscall.WaitStatus); ok && st.Signaled() {
		return -int(st.Signal())
	}
	return exit.ExitCode()
}
