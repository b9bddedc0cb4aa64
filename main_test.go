package main

import (
	"os"
	"os/exec"
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
