// Moult keeps self-hosted sites up to date: their files and their database
// together, and back again.
//
// Without arguments it opens its window; `moult help` lists the commands. Built
// with the tag headless it has no window and needs no C library.
package main

import (
	"os"
	"path/filepath"
	"runtime/debug"

	"moult/app/cli"
	"moult/app/hush"
)

// version is set by the linker when a release is built.
var version string

func main() {
	hush.Over()
	p := &cli.Program{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: version}
	if hasWindow {
		p.OpenWindow = func(sites []string) error {
			defer logCrashes()()
			return openWindow(sites)
		}
	}
	os.Exit(p.Run(os.Args[1:]))
}

// logCrashes has a crash written to a file as well, since a window is often
// started without a terminal. The function it returns removes the file of a
// start that did not crash.
func logCrashes() (end func()) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return func() {}
	}
	name := filepath.Join(cache, "moult", "crash.log")
	os.MkdirAll(filepath.Dir(name), 0o700)
	f, err := os.Create(name)
	if err != nil {
		return func() {}
	}
	debug.SetCrashOutput(f, debug.CrashOptions{})
	f.Close()
	return func() {
		debug.SetCrashOutput(nil, debug.CrashOptions{})
		os.Remove(name)
	}
}
