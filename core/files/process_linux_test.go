package files

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	if dir := os.Getenv("MOULT_TEST_PREFLIGHT"); dir != "" {
		os.Exit(preflightProcess(dir))
	}
	os.Exit(m.Run())
}

// The exit codes of the updater.
const (
	exitNew  = 0
	exitOld  = 3 // failed and undone
	exitOpen = 4 // failed, and the undo got an error too: the next one ends it
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
			return exitOpen
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

// injection is a system call that a test interferes with.
type injection struct {
	call  string
	short []int // the calls to be killed at, or to fail, in the short run
}

// injections are the system calls with which the updater changes anything; the short
// run takes few of each. The long one takes all, until the updater makes no more.
var injections = []injection{
	{"renameat2", []int{160, 230}},
	{"linkat", nil},
	{"mkdirat", []int{4}},
	{"unlinkat", []int{1}},
	{"fchmod", []int{50}},
	{"fchown", nil},
	{"utimensat", nil},
	{"fallocate", nil},
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
				if !runInjected(t, strace, base, fmt.Sprintf("inject=%s:signal=KILL:when=%d", in.call, n)).killed {
					break // it makes fewer such calls
				}
				tried++
			}
		})
	}
	t.Logf("%d kills of a real process; none ended mixed", tried)
	if tried == 0 {
		t.Error("no process was killed")
	}
}

// TestRealProcessSurvivesErrors answers the N-th system call with an error: in the
// long run each with one error by turns, and some with all of them.
func TestRealProcessSurvivesErrors(t *testing.T) {
	strace := findStrace(t)
	base := scratch(t)
	names := []string{"ENOSPC", "EIO", "EACCES", "EXDEV", "EINTR", "EDQUOT"}
	tried := 0
	for _, in := range injections {
		if in.call == "write" {
			continue // strace would answer its own pipe and the child's report too
		}
		t.Run(in.call, func(t *testing.T) {
			for n := range whens(in.short[:min(1, len(in.short))]) {
				some := names[n%len(names):][:1]
				if torture() && n%50 == 1 {
					some = names
				}
				reached := false
				for _, name := range some {
					reached = runInjected(t, strace, base, fmt.Sprintf("inject=%s:error=%s:when=%d", in.call, name, n)).reached || reached
					tried++
				}
				if !reached {
					break // it makes fewer such calls
				}
			}
		})
	}
	t.Logf("%d errors answered to a real process; none ended mixed", tried)
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

// injected is what came of a run under strace.
type injected struct {
	reached bool // the updater came to the call
	killed  bool
}

// runInjected runs the updater under strace and recovers.
func runInjected(t *testing.T, strace, base, inject string) injected {
	t.Helper()
	w := build(t, base, manyFiles())
	defer w.close()
	before := w.digest()
	w.makePlan()
	if err := w.u.WriteJSON("plan.json", w.plan); err != nil {
		t.Fatal(err)
	}
	call, _, _ := strings.Cut(strings.TrimPrefix(inject, "inject="), ":")
	log := filepath.Join(w.u.Root.Name(), "strace")
	cmd := exec.Command(strace, "-f", "-qq", "-o", log, "-e", "trace="+call, "-e", inject, os.Args[0])
	cmd.Env = append(os.Environ(), "MOULT_TEST_UPDATE="+w.dir, "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	code := exitCode(err)
	saw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	result := injected{killed: code == exitKilled}
	result.reached = result.killed || strings.Contains(string(saw), "(INJECTED)")
	if code == exitNew {
		if err := Verify(t.Context(), w.site, w.plan); err != nil {
			t.Fatalf("%s: the updater says new, but %v", inject, err)
		}
		return result
	}
	if code != exitOld && code != exitOpen && code != exitKilled {
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
	return result
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

// preflightProcess prints the problems of the prepared update of a site.
func preflightProcess(dir string) int {
	problems, err := func() ([]Problem, error) {
		s, err := site.Open(dir)
		if err != nil {
			return nil, err
		}
		u, err := s.Update("u1")
		if err != nil {
			return nil, err
		}
		var p Plan
		if err := u.ReadJSON("plan.json", &p); err != nil {
			return nil, err
		}
		return Preflight(context.Background(), s, &p)
	}()
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(problems)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// TestReadOnlyDirectoryIsFoundBeforeAnythingChanges runs as a user who may not write
// everywhere: when root runs the tests, as one who owns the site and nothing else.
func TestReadOnlyDirectoryIsFoundBeforeAnythingChanges(t *testing.T) {
	base := scratch(t)
	w := build(t, base, scenarios[1])
	defer w.close()
	w.makePlan()
	must(t, w.u.WriteJSON("plan.json", w.plan))
	lib := filepath.Join(w.dir, "lib")
	must(t, os.Chmod(lib, 0o555))
	defer os.Chmod(lib, 0o755)
	program := filepath.Join(w.dir, "..", "updater")
	must(t, copyProgram(program))
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "MOULT_TEST_PREFLIGHT="+w.dir)
	if os.Geteuid() == 0 {
		const someone = 65534
		for dir := base; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if info, err := os.Stat(dir); err == nil && info.Mode()&0o001 == 0 {
				must(t, os.Chmod(dir, info.Mode().Perm()|0o011))
			}
		}
		must(t, filepath.WalkDir(w.dir, func(name string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Lchown(name, someone, someone))
		}))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: someone, Gid: someone}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var problems []Problem
	must(t, json.Unmarshal(out, &problems))
	if len(problems) == 0 || problems[0].Code != "permissions" || !strings.Contains(problems[0].Text, "lib") {
		t.Errorf("problems %+v", problems)
	}
}

// copyProgram copies the test program to where anyone may run it.
func copyProgram(to string) error {
	self, err := os.ReadFile(os.Args[0])
	if err != nil {
		return err
	}
	return os.WriteFile(to, self, 0o755)
}
