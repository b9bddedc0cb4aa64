//go:build !linux

package cli_test

import (
	"fmt"
	"os"
)

// killAt needs Linux's way of tracing a process.
func killAt() {
	fmt.Fprintln(os.Stderr, "killat: cannot trace on this system")
	os.Exit(2)
}

// stopAtChanges has no tracer to call.
func stopAtChanges() {}
