package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestStartIsSilent starts this program, which imports all that moult does, under
// the locales of servers. Nothing may be printed before main is reached.
func TestStartIsSilent(t *testing.T) {
	for _, locale := range []string{"C", "C.UTF-8", "POSIX", "en_US.UTF-8", ""} {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "LC_ALL="+locale, "LANG="+locale)
		out, err := cmd.CombinedOutput()
		if err != nil || string(out) != "PASS\n" && string(out) != "testing: warning: no tests to run\nPASS\n" {
			t.Errorf("with the locale %q the start printed: %v\n%s", locale, err, out)
		}
	}
}

func TestACrashCanBeReadAfterTheNextStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "moult")
	logCrashes(dir)()
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("a start that did not crash has left %v, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(dir, crashFile), []byte("panic: index out of range"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second start has nothing to put aside
		logCrashes(dir)()
	}
	if last, err := os.ReadFile(filepath.Join(dir, lastCrashFile)); err != nil || string(last) != "panic: index out of range" {
		t.Errorf("the crash is read as %q, %v", last, err)
	}
}
